"""Which figure belongs to a result, and how to keep it as a file.

A room says so in its figure module: ``FIGURES = {"gradient_flow": flow_curves, …}``, experiment to a function of one
Dataset; failing that, a figure function named like the experiment is taken. Sweeps are looked up in
:mod:`workbench.figures.studies`. Anything else is drawn plainly.
"""

import importlib
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holoviews as hv
import xarray as xr

from workbench.figures import generic, theme  # noqa: F401  theme loads the backends

Figure = Callable[[xr.Dataset], Any]


def figure_for(ds: xr.Dataset) -> Any:
    """Return the picture of a result: its room's, a study's, or a plain one."""
    function = str(ds.attrs.get("function", ""))
    if function == "workbench.sweeps.sweep":
        from workbench.figures.studies import study_figure

        made = study_figure(ds)
        return generic.overview(ds) if made is None else made
    own = room_figure(function)
    return generic.overview(ds) if own is None else own(ds)


def room_figure(function: str) -> Figure | None:
    """Return the figure function that a room has for ``"workbench.room.experiment"``, or None."""
    parts = function.split(".")
    return _in_module(f"workbench.figures.{parts[1]}", parts[-1]) if len(parts) == 3 else None


def _in_module(module_name: str, experiment: str) -> Figure | None:
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError:
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
