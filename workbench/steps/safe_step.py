"""``SafeStep``: cap (or set) the step of any torch optimiser by the bound radius measured along its actual update."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import xarray as xr
from torch import Tensor, nn

from workbench import checks
from workbench.steps.engine import MEASURES, Engine
from workbench.steps.guard_checks import calling_scaler, checked_criterion, needs_closure, unscale
from workbench.steps.measure import Batch
from workbench.steps.reading import OUTPUTS


class SafeStep:
    """Wrap ``optimizer`` so that no update leaves the region where the softmax of ``model`` is under control.

    The wrapped optimiser takes its own step on a snapshot; p = new − old is its actual update (momentum, weight decay
    and all). One Jacobian–vector product gives the slopes of the logits along p, the bound radius ρ_a = πT/max Δ, and
    the step becomes ``min(1, r_max·ρ_a/‖p‖)·p``. In ``mode="set"`` it becomes ``(r_max·ρ_a/‖p‖)·p``: the learning rate
    only points, it does not scale. ``mode="warn"`` changes nothing and logs what would have been done, ``"refuse"``
    takes a step that is too long back. :func:`workbench.steps.guard` is the same as hooks on the optimiser itself.

    A whole training loop::

        model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        guard = steps.SafeStep(optimizer, model, r_max=1.0)
        for x, y in loader:
            guard.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            guard.step(x)                        # instead of optimizer.step()
        results.save(guard.log, "log.nc")        # r, engagement and the bottleneck sample of every step

    Parameters
    ----------
    optimizer, model
        Any ``torch.optim.Optimizer`` whose parameters all belong to ``model``. Give learning-rate schedulers the
        optimiser itself (``guard.optimizer``).
    r_max
        Largest r = ‖p‖/ρ_a allowed; for linear logits a step of r changes no sample's loss by more than πr.
    quantile
        1 respects every sample; 0.99 lets the worst hundredth of the rows pass.
    every
        Measure at every k-th step and use the last radius in between (a radius along an older direction: cheaper,
        and only as good as directions are persistent).
    jvp
        ``"exact"`` (forward mode), ``"auto"`` (that, and differences where it fails), ``"finite-difference"`` (two
        plain forward passes) or ``"replay"`` (the actual change of the logits, before and after: curvature counts).
    mode, temperature
        As above; ``temperature`` is that of the loss CE(z/T).
    outputs, class_axis, logits, ignore_index, shift
        How the output is read, see :func:`workbench.steps.logits_and_slopes`.
    criterion
        Optionally the training loss, only to be checked: it must be a cross-entropy; its ``ignore_index`` is taken.
    group
        The processes that take one and the same step: by default those of a model under DistributedDataParallel, else
        all of them if torch.distributed is initialised. The widest spread of all ranks gives one factor, and a step
        refused on one is refused on all. A ``ProcessGroup``, or False for this process alone.
    verify
        Compare the first measurement with one made in another way, at the cost of two or four forward passes once,
        and raise ``TangentError`` if they contradict each other: what loses a tangent would otherwise pass for safe.
    protect_optimizer
        Keep a copy of the optimiser's state during the step, so that a step which fails or is refused leaves it as
        well as the model as they were (costs that memory; False protects the model only).

    A step is refused (model and optimiser stay as they were, the log says why) when a gradient, the update or a logit
    is NaN or infinite; after 10 such steps in a row it warns. If the measurement raises, everything is put back and
    the error passes on. Under mixed precision call ``guard.step(x, scaler=scaler)`` or ``scaler.step(guard, x)``;
    either works whether or not the gradients were unscaled before. What it guarantees is a trust region on *predicted*
    logit gaps: early in training r < 1 is no promise of a falling loss.

    Reference: P. Sao, "Ghosts of Softmax", arXiv 2603.13552; measuring along the actual update instead of the raw
    gradient is the difference to its code.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        *,
        r_max: float = 1.0,
        quantile: float = 1.0,
        every: int = 1,
        jvp: str = "exact",
        mode: str = "cap",
        temperature: float = 1.0,
        outputs: str = "auto",
        class_axis: int = -1,
        logits: Callable[[Any], Tensor] | None = None,
        criterion: Any = None,
        ignore_index: int = -100,
        shift: bool | None = None,
        group: Any = None,
        verify: bool = True,
        protect_optimizer: bool = True,
    ) -> None:
        outputs, ignore_index = checked_criterion(criterion, checks.choice("outputs", outputs, OUTPUTS), ignore_index)
        checks.choice("jvp", jvp, MEASURES)
        self._engine = Engine(
            optimizer,
            model,
            r_max=r_max,
            quantile=quantile,
            every=every,
            measure=jvp,
            mode=mode,
            temperature=temperature,
            group=group,
            verify=verify,
            reading={
                "outputs": outputs,
                "class_axis": checks.integer("class_axis", class_axis),
                "logits": logits,
                "ignore_index": ignore_index,
                "shift": shift,
            },
        )
        self.optimizer, self.model, self.jvp, self.mode = optimizer, model, jvp, mode
        self.protect_optimizer = bool(protect_optimizer)
        self._closure_needed = needs_closure(optimizer)

    def step(
        self,
        inputs: Any,
        targets: Tensor | Sequence[Tensor] | None = None,
        *,
        closure: Callable[[], Any] | None = None,
        scaler: torch.amp.GradScaler | None = None,
        sample_ids: Any = None,
    ) -> Any:
        """Take one guarded step and return the closure's loss, if there is one.

        ``inputs``: the batch that the gradient came from, as the model takes it (tensor, tuple of positional or dict
        of keyword arguments); a *list* is a sequence of such micro-batches (gradient accumulation), all measured.
        ``targets`` are needed only to leave out ``ignore_index`` positions; ``labels`` among the inputs are found.
        ``closure`` does zero_grad, forward and backward and returns the loss, as in torch. ``scaler`` unscales the
        gradients, unless it has; call ``scaler.update()`` afterwards. ``sample_ids`` names the samples of the batch in
        the log.

        Raises ``ValueError`` when no parameter has a gradient, and whatever the model raises; then nothing has changed.
        """
        loss = None
        if closure is None and self._closure_needed:
            raise ValueError(f"{type(self.optimizer).__name__} needs a closure; call guard.step(inputs, closure=...)")
        if scaler is not None and closure is not None:
            raise ValueError("a GradScaler and a closure cannot be combined; give one of them")
        batches = inputs if isinstance(inputs, list) else [inputs]
        goals = list(targets) if isinstance(inputs, list) and targets is not None else [targets] * len(batches)
        if len(goals) != len(batches):
            raise ValueError(f"{len(batches)} micro-batches but {len(goals)} targets")
        if not self._closure_needed:
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            self._unscale(scaler)
            if not self._engine.gradients_are_finite() and self.mode != "warn":
                self._engine.refuse(None, "gradient not finite")
                return loss
        before, names = self._engine.snapshot(with_state=self.protect_optimizer)
        try:
            if self._closure_needed:
                loss = self.optimizer.step(closure)
            else:
                self.optimizer.step()
            given = [Batch(batch, goal) for batch, goal in zip(batches, goals, strict=True)]
            self._engine.rescale(before, names, given, sample_ids)
        except BaseException:
            before.restore()
            raise
        return loss

    # GradScaler.step then leaves unscaling to us; without it, it would unscale what scaler.unscale_(optimizer) has
    # unscaled already, since it keeps its books by optimiser and takes the guard for another one
    _step_supports_amp_scaling = True

    def _unscale(self, scaler: torch.amp.GradScaler | None) -> None:
        if scaler is None and getattr(self, "grad_scale", None) is not None:  # set by GradScaler.step around its call
            scaler = calling_scaler()
        if scaler is not None and scaler.is_enabled():
            unscale(scaler, self.optimizer)

    @property
    def engaged(self) -> bool:
        """Whether the last step was changed."""
        return self._engine.log.engaged

    @property
    def log(self) -> xr.Dataset:
        """What happened at each step, as a Dataset over ``step``.

        ``update_norm`` ‖p‖ as proposed, ``radius`` ρ_a in force, ``r_proposed`` and ``r_taken`` in units of ρ_a,
        ``engaged`` whether the step was changed, ``measured`` whether the radius is fresh, ``sample`` and ``position``
        of the row with the widest slopes (−1 before the first measurement) on ``rank``, ``rising`` and ``falling`` its
        classes that set it, ``outcome`` in words. Of more than 4096 steps the older ones are thinned.
        """
        return self._engine.log.dataset(
            "workbench.steps.SafeStep",
            {
                "optimizer": type(self.optimizer).__name__,
                "model": type(self.model).__name__,
                "r_max": self._engine.r_max,
                "quantile": self._engine.measure.quantile,
                "every": self._engine.every,
                "jvp": self.jvp,
                "mode": self.mode,
                "temperature": self._engine.measure.temperature,
            },
        )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients, as the optimiser does."""
        self.optimizer.zero_grad(set_to_none)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The optimiser's parameter groups."""
        return self.optimizer.param_groups

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add a parameter group to the optimiser; its parameters must belong to the model."""
        self.optimizer.add_param_group(group)
        self._engine.names()

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state, the radius in force and the log, loadable with ``weights_only=True``."""
        return {"optimizer": self.optimizer.state_dict(), "guard": self._engine.state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`; raises ``ValueError`` if ``state`` is none of ours."""
        if not isinstance(state, dict) or set(state) != {"optimizer", "guard"}:
            raise ValueError("this is no state of a SafeStep: it must hold exactly 'optimizer' and 'guard'")
        self.optimizer.load_state_dict(state["optimizer"])
        self._engine.restore(state["guard"])

    def __repr__(self) -> str:
        name, r_max = type(self.optimizer).__name__, self._engine.r_max
        return f"SafeStep({name}, r_max={r_max}, mode={self.mode!r}, jvp={self.jvp!r})"
