"""Covariance matrices from the user's own files: stacks of matrices, or multichannel trials (EEG and the like)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.clouds import foreign
from workbench.clouds.arrays import read_members
from workbench.clouds.source import bytes_of
from workbench.clouds.tables import read_table
from workbench.flows.covariances.batch import MOST_ENTRIES
from workbench.progress import Progress
from workbench.transport.gaussians import ASYMMETRY, covariances

FORMATS = ("npz", "npy", "csv", "tsv", "txt")
DEFAULT_LIMIT = 64 * 2**20
LARGEST = 128
WINDOW = 256
MATRICES, TRIALS, LABELS = ("covariances", "matrices", "x"), ("trials", "signals", "data"), ("labels", "y")


@dataclass(frozen=True)
class CovarianceReading:
    """What a file holds: ``matrices`` (N, n, n), perhaps ``labels`` (N,) integers, and how it was read."""

    matrices: NDArray[np.float64]
    labels: NDArray[np.int64] | None
    sentence: str


def trial_covariances(trials: ArrayLike) -> NDArray[np.float64]:
    """Return the covariance (N, c, c) of every trial (N, c, time) of c channels, each channel centred in its trial.

    Divided by time − 1. Raises ``ValueError`` for fewer than two samples in time. With fewer samples than channels, or
    after an average reference, the matrices are singular: Bures–Wasserstein geometry takes them as they are.

    >>> trial_covariances([[[1.0, -1.0, 1.0, -1.0], [2.0, -2.0, 2.0, -2.0]]]).round(3).tolist()
    [[[1.333, 2.667], [2.667, 5.333]]]
    """
    trials = checks.finite_array("trials", trials, ndim=3)
    count, channels, samples = trials.shape
    if samples < 2:
        raise ValueError(
            f"trials of {samples} sample(s) have no covariance; give (trials, channels, time) with time ≥ 2"
        )
    _check_size(count, channels, "trials")
    centred = trials - trials.mean(axis=2, keepdims=True)
    found = centred @ np.swapaxes(centred, 1, 2) / (samples - 1)
    return (found + np.swapaxes(found, 1, 2)) / 2


def read_covariances(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    window: int = WINDOW,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> CovarianceReading:
    """Read covariance matrices, or trials whose covariances are taken, and say how the file was read.

    ``source`` is a path, or a binary file with a ``.name``. NPZ and NPY (never unpickled): an array (N, n, n) of
    symmetric matrices is taken as it is, any other (N, channels, time) as trials; an archive may name them
    "covariances" or "trials", and integer "labels" (N,). CSV, TSV, TXT: n columns and a multiple of n rows that are
    symmetric blocks are matrices one below the other; any other table is one recording, a column for each channel,
    cut into windows of ``window`` rows (the rest at the end is left out). ``apart`` reads a stranger's file in a
    process that can be ended (:mod:`workbench.clouds.foreign`), which ``progress`` may ask for.

    Raises ``FileNotFoundError``; ``ValueError`` for an unknown or broken format, more than 128 channels or 2,000,000
    entries, and matrices that are no covariances.

    >>> import io
    >>> stream = io.BytesIO(b"1,0\\n0,1\\n2,1\\n1,2\\n")
    >>> stream.name = "two.csv"
    >>> read_covariances(stream).sentence
    '2 matrices of 2 × 2, one below the other'
    """
    window = checks.integer("window", window, minimum=2)
    name, data = bytes_of(source, max_bytes)
    kind = Path(name).suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ValueError(f"cannot read {name!r} as {kind or 'nothing'!r}; the formats are {', '.join(FORMATS)}")
    if not data:
        raise ValueError(f"{name} is empty")
    if kind in ("npz", "npy"):
        arrays = foreign.read_members(data, name, max_bytes, progress=progress) if apart else None
        return _from_arrays(arrays if arrays is not None else read_members(data, name, max_bytes), name)
    table, _ = foreign.read_table(data, name, progress=progress) if apart else read_table(data, name)
    return _from_table(table, name, window)


def _from_arrays(arrays: dict[str, NDArray], name: str) -> CovarianceReading:
    stacks = {key: value for key, value in arrays.items() if value.ndim == 3}
    chosen = next((key for key in (*MATRICES, *TRIALS) if key in stacks), None)
    if chosen is None and len(stacks) == 1:
        chosen = next(iter(stacks))
    if chosen is None:
        told = ", ".join(f"{key} {value.shape}" for key, value in arrays.items())[:200]
        raise ValueError(
            f"{name} holds {told or 'nothing'}; give one array (N, n, n) of covariances or (N, channels, time)"
        )
    found = stacks[chosen]
    labels = next((arrays[key] for key in LABELS if key in arrays and key != chosen), None)
    if labels is not None and (labels.shape != (len(found),) or labels.dtype.kind not in "iu"):
        raise ValueError(f"the labels in {name} must be {len(found)} whole numbers, got {labels.shape}, {labels.dtype}")
    if chosen in MATRICES or (chosen not in TRIALS and _looks_symmetric(found)):
        _check_size(len(found), found.shape[1], name)
        matrices = covariances(name, found, ndim=3)
        sentence = f"array {chosen!r}: {len(found)} matrices of {found.shape[1]} × {found.shape[2]}"
    else:
        matrices, sentence = _covariances_of(found, name, f"array {chosen!r}: {len(found)} trials")
    return CovarianceReading(
        matrices, None if labels is None else labels.astype(np.int64), sentence + "; labelled" * (labels is not None)
    )


def _from_table(table: NDArray[np.float64], name: str, window: int) -> CovarianceReading:
    rows, columns = table.shape
    blocks = table[: rows - rows % columns].reshape(-1, columns, columns)
    if rows % columns == 0 and _looks_symmetric(blocks):
        _check_size(len(blocks), columns, name)
        found = covariances(name, blocks, ndim=3)
        return CovarianceReading(found, None, f"{len(blocks)} matrices of {columns} × {columns}, one below the other")
    if rows < window:
        raise ValueError(
            f"{name} has {rows} rows of {columns} channels, fewer than one window of {window}; choose a shorter window"
        )
    count = rows // window
    trials = table[: count * window].reshape(count, window, columns).swapaxes(1, 2)
    left = rows - count * window
    matrices, sentence = _covariances_of(trials, name, f"a recording of {rows} rows cut into {count} windows")
    return CovarianceReading(matrices, None, sentence + f"; {left} rows at the end left out" * bool(left))


def _covariances_of(trials: NDArray, name: str, what: str) -> tuple[NDArray[np.float64], str]:
    _check_size(len(trials), trials.shape[1], name)
    found = trial_covariances(trials)
    _, channels, samples = trials.shape
    few = "; fewer samples than channels, so every matrix is singular" * (samples <= channels)
    return covariances(name, found, ndim=3), f"{what} of {channels} channels and {samples} samples{few}"


def _looks_symmetric(stack: NDArray) -> bool:
    if stack.ndim != 3 or stack.shape[1] != stack.shape[2]:
        return False
    off = np.abs(stack - np.swapaxes(stack, 1, 2)).max(axis=(1, 2), initial=0)
    return bool(np.all(off <= ASYMMETRY * np.abs(stack).max(axis=(1, 2), initial=0)))


def _check_size(count: int, n: int, name: str) -> None:
    if n > LARGEST or count * n * n > MOST_ENTRIES:
        raise ValueError(
            f"{name} has {count} matrices of {n} × {n}; at most {LARGEST} channels and {MOST_ENTRIES:,} entries are "
            "taken. Give fewer channels, or fewer trials"
        )
