"""GIFTI surfaces, the format of brain imaging: XML with arrays in base64, read with the standard library's parser.

Only what a mesh is made of is read, a POINTSET and a TRIANGLE array; what an array promises is looked at before memory
is taken, and entities, with which XML can be made to explode, are refused.
"""

import base64
import binascii
import zlib
from typing import Any
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from workbench.clouds.meshes import Mesh, check_finite

TYPES = {"NIFTI_TYPE_FLOAT32": "f4", "NIFTI_TYPE_FLOAT64": "f8", "NIFTI_TYPE_INT32": "i4", "NIFTI_TYPE_UINT8": "u1"}
POINTS, TRIANGLES = "NIFTI_INTENT_POINTSET", "NIFTI_INTENT_TRIANGLE"
ENCODINGS = ("ASCII", "Base64Binary", "GZipBase64Binary")


class _Reader:
    """Collects the text of the two arrays while the parser walks through the file."""

    def __init__(self, name: str, most: int) -> None:
        self.name, self.most = name, most
        self.arrays: dict[str, NDArray[Any]] = {}
        self._about: dict[str, str] | None = None
        self._text: list[str] | None = None
        self._root = True

    def start(self, tag: str, about: dict[str, str]) -> None:
        """Begin an element."""
        if self._root and tag != "GIFTI":
            raise ValueError(f"{self.name} is no GIFTI file: it begins with <{tag[:40]}>")
        self._root = False
        if tag == "DataArray":
            self._about = about
        elif tag == "Data" and self._about is not None and self._about.get("Intent") in (POINTS, TRIANGLES):
            self._text = []

    def text(self, data: str) -> None:
        """Take some text."""
        if self._text is not None:
            self._text.append(data)

    def end(self, tag: str) -> None:
        """End an element."""
        if tag == "Data" and self._text is not None and self._about is not None:
            intent = self._about["Intent"]
            if intent in self.arrays:
                raise ValueError(f"{self.name} holds two arrays of {intent}; give a file of one surface")
            self.arrays[intent] = _decoded("".join(self._text), self._about, self.most, f"{intent} of {self.name}")
            self._text = None

    def entity(self, *_: Any) -> None:
        """Refuse a declared entity."""
        raise ValueError(f"{self.name} declares XML entities, which no GIFTI file needs; they are not read")


def read_gifti(data: bytes, name: str, max_bytes: int) -> Mesh:
    """Read a GIFTI surface (.gii, also packed with gzip); other arrays of the file are left out.

    Raises ``ValueError`` for what is no GIFTI surface, for arrays that are not what they promise, and for what unpacks
    to more than ``max_bytes``.

    >>> point = '<DataArray Intent="NIFTI_INTENT_{}" DataType="NIFTI_TYPE_{}" Dimensionality="2" Dim0="{}" Dim1="3" '
    >>> point += 'Encoding="ASCII"><Data>{}</Data></DataArray>'
    >>> arrays = point.format("POINTSET", "FLOAT32", 3, "0 0 0 1 0 0 0 1 0")
    >>> arrays += point.format("TRIANGLE", "INT32", 1, "0 1 2")
    >>> read_gifti(f"<GIFTI>{arrays}</GIFTI>".encode(), "a.gii", 1000).sentence
    '3 vertices, 1 triangle, GIFTI'
    """
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, max_bytes, name, zlib.MAX_WBITS | 16)
    reader = _Reader(name, max_bytes)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = reader.text, reader.entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"{name} is no XML: {str(error)[:80]}") from None
    for intent in (POINTS, TRIANGLES):
        if intent not in reader.arrays:
            raise ValueError(f"{name} has no array of {intent}; give a surface (.surf.gii), not values on one")
        if reader.arrays[intent].ndim != 2 or reader.arrays[intent].shape[1] != 3:
            raise ValueError(f"{intent} of {name} must have three columns, it has shape {reader.arrays[intent].shape}")
    if reader.arrays[TRIANGLES].dtype.kind not in "iu":
        raise ValueError(f"{TRIANGLES} of {name} must be whole numbers")
    points, triangles = reader.arrays[POINTS].astype(np.float64), reader.arrays[TRIANGLES].astype(np.int64)
    check_finite(points, lambda row: f"{name}: vertex {row}")
    outside = ((triangles < 0) | (triangles >= len(points))).any(axis=1)
    if outside.any():
        row = int(np.argmax(outside))
        raise ValueError(
            f"{name}: triangle {row} names the vertices {triangles[row].tolist()}, and the file has {len(points)}"
        )
    ending = "" if len(triangles) == 1 else "s"
    return Mesh(points, triangles, f"{len(points):,} vertices, {len(triangles):,} triangle{ending}, GIFTI")


def _decoded(text: str, about: dict[str, str], most: int, what: str) -> NDArray[Any]:
    kind, encoding = about.get("DataType", ""), about.get("Encoding", "")
    if kind not in TYPES or encoding not in ENCODINGS:
        raise ValueError(
            f"{what} is of type {kind[:40]!r} in {encoding[:40]!r}; read are {', '.join((*TYPES, *ENCODINGS))}"
        )
    try:
        shape = tuple(int(about[f"Dim{k}"]) for k in range(int(about["Dimensionality"])))
    except (KeyError, ValueError):
        raise ValueError(f"{what} does not say its dimensions") from None
    dtype = np.dtype(TYPES[kind]).newbyteorder("<" if about.get("Endian") == "LittleEndian" else ">")
    if not 0 < len(shape) <= 2 or min(shape) < 1 or max(shape) > 2**40:
        raise ValueError(f"{what} has the dimensions {shape}")
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size > most:
        raise ValueError(f"{what} promises {size:,} bytes; the limit is {most:,}")
    order = "F" if about.get("ArrayIndexingOrder") == "ColumnMajorOrder" else "C"
    if encoding == "ASCII":
        try:
            flat = np.array(text.split(), dtype=np.float64).astype(dtype.newbyteorder("="))
        except ValueError:
            raise ValueError(f"{what} holds text that is no number") from None
    else:
        try:
            raw = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"{what} is not in base64") from None
        if encoding == "GZipBase64Binary":
            raw = _unpacked(raw, size, what, zlib.MAX_WBITS | 32)
        if len(raw) != size:
            raise ValueError(f"{what} promises {size} bytes and has {len(raw)}")
        flat = np.frombuffer(raw, dtype)
    if flat.size != int(np.prod(shape)):
        raise ValueError(f"{what} promises {int(np.prod(shape))} numbers and has {flat.size}")
    return flat.reshape(shape, order=order)


def _unpacked(data: bytes, most: int, what: str, window: int) -> bytes:
    """Return what ``data`` unpacks to, at most ``most`` bytes."""
    stream = zlib.decompressobj(window)
    try:
        made = stream.decompress(data, most + 1)
    except zlib.error as error:
        raise ValueError(f"{what} cannot be unpacked ({error})") from None
    if len(made) > most:
        raise ValueError(f"{what} unpacks to more than {most:,} bytes")
    return made
