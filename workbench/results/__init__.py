"""How every experiment's result looks: one ``xarray.Dataset`` with names, units and provenance, saved without pickle.

>>> from workbench import results
>>> import numpy as np
>>> @results.experiment
... def squares(n: int, seed: int = 0):
...     values = np.arange(n, dtype=float)
...     return results.dataset(
...         {"square": (("number",), values**2, "square of the number")},
...         {"number": (("number",), values, "number")},
...     )
>>> ds = squares(3)
>>> ds.attrs["function"], ds.attrs["parameters"], ds.attrs["seed"]
('workbench.results.squares', '{"n": 3, "seed": 0}', 0)
"""

from workbench.results.conventions import dataset, problems, validate
from workbench.results.provenance import (
    describe,
    experiment,
    is_experiment,
    missing,
    public_name,
    python_lines,
    stamp,
    unfinished,
)
from workbench.results.storage import DEFAULT_LIMIT, open_bytes, save, to_bytes
from workbench.results.storage import open_result as open

__all__ = [
    "DEFAULT_LIMIT",
    "dataset",
    "describe",
    "experiment",
    "is_experiment",
    "missing",
    "open",
    "open_bytes",
    "problems",
    "public_name",
    "python_lines",
    "save",
    "stamp",
    "to_bytes",
    "unfinished",
    "validate",
]
