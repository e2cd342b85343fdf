"""The lattice and where on it we stand: an L_x × L_y torus with one coupling for each of its two bond directions."""

import math
from dataclasses import dataclass
from typing import Any

from workbench import checks

J_CRITICAL = math.log1p(math.sqrt(2.0)) / 2
"""Critical coupling of the isotropic square-lattice Ising model, ½ ln(1 + √2) = 0.4406867935…"""

LARGEST_COUPLING = 5.0
ORIENTATIONS = ("horizontal", "vertical")


@dataclass(frozen=True)
class Torus:
    """An ``width × height`` torus with coupling ``horizontal`` on its x bonds and ``vertical`` on its y bonds.

    Site (x, y) owns two bonds: orientation 0 to (x + 1, y) and orientation 1 to (x, y + 1).
    """

    width: int
    height: int
    horizontal: float
    vertical: float

    @property
    def shape(self) -> tuple[int, int]:
        """Sites along x and along y."""
        return self.width, self.height

    @property
    def sites(self) -> int:
        """Number n of sites; there are 2n bonds."""
        return self.width * self.height

    @property
    def isotropic(self) -> bool:
        """Whether swapping x and y changes nothing."""
        return self.width == self.height and self.horizontal == self.vertical


def torus(L: int | tuple[int, int], J: float = J_CRITICAL, J_vertical: float | None = None) -> Torus:
    """Check a size and couplings and return the :class:`Torus`.

    ``L`` is the side of a square torus or a pair ``(L_x, L_y)``, each at least 3; ``J`` is the coupling of the
    horizontal bonds and, unless ``J_vertical`` is given, of the vertical ones. Couplings may be zero or negative
    (antiferromagnetic). Raises ``TypeError`` or ``ValueError`` with the allowed range.
    """
    width, height = _sides(L)
    horizontal = _coupling("J", J)
    vertical = horizontal if J_vertical is None else _coupling("J_vertical", J_vertical)
    return Torus(width, height, horizontal, vertical)


def _sides(L: Any) -> tuple[int, int]:
    if isinstance(L, (tuple, list)):
        if len(L) != 2:
            raise ValueError(f"L must be a side or a pair (L_x, L_y), got {L!r}")
        return _side("L_x", L[0]), _side("L_y", L[1])
    side = _side("L", L)
    return side, side


def _side(name: str, value: Any) -> int:
    side = checks.integer(name, value)
    if side < 3:
        raise ValueError(
            f"{name} must be at least 3, got {side}: at 2 every bond is doubled and the Fisher metric is singular"
        )
    return side


def _coupling(name: str, value: Any) -> float:
    """A coupling beyond ±5 freezes the bonds to within 1e-8 and leaves nothing of the metric in double precision."""
    return checks.real(name, value, minimum=-LARGEST_COUPLING, maximum=LARGEST_COUPLING)


def critical_partner(J: float) -> float:
    """Return the vertical coupling that makes the torus with horizontal coupling ``J`` critical.

    Solves sinh 2J · sinh 2J' = 1 (L. Onsager, Phys. Rev. 65 (1944) 117), which is the same as e^(−2J') = tanh J. Raises
    ``ValueError`` unless J > 0, and where the partner is too small a number to be held.

    >>> abs(critical_partner(J_CRITICAL) - J_CRITICAL) < 1e-15
    True
    """
    J = checks.real("J", J, exclusive_minimum=0.0)
    q = math.exp(-2 * J)
    # where tanh J is close to 1 its logarithm is taken from the difference
    partner = -math.log(math.tanh(J)) / 2 if J < 0.5 else -math.log1p(-2 * q / (1 + q)) / 2
    if partner == 0:
        raise ValueError(f"at J = {J:g} the critical partner is below the smallest number of double precision")
    return partner
