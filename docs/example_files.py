"""What is in the example files of docs/examples: small, and the same bytes whenever they are made."""

import gzip
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Maker = Callable[[], bytes]

CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
SQUARE = np.array([[i, j] for i in range(4) for j in range(4)], dtype=float)
LAYER = np.round(np.random.default_rng(0).normal(size=(24, 20)), 3)
MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])


def table(names: str, rows: Any, separator: str = ",") -> Maker:
    """Return what writes a table with a row of names."""
    lines = [separator.join(names.split()), *(separator.join(_text(x) for x in row) for row in rows)]
    return lambda: ("\n".join(lines) + "\n").encode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def tables(names: str, rows: Any, third: str = " ") -> dict[str, Maker]:
    """Return the same table separated by commas, by tabs and, as text, by ``third``."""
    marks = {"csv": ",", "tsv": "\t", "txt": third}
    return {f"mine.{ending}": table(names, rows, mark) for ending, mark in marks.items()}


def npy(array: Any) -> Maker:
    """Return what writes one array."""
    return lambda: _written(lambda stream: np.save(stream, np.asarray(array), allow_pickle=False))


def npz(**arrays: Any) -> Maker:
    """Return what writes an archive of arrays."""
    return lambda: _written(lambda stream: np.savez_compressed(stream, **arrays))


def _written(write: Callable[[Any], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def text(*lines: str) -> Maker:
    """Return what writes these lines."""
    return lambda: ("\n".join(lines) + "\n").encode()


def _rows(array: NDArray, head: str = "") -> list[str]:
    return [head + " ".join(f"{x:g}" for x in row) for row in array]


def meshes() -> dict[str, Maker]:
    """Return a tetrahedron in the formats of meshes."""
    head = ["ply", "format ascii 1.0", "element vertex 4", *(f"property float {k}" for k in "xyz")]
    head += ["element face 4", "property list uchar int vertex_indices", "end_header"]
    loops = [
        line
        for a, b, c in CORNERS[FACES]
        for line in (
            "facet normal 0 0 0", "outer loop", *_rows(np.array([a, b, c]), "vertex "), "endloop", "endfacet",
        )
    ]  # fmt: skip
    return {
        "mine.ply": text(*head, *_rows(CORNERS), *_rows(FACES, "3 ")),
        "mine.obj": text(*_rows(CORNERS, "v "), *_rows(FACES + 1, "f ")),
        "mine.stl": text("solid mine", *loops, "endsolid mine"),
        "mine.off": text("OFF", "4 4 6", *_rows(CORNERS), *_rows(FACES, "3 ")),
        "mine.gii": gifti,
        "mine.gii.gz": packed(gifti),
    }


def gifti() -> bytes:
    """Return the tetrahedron as GIFTI with its numbers as text."""
    parts = (("POINTSET", "FLOAT32", CORNERS), ("TRIANGLE", "INT32", FACES))
    arrays = "".join(
        f'<DataArray Intent="NIFTI_INTENT_{intent}" DataType="NIFTI_TYPE_{kind}" ArrayIndexingOrder="RowMajorOrder" '
        f'Dimensionality="2" Dim0="4" Dim1="3" Encoding="ASCII" Endian="LittleEndian" ExternalFileName="" '
        f'ExternalFileOffset=""><Data>{" ".join(_rows(values))}</Data></DataArray>'
        for intent, kind, values in parts
    )
    return f'<?xml version="1.0"?><GIFTI Version="1.0" NumberOfDataArrays="2">{arrays}</GIFTI>\n'.encode()


def packed(make: Maker) -> Maker:
    """Return what writes the same as gzip."""
    return lambda: gzip.compress(make(), mtime=0)


def picture(kind: str) -> Maker:
    """Return what writes a small picture."""

    def write() -> bytes:
        from PIL import Image

        ramp = np.add.outer(np.arange(16), 2 * np.arange(16)).astype(np.uint8)
        return _written(lambda stream: Image.fromarray(np.stack([4 * ramp, 2 * ramp, ramp], axis=2)).save(stream, kind))

    return write


def netcdf(name: str, dims: str, values: Any) -> Maker:
    """Return what writes one variable as NetCDF-4."""

    def write() -> bytes:
        import xarray as xr

        return bytes(xr.Dataset({name: (dims.split(), np.asarray(values))}).to_netcdf(engine="h5netcdf"))

    return write


def parquet(**columns: Any) -> Maker:
    """Return what writes a Parquet file; needs pyarrow."""

    def write() -> bytes:
        import pyarrow as pa
        import pyarrow.parquet

        return _written(lambda stream: pyarrow.parquet.write_table(pa.table(columns), stream))

    return write


def weights(kind: str, layers: Mapping[str, tuple[int, ...]]) -> Maker:
    """Return what writes the weights of a small network."""

    def write() -> bytes:
        rng = np.random.default_rng(0)
        arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in layers.items()}
        if kind == "safetensors":
            from safetensors.numpy import save

            return save(arrays)
        import torch

        return _written(lambda stream: torch.save({k: torch.from_numpy(v) for k, v in arrays.items()}, stream))

    return write


def crystal(kind: str) -> Maker:
    """Return what writes a cubic crystal of copper, 3 by 3 by 3 cells."""
    places = np.array([[i, j, k] for i in range(3) for j in range(3) for k in range(3)], dtype=float)
    cell, at = "7.5 0 0 0 7.5 0 0 0 7.5", _rows(2.5 * places)
    if kind == "extxyz":
        return text("27", f'Lattice="{cell}" Properties=species:S:1:pos:R:3 pbc="T T T"', *(f"Cu {row}" for row in at))
    if kind == "xyz":
        return text("27", "a cube of copper", *(f"Cu {row}" for row in at))
    if kind == "vasp":
        return text("copper", "1.0", "7.5 0 0", "0 7.5 0", "0 0 7.5", "Cu", "27", "Cartesian", *at)
    if kind == "lmp":
        box = [f"0 7.5 {a}lo {a}hi" for a in "xyz"]
        return text("copper", "", "27 atoms", "1 atom types", "", *box, "", "Atoms # atomic", "",
                    *(f"{k} 1 {row}" for k, row in enumerate(at, 1)))  # fmt: skip
    if kind == "dump":
        return text("ITEM: TIMESTEP", "0", "ITEM: NUMBER OF ATOMS", "27", "ITEM: BOX BOUNDS pp pp pp", *["0 7.5"] * 3,
                    "ITEM: ATOMS id type x y z", *(f"{k} 1 {row}" for k, row in enumerate(at, 1)))  # fmt: skip
    names = ("_atom_site_label", "_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
    lengths = [f"_cell_length_{a} 7.5" for a in "abc"] + [f"_cell_angle_{a} 90" for a in ("alpha", "beta", "gamma")]
    rows = (f"Cu{n} {row}" for n, row in enumerate(_rows(places / 3), 1))
    return text("data_copper", *lengths, "_space_group_name_H-M_alt 'P 1'", "loop_", *names, *rows)


ROADS = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {},
         "geometry": {"type": "LineString", "coordinates": [[8.54, 47.37], [8.55, 47.37], [8.55, 47.38]]}},
    ],
}  # fmt: skip
LABELLED = [[1, 2, "cat"], [2, 1, "dog"], [3, 2, "cat"], [1, 1, "dog"], [2, 2, "cat"], [3, 1, "dog"]]
SCORED = [["1", 0.9, 0.4], ["0", 0.2, 0.5], ["1", 0.7, 0.8], ["0", 0.4, 0.1]]
WORLD = {
    "transitions": [[[0.5, 0.5], [1, 0]], [[0, 1], [0.5, 0.5]]],
    "reward_1": [[1.0, 0], [0, 0.5]],
    "reward_2": [[2.0, 0], [0, 1]],
    "discount": 0.9,
}
GYMNASIUM = {"P": {"0": {"0": [[1.0, 1, 0.5, False]]}, "1": {"0": [[1.0, 0, 0.0, False]]}}, "discount": 0.9}
RAIN = [[(k * k) % 11 * (k % 3 > 0)] for k in range(70)]
STUDY = """title = "Curvature of two small tori"
about = "An example."
experiment = "fisher.ising_curvature"
store = "cells/mine"
output = "mine.nc"

[grid]
L = [3, 4]
J = [0.3, 0.44]
"""
