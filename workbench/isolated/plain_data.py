"""Plain data as bytes and back: JSON for what has a structure, then the bytes of the arrays as they lie in memory.

A message is its length, then the number of its parts, their lengths, and the parts; the first part is the JSON. It is
made as a list of pieces that are sent one after the other, so a file or an array of many megabytes is never copied.
"""

import json
import math
import struct
from typing import Any

import numpy as np

Piece = bytes | memoryview


def pack(value: Any) -> list[Piece]:
    """Return plain data as the pieces of a message, its length included; ``TypeError`` for anything else."""
    buffers: list[Piece] = []
    text = json.dumps(_node(value, buffers)).encode(errors="surrogatepass")
    sizes = [len(text), *(len(buffer) for buffer in buffers)]
    head = struct.pack(f"<Q{len(sizes)}Q", len(sizes), *sizes)
    total = struct.pack("<Q", len(head) + sum(sizes))
    return [total + head + text, *buffers]


def check(value: Any) -> None:
    """Raise ``TypeError`` for what does not travel."""
    _node(value, [])


def _node(value: Any, buffers: list[Piece]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, (bytes, bytearray, memoryview)):
        buffers.append(memoryview(value).cast("B"))
        return {"bytes": len(buffers)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufcUS":
        flat = np.ascontiguousarray(value)
        buffers.append(flat.reshape(-1).view(np.uint8).data if flat.size else b"")
        return {"array": len(buffers), "dtype": flat.dtype.str, "shape": list(value.shape)}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": [[key, _node(entry, buffers)] for key, entry in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"list" if isinstance(value, list) else "tuple": [_node(entry, buffers) for entry in value]}
    raise TypeError(f"a {type(value).__name__} cannot be handed to another process; use numbers, text, bytes or arrays")


def unpack(data: bytes | bytearray) -> Any:
    """Return what :func:`pack` packed, from the message without its length.

    Trusts nothing in it but raises whatever it likes.
    """
    view = memoryview(data)
    (count,) = struct.unpack_from("<Q", view)
    sizes = struct.unpack_from(f"<{count}Q", view, 8)
    starts = np.cumsum([8 + 8 * count, *sizes], dtype=object)
    parts = [view[start : start + size] for start, size in zip(starts, sizes, strict=False)]
    return _value(json.loads(bytes(parts[0]).decode(errors="surrogatepass")), parts)


def _value(node: Any, parts: list[memoryview]) -> Any:
    if not isinstance(node, dict):
        return node
    if "bytes" in node:
        return bytes(parts[node["bytes"]])
    if "array" in node:
        dtype = np.dtype(node["dtype"])
        if dtype.kind not in "biufcUS":
            raise ValueError(f"arrays of type {dtype} do not travel")
        shape = tuple(node["shape"])
        if math.prod(shape) == 0:
            return np.empty(shape, dtype)
        return np.frombuffer(parts[node["array"]], dtype).reshape(shape)
    if "dict" in node:
        return {key: _value(entry, parts) for key, entry in node["dict"]}
    if "tuple" in node:
        return tuple(_value(entry, parts) for entry in node["tuple"])
    return [_value(entry, parts) for entry in node["list"]]
