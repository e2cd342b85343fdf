"""A sweep written down in a small TOML file, so that it can be kept, shared and run again.

::

    title = "Curvature of the torus"
    experiment = "fisher.ising_curvature"     # room.function; others need allow_import, see find
    seed = 0                                  # leave out where the experiment takes none
    repeats = 1
    workers = 2                               # worker processes; leave out to run in one
    store = "curvature"                       # folder of finished cells, beside this file
    output = "curvature.nc"                   # or .zarr, for results larger than memory
    keep = ["scalar_curvature"]               # variables of the result; leave out for all
    paired = []                               # parameters whose values share their random numbers

    [grid]
    L = { from = 3, to = 64 }                 # whole numbers, both ends included; "step" is allowed
    J = { from = 0.40, to = 0.48, points = 9 }  # evenly spaced; or a plain list
    method = "pfaffian"                       # a single value goes to every cell
    sizes = [[6, 7, 8]]                       # and so does a list alone in a list
"""

import codecs
import os
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from workbench import results
from workbench.checks import integer, real
from workbench.progress import Progress
from workbench.sweeps.experiments import find
from workbench.sweeps.grid import LARGEST_SWEEP
from workbench.sweeps.run import sweep

LARGEST_FILE = 4 * 2**20


@dataclass(frozen=True)
class Study:
    """A sweep as its TOML file says it; paths are relative to the folder of that file."""

    experiment: str
    grid: dict[str, Any]
    store: Path
    title: str = ""
    about: str = ""
    seed: int | None = None
    repeats: int = 1
    workers: int | None = None
    output: Path | None = None
    keep: list[str] | None = None
    paired: list[str] = field(default_factory=list)


def read_study(path: str | os.PathLike[str]) -> Study:
    """Read a study from TOML. Raises ``ValueError`` naming the line that is wrong, or the key that does not exist.

    Nothing is imported and no axis is longer than a sweep can be, whatever the file says.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "small.toml")
    ...     _ = file.write_text('experiment = "fisher.ising_curvature"\\ngrid.L = {from = 3, to = 5}\\ngrid.J = 0.44')
    ...     print(read_study(file).grid)
    {'L': [3, 4, 5], 'J': 0.44}
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"there is no file {str(source)!r}")
    text = _toml(source)
    _check_keys(source.name, text)
    if not isinstance(text["grid"], dict):
        raise ValueError(f"{source.name}: [grid] must be a table of parameters")
    made: dict[str, Any] = {**text, "grid": {name: _values(name, value) for name, value in text["grid"].items()}}
    for key in ("store", "output"):
        if key in text or key == "store":
            relative = _text(source.name, key, text.get(key, source.stem))
            made[key] = Path(os.path.normpath(source.parent / relative))
    return Study(**made)


def _toml(source: Path) -> dict[str, Any]:
    size = source.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(f"{source.name} has {size:,} bytes; a study is a text of at most {LARGEST_FILE:,}")
    data = source.read_bytes()
    try:
        return tomllib.loads(_decoded(data).replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{source.name} is not UTF-8 (byte {error.start}); save it as UTF-8 text, as TOML asks for"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source.name} is not valid TOML: {error}") from error
    except RecursionError as error:
        raise ValueError(f"{source.name} is not a study: its brackets are nested too deeply") from error


def _decoded(data: bytes) -> str:
    """Return the text of a file as an editor saved it, whichever mark of its encoding it begins with."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _check_keys(name: str, text: Mapping[str, Any]) -> None:
    known = {f.name for f in fields(Study)}
    unknown = sorted(text.keys() - known)
    if unknown:
        raise ValueError(f"{name}: unknown key {unknown[0]!r}; a study has: {', '.join(sorted(known))}")
    for required in ("experiment", "grid"):
        if required not in text:
            raise ValueError(f"{name}: the key {required!r} is missing")
    _text(name, "experiment", text["experiment"])
    for key in ("keep", "paired"):
        if not all(isinstance(entry, str) for entry in text.get(key, [])) or isinstance(text.get(key), str):
            raise ValueError(f"{name}: {key!r} must be a list of names")


def _text(name: str, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}: {key!r} must be a string in quotes, got {value!r}")
    return value


def _values(name: str, value: Any) -> Any:
    """Return an axis written as a table (``from``, ``to``, and ``points`` or ``step``) as its list of values."""
    if not isinstance(value, dict):
        return value
    if value.keys() == {"from", "to", "points"}:
        start, stop = real(f"{name}.from", value["from"]), real(f"{name}.to", value["to"])
        points = integer(f"{name}.points", value["points"], minimum=2, maximum=LARGEST_SWEEP)
        return np.linspace(start, stop, points).tolist()
    if {"from", "to"} <= value.keys() <= {"from", "to", "step"}:
        step = integer(f"{name}.step", value.get("step", 1), minimum=1)
        start, stop = integer(f"{name}.from", value["from"]), integer(f"{name}.to", value["to"])
        count = max(0, (stop - start) // step + 1)
        if count > LARGEST_SWEEP:
            raise ValueError(f"grid.{name} names {count:,} values; the largest sweep has {LARGEST_SWEEP:,} cells")
        return list(range(start, stop + 1, step))
    raise ValueError(f"grid.{name}: write a list, or a table with from, to, and points (evenly spaced) or step (whole)")


def run_study(
    study: Study,
    *,
    executor: Executor | int | None = None,
    store: Path | None = None,
    output: Path | None = None,
    retry_failed: bool = True,
    allow_import: bool = False,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
) -> xr.Dataset:
    """Run a study and save its result where it says; the keywords override what the file says. See :func:`sweep`.

    ``allow_import`` lets it name an experiment of another package, whose module is then imported, that is, run.
    """
    target = output or study.output
    if target is not None:
        results.check_target(target)
    lazily = target is not None and target.suffix == ".zarr"
    ds = sweep(
        find(study.experiment, allow_import=allow_import),
        study.grid,
        executor=executor if executor is not None else study.workers,
        store=store or study.store,
        repeats=study.repeats,
        seed=study.seed,
        paired=study.paired,
        retry_failed=retry_failed,
        keep=study.keep,
        zarr=target if lazily else None,
        progress=progress,
        announce=announce,
    )
    if target is not None and not lazily:
        ds.attrs["title"] = study.title or study.experiment
        results.save(ds, target)
    return ds
