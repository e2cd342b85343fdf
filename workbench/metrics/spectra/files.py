"""Networks from files: safetensors, PyTorch state dicts (weights only), ONNX, NPZ and NPY; nothing in them is ever run.

Sizes are read from the file's own directory and held against a limit before memory is taken. State dicts and ONNX,
whose readers are large programs, are read in a process apart with bounded time and memory.
"""

import importlib.util
import io
import itertools
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import isolated
from workbench.clouds.arrays import read_members
from workbench.metrics.spectra.layers import LONGEST_NAME, MOST_LAYERS, WRAPPINGS, Layers, layers_of
from workbench.progress import Progress

FORMATS = ("safetensors", "pt", "pth", "bin", "onnx", "npz", "npy")
DEFAULT_LIMIT = 1 << 30
LONGEST_HEADER = 8 << 20
LARGE_READERS = ("pt", "pth", "bin", "onnx")
LIBRARIES = 3 << 30
"""Room that torch takes in the addresses of a process, most of it never touched."""
MOST_TENSORS = 20_000
DEEPEST = 4
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
         "U16": 2, "U32": 4, "U64": 8, "F8_E4M3": 1, "F8_E5M2": 1}  # fmt: skip
NUMPY = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
         "BOOL": "?", "U16": "<u2", "U32": "<u4", "U64": "<u8"}  # fmt: skip


def read_network(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> Layers:
    """Read the layers of a network from a file, and say what was left out.

    ``source`` is a path, or a binary file with a ``.name``, ending in .safetensors, .pt, .pth or .bin (a state dict;
    code in it is never run), .onnx (where the package ``onnx`` is installed), .npz or .npy. ``apart`` reads the simple
    formats too in a process that can be ended, which ``progress`` may ask for. Raises ``FileNotFoundError``;
    ``ValueError`` for an unknown or damaged format, more than ``max_bytes`` packed or unpacked, a whole pickled module,
    TorchScript, and a file without a layer to score.

    >>> stream = io.BytesIO()
    >>> np.savez(stream, first=np.random.default_rng(0).normal(size=(40, 30)), bias=np.zeros(40))
    >>> _ = stream.seek(0)
    >>> stream.name = "mine.npz"
    >>> found = read_network(stream)
    >>> found.sentence, found[0].matrix.shape
    ('mine.npz: 1 layer', (40, 30))
    """
    name, data = _bytes_of(source, max_bytes)
    kind = Path(name.lower().removesuffix(".tar")).suffix.lstrip(".")
    if kind not in FORMATS:
        hint = " A TorchScript file holds a program: save its state_dict() instead." if kind in ("jit", "ts") else ""
        raise ValueError(f"cannot read {name!r} as {kind or 'nothing'!r}; the formats are {', '.join(FORMATS)}.{hint}")
    if not data:
        raise ValueError(f"{name} is empty")
    if kind == "onnx" and importlib.util.find_spec("onnx") is None:
        raise ValueError(
            f"{name} is ONNX, which needs the package onnx: install it (pip install onnx), or save the weights as "
            "safetensors or NPZ"
        )
    if apart or kind in LARGE_READERS:
        memory = LIBRARIES + 6 * max(len(data), max_bytes if kind == "npz" else 0)
        limits = isolated.Limits(seconds=60 + len(data) / 2**23, memory=memory)
        arrays = isolated.read(arrays_in, data, name, kind, max_bytes, limits=limits, progress=progress)
    else:
        arrays = arrays_in(data, name, kind, max_bytes)
    found = layers_of(arrays, name)
    return Layers(found.layers, found.skipped, f"{name}: {found.sentence}")


def arrays_in(data: bytes, name: str, kind: str, max_bytes: int) -> dict[str, Any]:
    """Return the arrays of a file by name; ``kind`` is one of :data:`FORMATS`. May be called in a process apart."""
    if kind == "safetensors":
        return safetensors_arrays(data, name)
    if kind in ("npz", "npy"):
        return dict(read_members(data, name, max_bytes))
    if kind == "onnx":
        return onnx_arrays(data, name)
    _check_state_dict(data, name, max_bytes)
    return state_dict_arrays(data, name)


def _bytes_of(source: Any, max_bytes: int) -> tuple[str, bytes]:
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        if path.stat().st_size > max_bytes:
            raise ValueError(f"{path.name} has {path.stat().st_size / 2**20:,.0f} MiB; the limit is "
                             f"{max_bytes / 2**20:,.0f} MiB (max_bytes=…)")  # fmt: skip
        return path.name, path.read_bytes()
    name = os.path.basename(str(getattr(source, "name", "the upload")))
    data = source.read(max_bytes + 1)
    if not isinstance(data, bytes):
        raise TypeError(f"{name} is open as text; open it in binary mode, open(path, 'rb')")
    if len(data) > max_bytes:
        raise ValueError(f"{name} has more than {max_bytes / 2**20:,.0f} MiB, the limit")
    return name, data


# ---- safetensors ----------------------------------------------------------------------------------------------------


def safetensors_arrays(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    """Return the tensors of a safetensors file as views of its bytes (bfloat16 as float32).

    The directory is checked as its author may mean to deceive: every tensor lies inside the file, has just the bytes
    that its shape and type need, and shares none with another.
    """
    if len(data) < 8:
        raise ValueError(f"{name} has {len(data)} bytes, too few for a safetensors file")
    (length,) = struct.unpack_from("<Q", data)
    if length > min(LONGEST_HEADER, len(data) - 8):
        raise ValueError(f"{name} is no safetensors file, or damaged: it announces a header of {length:,} bytes")
    try:
        header = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the header of {name} cannot be read ({str(error)[:100]})") from None
    if not isinstance(header, dict):
        raise ValueError(f"the header of {name} lists no tensors")
    header.pop("__metadata__", None)
    if len(header) > MOST_TENSORS:
        raise ValueError(f"{name} lists {len(header):,} tensors; up to {MOST_TENSORS:,} are read")
    body = memoryview(data)[8 + length :]
    found, taken = {}, []
    for key, entry in header.items():
        start, end, dtype, shape = _place(key, entry, len(body), name)
        taken.append((start, end, key))
        found[key[:LONGEST_NAME]] = _tensor(body[start:end], dtype, shape)
    taken.sort()
    for (_, end, first), (start, _, second) in itertools.pairwise(taken):
        if start < end:
            raise ValueError(f"in {name} the tensors {first[:40]!r} and {second[:40]!r} share bytes; it is damaged")
    return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def _place(key: str, entry: Any, size: int, name: str) -> tuple[int, int, str, tuple[int, ...]]:
    told = f"the tensor {key[:40]!r} of {name}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{told} is not described as a safetensors file should")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    whole = all(
        isinstance(values, list) and all(type(v) is int and 0 <= v < 2**62 for v in values)
        for values in (shape, offsets)
    )
    if not whole or len(offsets) != 2 or len(shape) > 16:
        raise ValueError(f"{told} has no usable shape and place")
    if not isinstance(dtype, str) or dtype not in BYTES:
        raise ValueError(f"{told} has the type {str(dtype)[:20]!r}; read are {', '.join(BYTES)}")
    start, end = offsets
    needed = BYTES[dtype]
    for side in shape:
        needed *= side
    if not start <= end <= size or end - start != needed:
        raise ValueError(f"{told} needs {needed:,} bytes and has {end - start:,} of the file's {size:,}; it is damaged")
    return start, end, dtype, tuple(shape)


def _tensor(data: memoryview, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    if dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if dtype.startswith("F8"):
        import torch

        kind = torch.float8_e4m3fn if dtype == "F8_E4M3" else torch.float8_e5m2
        flat = torch.frombuffer(bytearray(data), dtype=kind) if len(data) else torch.empty(0, dtype=kind)
        return flat.float().numpy().reshape(shape)
    return np.frombuffer(data, NUMPY[dtype]).reshape(shape)


# ---- always in a process apart --------------------------------------------------------------------------------------


def _check_state_dict(data: bytes, name: str, max_bytes: int) -> None:
    """Refuse an archive that unpacks to more than it weighs (torch stores without packing), and TorchScript."""
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"{name} is damaged ({str(error)[:100]})") from None
    size = sum(info.file_size for info in members)
    if size > max_bytes or any(info.compress_type != zipfile.ZIP_STORED for info in members):
        raise ValueError(f"{name} unpacks to {size:,} bytes or is packed, as torch.save never does; it is not read")
    if any(info.filename.split("/")[1:2] in (["code"], ["constants.pkl"]) for info in members):
        raise ValueError(f"{name} is TorchScript, a program; save its weights: torch.save(model.state_dict(), path)")


def state_dict_arrays(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    """Return the tensors of a state dict by name; called in a process apart. Runs no code of the file."""
    import pickle

    import torch

    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError, ValueError, TypeError, AttributeError,
            IndexError, AssertionError) as error:  # fmt: skip
        told = "holds more than tensors (a whole module?)" if "eights" in str(error) else "is damaged, or no state dict"
        raise ValueError(
            f"{name} {told}: only weights are read, never pickled code. Save them with torch.save(model.state_dict(), "
            "path), or as safetensors"
        ) from None
    return _dense(_tensors_of(found, name, DEEPEST), len(data), name)


def _tensors_of(found: Any, name: str, depth: int) -> dict[str, Any]:
    if callable(getattr(found, "detach", None)):
        return {"weights": found}
    if not isinstance(found, dict):
        raise ValueError(f"{name} holds a {type(found).__name__}; a state dict maps names to tensors")
    for wrapping in WRAPPINGS:
        if depth and isinstance(found.get(wrapping), dict):
            return _tensors_of(found[wrapping], name, depth - 1)
    tensors = {
        str(key)[:LONGEST_NAME]: value for key, value in found.items() if callable(getattr(value, "detach", None))
    }
    if len(tensors) > MOST_TENSORS:
        raise ValueError(f"{name} holds {len(tensors):,} tensors; up to {MOST_TENSORS:,} are read")
    return tensors


def _dense(tensors: dict[str, Any], size: int, name: str) -> dict[str, NDArray[Any]]:
    """Return matrices and kernels as plain arrays; a view that is larger than the file is a trap, and refused."""
    found, total, seen = {}, 0, {}
    for key, value in tensors.items():
        if value.ndim < 2:
            continue
        if value.is_sparse or value.is_quantized:
            value = value.dequantize() if value.is_quantized else value
            if value.is_sparse:
                continue
        place = (value.untyped_storage().data_ptr(), value.storage_offset(), tuple(value.shape), tuple(value.stride()))
        if place not in seen:
            total += value.numel() * value.element_size()
            if total > 4 * size + (1 << 20):
                raise ValueError(f"the tensors of {name} are larger than the file: a view repeated, or a trap")
            is_small = str(value.dtype) == "torch.bfloat16" or "float8" in str(value.dtype)
            seen[place] = (value.float() if is_small else value).contiguous().numpy()
        found[key] = seen[place]
    if len(found) > 10 * MOST_LAYERS:
        raise ValueError(f"{name} has {len(found):,} matrices, too many to score")
    return found


def onnx_arrays(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    """Return the initialisers and constants of an ONNX graph; called in a process apart. Follows no outside file."""
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load_model_from_string(data).graph
    except Exception as error:  # protobuf raises what it likes
        raise ValueError(f"{name} cannot be read as ONNX ({str(error)[:100]})") from None
    tensors = list(graph.initializer)
    tensors += [
        attribute.t
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    ]
    found: dict[str, NDArray[Any]] = {}
    for k, tensor in enumerate(tensors):
        if len(tensor.dims) < 2:
            continue
        key = (tensor.name or f"constant_{k}")[:LONGEST_NAME]
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ValueError(f"{name} keeps {key!r} in another file; save it as one file, or give the weights as NPZ")
        array = numpy_helper.to_array(tensor)
        found[key] = array.astype(np.float32) if array.dtype.kind not in "iubf" else array
    return found
