"""A plain picture of any result: curves over its first dimension, maps over two, a table of its numbers.

For results whose room has no figure of its own, and for a first look at a sweep. What is left out is said in the
title: entries of further dimensions, and that repeats are averaged.
"""

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

MOST_PANELS = 4
MOST_CURVES = 5
MOST_ROWS = 20


def overview(ds: xr.Dataset) -> hv.Element:
    """Return a picture of the first few numeric variables of ``ds``; a table if all are single numbers."""
    names = [str(name) for name in ds.data_vars if _worth_drawing(ds, str(name))][:MOST_PANELS]
    if not names:
        return _table(ds)
    panels = [variable(ds, name) for name in names]
    if len(panels) == 1:
        return panels[0]
    layout = hv.Layout([theme.styled(panel, bokeh={}, matplotlib={"aspect": 1.5}) for panel in panels]).cols(2)
    apart = {"shared_axes": False, "sublabel_format": "", "hspace": 0.75, "vspace": 0.45, "fig_size": 160}
    return theme.styled(layout, bokeh={"shared_axes": False}, matplotlib=apart)


def _worth_drawing(ds: xr.Dataset, name: str) -> bool:
    values = ds[name]
    if values.dtype.kind not in "iufb" or name.startswith("cell_") or values.size < 2:
        return False
    return bool(np.any(np.isfinite(values.values)))


def variable(ds: xr.Dataset, name: str) -> hv.Element:
    """Return the picture of one variable of at least one dimension."""
    array, said = _two_dimensions(ds[name].astype(float))
    title = ", ".join([_label(ds[name]), *said])
    numeric = [str(dim) for dim in array.dims if array[dim].dtype.kind in "iuf"]
    if array.ndim == 2 and len(numeric) == 2 and min(array.shape) > MOST_CURVES:
        return _map(array, title)
    if not numeric:
        return _bars(array, title)
    across = max(numeric, key=lambda dim: array.sizes[dim])
    return _curves(array, across, title)


def _two_dimensions(array: xr.DataArray) -> tuple[xr.DataArray, list[str]]:
    """Return the array over at most two dimensions, and what was done to get there."""
    said = []
    if "repeat" in array.dims and array.ndim > 1:
        array, said = array.mean("repeat", skipna=True, keep_attrs=True), ["mean of the repeats"]
    for dim in list(array.dims):
        if array.ndim > 2 or (array.sizes[dim] == 1 and array.ndim > 1):
            said.append(f"{dim} = {_told(array[dim].values[0])}")
            array = array.isel({dim: 0})
    return array, said


def _curves(array: xr.DataArray, across: str, title: str) -> hv.Element:
    others = [str(dim) for dim in array.dims if dim != across]
    curves = {}
    if not others:
        curve = hv.Curve((array[across].values, array.values), across, str(array.name))
        curves[""] = theme.line(curve, theme.SERIES[0])
    for k in range(min(array.sizes[others[0]], MOST_CURVES) if others else 0):
        part = array.isel({others[0]: k})
        name = f"{others[0]} {_told(array[others[0]].values[k])}"
        curve = hv.Curve((array[across].values, part.values), across, str(array.name), label=name)
        curves[name] = theme.line(curve, theme.SERIES[k % len(theme.SERIES)])
    figure = hv.Overlay(list(curves.values()))
    return theme.frame(
        figure, title=title, xlabel=_label(array[across]), ylabel=_label(array), legend="right" if others else None
    )


def _map(array: xr.DataArray, title: str) -> hv.Element:
    x, y = map(str, array.dims)
    mesh = hv.QuadMesh((array[x].values, array[y].values, array.values.T), [x, y], str(array.name))
    signed = bool(np.any(array.values < 0) and np.any(array.values > 0))
    image = theme.image(mesh, signed=signed, label=_label(array))
    return theme.frame(image, title=title, xlabel=_label(array[x]), ylabel=_label(array[y]))


def _bars(array: xr.DataArray, title: str) -> hv.Element:
    stacked = array.values.ravel()
    labels = [", ".join(map(_told, np.atleast_1d(index))) for index in _labels(array)]
    bars = theme.bars(hv.Bars(list(zip(labels, stacked, strict=True)), "case", str(array.name)), theme.SERIES[0])
    return theme.frame(bars, title=title, ylabel=_label(array), xrotation=45)


def _labels(array: xr.DataArray) -> list[tuple[object, ...]]:
    grids = np.meshgrid(*(np.arange(n) for n in array.shape), indexing="ij")
    positions = zip(*(grid.ravel() for grid in grids), strict=True)
    return [tuple(array[dim].values[k] for dim, k in zip(array.dims, index, strict=True)) for index in positions]


def _table(ds: xr.Dataset) -> hv.Element:
    single = [name for name in ds.data_vars if ds[name].size == 1 and not str(name).startswith("cell_")][:MOST_ROWS]
    rows = [(_label(ds[name]), _told(ds[name].values.item())) for name in single]
    return hv.Table(rows or [("no numbers in this result", "")], "quantity", "value").opts(title="")


def _label(variable: xr.DataArray) -> str:
    units = variable.attrs.get("units", "1")
    name = variable.attrs.get("long_name") or str(variable.name)
    return name if units in ("1", "", "label") else f"{name} [{units}]"


def _told(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)
