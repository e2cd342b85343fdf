"""``guard``: the controller as hooks on the optimiser itself, so that nothing else of a training has to change."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from types import TracebackType
from typing import Any

import torch
import xarray as xr
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from workbench import checks
from workbench.steps.engine import Engine
from workbench.steps.guard_checks import checked_criterion, inner_optimizer
from workbench.steps.guard_log import StepRecord, in_words
from workbench.steps.head import is_output
from workbench.steps.measure import Batch
from workbench.steps.passes import Call
from workbench.steps.reading import OUTPUTS, logits_in
from workbench.steps.snapshot import Snapshot

MOST_BATCHES = 64
LOG = logging.getLogger("workbench.steps.guard")
LONG_RUN = 20
"""Steps in a row beyond r_max after which the learning rate itself is named."""
PROTECT = ("auto", "all", "params", "none")


def guard(
    optimizer: torch.optim.Optimizer,
    model: nn.Module,
    *,
    r_max: float = 1.0,
    mode: str = "warn",
    measure: str = "auto",
    rows: int | None = None,
    every: int = 1,
    quantile: float = 1.0,
    temperature: float = 1.0,
    outputs: str = "auto",
    class_axis: int = -1,
    logits: Callable[[Any], Tensor] | None = None,
    criterion: Any = None,
    group: Any = None,
    protect: str = "auto",
    on_step: Callable[[StepRecord], None] | None = None,
    verify: bool = True,
    seed: int = 0,
) -> "Guard":
    """Watch every step of ``optimizer`` from now on; the rest of the training stays as it is.

    The optimiser remains the same object: schedulers, gradient scalers, closures, trainers of other libraries work
    unchanged. A hook on the model keeps the batches of the training forwards since the last step, one before the
    optimiser's step copies the parameters, one after it measures the update along itself and does what ``mode`` says:
    "warn" (the default) changes nothing and logs what would have been done, "cap" shortens a step with r > ``r_max``,
    "set" gives every step r = ``r_max``, "refuse" takes it back. Steps with NaN or infinity are taken back in every
    mode but "warn".

    >>> import torch
    >>> from workbench import steps
    >>> model = torch.nn.Linear(3, 2)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=1e3)
    >>> with steps.guard(optimizer, model, mode="cap") as guarded:
    ...     x, y = torch.eye(3), torch.tensor([0, 1, 1])
    ...     torch.nn.functional.cross_entropy(model(x), y).backward()
    ...     optimizer.step()
    >>> guarded.log.outcome.values.tolist(), round(float(guarded.log.r_taken[0]), 6)
    (['capped'], 1.0)

    Parameters: ``measure`` "exact", "finite-difference", "replay" (the actual change of the logits; needs no forward
    derivative) or "auto": exact, and finite differences from the moment that forward mode fails, with a warning that
    says why. ``rows`` measures that many samples of each batch, drawn by ``seed``: cheaper, but the widest spread
    of some samples is a lower bound on that of all, so r may be larger than logged; take a smaller ``r_max``.
    ``protect`` says what is copied before a step: "params" the parameters (a step taken back leaves the moments
    moved), "all" the optimiser's state too, "auto" (the default) the state only where taking back is to be expected:
    in mode "refuse", for gradients that are not finite, and for closures. "none", in mode "warn" only, copies the last
    layer where that is enough (replay without dropout; then ``update_norm`` and ``radius`` are NaN in the log and r is
    not), all parameters for a measurement that needs them, and nothing for a step that is not measured. ``on_step`` is
    called with each :class:`StepRecord`. ``group`` and the rest as in
    :class:`workbench.steps.SafeStep`. Targets are not seen: labels among the keyword inputs are, as transformers'
    models take them, else every position counts.

    Raises ``ValueError``/``TypeError`` for options out of range, or parameters that do not belong to the model; the
    optimiser's ``step`` raises ``ValueError`` if no training forward came before it. If a measurement raises, the
    parameters are put back first. Wrappers of accelerate and Lightning are looked into. Schedule-free optimisers are
    measured along the parameters of their train mode, and their point z is scaled with them. Models sharded by
    ``fully_shard`` are measured by replay, two forwards of the sharded model. Two optimisers of one model need a guard
    each, which knows its own part of the step only. Cost: a copy of the parameters, whose memory is kept on a CPU, and
    that of the measurement.
    """
    outputs, ignore_index = checked_criterion(criterion, checks.choice("outputs", outputs, OUTPUTS), -100)
    engine = Engine(
        inner_optimizer(optimizer),
        model,
        r_max=r_max,
        quantile=quantile,
        every=every,
        measure=measure,
        mode=mode,
        temperature=temperature,
        group=group,
        verify=verify,
        on_step=on_step,
        reading={
            "outputs": outputs,
            "class_axis": checks.integer("class_axis", class_axis),
            "logits": logits,
            "ignore_index": ignore_index,
        },
    )
    protect = checks.choice("protect", protect, PROTECT)
    if protect == "none" and mode != "warn":
        raise ValueError(f'protect="none" keeps nothing to come back to; mode {mode!r} needs "params" or "all"')
    if rows is not None:
        rows = checks.integer("rows", rows, minimum=1)
    return Guard(engine, protect, rows, checks.integer("seed", seed, minimum=0))


@dataclass(eq=False)
class _Kept:
    """One training forward: what identifies its batch, the batch, and what the last layer was given in it."""

    parts: tuple[int, ...]
    batch: Any
    versions: int
    calls: int = 0
    hidden: Tensor | None = None
    output: tuple[Tensor, int] | None = None


class _Hook:
    """A hook that belongs to one module: a copy of the module (for an average of weights, say) or a pickle of it gets
    one that does nothing, instead of a guard of its own."""

    def __init__(self, function: Callable[..., None]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> None:
        self._function(*arguments)

    def __reduce__(self) -> tuple[Callable[[], Callable[..., None]], tuple[()]]:
        return _no_hook, ()


class _Untraced(_Hook):
    """One that compiled models leave their graph for: ``torch.compiler.disable``, without seconds of importing it."""

    def __call__(self, *arguments: Any) -> None:
        self._function(*arguments)

    __call__._torchdynamo_disable = True


def _no_hook() -> Callable[..., None]:
    return _nothing


def _nothing(*_arguments: Any) -> None:
    """Do nothing."""


class Guard:
    """What :func:`guard` returns: the log, an explanation of the worst step, and the way to take the hooks off."""

    def __init__(self, engine: Engine, protect: str, rows: int | None, seed: int) -> None:
        self._engine, self._protect, self._rows = engine, protect, rows
        self._generator = torch.Generator().manual_seed(seed)
        self._batches: deque[_Kept] = deque(maxlen=MOST_BATCHES)
        self._open: _Kept | None = None  # the batch whose forward is running
        self._versions, self._weights = 0, list(engine.model.parameters())
        self._before: Snapshot | None = None
        self._partial = False  # whether less was copied than the step moves
        self._names: list[str] = []
        self._trouble, self._looked = "", False  # what is wrong with the gradients; whether that was looked at
        self._head_handle: RemovableHandle | None = None
        self._beyond: list[float] = []  # r of the steps in a row up to now that were longer than r_max
        self._fresh, self._backward = True, False  # whether the next forward begins a new step; whether gradients came
        optimizer, model = engine.optimizer, engine.model
        self._handles = [
            model.register_forward_pre_hook(_Untraced(self._keep), with_kwargs=True),
            optimizer.register_step_pre_hook(self._prepare),
            optimizer.register_step_post_hook(self._decide),
            *(p.register_post_accumulate_grad_hook(self._accumulated) for p in self._parameters() if p.requires_grad),
        ]

    def _keep(self, module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Before a forward: keep its batch if it is one that a step will be made of."""
        self._open = None
        if not (module.training and torch.is_grad_enabled()):
            return
        # gradients that came and are gone again belonged to a step that never was (a scaler skipped it)
        if self._fresh or (self._backward and all(p.grad is None for p in self._parameters())):
            self._batches.clear()
            self._fresh = self._backward = False
        parts = tuple(id(v) for v in (*arguments, *keywords.values()))
        if not any(parts == kept.parts for kept in self._batches):  # L-BFGS evaluates one batch many times
            batch = Call(arguments, dict(keywords)) if arguments and keywords else (arguments or dict(keywords))
            self._open = _Kept(parts, batch, self._versions_now())
            self._batches.append(self._open)

    def _head_called(self, _head: nn.Module, arguments: tuple[Any, ...], output: Tensor) -> None:
        """After the last layer: note what it was given, if that is all a replay needs of this forward."""
        if torch.compiler.is_compiling() or self._open is None:
            return
        kept, hidden = self._open, arguments[0] if arguments else None
        kept.calls += 1
        exact = isinstance(hidden, Tensor) and hidden.dtype in (torch.float32, torch.float64)
        if exact and not torch.is_autocast_enabled(hidden.device.type):
            kept.hidden, kept.output = hidden.detach(), (output.detach(), output._version)

    def _close(self, _module: nn.Module, _arguments: tuple[Any, ...], output: Any) -> None:
        """After a forward: what the last layer was given counts only if what it returned are the logits."""
        kept, self._open = self._open, None
        if kept is None or kept.output is None:
            return
        produced, version = kept.output
        logits = logits_in(output, self._engine.measure.reading["logits"])
        same = kept.calls == 1 and is_output(logits, produced, version)
        kept.output = None  # not to be held until the step
        if not same:
            kept.hidden = None

    def _versions_now(self) -> int:
        """Return a number that grows when any parameter is written to."""
        return sum(p._version for p in self._weights)

    def _accumulated(self, _parameter: Tensor) -> None:
        self._backward = True

    def _parameters(self) -> list[nn.Parameter]:
        return [p for group in self._engine.optimizer.param_groups for p in group["params"]]

    def _prepare(self, optimizer: torch.optim.Optimizer, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Before a step: look at the gradients and copy what a step moves."""
        self._trouble, self._looked, self._versions = "", False, self._versions_now()
        found_inf = getattr(optimizer, "found_inf", None)
        if found_inf is not None and bool(found_inf):  # a fused optimiser that its GradScaler tells to stand still
            self._trouble = "skipped by the scaler"
        elif len(arguments) < 2 and keywords.get("closure") is None:  # else the gradients are still to come
            self._trouble = "" if self._engine.gradients_are_finite() else "gradient not finite"
            self._looked = True
        only = self._engine.enough() if self._protect == "none" else None
        self._before, self._partial = None, only is not None
        if only != []:
            self._before, self._names = self._engine.snapshot(with_state=self._state_too(), only=only)

    def _state_too(self) -> bool:
        """Return whether the next step may have to be taken back with the optimiser's state."""
        if self._engine.mode == "warn" or self._protect in ("params", "none"):
            return False
        return self._protect == "all" or self._engine.mode == "refuse" or bool(self._trouble) or not self._looked

    def _decide(self, _optimizer: torch.optim.Optimizer, _arguments: Any, _keywords: Any) -> None:
        """After a step: measure and act."""
        before, batches = self._before, [self._some(kept) for kept in self._batches]
        try:
            if before is None and not self._partial:
                return
            if not (self._trouble or self._looked or self._engine.gradients_are_finite()):
                self._trouble = "gradient not finite"
            if self._trouble == "skipped by the scaler":
                self._engine.log.skip(self._trouble)
            elif self._trouble:
                self._engine.refuse(before, self._trouble)
            elif not batches:
                raise ValueError(
                    "the optimiser steps, but the guard has seen no forward of the model in training mode with "
                    "gradients since the last step; guard the module that the training calls"
                )
            else:
                with torch.no_grad():
                    act = self._engine.watch if self._partial else self._engine.rescale
                    act(before, self._names, batches)
                self._watch_head()
                self._advise()
        except BaseException:
            if before is not None and not self._partial:
                before.restore()
            raise
        finally:
            self._before, self._partial, self._fresh = None, False, True

    def _watch_head(self) -> None:
        """Once the engine knows the last layer, and if it can use it, keep what the training gives to it."""
        measure = self._engine.measure
        if self._head_handle is None and measure.keeps and isinstance(measure.head, nn.Linear):
            self._head_handle = measure.head.register_forward_hook(_Hook(self._head_called))
            self._handles += [self._head_handle, self._engine.model.register_forward_hook(_Untraced(self._close))]
        elif self._head_handle is not None and not measure.keeps:
            for handle in self._handles[-2:]:
                handle.remove()

    def _advise(self) -> None:
        """Say once by how much the learning rate is too large, when not single steps but all of them are too long."""
        last = self._engine.log.last
        if last is None or self._engine.mode == "set" or not last.r_proposed > self._engine.r_max:
            self._beyond = []
        elif len(self._beyond) <= LONG_RUN:  # told once for every such run, however long it gets
            self._beyond.append(last.r_proposed)
            if len(self._beyond) == LONG_RUN:
                self._name_the_rate()

    def _name_the_rate(self) -> None:
        LOG.warning(
            "the last %d steps were all longer than r_max = %g allows: the learning rate is about %.2g times what it "
            "allows",
            LONG_RUN,
            self._engine.r_max,
            median(self._beyond) / self._engine.r_max,
        )

    def _some(self, kept: "_Kept") -> Batch:
        """Return ``rows`` samples of a batch: every tensor as long as the first is taken to have one row a sample."""
        batch = kept.batch
        hidden = kept.hidden if kept.versions == self._versions else None  # else the weights have moved in between
        if self._rows is None:
            return Batch(batch, hidden=hidden)
        whole = batch if isinstance(batch, Call) else Call(batch, {}) if isinstance(batch, tuple) else Call((), batch)
        values = (*whole.arguments, *whole.keywords.values())
        count = next((len(v) for v in values if isinstance(v, Tensor) and v.ndim > 0), 0)
        if count <= self._rows:
            return Batch(batch, hidden=hidden)
        chosen = torch.randperm(count, generator=self._generator)[: self._rows].sort().values

        def part(value: Any) -> Any:
            sampled = isinstance(value, Tensor) and value.ndim > 0 and len(value) == count
            return value[chosen.to(value.device)] if sampled else value

        arguments, keywords = tuple(map(part, whole.arguments)), {k: part(v) for k, v in whole.keywords.items()}
        hidden = part(hidden) if hidden is not None and len(hidden) == count else None
        return Batch(Call(arguments, keywords) if arguments and keywords else (arguments or keywords), hidden=hidden)

    def remove(self) -> None:
        """Take all hooks off; the log stays."""
        for handle in self._handles:
            handle.remove()
        self._batches.clear()

    def __enter__(self) -> "Guard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    @property
    def engaged(self) -> bool:
        """Whether the last step was changed."""
        return self._engine.log.engaged

    @property
    def refused(self) -> bool:
        """Whether the last step was taken back."""
        return self._engine.log.refused

    @property
    def counts(self) -> dict[str, int]:
        """How often each outcome has been, over all steps."""
        return dict(self._engine.log.counts)

    @property
    def log(self) -> xr.Dataset:
        """What happened at each step, as in :attr:`workbench.steps.SafeStep.log`; ``rows`` is among its parameters."""
        engine = self._engine
        return engine.log.dataset(
            "workbench.steps.guard",
            {
                "optimizer": type(engine.optimizer).__name__,
                "model": type(engine.model).__name__,
                "r_max": engine.r_max,
                "quantile": engine.measure.quantile,
                "every": engine.every,
                "measure": engine.measure.method,
                "mode": engine.mode,
                "temperature": engine.measure.temperature,
                "rows": self._rows,
            },
        )

    def explain(self) -> str:
        """Return one sentence on the worst step so far: where it came from and what was done."""
        worst = self._engine.log.worst
        if worst is None:
            return "No step has been taken yet."
        return in_words(worst, self._rows, self._engine.r_max)

    def state_dict(self) -> dict[str, Any]:
        """Return the radius in force and the log, loadable with ``weights_only=True``; the optimiser has its own."""
        return self._engine.state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`; raises ``ValueError`` if ``state`` is none of ours."""
        if not isinstance(state, dict) or not {"since_measured", "records", "radius"} <= set(state):
            raise ValueError("this is no state of a guard: it must hold 'since_measured', 'radius' and 'records'")
        self._engine.restore(state)
