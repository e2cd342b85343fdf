"""The numbers of the paper, for comparison: its Monte Carlo values and the exponents it predicts.

M. Zhuravlev, "Fisher Curvature Scaling at Critical Points", arXiv 2603.07651. Its claim is |R| ~ n^{d_R} at criticality
with d_R = (dν + 2η)/(dν + η). The rival that fits the other models better is d_R = 1 + α/(dν) for α > 0, exponent 1
with a logarithm at α = 0, and 1 for α < 0, with the hyperscaling value α = 2 − dν.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import xarray as xr

from workbench import results
from workbench.registry import Registry

HEADLINE_WINDOW = (6, 9)
HEADLINE_EXPONENT = 1.1115
HEADLINE_ERROR = 0.0002


@dataclass(frozen=True)
class Universality:
    """Dimension and critical exponents of one model, exact fractions where they are known exactly."""

    label: str
    dimension: int
    nu: Fraction | float
    eta: Fraction | float

    @property
    def alpha(self) -> Fraction | float:
        """Specific-heat exponent, 2 − dν."""
        return 2 - self.dimension * self.nu

    @property
    def predicted(self) -> float:
        """The paper's d_R = (dν + 2η)/(dν + η)."""
        volume = self.dimension * self.nu
        return float((volume + 2 * self.eta) / (volume + self.eta))

    @property
    def rival(self) -> float:
        """1 + α/(dν) for α > 0, else 1 (at α = 0 times a logarithm)."""
        return float(1 + max(self.alpha, 0) / (self.dimension * self.nu))

    @property
    def logarithmic(self) -> bool:
        """Whether the rival carries a logarithm, R/n ~ ln L."""
        return self.alpha == 0


EXPONENTS = {
    "ising-2d": Universality("2-D Ising", 2, Fraction(1), Fraction(1, 4)),
    "potts-3": Universality("Potts q = 3", 2, Fraction(5, 6), Fraction(4, 15)),
    "potts-4": Universality("Potts q = 4", 2, Fraction(2, 3), Fraction(1, 4)),
    "ising-3d": Universality("3-D Ising", 3, 0.62997, 0.03630),
    "xy-3d": Universality("3-D XY", 3, 0.6717, 0.0381),
    "heisenberg-3d": Universality("3-D Heisenberg", 3, 0.7112, 0.0375),
}
"""Exact in two dimensions, bootstrap and Monte Carlo values in three."""

PUBLISHED = {
    "ising-2d": {
        10: (2092, 7), 12: (3145, 8), 14: (4441, 3), 16: (5999, 14),
        18: (7782, 40), 20: (9785, 82), 22: (12282, 195), 24: (14800, 292),
    },
    "potts-3": {
        7: (790.4, 5.6), 8: (1086.4, 9.5), 10: (1841.5, 8.5), 12: (2831.6, 7.7), 14: (4111.6, 33.7),
        16: (5652.0, 40.3), 20: (9647.8, 18.6), 24: (15101.7, 114.9), 32: (30138.5, 214.8), 40: (52781.8, 466.8),
    },
    "potts-4": {
        8: (1130.8, 1.4), 10: (1960.1, 6.2), 12: (3108.0, 4.6), 16: (6477.1, 31.5),
        20: (11586.9, 32.4), 24: (18916.8, 176.6), 32: (39509, 680),
    },
    "ising-3d": {
        3: (262.907, 0.0), 5: (1585, math.nan), 6: (2801, 17), 7: (4498, 17),
        8: (6880, 29), 9: (9869, 42), 10: (13826, 67),
    },
}  # fmt: skip
"""|R| and its standard error by side L; error 0 means exact, NaN none given."""

CANDIDATES = Registry("candidate")
"""The rival exponents, each a function of :class:`Universality`."""


@CANDIDATES.add(
    "paper", label="the paper, (dν+2η)/(dν+η)", formula=r"\frac{d\nu+2\eta}{d\nu+\eta}", reference="arXiv 2603.07651"
)
def paper_exponent(model: Universality) -> float:
    """Return the exponent that the paper predicts."""
    return model.predicted


@CANDIDATES.add("specific heat", label="specific heat, 1 + α/(dν)", formula=r"1+\frac{\alpha}{d\nu}")
def specific_heat_exponent(model: Universality) -> float:
    """Return the exponent if curvature follows the specific heat."""
    return model.rival


@results.experiment
def published(model: str) -> xr.Dataset:
    """Return the paper's |R| of one model with standard errors, side and number of sites.

    >>> ds = published("ising-3d")
    >>> dict(ds.sizes)
    {'L': 7}
    """
    if model not in PUBLISHED:
        raise ValueError(f"the paper gives no values for {model!r}; choose one of: {', '.join(PUBLISHED)}")
    table = PUBLISHED[model]
    sizes = sorted(table)
    d = EXPONENTS[model].dimension
    return results.dataset(
        {
            "absolute_curvature": (("L",), [float(table[L][0]) for L in sizes], "|R| as published"),
            "absolute_curvature_error": (("L",), [float(table[L][1]) for L in sizes], "its standard error"),
            "sites": (("L",), [L**d for L in sizes], "number of sites n"),
        },
        {"L": (("L",), sizes, "side of the lattice", "sites")},
        {"model": model},
    )
