"""``SafeStep``: cap (or set) the step of any torch optimiser by the bound radius measured along its actual update."""

import inspect
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

import workbench
from workbench import checks, results
from workbench.steps.jvp import METHODS, OUTPUTS, Linearisation, logits_and_slopes

MODES = ("cap", "set")
CROSS_ENTROPIES = ("CrossEntropyLoss", "NLLLoss", "BCEWithLogitsLoss", "cross_entropy", "nll_loss")
BINARY_CROSS_ENTROPIES = ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits")


@dataclass(frozen=True)
class StepRecord:
    """What happened at one step; see :attr:`SafeStep.log` for the meaning."""

    update_norm: float
    radius: float
    r_proposed: float
    r_taken: float
    engaged: bool
    measured: bool
    sample: int
    position: int
    outcome: str


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
    outputs, class_axis, logits, ignore_index
        How the output is read, see :func:`workbench.steps.logits_and_slopes`.
    criterion
        Optionally the training loss, only to be checked: it must be a cross-entropy; its ``ignore_index`` is taken.
    protect_optimizer
        Keep a copy of the optimiser's state during the step, so that a step which fails or is refused leaves it as
        well as the model as they were (costs that memory; False protects the model only).

    A step is refused (model and optimiser stay as they were, the log says why) when a gradient, the update or a logit
    is NaN or infinite. If the measurement raises, everything is put back and the error passes on. What it guarantees
    is a trust region on *predicted* logit gaps: early in training r < 1 is no promise of a falling loss.

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
        outputs, ignore_index = _checked_criterion(criterion, checks.choice("outputs", outputs, OUTPUTS), ignore_index)
        self._reading = {
            "outputs": outputs,
            "class_axis": checks.integer("class_axis", class_axis),
            "logits": logits,
            "ignore_index": ignore_index,
        }
        self.protect_optimizer = bool(protect_optimizer)
        self._closure_needed = _needs_closure(optimizer)
        self._radius = math.nan
        self._bottleneck = (-1, -1)
        self._since_measured = 0
        self._records: list[StepRecord] = []
        self._names()

    def step(
        self,
        inputs: Any,
        targets: Tensor | Sequence[Tensor] | None = None,
        *,
        closure: Callable[[], Any] | None = None,
        sample_ids: Any = None,
    ) -> Any:
        """Take one guarded step and return the closure's loss, if there is one.

        ``inputs``: the batch that the gradient came from, as the model takes it (tensor, tuple of positional or dict
        of keyword arguments); a *list* is a sequence of such micro-batches (gradient accumulation), all measured.
        ``targets`` are needed only to leave out ``ignore_index`` positions. ``closure`` does zero_grad, forward and
        backward and returns the loss, as in torch. ``sample_ids`` names the samples of the batch in the log.

        Raises ``ValueError`` when no parameter has a gradient, and whatever the model raises; then nothing has changed.
        """
        loss = None
        passed_on = None
        if closure is not None:
            if self._closure_needed:
                passed_on = closure
            else:
                with torch.enable_grad():
                    loss = closure()
        if passed_on is None:
            if self._closure_needed:
                raise ValueError(
                    f"{type(self.optimizer).__name__} needs a closure; call guard.step(inputs, closure=...)"
                )
            if not self._gradients_are_finite():
                self._refuse("refused: gradient not finite")
                return loss
        names = self._names()
        before = [(p, p.detach().clone()) for p in names]
        state = _copied_state(self.optimizer) if self.protect_optimizer else None
        try:
            returned = self.optimizer.step(passed_on) if passed_on is not None else self.optimizer.step()
            loss = returned if passed_on is not None else loss
            self._rescale(names, before, state, inputs, targets, sample_ids)
        except BaseException:
            self._restore(before, state)
            raise
        return loss

    def _rescale(
        self, names: dict[nn.Parameter, str], before: Any, state: Any, inputs: Any, targets: Any, sample_ids: Any
    ) -> None:
        """Measure along the update that was just made and scale it in place."""
        update = [p.detach() - old for p, old in before]
        length = _length(update)
        if not math.isfinite(length):
            self._restore(before, state)
            self._refuse("refused: update not finite")
            return
        if length == 0:
            self._record(0.0, 0.0, False, "no update")
            return
        measured = self._since_measured % self.every == 0 or math.isnan(self._radius)
        if measured:
            direction = {names[p]: u / length for (p, _), u in zip(before, update, strict=True)}
            parameters = dict(self.model.named_parameters()) | {names[p]: old for p, old in before}
            try:
                self._measure(direction, parameters, inputs, targets, sample_ids)
            except _NotFinite:
                self._restore(before, state)
                self._refuse("refused: logits not finite")
                return
        self._since_measured += 1
        proposed = length / self._radius if self._radius > 0 else math.inf
        factor = self._factor(proposed)
        if factor != 1.0:
            with torch.no_grad():
                for (p, old), u in zip(before, update, strict=True):
                    p.copy_(old + factor * u)
        engaged = factor != 1.0
        outcome = {"cap": "capped", "set": "set"}[self.mode] if engaged else "kept"
        self._record(length, length * factor, measured, outcome)

    def _factor(self, proposed: float) -> float:
        if proposed == 0:  # constant slopes, radius ∞: nothing limits the step, nothing sets it
            return 1.0
        factor = self.r_max / proposed
        return factor if self.mode == "set" else min(1.0, factor)

    def _measure(self, direction: Any, parameters: Any, inputs: Any, targets: Any, sample_ids: Any) -> None:
        batches = inputs if isinstance(inputs, list) else [inputs]
        goals = list(targets) if isinstance(inputs, list) and targets is not None else [targets] * len(batches)
        if len(goals) != len(batches):
            raise ValueError(f"{len(batches)} micro-batches but {len(goals)} targets")
        step = 0.02 * self._radius if math.isfinite(self._radius) and self._radius > 0 else None
        spreads, places, offset = [], [], 0
        for batch, goal in zip(batches, goals, strict=True):
            found = self._linearise(batch, goal, direction, parameters, step)
            spreads.append(found.slopes.amax(-1) - found.slopes.amin(-1))
            places.append(torch.stack([found.sample + offset, found.position], dim=-1))
            offset += int(found.sample.max()) + 1 if found.sample.numel() else 0
        delta, place = torch.cat(spreads).double(), torch.cat(places)
        if delta.numel() == 0:
            raise ValueError("every position of the batch is ignored; there is nothing to measure")
        widest = float(delta.max() if self.quantile == 1 else torch.quantile(delta, self.quantile))
        self._radius = math.pi * self.temperature / widest if widest > 0 else math.inf
        sample, position = (int(entry) for entry in place[int(delta.argmax())])
        if sample_ids is not None:
            sample = int(np.asarray(sample_ids).reshape(-1)[sample])
        self._bottleneck = (sample, position)

    def _linearise(self, batch: Any, goal: Any, direction: Any, parameters: Any, step: float | None) -> Linearisation:
        try:
            return logits_and_slopes(
                self.model,
                batch,
                direction,
                method=self.jvp,
                targets=goal,
                parameters=parameters,
                step=step,
                **self._reading,
            )
        except ValueError as error:
            if "hold NaN or infinity along" in str(error):
                raise _NotFinite from error
            raise

    @property
    def engaged(self) -> bool:
        """Whether the last step was changed."""
        return bool(self._records) and self._records[-1].engaged

    @property
    def log(self) -> xr.Dataset:
        """What happened at each step, as a Dataset over ``step``.

        ``update_norm`` ‖p‖ as proposed, ``radius`` ρ_a in force, ``r_proposed`` and ``r_taken`` in units of ρ_a,
        ``engaged`` whether the step was changed, ``measured`` whether the radius is fresh, ``sample`` and ``position``
        of the row with the widest slopes (−1 before the first measurement), ``outcome`` in words.
        """
        columns = {name: [getattr(r, name) for r in self._records] for name in StepRecord.__annotations__}
        meanings = {
            "update_norm": ("length of the optimiser's update", "τ", float),
            "radius": ("bound radius along the update", "τ", float),
            "r_proposed": ("r of the optimiser's update", "1", float),
            "r_taken": ("r of the step taken", "1", float),
            "engaged": ("whether the guard changed the step", "1", bool),
            "measured": ("whether the radius was measured at this step", "1", bool),
            "sample": ("bottleneck sample", "1", int),
            "position": ("bottleneck position in the sequence", "1", int),
            "outcome": ("what was done", "1", str),
        }
        variables = {
            name: (("step",), np.array(columns[name], dtype=kind), long_name, units)
            for name, (long_name, units, kind) in meanings.items()
        }
        attrs = {
            "function": "workbench.steps.SafeStep",
            "parameters": json.dumps(self._options()),
            "seed": "none",
            "version": workbench.__version__,
            "seconds": 0.0,
        }
        steps = (("step",), np.arange(len(self._records)), "training step")
        return results.validate(results.dataset(variables, {"step": steps}, attrs))

    def _options(self) -> dict[str, Any]:
        return results.describe(
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

    def _record(self, length: float, taken: float, measured: bool, outcome: str) -> None:
        def in_radii(value: float) -> float:
            if value == 0:
                return 0.0
            return value / self._radius if self._radius > 0 else math.inf

        self._records.append(
            StepRecord(
                update_norm=length,
                radius=self._radius,
                r_proposed=in_radii(length),
                r_taken=in_radii(taken),
                engaged=outcome in ("capped", "set"),
                measured=measured,
                sample=self._bottleneck[0],
                position=self._bottleneck[1],
                outcome=outcome,
            )
        )

    def _refuse(self, outcome: str) -> None:
        self._records.append(
            StepRecord(math.nan, self._radius, math.nan, 0.0, False, False, *self._bottleneck, outcome)
        )

    def _gradients_are_finite(self) -> bool:
        gradients = [p.grad for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        if not gradients:
            raise ValueError("no parameter of the optimiser has a gradient; call loss.backward() before guard.step()")
        values = [_values(g) for g in gradients]
        # one norm is quicker than looking at every entry; it may overflow where no entry does
        if math.isfinite(float(nn.utils.get_total_norm(values))):
            return True
        return all(bool(torch.isfinite(v).all()) for v in values)

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

    def _restore(self, before: Any, state: Any) -> None:
        with torch.no_grad():
            for p, old in before:
                p.copy_(old)
        if state is not None:
            for p in list(self.optimizer.state):
                if p in state:
                    self.optimizer.state[p] = state[p]
                else:
                    del self.optimizer.state[p]

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
        guard = {
            "radius": self._radius,
            "bottleneck": list(self._bottleneck),
            "since_measured": self._since_measured,
            "records": [asdict(record) for record in self._records],
        }
        return {"optimizer": self.optimizer.state_dict(), "guard": guard}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`; raises ``ValueError`` if ``state`` is none of ours."""
        if not isinstance(state, dict) or set(state) != {"optimizer", "guard"}:
            raise ValueError("this is no state of a SafeStep: it must hold exactly 'optimizer' and 'guard'")
        self.optimizer.load_state_dict(state["optimizer"])
        guard = state["guard"]
        self._radius = float(guard["radius"])
        self._bottleneck = (int(guard["bottleneck"][0]), int(guard["bottleneck"][1]))
        self._since_measured = int(guard["since_measured"])
        self._records = [StepRecord(**record) for record in guard["records"]]

    def __repr__(self) -> str:
        return f"SafeStep({type(self.optimizer).__name__}, r_max={self.r_max}, mode={self.mode!r}, jvp={self.jvp!r})"


class _NotFinite(Exception):
    """The logits or slopes are NaN or infinite."""


def _values(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _length(update: list[Tensor]) -> float:
    """Return the Euclidean length over all tensors, accumulated in float64."""
    if not update:
        return 0.0
    wide = torch.float32 if update[0].device.type == "mps" else torch.float64
    return float(torch.stack([torch.linalg.vector_norm(u, dtype=wide) for u in update]).norm())


def _needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether the optimiser's step cannot be called without a closure (L-BFGS, AdaHessian)."""
    parameter = inspect.signature(type(optimizer).step).parameters.get("closure")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def _copied_state(optimizer: torch.optim.Optimizer) -> dict[Any, Any]:
    return {p: _copied(value) for p, value in optimizer.state.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_copied(entry) for entry in value]
    return value


def _checked_criterion(criterion: Any, outputs: str, ignore_index: int) -> tuple[str, int]:
    """Accept cross-entropies only; take their ``ignore_index`` and whether they are binary."""
    ignore_index = checks.integer("ignore_index", ignore_index)
    if criterion is None:
        return outputs, ignore_index
    name = getattr(criterion, "__name__", type(criterion).__name__)
    if name in BINARY_CROSS_ENTROPIES:
        return "binary", ignore_index
    if name not in CROSS_ENTROPIES:
        raise ValueError(
            f"the loss {name} is no cross-entropy; the radius is defined for softmax and logistic losses only "
            f"({', '.join((*CROSS_ENTROPIES, BINARY_CROSS_ENTROPIES[1]))})"
        )
    return outputs, int(getattr(criterion, "ignore_index", ignore_index))
