"""The layers of a network: which of its arrays are matrices to score, and why the others are not."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.metrics.spectra.spectrum import (
    FEWEST,
    LARGEST_SIDE,
    Spectrum,
    gram_eigenvalues,
    layer_matrix,
    positive_eigenvalues,
    too_few,
)
from workbench.results import Described

MOST_LAYERS = 2000
MOST_ENTRIES = 500_000_000
LONGEST_NAME = 200
FUSED = re.compile(r"(in_proj_weight|qkv(_proj)?(\.weight)?|c_attn(\.weight)?|query_key_value(\.weight)?)$")
LORA = re.compile(r"^(?P<stem>.*?)\.?lora_(?P<half>A|B)(\.\w+)?(\.weight)?$")
WRAPPINGS = ("state_dict", "model_state_dict", "model", "model_state", "net")


@dataclass(frozen=True)
class Layer:
    """One matrix of a network: ``matrix`` (N, M) with N ≥ M; ``kind`` says how it was made from the stored array."""

    name: str
    matrix: NDArray[Any]
    kind: str
    _known: list[Spectrum] = field(default_factory=list, init=False, repr=False, compare=False)

    def spectrum(self) -> Spectrum:
        """Return the layer's spectrum, computed once."""
        if not self._known:
            matrix = np.asarray(self.matrix, dtype=np.float64)
            values, dropped = positive_eigenvalues(gram_eigenvalues(matrix), f"the spectrum of {self.name}")
            self._known.append(Spectrum(values, *matrix.shape, dropped))
        return self._known[0]


@dataclass(frozen=True)
class Layers(Described):
    """The layers of a network that can be scored, and the arrays that cannot, each with its reason."""

    layers: tuple[Layer, ...]
    skipped: tuple[tuple[str, str], ...]
    sentence: str

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, key: int | str) -> Layer:
        if isinstance(key, str):
            names = [layer.name for layer in self.layers]
            return self.layers[names.index(checks.choice("layer", key, names))]
        return self.layers[checks.integer("layer", key, minimum=0, maximum=len(self.layers) - 1)]

    def keeping(self, spectra: dict[str, list[Spectrum]]) -> "Layers":
        """Return the same layers with their spectra kept in ``spectra`` by name: known there, known here."""
        for layer in self.layers:
            kept = spectra.setdefault(layer.name, [])
            kept.extend(layer._known[len(kept) :])
            object.__setattr__(layer, "_known", kept)
        return self

    def describe(self) -> list[str]:
        """Return name, shape and the beginning of a digest of each layer."""
        return [
            f"{layer.name} {layer.matrix.shape} "
            f"{hashlib.sha256(np.ascontiguousarray(layer.matrix).tobytes()).hexdigest()[:12]}"
            for layer in self.layers
        ]


def layers_of(model: Any, name: str = "the network") -> Layers:
    """Return the layers of a ``torch.nn.Module``, a mapping of names to arrays or tensors, a matrix, or ``Layers``.

    Vectors are left out without a word; what else is left out stands in ``skipped`` with its reason: shapes with a
    side below 20, whole numbers (quantised weights without scale), NaN, an array that is another's copy (tied
    embeddings count once). A fused query–key–value matrix is split into its three, a LoRA pair A (r, m), B (n, r)
    becomes the r values of its product BA. A kernel (out, in, …) is flattened to out × rest. Raises ``ValueError`` if
    nothing is left.

    >>> rng = np.random.default_rng(0)
    >>> found = layers_of({"qkv.weight": rng.normal(size=(90, 30)), "bias": np.zeros(90), "head": np.ones((4, 30))})
    >>> [layer.name for layer in found], found.skipped
    (['qkv.weight[q]', 'qkv.weight[k]', 'qkv.weight[v]'], (('head', '4 eigenvalue(s), and a tail needs 20'),))
    """
    if isinstance(model, Layers):
        return model
    arrays = _named_arrays(model, name)
    skipped: list[tuple[str, str]] = []
    found: list[Layer] = []
    arrays = _with_products(arrays, skipped)
    seen: dict[str, str] = {}
    for key, value in arrays.items():
        try:
            array = _as_numpy(key, value)
            if array.ndim < 2:
                continue
            for part, kind, matrix in _parts(key, array):
                _check(part, matrix)
                digest = hashlib.sha256(np.ascontiguousarray(matrix).tobytes()).hexdigest() + str(matrix.shape)
                if digest in seen:
                    skipped.append((part, f"the same numbers as {seen[digest]}, counted once"))
                    continue
                seen[digest] = part
                found.append(Layer(part, matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T, kind))
        except (ValueError, TypeError) as error:
            skipped.append((key, str(error)))
    if len(found) > MOST_LAYERS:
        raise ValueError(f"{name} has {len(found)} layers; up to {MOST_LAYERS} are scored")
    if not found:
        told = "; ".join(f"{key}: {why}" for key, why in skipped[:3])
        raise ValueError(f"{name} has no layer to score{f' ({told})' if told else ''}; a layer is a matrix or kernel "
                         f"of floats with both sides at least {FEWEST}")  # fmt: skip
    told = f"{len(found)} layer{'s' * (len(found) != 1)}"
    told += f"; {len(skipped)} left out ({skipped[0][0]}: {skipped[0][1][:80]}…)" if skipped else ""
    return Layers(tuple(found), tuple(skipped), told)


def _named_arrays(model: Any, name: str) -> dict[str, Any]:
    if callable(getattr(model, "state_dict", None)):
        return dict(model.state_dict())
    if isinstance(model, Mapping):
        for wrapping in WRAPPINGS:
            if isinstance(model.get(wrapping), Mapping):
                return _named_arrays(model[wrapping], name)
        if not all(isinstance(key, str) for key in model):
            raise TypeError(f"{name} is a mapping with names that are no text; give names of layers → arrays")
        return {key[:LONGEST_NAME]: value for key, value in model.items() if hasattr(value, "shape")}
    if hasattr(model, "shape") or isinstance(model, (list, tuple)):
        return {"weights": np.asarray(model) if isinstance(model, (list, tuple)) else model}
    raise TypeError(
        f"{name} is a {type(model).__name__}; give a torch module, a mapping of names to arrays, a matrix, or the path "
        "of a file"
    )


def _as_numpy(name: str, value: Any) -> NDArray[Any]:
    """Return a float array without a copy where that can be; refuse by name what is none."""
    if callable(getattr(value, "detach", None)):
        value = value.detach().cpu()
        if getattr(value, "is_quantized", False):
            raise ValueError("a quantised tensor; give it dequantised, value.dequantize()")
        if getattr(value, "is_sparse", False):
            raise ValueError("a sparse tensor; give it dense, value.to_dense()")
        if value.numel() > MOST_ENTRIES:
            raise ValueError(f"{value.numel():,} entries; up to {MOST_ENTRIES:,} are taken")
        if str(value.dtype) == "torch.bfloat16" or "float8" in str(value.dtype):
            value = value.float()
        value = value.numpy()
    array = np.asarray(value)
    if array.ndim >= 2 and array.dtype.kind in "iub":
        raise ValueError(
            f"whole numbers of type {array.dtype}, quantised weights it seems; multiply them by their scale and give "
            "floats"
        )
    if array.ndim >= 2 and array.dtype.kind != "f":
        raise ValueError(f"entries of type {array.dtype}, no real numbers")
    return array


def _check(name: str, matrix: NDArray[Any]) -> None:
    shorter, longer = sorted(matrix.shape)
    if shorter < FEWEST:
        raise ValueError(too_few(shorter))
    if shorter > LARGEST_SIDE:
        raise ValueError(f"a shorter side of {shorter:,}; the eigenvalues of up to {LARGEST_SIDE:,} are taken")
    if matrix.size > MOST_ENTRIES:
        raise ValueError(f"{matrix.size:,} entries; up to {MOST_ENTRIES:,} are taken")
    checks.memory(8.0 * (longer * shorter + 4 * shorter**2), f"the spectrum of {name}")
    finite = np.isfinite(matrix)
    if not finite.all():
        raise ValueError(f"{matrix.size - int(finite.sum())} values that are NaN or infinite")
    if not matrix.any():
        raise ValueError("zero throughout")


def _parts(name: str, array: NDArray[Any]) -> Iterator[tuple[str, str, NDArray[Any]]]:
    """Yield the matrices of one array: itself, a flattened kernel, or the three of a fused projection."""
    if array.ndim > 2:
        yield name, f"kernel {'×'.join(map(str, array.shape))}", array.reshape(len(array), -1)
        return
    rows, columns = array.shape
    if FUSED.search(name) and (rows == 3 * columns or columns == 3 * rows):
        side = min(rows, columns)
        for k, part in enumerate("qkv"):
            place = slice(k * side, (k + 1) * side)
            yield (
                f"{name}[{part}]",
                "a third of a fused projection",
                array[place] if rows > columns else array[:, place],
            )
        return
    yield name, "matrix", array


def _with_products(arrays: dict[str, Any], skipped: list[tuple[str, str]]) -> dict[str, Any]:
    """Put in the place of each LoRA pair A (r, m), B (n, r) a matrix with the r singular values of BA."""
    halves: dict[str, dict[str, str]] = {}
    for key in arrays:
        match = LORA.match(key)
        if match:
            halves.setdefault(match["stem"], {})[match["half"]] = key
    found = dict(arrays)
    for stem, pair in halves.items():
        if set(pair) != {"A", "B"}:
            continue
        a, b = (arrays[pair[half]] for half in "AB")
        if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] != b.shape[1]:
            continue
        for half in "AB":
            del found[pair[half]]
        name = f"{stem}.lora_BA".lstrip(".")
        rank = int(a.shape[0])
        if rank < FEWEST:
            skipped.append((name, f"a LoRA update of rank {rank}: {too_few(rank)}"))
            continue
        if rank > LARGEST_SIDE:
            skipped.append((name, f"a LoRA update of rank {rank:,}; up to {LARGEST_SIDE:,} are taken"))
            continue
        first, second = (np.asarray(_as_numpy(name, value), dtype=np.float64) for value in (a, b))
        # BA = Q_B (R_B R_Aᵀ) Q_Aᵀ: the r × r matrix in the middle has the singular values of the product
        found[name] = np.linalg.qr(second, mode="r") @ np.linalg.qr(first.T, mode="r").T
    return found


def one_matrix(name: str, weights: Any) -> NDArray[np.float64]:
    """Return one layer's matrix (N, M) from an array, a tensor or a :class:`Layer`."""
    return layer_matrix(name, weights.matrix if isinstance(weights, Layer) else weights)
