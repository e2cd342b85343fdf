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

from workbench.results.attributes import plain_attributes, read_json
from workbench.results.conventions import dataset, problems, validate
from workbench.results.foreign import open_foreign
from workbench.results.provenance import (
    Described,
    describe,
    experiment,
    is_experiment,
    missing,
    parameters_json,
    public_name,
    public_path,
    python_lines,
    stamp,
    unfinished,
)
from workbench.results.storage import DEFAULT_LIMIT, check_target, open_bytes, save, to_bytes
from workbench.results.storage import open_result as open

__all__ = [
    "DEFAULT_LIMIT",
    "Described",
    "check_target",
    "dataset",
    "describe",
    "experiment",
    "is_experiment",
    "missing",
    "open",
    "open_bytes",
    "open_foreign",
    "parameters_json",
    "plain_attributes",
    "problems",
    "public_name",
    "public_path",
    "python_lines",
    "read_json",
    "save",
    "stamp",
    "to_bytes",
    "unfinished",
    "validate",
]
