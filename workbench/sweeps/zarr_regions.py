"""A result larger than memory: a Zarr folder laid out in full, then filled box by box from the cells."""

import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from workbench import results
from workbench.sweeps.assemble import Box, boxes, coordinates, provenance, read_box, whole
from workbench.sweeps.store import Store
from workbench.sweeps.survey import Survey

BOX_BYTES = 256 * 2**20


def write_zarr(store: Store, found: Survey, target: Path) -> xr.Dataset:
    """Write the result to ``target`` with at most about ``BOX_BYTES`` of it in memory, and open it lazily.

    The folder appears under its name only when it is complete; an older one is replaced then. Needs the ``sweeps``
    extra (dask, zarr).
    """
    check_zarr(target)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        part = folder / target.name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zarr v3 warns that its string type has no final specification
            _write_boxes(store, found, list(boxes(found.plan, found.bytes_per_cell(), BOX_BYTES)), part)
        if target.exists():
            os.replace(target, folder / "previous")
        os.replace(part, target)
    except OSError as error:
        raise OSError(
            error.errno,
            f"could not write {str(target)!r}: {error}. The cells are kept; see to that and run the same line again",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return open_zarr(target)


def _write_boxes(store: Store, found: Survey, all_boxes: list[Box], part: Path) -> None:
    first = read_box(store, found, all_boxes[0])
    if len(all_boxes) == 1:
        first.assign_attrs(provenance(store, found)).to_zarr(part)
        return
    _lay_out(store, found, first, part)
    written_already = [*found.axis_dims, *found.labels, *_scalars(first)]
    for box in all_boxes:
        sizes = zip(found.axis_dims, box, found.plan.shape, strict=True)
        region = {dim: slice(*cut.indices(n)[:2]) for dim, cut, n in sizes}
        read_box(store, found, box).drop_vars(written_already).to_zarr(part, region=region)


def open_zarr(path: Path) -> xr.Dataset:
    """Open a result written by :func:`write_zarr` without reading its data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return xr.open_zarr(path)


def check_zarr(target: Path) -> None:
    """Refuse, before anything is computed, a target that could not be written."""
    try:
        import dask.array  # noqa: F401
        import zarr  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "a Zarr result needs dask and zarr; install them with: pip install 'geometry-workbench[sweeps]'"
        ) from error
    if target.suffix != ".zarr":
        raise ValueError(f"zarr must be a folder name that ends in .zarr, got {target.name!r}")
    results.check_target(target)


def _scalars(ds: xr.Dataset) -> list[Any]:
    return [name for name, variable in ds.variables.items() if not variable.dims and name in ds.coords]


def _lay_out(store: Store, found: Survey, first: xr.Dataset, part: Path) -> None:
    """Write the coordinates and attributes, and empty arrays whose chunks are the boxes."""
    import dask.array

    sizes = dict(zip(found.axis_dims, found.plan.shape, strict=True))
    template = {}
    for name, variable in first.data_vars.items():
        shape = tuple(sizes.get(dim, first.sizes[dim]) for dim in variable.dims)
        empty: Any = dask.array.zeros(shape, chunks=variable.shape, dtype=variable.dtype)
        if variable.dtype.kind == "U":
            empty = dask.array.full(shape, np.str_(""), chunks=variable.shape, dtype=variable.dtype)
        template[name] = (variable.dims, empty, variable.attrs)
    laid_out = xr.Dataset(template, attrs=provenance(store, found)).assign_coords(coordinates(found, whole(found.plan)))
    laid_out.to_zarr(part, compute=False, mode="w")
