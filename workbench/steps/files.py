"""Files of one's own for this room: a table of labelled samples, and the weights of a small network."""

import csv
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import checks, isolated
from workbench.clouds import foreign
from workbench.clouds.arrays import read_members
from workbench.clouds.decoding import open_text
from workbench.progress import Progress
from workbench.steps.data import Data, make_data

LARGEST_FILE = 32 * 2**20
MOST_SAMPLES, MOST_FEATURES, MOST_CLASSES = 100_000, 4096, 1000
MOST_WEIGHTS, MOST_LAYERS = 4_000_000, 16
LABELS = ("label", "labels", "class", "target", "targets", "y")
FEATURES = ("x", "inputs", "features", "data")
TABLES = ("csv", "tsv", "txt")
ACTIVATIONS = ("relu", "tanh", "gelu")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class DataReading:
    """Labelled samples of a file, and a sentence that says how it was read."""

    data: Data
    sentence: str


def read_data(
    source: str | Path | bytes,
    *,
    name: str | None = None,
    seed: int = 0,
    apart: bool = False,
    progress: Progress | None = None,
) -> DataReading:
    """Read labelled samples from a CSV or NPZ file, by its path or its bytes (then ``name`` tells the format).

    CSV: a row a sample, separated by tabs or semicolons or else commas; the class stands in the column called label,
    class, target or y, or in the last one, as a word or a number, and all other columns are numbers. NPZ: an array of
    samples (n, features) called x, inputs, features or data, one of whole numbers (n,) called y, label, class or
    target. Features are standardised (mean 0, deviation 1; a constant one becomes 0), classes numbered in order; the
    split is that of :func:`workbench.steps.make_data` with ``seed``. ``apart`` reads a stranger's file in a process
    that can be ended, which ``progress`` may ask for.

    Raises ``ValueError`` with the row for what is no such table: missing values, NaN, rows of another length, fewer
    than 2 or more than 1000 classes, more than 100,000 samples or 4,096 features.

    >>> reading = read_data(b"width,height,label\\n1,2,cat\\n2,1,dog\\n3,2,cat\\n1,1,dog\\n2,2,cat\\n", name="pets.csv")
    >>> reading.sentence
    '5 samples of 2 features, classes cat, dog'
    >>> reading.data.features, reading.data.classes
    (2, 2)
    """
    data, name = _contents(source, name)
    kind = name.rpartition(".")[2].lower()
    if kind == "npz":
        most = 4 * LARGEST_FILE
        arrays = foreign.read_members(data, name, most, progress=progress) if apart else read_members(data, name, most)
        samples, classes = _from_arrays(arrays, name)
    elif kind in TABLES:
        bound = foreign.limits(len(data), 4 * len(data))
        read = isolated.read(_from_table, data, name, limits=bound, progress=progress) if apart else None
        samples, words = read or _from_table(data, name)
        classes = _numbered(words)
    else:
        raise ValueError(f"{name} is no file of samples by its name; give .npz or one of .{', .'.join(TABLES)}")
    if samples.ndim != 2 or not 1 <= samples.shape[1] <= MOST_FEATURES:
        raise ValueError(
            f"{name} holds samples of shape {samples.shape}; (samples, features) is needed, with up to "
            f"{MOST_FEATURES:,} features"
        )
    if not 5 <= len(samples) <= MOST_SAMPLES:
        raise ValueError(f"{name} holds {len(samples):,} samples; 5 to {MOST_SAMPLES:,} are allowed")
    if classes.shape != (len(samples),):
        raise ValueError(f"{name} holds {len(samples)} samples and classes of shape {classes.shape}")
    words, numbers = np.unique(classes, return_inverse=True)
    if not 2 <= len(words) <= MOST_CLASSES:
        raise ValueError(f"{name} holds {len(words)} different classes; 2 to {MOST_CLASSES} are allowed")
    samples = checks.finite_array(f"the samples of {name}", samples, ndim=2)
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = samples.std(axis=0)
        centred = samples - samples.mean(axis=0)
        standard = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)
    if not (np.isfinite(deviation).all() and np.isfinite(standard).all()):
        raise ValueError(f"the samples of {name} hold numbers too large to standardise")
    told = [str(word)[:20] for word in words[:8]] + (["…"] if len(words) > 8 else [])
    sentence = f"{len(samples):,} samples of {samples.shape[1]} features, classes {', '.join(told)}"
    return DataReading(make_data(standard, numbers.reshape(-1), seed=seed), sentence)


def read_mlp(source: str | Path | bytes, *, activation: str = "relu", name: str | None = None) -> Any:
    """Return a multilayer perceptron (``torch.nn.Sequential``, eval mode) from the safetensors file of its weights.

    The file holds matrices ``….weight`` (out, in) and vectors ``….bias`` as ``torch.nn.Linear`` has them, in the order
    of the numbers in their names; the widths must chain. What stands between the layers is not in such a file:
    ``activation`` "relu", "tanh" or "gelu". ::

        safetensors.torch.save_file(model.state_dict(), "mlp.safetensors")
        model = steps.read_mlp("mlp.safetensors", activation="tanh")

    Raises ``ValueError`` for other tensors, widths that do not chain, NaN, and more than 4,000,000 weights.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load
    from torch import nn

    checks.choice("activation", activation, ACTIVATIONS)
    data, name = _contents(source, name)
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, OverflowError, TypeError, AttributeError) as error:
        raise ValueError(f"{name} is not a readable safetensors file ({str(error)[:200]})") from error
    layers = [key.removesuffix(".weight") for key in sorted(tensors, key=_in_order) if key.endswith(".weight")]
    known = {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
    others = sorted(set(tensors) - known)
    if others or not 1 <= len(layers) <= MOST_LAYERS:
        found = f"tensors {', '.join(repr(key[:60]) for key in others[:3])}" if others else f"{len(layers)} weights"
        raise ValueError(f"{name} holds {found}; a perceptron of 1 to {MOST_LAYERS} linear layers is needed")
    if sum(tensor.numel() for tensor in tensors.values()) > MOST_WEIGHTS:
        raise ValueError(f"{name} holds more than {MOST_WEIGHTS:,} weights, the limit here")
    between = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}[activation]
    parts: list[nn.Module] = []
    width: int | None = None
    for layer in layers:
        weight, bias = tensors[f"{layer}.weight"], tensors.get(f"{layer}.bias")
        given = [t for t in (weight, bias) if t is not None]
        if weight.ndim != 2 or min(weight.shape) < 1 or (bias is not None and bias.shape != weight.shape[:1]):
            shapes = " and ".join(str(tuple(t.shape)) for t in given)
            raise ValueError(
                f"{name}: {layer!r} has shapes {shapes}; (out, in) and (out,) of a linear layer are needed"
            )
        if not all(t.is_floating_point() and bool(torch.isfinite(t.float()).all()) for t in given):
            raise ValueError(f"{name}: {layer!r} holds NaN, infinity or whole numbers")
        if width is not None and weight.shape[1] != width:
            raise ValueError(
                f"{name}: {layer!r} takes {weight.shape[1]} numbers and is given {width}; widths must chain"
            )
        width = int(weight.shape[0])
        linear = nn.Linear(weight.shape[1], width, bias=bias is not None)
        linear.load_state_dict({k: t.float() for k, t in zip(("weight", "bias"), given, strict=False)})
        parts += [linear, between()]
    return nn.Sequential(*parts[:-1]).eval()


def fits(network: Any, data: Data) -> None:
    """Raise ``ValueError`` if a perceptron of :func:`read_mlp` does not take these samples or tell their classes."""
    takes, tells = network[0].in_features, network[-1].out_features
    if takes != data.features or tells < data.classes:
        raise ValueError(
            f"the network takes {takes} features and tells {tells} classes; the data ({data.name}) have "
            f"{data.features} features and {data.classes} classes"
        )


def _contents(source: str | Path | bytes, name: str | None) -> tuple[bytes, str]:
    if not isinstance(source, bytes):
        path = Path(source)
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes; the limit is {LARGEST_FILE:,}")
        source, name = path.read_bytes(), name or path.name
    if len(source) > LARGEST_FILE:
        raise ValueError(f"{name or 'the file'} has {len(source):,} bytes; the limit is {LARGEST_FILE:,}")
    return source, name or "the file"


def _in_order(key: str) -> list[tuple[int, int, str]]:
    """Sort "10.weight" after "2.weight"."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d{1,9})", key) if part]


def _from_arrays(arrays: dict[str, NDArray], name: str) -> tuple[NDArray, NDArray]:
    found = []
    for what, words in (("samples", FEATURES), ("classes", LABELS)):
        keys = [key for key in arrays if key.lower() in words]
        if len(keys) != 1:
            told = f"{len(keys)} arrays of {what} ({', '.join(keys)})" if keys else f"no array of {what}"
            raise ValueError(f"{name} holds {told} among {sorted(arrays)[:8]}; call one of them {words[0]!r}")
        found.append(arrays[keys[0]])
    samples, classes = found
    if samples.dtype.kind not in "fiu" or classes.dtype.kind not in "iub":
        raise ValueError(
            f"{name} holds samples of type {samples.dtype} and classes of type {classes.dtype}; numbers and whole "
            "numbers are needed"
        )
    return samples.astype(np.float64), classes


def _from_table(data: bytes, name: str) -> tuple[NDArray, list[str]]:
    """Return the samples and, for each, the word of its class. May run in a process apart."""
    rows = _rows(data, name)
    place, first = next(rows, (0, []))
    if not first:
        raise ValueError(f"{name} holds no rows")
    names = None if any(NUMBER.fullmatch(value.replace(",", ".")) for value in first) else first
    width = len(first)
    if not 2 <= width <= MOST_FEATURES + 1:
        raise ValueError(f"{name} has {width} column{'s' * (width != 1)}; features and a class are needed")
    named = [k for k, word in enumerate(names or ()) if word.lower() in LABELS]
    if len(named) > 1:
        raise ValueError(f"the header of {name} names {len(named)} columns of classes; leave one of them")
    label = named[0] if named else width - 1
    samples = array("d")
    classes: list[str] = []
    for line, row in rows if names is not None else _from(place, first, rows):
        if len(row) != width:
            raise ValueError(f"line {line} of {name} has {len(row)} values and the first {width}")
        if len(classes) == MOST_SAMPLES:
            raise ValueError(f"{name} holds more than {MOST_SAMPLES:,} samples")
        if not row[label]:
            raise ValueError(f"line {line} of {name} has no class")
        classes.append(row[label])
        samples.extend(_number(value, line, name) for k, value in enumerate(row) if k != label)
    return np.array(samples).reshape(len(classes), width - 1), classes


def _numbered(words: list[str]) -> NDArray:
    """Return the classes of a table as numbers if all of them are whole ones, else as words."""
    if words and all(re.fullmatch(r"[+-]?\d{1,9}(\.0*)?", word, re.ASCII) for word in words):
        return np.array([int(float(word)) for word in words])
    return np.array(words) if words else np.empty(0, dtype=str)


def _rows(data: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and fields; one separator holds for the whole file: tab or semicolon before comma."""
    separator = ""
    for number, line in open_text(data, name).lines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not separator:
            separator = next((mark for mark in "\t;" if mark in line), ",")
        try:
            row = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
        except csv.Error as error:
            raise ValueError(f"line {number} of {name} cannot be read ({error})") from error
        yield number, [value.strip() for value in row]


def _from(place: int, first: list[str], rest: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield place, first
    yield from rest


def _number(value: str, line: int, name: str) -> float:
    value = value.replace(",", ".")  # where commas separate nothing they are decimal
    if not NUMBER.fullmatch(value):
        raise ValueError(f"line {line} of {name} " + (f"has {value[:40]!r} for a number" if value else "lacks a value"))
    return float(value)
