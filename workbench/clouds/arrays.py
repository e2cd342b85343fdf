"""NumPy's own files, NPY and NPZ, without pickle: what a header promises is looked at before memory is taken."""

import io
import struct
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import checks

MOST_MEMBERS_BYTES = 2**18
END_OF_ZIP, ZIP64_LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
POINTS, WEIGHTS, FACES = ("points", "vertices"), ("weights",), ("faces", "triangles")


@dataclass(frozen=True)
class Arrays:
    """What an archive says of a cloud: points (n, d), perhaps weights (n,), perhaps faces (t, 3)."""

    points: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    faces: NDArray[np.int64] | None
    sentence: str


def read_npy(data: bytes, name: str) -> Arrays:
    """Read an array of points, one a row, from an NPY file.

    >>> stream = io.BytesIO()
    >>> np.save(stream, np.ones((5, 2), np.float32))
    >>> read_npy(stream.getvalue(), "a.npy").sentence
    '5 rows; 2 columns; float32'
    """
    stream = io.BytesIO(data)
    found = _read_array(stream, name, len(data))
    left = len(data) - stream.tell()
    if left:
        raise ValueError(f"{name} goes on for {left} bytes after its array; give a file of one array")
    points = _points(found, name)
    return Arrays(points, None, None, _sentence(found, points))


def read_npz(data: bytes, name: str, max_bytes: int) -> Arrays:
    """Read an archive of arrays: its only one, or those named "points" (or "vertices"), "weights" and "faces".

    Nothing unpacks to more than ``max_bytes``; other arrays are left out, and that is said.
    """
    _check_directory(data, name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            chosen = next(iter(members)) if len(members) == 1 else next((key for key in POINTS if key in members), None)
            if chosen is None:
                raise ValueError(
                    f"{name} holds the arrays {', '.join(members)[:80] or 'none'}; name the one to take 'points'"
                )
            wanted = {"points": chosen}
            wanted |= {keys[0]: key for keys in (WEIGHTS, FACES) for key in keys if key in members and key != chosen}
            arrays = {}
            for what, key in wanted.items():
                info = members[key]
                if info.file_size > max_bytes:
                    raise ValueError(
                        f"{name} unpacks to {info.file_size:,} bytes in {key!r}; the limit is {max_bytes:,}"
                    )
                with archive.open(info) as stream:
                    arrays[what] = _read_array(stream, f"{key!r} in {name}", info.file_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zipfile.zlib.error) as error:
        raise ValueError(f"{name} is not a readable NPZ archive ({error})") from error
    points = _points(arrays["points"], name)
    weights, faces = _weights(arrays.get("weights"), points, name), _faces(arrays.get("faces"), points, name)
    sentence = f"array {chosen!r}: {_sentence(arrays['points'], points)}"
    sentence += "; weighted by 'weights'" * (weights is not None)
    sentence += f"; {0 if faces is None else len(faces)} triangles" * (faces is not None)
    others = [key for key in members if key not in wanted.values()]
    sentence += f"; left out: {', '.join(others)[:80]}" * bool(others)
    return Arrays(points, weights, faces, sentence)


def read_members(data: bytes, name: str, max_bytes: int) -> dict[str, NDArray]:
    """Read all arrays of numbers of an NPY file (one, named "array") or an NPZ archive, whatever their shapes.

    Together they unpack to at most ``max_bytes``. Raises ``ValueError`` as :func:`read_npz`.

    >>> stream = io.BytesIO()
    >>> np.savez(stream, trials=np.ones((3, 2, 5)), labels=np.arange(3))
    >>> {key: value.shape for key, value in read_members(stream.getvalue(), "a.npz", 10_000).items()}
    {'trials': (3, 2, 5), 'labels': (3,)}
    """
    if not data.startswith(b"PK"):
        stream = io.BytesIO(data)
        found = {"array": _read_array(stream, name, len(data))}
        if stream.tell() != len(data):
            raise ValueError(f"{name} goes on after its array; give a file of one array")
        return found
    _check_directory(data, name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            size = sum(info.file_size for info in members)
            if size > max_bytes:
                raise ValueError(f"{name} unpacks to {size:,} bytes; the limit is {max_bytes:,}")
            found = {}
            for info in members:
                key = info.filename.removesuffix(".npy")
                if key in found:
                    raise ValueError(f"{name} holds the array {key!r} twice")
                with archive.open(info) as stream:
                    found[key] = _read_array(stream, f"{key!r} in {name}", info.file_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zipfile.zlib.error) as error:
        raise ValueError(f"{name} is not a readable NPZ archive ({error})") from error
    return found


def _check_directory(data: bytes, name: str) -> None:
    """Raise for what is no archive, or lists so many members that the list alone would fill the memory."""
    tail = data[-65_600:]
    place = tail.rfind(END_OF_ZIP)
    if not data.startswith(b"PK\x03\x04") or place < 0 or len(tail) < place + 22:
        raise ValueError(f"{name} is not an NPZ archive, as numpy.savez writes them")
    (size,) = struct.unpack_from("<I", tail, place + 12)
    if size > MOST_MEMBERS_BYTES or ZIP64_LOCATOR in tail:
        raise ValueError(f"{name} lists more members than an archive of points has")


def _read_array(stream: BinaryIO, name: str, size: int) -> NDArray:
    """Read one array of a stream that holds ``size`` bytes from here."""
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise ValueError(f"version {version}")
        is_first = version == (1, 0)
        reader = np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = reader(stream)
    except Exception as error:  # NumPy reads the header with Python's parsers, which raise what they like
        raise ValueError(f"{name} is not a NumPy file ({error})") from error
    if dtype.hasobject or dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {str(dtype)[:60]}, not numbers; pickled objects are never read")
    if any(length < 0 for length in shape):
        raise ValueError(f"{name} is not a NumPy file (shape {shape})")
    promised, left = int(np.prod(shape, dtype=object)) * dtype.itemsize, size - stream.tell()
    if left < promised:
        raise ValueError(f"{name} is cut off: its header promises {promised} bytes, {left} follow")
    checks.memory(10 * promised / min(dtype.itemsize, 8), name)
    data = stream.read(promised)
    if len(data) < promised:
        raise ValueError(f"{name} is cut off: its header promises {promised} bytes, {len(data)} follow")
    flat = np.frombuffer(data, dtype)
    return flat.reshape(shape[::-1]).T if is_fortran else flat.reshape(shape)


def _points(found: NDArray, name: str) -> NDArray[np.float64]:
    if found.ndim == 2 and not found.shape[0] * found.shape[1]:
        raise ValueError(f"{name} is empty (shape {found.shape}); give at least one point")
    if found.ndim == 2 and found.dtype.kind == "f":
        good = np.isfinite(found).all(axis=1)
        if not good.all():
            row = int(np.argmin(good))
            raise ValueError(f"row {row + 1} of {name} is NaN or infinite: {found[row][:8].tolist()}; remove it first")
    with np.errstate(over="ignore"):
        return checks.finite_array(f"the file {name}", found, ndim=2)


def _weights(found: NDArray | None, points: NDArray, name: str) -> NDArray[np.float64] | None:
    if found is None:
        return None
    weights = checks.finite_array(f"'weights' in {name}", found, ndim=1)
    if len(weights) != len(points) or weights.min() < 0 or not weights.max() > 0:
        raise ValueError(f"'weights' in {name} must be {len(points)} numbers of zero or more, one for each point")
    return weights / weights.max()


def _faces(found: NDArray | None, points: NDArray, name: str) -> NDArray[np.int64] | None:
    if found is None:
        return None
    is_right = found.ndim == 2 and found.shape[1] == 3 and found.dtype.kind in "iu" and points.shape[1] == 3
    if not is_right or (found.size and not 0 <= int(found.min()) <= int(found.max()) < len(points)):
        raise ValueError(f"the faces in {name} must be whole numbers (t, 3) from 0 to {len(points) - 1}")
    return found.astype(np.int64)


def _sentence(found: NDArray, points: NDArray) -> str:
    rows, columns = points.shape
    rounded = "; whole numbers beyond 2⁵³ rounded to the nearest double"
    is_rounded = found.dtype.kind in "iu" and max(int(found.max()), -int(found.min())) > 2**53
    many = f"{rows} row{'s' * (rows != 1)}; {columns} column{'s' * (columns != 1)}"
    return f"{many}; {found.dtype.name}{rounded * is_rounded}"
