"""The bytes of a file that somebody names or hands in, and what to call it in messages."""

import os
from pathlib import Path
from typing import Any


def bytes_of(source: Any, max_bytes: int) -> tuple[str, bytes]:
    """Return the name and the contents of ``source``, the path of a file or an open binary file.

    No more than ``max_bytes`` and one are read. Raises ``FileNotFoundError`` for a path that leads to no file,
    ``TypeError`` for a file that is open as text, ``ValueError`` for a larger one.

    >>> import io
    >>> bytes_of(io.BytesIO(b"1,2"), 10)
    ('the upload', b'1,2')
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        name = path.name
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    else:
        name = os.path.basename(str(getattr(source, "name", "the upload")))
        data = source.read(max_bytes + 1)
        if not isinstance(data, bytes):
            raise TypeError(f"{name} is open as text; open it in binary mode, open(path, 'rb')")
    if len(data) > max_bytes:
        raise ValueError(f"{name} has more than {max_bytes / 2**20:.0f} MiB, the limit")
    return name, data
