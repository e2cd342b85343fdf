"""What to hand to ``on_step``: each step of a guard goes to TensorBoard, to Weights & Biases, or to ``logging``.

An adapter is a function of a :class:`workbench.steps.StepRecord`. Nothing is imported here: the writer or run is the
caller's own object.
"""

import logging
import math
from collections.abc import Callable
from typing import Any

from workbench import checks
from workbench.steps.guard_log import StepRecord

NUMBERS = ("r_proposed", "r_taken", "radius", "update_norm")


def scalars(record: StepRecord, prefix: str = "guard/") -> dict[str, float]:
    """Return the finite numbers of a step under names that begin with ``prefix``; 1 or 0 for what is true or not.

    >>> from workbench import steps
    >>> record = steps.StepRecord(2.0, 1.0, 2.0, 1.0, True, True, 5, 0, 0, 3, 1, "capped", 17)
    >>> scalars(record)["guard/r_proposed"], scalars(record)["guard/engaged"], len(scalars(record))
    (2.0, 1.0, 9)
    """
    numbers = {name: float(getattr(record, name)) for name in NUMBERS}
    numbers |= {"engaged": float(record.engaged), "refused": float(record.refused)}
    numbers |= {name: float(getattr(record, name)) for name in ("sample", "rising", "falling")}
    return {prefix + name: value for name, value in numbers.items() if math.isfinite(value)}


def to_tensorboard(writer: Any, prefix: str = "guard/") -> Callable[[StepRecord], None]:
    """Return an ``on_step`` that writes to a ``SummaryWriter`` (or anything with ``add_scalar(name, value, step)``)."""
    if not callable(getattr(writer, "add_scalar", None)):
        raise TypeError(f"writer must have add_scalar(name, value, step), got {type(writer).__name__}")

    def on_step(record: StepRecord) -> None:
        for name, value in scalars(record, prefix).items():
            writer.add_scalar(name, value, record.step)
        if record.engaged or record.refused:
            add_text = getattr(writer, "add_text", None)
            if callable(add_text):
                add_text(prefix + "outcome", record.outcome, record.step)

    return on_step


def to_wandb(run: Any, prefix: str = "guard/") -> Callable[[StepRecord], None]:
    """Return an ``on_step`` that logs one dict a step to a W&B run (or anything with ``log(dict)``).

    No step number is sent, since the run counts its own; the guard's is among the numbers as ``…step``.
    """
    if not callable(getattr(run, "log", None)):
        raise TypeError(f"run must have log(dict), got {type(run).__name__}")

    def on_step(record: StepRecord) -> None:
        run.log({**scalars(record, prefix), prefix + "step": record.step, prefix + "outcome": record.outcome})

    return on_step


def to_logging(logger: logging.Logger | None = None, every: int = 100) -> Callable[[StepRecord], None]:
    """Return an ``on_step`` that warns of steps that were changed, refused or would be, and tells every so-manyth.

    ``logger`` is by default that named ``workbench.steps.guard``.
    """
    every = checks.integer("every", every, minimum=1)
    if logger is not None and not isinstance(logger, logging.Logger):
        raise TypeError(f"logger must be a logging.Logger, got {type(logger).__name__}")
    target = logger or logging.getLogger("workbench.steps.guard")

    def on_step(record: StepRecord) -> None:
        notable = record.engaged or record.refused or record.outcome.startswith("would be")
        if notable or record.step % every == 0:
            target.log(
                logging.WARNING if notable else logging.INFO,
                "step %d: r %.3g, taken %.3g (%s); sample %d, class %d against %d",
                record.step,
                record.r_proposed,
                record.r_taken,
                record.outcome,
                record.sample,
                record.rising,
                record.falling,
            )

    return on_step
