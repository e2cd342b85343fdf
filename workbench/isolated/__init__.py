"""Run a function on somebody else's file in a process that can be ended: bounded time, bounded memory, no pickle.

A reader of NetCDF, of meshes or of certificates may crash, hang or take all memory on a file that was written to make
it do so. :func:`call` runs it in a process apart::

    ds_parts = isolated.call(read_mesh, data, limits=isolated.Limits(seconds=10, memory=2**29))

The function must stand at the top of a module of an installed package (the other process imports it by name), and
its arguments and result must be plain data: None, booleans, numbers, text, bytes, NumPy arrays of numbers or text, and
lists, tuples and mappings (with text as keys) of them. They travel as JSON and raw bytes, so a process that has been
taken over by what it reads can answer nonsense but cannot make this one execute anything.

A ``ValueError``, ``TypeError`` or ``FileNotFoundError`` of the function arrives here with its message, any other error
as ``RuntimeError``. Work that exceeds its limits, or crashes, is :class:`Stopped`, a ``ValueError`` whose message is a
sentence for the user; :func:`read` puts the file's name before it. The process stays warm for the next call: about
1 ms a call beside the work, 30 MB for the process and what the function's module imports (about 130 MB for NetCDF); it
leaves when nobody has called it for ten minutes, or when this process ends, however that happens.

>>> import math
>>> call(math.hypot, 3.0, 4.0)
5.0
"""

from workbench.isolated.calls import MOST_PROCESSES, Busy, call, read, warm
from workbench.isolated.limits import Limits, Stopped

__all__ = ["MOST_PROCESSES", "Busy", "Limits", "Stopped", "call", "read", "warm"]
