"""A Fisher matrix, or a graph with its couplings, from the user's own file: NPY, NPZ, CSV and their dialects.

Which of the two a table is, is a matter of rule and is said: square, symmetric and positive on its diagonal is a
matrix; else two or three columns, site, site and perhaps coupling, are edges.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.clouds import foreign
from workbench.clouds.arrays import read_members
from workbench.clouds.source import bytes_of
from workbench.clouds.tables import read_table
from workbench.fisher.graphs import Graph, from_edges
from workbench.fisher.regulators.spectra import ASYMMETRY, MOST_PARAMETERS, graph_metric, spectrum
from workbench.progress import Progress

TEXT, ARRAYS = ("csv", "tsv", "txt"), ("npy", "npz")
FORMATS = (*ARRAYS, *TEXT)
KINDS = ("auto", "matrix", "edges")
DEFAULT_LIMIT = 40 * 2**20
MOST_EDGES = 153
MOST_SITES = 18
"""2¹⁷ states, and the edges of the complete graph: a few seconds."""
DEFAULT_COUPLING = 0.5


@dataclass(frozen=True)
class RegulatorReading:
    """What a file holds: a matrix (m, m), or a graph with its couplings (m,), NaN where the file gives none."""

    matrix: NDArray[np.float64] | None
    graph: Graph | None
    couplings: NDArray[np.float64] | None
    sentence: str

    def metric(self, coupling: float = DEFAULT_COUPLING) -> NDArray[np.float64]:
        """Return the Fisher matrix; ``coupling`` is that of edges that have none of their own."""
        if self.matrix is not None:
            return self.matrix
        assert self.graph is not None
        assert self.couplings is not None
        return graph_metric(self.graph, np.where(np.isnan(self.couplings), coupling, self.couplings))

    @property
    def states(self) -> int:
        """How many states have to be added up before there is a matrix."""
        return 0 if self.graph is None else 2 ** (self.graph.sites - 1)


def read_regulator(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    kind: str = "auto",
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> RegulatorReading:
    """Read a Fisher matrix, or the edges of a graph with their couplings, and say how it was read.

    ``source`` is a path, or a binary file with a ``.name``: NPY or NPZ (its only array, or the one named "F"), CSV, TSV
    or text. ``kind`` "matrix" or "edges" settles what a table is; "auto" takes a square, symmetric table with a
    positive diagonal for a matrix, else two columns (site, site) or three (site, site, coupling) for edges. Sites are
    whole numbers, of any numbering. Up to 2000 parameters, or 18 sites and 153 edges.

    Raises ``FileNotFoundError``; ``ValueError`` for a file that is neither, with the row where there is one, and for a
    singular matrix. With ``apart`` it is read in a process apart with bounded time and memory.

    >>> import io
    >>> stream = io.BytesIO(b"0,1,0.5\\n1,2,0.5\\n2,0,0.5\\n")
    >>> stream.name = "triangle.csv"
    >>> found = read_regulator(stream)
    >>> found.sentence
    '3 edges between 3 sites, couplings from 0.5 to 0.5; 3 rows; columns 1, 2, 3; separated by commas'
    >>> round(float(np.linalg.eigvalsh(found.metric()).max()), 8)
    1.09535971
    """
    checks.choice("kind", kind, KINDS)
    name, data = bytes_of(source, max_bytes)
    ending = Path(name).suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise ValueError(f"cannot read {name!r} as {ending or 'nothing'!r}; the formats are {', '.join(FORMATS)}")
    if ending in ARRAYS:
        limits = {"max_bytes": 8 * MOST_PARAMETERS**2 + 2**20}
        found = foreign.read_members(data, name, progress=progress, **limits) if apart else read_members(
            data, name, **limits)  # fmt: skip
        key = next((k for k in ("F", "array") if k in found), next(iter(found)) if len(found) == 1 else None)
        if key is None:
            raise ValueError(f"{name} holds the arrays {', '.join(found)[:80]}; name the one to take 'F'")
        table, told = np.asarray(found[key]), f"array {key!r}, {found[key].dtype}"
    else:
        table, told = foreign.read_table(data, name, progress=progress) if apart else read_table(data, name)
    return _reading(table, told, name, kind)


def _reading(table: NDArray, told: str, name: str, kind: str) -> RegulatorReading:
    if table.ndim != 2:
        raise ValueError(f"{name} holds an array of shape {table.shape}; a matrix or a list of edges has two axes")
    if len(table) > MOST_PARAMETERS:
        raise ValueError(
            f"{name} has {len(table):,} rows; a matrix has up to {MOST_PARAMETERS:,}, a graph {MOST_EDGES}"
        )
    values = checks.finite_array(name, table, ndim=2)
    if kind == "auto":
        kind = "matrix" if _looks_like_matrix(values) else "edges"
        if kind == "edges" and values.shape[1] not in (2, 3):
            raise ValueError(
                f"{name} has {values.shape[0]} rows of {values.shape[1]} numbers: neither a symmetric square "
                f"matrix nor "
                "edges (two or three columns: site, site, coupling)"
            )
    if kind == "matrix":
        try:
            own = spectrum(values)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        return RegulatorReading(own.matrix, None, None, f"a matrix of {len(values)} parameters; {told}")
    return _edges(values, told, name)


def _looks_like_matrix(values: NDArray) -> bool:
    if values.shape[0] != values.shape[1] or values.diagonal().min() <= 0:
        return False
    return bool(np.abs(values - values.T).max() <= ASYMMETRY * np.abs(values).max())


def _edges(values: NDArray, told: str, name: str) -> RegulatorReading:
    if values.shape[1] not in (2, 3):
        raise ValueError(f"{name} has {values.shape[1]} columns; an edge is two sites and perhaps a coupling")
    if len(values) > MOST_EDGES:
        raise ValueError(f"{name} lists {len(values):,} edges; up to {MOST_EDGES} are added up exactly")
    sites = values[:, :2]
    for row in np.flatnonzero((sites != np.round(sites)).any(axis=1) | (np.abs(sites) > 2**31).any(axis=1)):
        raise ValueError(
            f"row {row + 1} of {name} joins {sites[row, 0]:g} and {sites[row, 1]:g}; sites are whole numbers"
        )
    for row in np.flatnonzero(sites[:, 0] == sites[:, 1]):
        raise ValueError(f"row {row + 1} of {name} joins site {sites[row, 0]:g} to itself; its energy is constant")
    ordered = np.sort(sites, axis=1)
    first: dict[tuple[float, float], int] = {}
    for row, pair in enumerate(map(tuple, ordered.tolist())):
        if pair in first:
            raise ValueError(
                f"rows {first[pair] + 1} and {row + 1} of {name} join the same sites; two couplings of one edge "
                f"act only "
                "through their sum, and the metric would be singular"
            )
        first[pair] = row
    named, compact = np.unique(sites, return_inverse=True)
    if len(named) > MOST_SITES:
        raise ValueError(f"{name} names {len(named)} sites; up to {MOST_SITES} have their states added up exactly")
    graph = from_edges(compact.reshape(-1, 2).tolist(), name)
    couplings = values[:, 2] if values.shape[1] == 3 else np.full(len(values), np.nan)
    if values.shape[1] == 3 and np.abs(couplings).max() > 5:
        raise ValueError(f"{name} has a coupling of {couplings[np.abs(couplings).argmax()]:g}; beyond ±5 bonds freeze")
    strength = (
        f"couplings from {couplings.min():g} to {couplings.max():g}" if values.shape[1] == 3 else "no couplings given"
    )
    return RegulatorReading(
        None, graph, couplings, f"{graph.bonds} edges between {graph.sites} sites, {strength}; {told}"
    )
