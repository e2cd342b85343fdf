"""What the experiments on saddle searches cost, found by name through the room's ``costs.py``."""

from collections.abc import Sequence
from typing import Any

from workbench.costs import Cost, total
from workbench.steps.saddles.methods import SADDLE_METHODS
from workbench.steps.saddles.molecules import Molecule

XTB, PAIRS = 3e-3, 6e-5
"""Seconds for an energy with its gradient of seven atoms: GFN2-xTB, and a pair potential."""
PLANE, CLUSTER, PLAIN = 0.02, 0.5, 1e-3
"""Seconds a call: a surrogate of a plane surface, of a cluster of seven, and a method without a surrogate."""


def _atoms(surface: Any) -> int:
    """Return how many atoms a surface or a molecule has, 0 for plain coordinates."""
    if isinstance(surface, Molecule):
        return len(surface.symbols)
    name = surface if isinstance(surface, str) else surface.name
    if not name.startswith("lennard-jones"):
        return 0 if isinstance(surface, str) or surface.species is None else len(surface.species)
    return int(name.rsplit("-", 1)[1]) if name != "lennard-jones" else 7


def _search(surface: Any, method: str, calls: int) -> Cost:
    if not SADDLE_METHODS[method].fact("surrogate"):
        return Cost(PLAIN * calls)
    atoms = _atoms(surface)
    return Cost(calls * (PLANE if not atoms else CLUSTER * (atoms / 7) ** 3), 24.0 * (calls * (1 + 3 * atoms)) ** 2)


def saddle_search(surface: Any, method: str, rival: str, most_calls: int) -> Cost:
    """Estimate :func:`workbench.steps.saddle_search`: about half of the calls that are allowed, and the grid."""
    return Cost(0.2) + _search(surface, method, most_calls // 2) + _search(surface, rival, most_calls // 2)


def saddle_table(
    surfaces: Sequence[str], methods: Sequence[str], starts: int, most_calls: int, most_surrogate_calls: int
) -> Cost:
    """Estimate :func:`workbench.steps.saddle_table`."""
    return total(
        starts * _search(s, m, (most_surrogate_calls if SADDLE_METHODS[m].fact("surrogate") else most_calls) // 2)
        for s in surfaces
        for m in methods
    )


def saddle_survey(start: Any, energy: str, method: str, starts: int, most_calls: int) -> Cost:
    """Estimate :func:`workbench.steps.saddle_survey`: the searches, and some thousand calls to look around."""
    atoms = max(_atoms(start), 1)
    quantum = isinstance(start, Molecule) and energy in ("auto", "gfn2-xtb")
    call = (XTB if quantum else PAIRS) * (atoms / 7) ** 2
    around = starts * (3 * atoms + 100) * 4
    return Cost(call * (around + starts * most_calls)) + starts * _search(start, method, most_calls // 2)


def saddle_basins(method: str, surface: str, points: int, most_calls: int) -> Cost:
    """Estimate :func:`workbench.steps.saddle_basins`: a search for every point."""
    return points**2 * _search(surface, method, most_calls // 2)


def pruning_cost(counts: Sequence[int], surface: Any) -> Cost:
    """Estimate :func:`workbench.steps.pruning_cost`: ten factorisations for each size."""
    rows = [n * (1 + 3 * max(_atoms(surface), 1)) for n in counts]
    return total(Cost(0.2 + 2e-9 * n**3, 8.0 * 8 * n**2) for n in rows)


def stationary_points() -> Cost:
    """Estimate :func:`workbench.steps.stationary_points`: some two thousand boxes."""
    return Cost(1.0)
