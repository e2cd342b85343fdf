"""Which searches fail in the authors' released run tables: 500 reactions (HF/3-21G), three methods, the same starts.

Read from https://github.com/TheochemUI/otgpd_repro (MIT licence), commit 7efa0c11, ``runs/rundata``: data_otgp.csv,
jctc/data_gprd.csv and jctc/data_idimer_cgrot_lbfgs.csv, column ``success``; failures are time-outs, errors and
exhausted iterations. Only who failed is kept: that is all that success rates and paired tests need. The tables' calls
and times are not counted again here.

>>> {method: int(succeeded(method).sum()) for method in FAILED}
{'surrogate': 469, 'predecessor': 480, 'dimer': 484}
"""

import numpy as np
from numpy.typing import NDArray

from workbench import checks

REACTIONS = {"doublets": 235, "singlets": 265}
FAILED: dict[str, dict[str, tuple[int, ...]]] = {
    "surrogate": {
        "doublets": (3, 16, 45, 50, 61, 71, 84, 95, 100, 102, 134, 153, 172, 177, 188, 189, 200, 222),
        "singlets": (48, 67, 100, 107, 116, 120, 125, 132, 151, 165, 169, 181, 242),
    },
    "predecessor": {
        "doublets": (6, 52, 75, 87, 102, 104, 110, 150, 160, 177, 193, 199, 200),
        "singlets": (48, 65, 74, 82, 137, 207, 256),
    },
    "dimer": {
        "doublets": (33, 45, 86, 87, 104, 137, 177, 201, 208),
        "singlets": (34, 44, 60, 115, 119, 158, 263),
    },
}
"""Method → spin → numbers of the reactions whose search failed, as the tables number them."""


def succeeded(method: str) -> NDArray[np.bool_]:
    """Return success (500) of a method in the released tables, doublets first: a name of ``FAILED``."""
    failed = FAILED[checks.choice("method", method, FAILED)]
    parts = []
    for spin, count in REACTIONS.items():
        part = np.ones(count, dtype=bool)
        part[list(failed[spin])] = False
        parts.append(part)
    return np.concatenate(parts)


def pairs(first: str, second: str) -> tuple[int, int]:
    """Return in how many reactions only the first method succeeds, and in how many only the second.

    >>> pairs("surrogate", "predecessor"), pairs("surrogate", "dimer")
    ((16, 27), (14, 29))
    """
    one, other = succeeded(first), succeeded(second)
    return int((one & ~other).sum()), int((other & ~one).sum())
