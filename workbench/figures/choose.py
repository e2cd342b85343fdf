"""Which figure belongs to a result, and how to keep it as a file.

A room says so in its figure package: ``FIGURES = {"gradient_flow": flow_curves, …}``, experiment to a function of one
Dataset; failing that, a figure function named like the experiment is taken. A sweep is looked up in the room's
``STUDIES = {"compare_estimators": (estimator_error, ("n_directions",)), …}``: swept experiment to a figure and the axes
it needs. Anything else is drawn plainly.
"""

import importlib
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import holoviews as hv
import xarray as xr

from workbench.figures import generic, theme  # noqa: F401  theme loads the backends
from workbench.rooms import ROOMS
from workbench.sweeps.experiments import current_name

Figure = Callable[[xr.Dataset], Any]


def figure_for(ds: xr.Dataset) -> Any:
    """Return the picture of a result: its room's, a study's, or a plain one."""
    function = str(ds.attrs.get("function", ""))
    own = study_figure(ds) if function == "workbench.sweeps.sweep" else room_figure(function)
    return generic.overview(ds) if own is None else own(ds)


def room_figure(function: str) -> Figure | None:
    """Return the figure function that a room has for ``"workbench.room.experiment"``, or None."""
    parts = function.split(".")
    return _in_module(f"workbench.figures.{parts[1]}", parts[-1]) if len(parts) == 3 else None


def study_figure(ds: xr.Dataset) -> Figure | None:
    """Return the figure function that a room has for this sweep and its axes, or None."""
    parts = current_name(str(ds.attrs.get("swept_function", ""))).split(".")
    module = _module(f"workbench.figures.{parts[1]}") if len(parts) == 3 else None
    figure, axes = getattr(module, "STUDIES", {}).get(parts[-1], (None, ()))
    return figure if set(axes) <= set(map(str, ds.dims)) else None


def _module(name: str) -> ModuleType | None:
    return importlib.import_module(name) if name.removeprefix("workbench.figures.") in ROOMS else None


def _in_module(module_name: str, experiment: str) -> Figure | None:
    module = _module(module_name)
    if module is None:
        return None
    figures = getattr(module, "FIGURES", {})
    found = figures.get(experiment) or getattr(module, experiment, None)
    return found if _takes_a_dataset(found) else None


def _takes_a_dataset(function: Any) -> bool:
    if not inspect.isfunction(function):
        return False
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    return len(required) == 1


def save(figure: Any, path: Path) -> Path:
    """Draw a figure with matplotlib into a ``.png``, ``.svg`` or ``.pdf`` file and return the path."""
    kind = path.suffix.removeprefix(".")
    if kind not in ("png", "svg", "pdf"):
        raise ValueError(f"a picture must end in .png, .svg or .pdf, got {path.name!r}")
    renderer = hv.renderer("matplotlib").instance(fig=kind, dpi=130)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # matplotlib complains of glyphs and empty axes, which no user can mend here
        data, _ = renderer(figure, fmt=kind)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path
