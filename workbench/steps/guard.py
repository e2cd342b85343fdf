"""``SafeStep``: cap (or set) the step of any torch optimiser by the bound radius measured along its actual update."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from workbench import checks
from workbench.steps.guard_checks import calling_scaler, checked_criterion, needs_closure, unscale
from workbench.steps.guard_log import GuardLog
from workbench.steps.jvp import METHODS, NotFiniteError
from workbench.steps.measure import Measure
from workbench.steps.ranks import Ranks
from workbench.steps.reading import OUTPUTS
from workbench.steps.snapshot import Snapshot

MODES = ("cap", "set")


class SafeStep:
    """Wrap ``optimizer`` so that no update leaves the region where the softmax of ``model`` is under control.

    The wrapped optimiser takes its own step on a snapshot; p = new − old is its actual update (momentum, weight decay
    and all). One Jacobian–vector product gives the slopes of the logits along p, the bound radius ρ_a = πT/max Δ, and
    the step becomes ``min(1, r_max·ρ_a/‖p‖)·p``. In ``mode="set"`` it becomes ``(r_max·ρ_a/‖p‖)·p``: the learning rate
    only points, it does not scale.

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
        ``"exact"`` (forward mode) or ``"finite-difference"`` (two plain forward passes).
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
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}")
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
        self.optimizer, self.model = optimizer, model
        self.r_max = checks.real("r_max", r_max, exclusive_minimum=0)
        self.quantile = checks.real("quantile", quantile, exclusive_minimum=0, maximum=1)
        self.every = checks.integer("every", every, minimum=1)
        self.jvp = checks.choice("jvp", jvp, METHODS)
        self.mode = checks.choice("mode", mode, MODES)
        self.temperature = checks.real("temperature", temperature, exclusive_minimum=0)
        outputs, ignore_index = checked_criterion(criterion, checks.choice("outputs", outputs, OUTPUTS), ignore_index)
        self._ranks = Ranks(group, model)
        self._measure = Measure(
            model,
            self._ranks,
            method=self.jvp,
            quantile=self.quantile,
            temperature=self.temperature,
            verify=bool(verify),
            reading={
                "outputs": outputs,
                "class_axis": checks.integer("class_axis", class_axis),
                "logits": logits,
                "ignore_index": ignore_index,
                "shift": shift,
            },
        )
        self.protect_optimizer = bool(protect_optimizer)
        self._closure_needed = needs_closure(optimizer)
        self._log = GuardLog()
        self._since_measured = 0
        self._names()

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
            if not self._gradients_are_finite():
                self._log.refuse("gradient not finite")
                return loss
        names = self._names()
        before = Snapshot(self.optimizer, list(names), with_state=self.protect_optimizer)
        try:
            if self._closure_needed:
                loss = self.optimizer.step(closure)
            else:
                self.optimizer.step()
            self._rescale(before, list(names.values()), batches, goals, sample_ids)
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

    def _rescale(
        self, before: Snapshot, names: list[str], batches: Sequence[Any], goals: Sequence[Any], sample_ids: Any
    ) -> None:
        """Measure along the update that was just made and scale it in place."""
        update = before.update()
        length = float(self._ranks.gather([_length(update)]).max())  # one number on all ranks; NaN stays NaN
        if not math.isfinite(length):
            before.restore()
            self._log.refuse("update not finite")
            return
        if length == 0:
            self._log.add(0.0, 0.0, False, "no update")
            return
        measured = self._since_measured % self.every == 0 or math.isnan(self._log.radius)
        if measured:
            direction = {name: u / length for name, u in zip(names, update, strict=True)}
            start = dict(self.model.named_parameters()) | dict(zip(names, before.values, strict=True))
            try:
                found = self._measure(batches, goals, direction, start, self._log.radius)
            except NotFiniteError:
                before.restore()
                self._log.refuse("logits not finite")
                return
            sample = found.sample
            if sample_ids is not None:  # names are known to the rank that holds the sample
                named = np.asarray(sample_ids).reshape(-1)
                here = int(named[sample]) if sample < len(named) else -1
                sample = int(self._ranks.gather([float(here)])[found.rank, 0])
            self._log.radius, self._log.bottleneck = found.radius, (sample, found.position, found.rank)
        self._since_measured += 1
        factor = self._factor(length)
        taken = length * factor
        if factor != 1.0:
            before.move(factor, update)
            if before.rounds:  # 16-bit parameters move by whole units of theirs, if at all
                taken = float(self._ranks.gather([_length(before.update())]).max())
        outcome = {"cap": "capped", "set": "set"}[self.mode] if factor != 1.0 else "kept"
        self._log.add(length, taken, measured, outcome)

    def _factor(self, length: float) -> float:
        """Return what to multiply an update of ``length`` with."""
        if math.isinf(self._log.radius):  # constant slopes: nothing limits the step, nothing sets it
            return 1.0
        factor = self.r_max * self._log.radius / length
        return factor if self.mode == "set" else min(1.0, factor)

    @property
    def engaged(self) -> bool:
        """Whether the last step was changed."""
        return self._log.engaged

    @property
    def log(self) -> xr.Dataset:
        """What happened at each step, as a Dataset over ``step``.

        ``update_norm`` ‖p‖ as proposed, ``radius`` ρ_a in force, ``r_proposed`` and ``r_taken`` in units of ρ_a,
        ``engaged`` whether the step was changed, ``measured`` whether the radius is fresh, ``sample`` and ``position``
        of the row with the widest slopes (−1 before the first measurement) on ``rank``, ``outcome`` in words.
        """
        return self._log.dataset(
            {
                "optimizer": type(self.optimizer).__name__,
                "model": type(self.model).__name__,
                "r_max": self.r_max,
                "quantile": self.quantile,
                "every": self.every,
                "jvp": self.jvp,
                "mode": self.mode,
                "temperature": self.temperature,
            }
        )

    def _gradients_are_finite(self) -> bool:
        """Return whether all gradients are finite on all ranks; raises ``ValueError`` if one has no gradient at all."""
        gradients = [p.grad for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        values = [_values(g) for g in gradients]
        # one norm is quicker than looking at every entry; it may overflow where no entry does
        finite = not values or math.isfinite(float(nn.utils.get_total_norm(values)))
        finite = finite or all(bool(torch.isfinite(v).all()) for v in values)
        missing, lost = self._ranks.gather([float(not gradients), float(not finite)]).any(axis=0)
        if missing:
            raise ValueError("no parameter of the optimiser has a gradient; call loss.backward() before guard.step()")
        return not lost

    def _names(self) -> dict[nn.Parameter, str]:
        """Return the optimiser's parameters with their names in the model."""
        owned = {parameter: name for name, parameter in self.model.named_parameters()}
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        strangers = sum(p not in owned for p in parameters)
        if strangers:
            raise ValueError(
                f"{strangers} of the optimiser's {len(parameters)} parameters do not belong to the model; "
                "pass the module that owns all of them"
            )
        return {p: owned[p] for p in parameters}

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
        self._names()

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state, the radius in force and the log, loadable with ``weights_only=True``."""
        guard = {"since_measured": self._since_measured, **self._log.state()}
        return {"optimizer": self.optimizer.state_dict(), "guard": guard}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`; raises ``ValueError`` if ``state`` is none of ours."""
        if not isinstance(state, dict) or set(state) != {"optimizer", "guard"}:
            raise ValueError("this is no state of a SafeStep: it must hold exactly 'optimizer' and 'guard'")
        self.optimizer.load_state_dict(state["optimizer"])
        self._since_measured = int(state["guard"]["since_measured"])
        self._log.restore(state["guard"])

    def __repr__(self) -> str:
        return f"SafeStep({type(self.optimizer).__name__}, r_max={self.r_max}, mode={self.mode!r}, jvp={self.jvp!r})"


def _values(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _length(update: list[Tensor]) -> float:
    """Return the Euclidean length over all tensors, accumulated in float64."""
    if not update:
        return 0.0
    wide = torch.float32 if update[0].device.type == "mps" else torch.float64
    return float(torch.stack([torch.linalg.vector_norm(u, dtype=wide) for u in update]).norm())
