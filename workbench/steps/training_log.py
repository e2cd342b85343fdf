"""Read the log that a guard wrote of one's own training, and say what it tells."""

from pathlib import Path

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.steps.guard_log import COLUMNS, LONGEST, OLDER, StepRecord, in_words

MADE_BY = ("workbench.steps.guard", "workbench.steps.SafeStep")
LARGEST = 16 * 2**20
"""Bytes that a log may unpack to; one of ``LONGEST`` records has less than two million."""
KINDS = {float: "fiu", bool: "biu", int: "iu", str: "OUST"}


def read_log(source: str | Path | bytes, *, name: str = "the log") -> xr.Dataset:
    """Return the log of a training from a NetCDF file, by its path or its bytes.

    ::

        results.save(guarded.log, "log.nc")  # in the training
        log = steps.read_log("log.nc")
        print(steps.explain(log))

    Raises ``FileNotFoundError``, and ``ValueError`` for a file that is no such log, is damaged or is too large.
    """
    if isinstance(source, bytes):
        return checked_log(results.open_bytes(source, name=name, max_bytes=LARGEST))
    return checked_log(results.open(source, max_bytes=LARGEST))


def checked_log(ds: xr.Dataset) -> xr.Dataset:
    """Return ``ds`` if it is a guard's log; raises ``ValueError`` that says what it lacks."""
    if ds.attrs.get("function") not in MADE_BY:
        raise ValueError(
            f"this result was made by {ds.attrs.get('function')}; a log of a training is made by "
            f"{' or '.join(MADE_BY)}: results.save(guarded.log, 'log.nc')"
        )
    for column, (_, _, kind) in COLUMNS.items():
        if column not in ds and column in OLDER:
            continue
        if column not in ds or ds[column].dims != ("step",) or ds[column].dtype.kind not in KINDS[kind]:
            found = "is missing" if column not in ds else f"is {ds[column].dtype} over {ds[column].dims}"
            raise ValueError(f"the log's column {column!r} {found}; it must hold {kind.__name__} values over 'step'")
    numbers = ds.step.values
    if numbers.dtype.kind not in "iu" or (numbers.size and numbers.min() < 0) or (np.diff(numbers) <= 0).any():
        raise ValueError("the log's steps must be whole numbers from 0 that increase")
    if numbers.size > LONGEST:
        raise ValueError(f"the log holds {numbers.size} records; a guard keeps {LONGEST} at most")
    if not all(np.isfinite(ds[c].values).all() for c in ("sample", "position")):
        raise ValueError("the log's bottleneck samples and positions must be numbers")
    return ds


def explain(log: xr.Dataset, *, r_max: float | None = None) -> str:
    """Return what a guard's log says: its worst step and why, and how often ``r_max`` is exceeded.

    ``r_max`` is by default the one of the training; another one answers "what if".

    >>> import torch
    >>> from workbench import steps
    >>> model = torch.nn.Linear(2, 2)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=1e3)
    >>> with steps.guard(optimizer, model) as guarded:
    ...     torch.nn.functional.cross_entropy(model(torch.eye(2)), torch.tensor([0, 1])).backward()
    ...     optimizer.step()
    >>> steps.explain(guarded.log, r_max=2.0).startswith("1 step. Step 0 was the worst: the update was ")
    True
    """
    log = checked_log(log)
    count = log.sizes["step"]
    if count == 0:
        return "The log holds no step yet."
    options = results.read_json(log.attrs["parameters"])
    options = options if isinstance(options, dict) else {}
    limit = options.get("r_max", 1.0) if r_max is None else r_max
    limit = checks.real("r_max", limit, exclusive_minimum=0)
    worst = max((record(log, k) for k in range(count)), key=lambda r: (r.severity, -r.step))
    last, rows = int(log.step[-1]) + 1, options.get("rows")
    rows = rows if isinstance(rows, int) and not isinstance(rows, bool) else None
    kept = f" ({count} of them in the log)" if last > count else ""
    r = log.r_proposed.values
    measured = r[np.isfinite(r) & (r > 0)]
    told = f"{last} step{'s' if last > 1 else ''}{kept}. {in_words(worst, rows, limit)}"
    if not measured.size:
        return told
    recent = measured[-100:]
    middle = float(np.median(recent))
    over = int((measured > limit).sum())
    advice = f"; the learning rate is about {middle / limit:.2g} times what it allows" if middle > limit else ""
    return (
        f"{told} r was {middle:.3g} in the middle of the last {len(recent)} measured steps; r_max {limit:g} is "
        f"exceeded at {over} of {measured.size}{advice}."
    )


def record(log: xr.Dataset, k: int) -> StepRecord:
    """Return one step of a log as a record."""
    values = {name: log[name].values[k].item() if name in log else OLDER[name] for name in COLUMNS}
    plain = {name: kind(values[name]) for name, (_, _, kind) in COLUMNS.items()}
    return StepRecord(**plain, step=int(log.step.values[k]))


def worst_steps(log: xr.Dataset, count: int = 10) -> list[StepRecord]:
    """Return the steps of largest r, worst first; those that could not be measured before all others."""
    found = [record(log, k) for k in range(log.sizes["step"])]
    return sorted(found, key=lambda r: (-r.severity, r.step))[:count]
