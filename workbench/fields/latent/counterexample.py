"""Where squares of errors do not add: a decoder that is off by a constant, and a flow that is off the same way.

The data are N(0, 1), the encoder does nothing, the decoder adds c (so L_g = 1), and the learned field is the exact one
plus b. The generated law is N(c + bK, 1), so W₂² = (c + bK)², with the cross term 2cbK that the sum of the squared
reconstruction error c² and a multiple of b² leaves out.
"""

import math

import numpy as np
import xarray as xr

from workbench import checks, results

KINDS = {
    # N(0, 1) → N(0, 1) has the field (2t − 1) x / (t² + (1 − t)²), of slope up to 1; K = ∫ dt / (t² + (1 − t)²)^½
    "gaussian": (math.sqrt(2) * math.asinh(1), 1.0),
    "translation": (1.0, 0.0),
}
LARGEST = 1e6


@results.experiment
def additive_counterexample(c: float = 1.0, b: float = 0.1, kind: str = "gaussian") -> xr.Dataset:
    """Return W₂² for a decoder's offset ``c`` and a field's error ``b``, beside the additive bound and a correct one.

    ``kind``: "gaussian", the independent flow from N(0, 1) to N(0, 1), or "translation", a flow that only shifts.

    With K the shift that a unit error of the field becomes and L its Lipschitz constant, the Dataset holds ``squared``
    (c + bK)², ``additive`` c² + e^{1 + 2L} b², ``triangle`` (c + e^{½ + L} b)², and the same along ``error``;
    ``worst_ratio`` = 1 + K²/e^{1 + 2L}, the most by which W₂² exceeds the sum, at c/b = ``worst_at``.

    Raises ``ValueError`` for negative numbers and unknown kinds. Cost: nothing.

    >>> ds = additive_counterexample(1.0, 0.1)
    >>> float(ds.squared.round(12)), float(ds.additive.round(12)), bool(ds.squared > ds.additive)
    (1.264826484054, 1.200855369232, True)
    """
    c = checks.real("c", c, minimum=0)
    b = checks.real("b", b, minimum=0)
    if max(c, b) > LARGEST:
        raise ValueError(f"c and b must be at most {LARGEST:g}, got {max(c, b):g}")
    checks.choice("kind", kind, KINDS)
    k, lipschitz = KINDS[kind]
    growth = math.exp(1 + 2 * lipschitz)

    def told(b: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        b = np.asarray(b, dtype=np.float64)
        return (c + b * k) ** 2, c * c + growth * b * b, (c + math.sqrt(growth) * b) ** 2

    errors = np.linspace(0.0, max(3 * b, 0.6 * c, 0.1), 121)
    words = ("W₂² of data and generated law", "sum of squares, c² + e^{1+2L} b²", "square of the sum, (c + e^{½+L} b)²")
    names = ("squared", "additive", "triangle")
    variables: dict[str, tuple] = {}
    for name, text, value, curve in zip(names, words, told(b), told(errors), strict=True):
        variables[name] = ((), float(value), text)
        variables[f"{name}_along"] = (("error",), curve, text)
    return results.dataset(
        {
            **variables,
            "offset": ((), c, "offset c of the decoder"),
            "field_error": ((), b, "error b of the field"),
            "carried": ((), k, "shift K that a unit error of the field becomes"),
            "lipschitz": ((), lipschitz, "Lipschitz constant L of the field"),
            "worst_ratio": ((), 1 + k * k / growth, "largest W₂² ÷ sum of squares of this family"),
            "worst_at": ((), growth / k, "c/b where it is largest"),
        },
        {"error": (("error",), errors, "error b of the field")},
    )
