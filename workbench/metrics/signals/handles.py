"""What a hand may take hold of: the bumps of a density, the ends of their axes, and the two points.

A handle is (item, x, y). Items 0 and 1 are the points a and b; of component k, 10 (k + 1) is the mean, and
10 (k + 1) + 1 and + 2 are the ends of its long and its short standard deviation. On a line y says nothing and is the
height of the density.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from workbench import checks
from workbench.metrics.signals.examples import stretched
from workbench.metrics.signals.mixture import Mixture

LEAST_WIDTH = 0.05
"""Of a bump under the hand, in units of the page: narrower ones take long and look like a line."""
MOST_WIDTH = 50.0
FARTHEST = 100.0
MOST_BUMPS = 32
"""Of a density that is handed over as lists."""


class Drawn(NamedTuple):
    """A density and two points as plain tuples, as a page keeps them."""

    weights: tuple[float, ...]
    means: tuple[tuple[float, ...], ...]
    covariances: tuple[tuple[tuple[float, ...], ...], ...]
    a: tuple[float, ...]
    b: tuple[float, ...]

    @property
    def density(self) -> Mixture:
        """The density."""
        return Mixture(self.weights, self.means, self.covariances)


def drawn(density: Mixture, a: Sequence[float], b: Sequence[float]) -> Drawn:
    """Return a density and two points as plain tuples.

    >>> drawn(Mixture([1.0], [0.0], [4.0]), [1.0], [2.0]).covariances
    (((4.0,),),)
    """
    return Drawn(
        tuple(density.weights.tolist()),
        tuple(map(tuple, density.means.tolist())),
        tuple(tuple(map(tuple, matrix)) for matrix in density.covariances.tolist()),
        tuple(float(v) for v in a),
        tuple(float(v) for v in b),
    )


def handles(state: Drawn) -> list[tuple[int, float, float]]:
    """Return the handles of a density in one or two dimensions.

    >>> [item for item, _, _ in handles(drawn(Mixture([1.0], [0.0], [4.0]), [1.0], [2.0]))]
    [0, 1, 10, 11]
    """
    density = state.density
    found = []
    if density.dimension == 1:
        top = float(np.exp(density.log_density(density.means.ravel())).max())
        found += [(k, point[0], -0.06 * top) for k, point in enumerate((state.a, state.b))]
        for k, (mean, variance) in enumerate(zip(density.means[:, 0], density.eigenvalues[:, 0], strict=True)):
            places = np.array([mean, mean + np.sqrt(variance)])
            heights = np.exp(density.log_density(places))
            found += [(10 * (k + 1) + j, float(places[j]), float(heights[j])) for j in range(2)]
        return found
    found += [(k, *point) for k, point in enumerate((state.a, state.b))]
    for k, mean in enumerate(density.means):
        short, long = np.sqrt(density.eigenvalues[k])
        ends = mean, mean + long * density.axes[k][:, 1], mean + short * density.axes[k][:, 0]
        found += [(10 * (k + 1) + j, float(x), float(y)) for j, (x, y) in enumerate(ends)]
    return found


def dragged(state: Drawn, item: int, x: float, y: float) -> Drawn:
    """Return the density and points after a handle was dropped at (x, y).

    Raises ``ValueError`` for a handle that does not exist and a place beyond ±100.

    >>> dragged(drawn(Mixture([1.0], [0.0], [4.0]), [1.0], [2.0]), 11, 1.0, 0.0).covariances
    (((1.0,),),)
    """
    x = checks.real("x", x, minimum=-FARTHEST, maximum=FARTHEST)
    y = checks.real("y", y, minimum=-FARTHEST, maximum=FARTHEST)
    density = state.density
    d = density.dimension
    place = (x, y)[:d]
    if item in (0, 1):
        return state._replace(**{"ab"[item]: place})
    k, part = item // 10 - 1, item % 10
    if not 0 <= k < density.components or part > d:
        raise ValueError(f"there is no handle {item}")
    means, matrices = [list(m) for m in state.means], list(state.covariances)
    if part == 0:
        means[k] = list(place)
        return state._replace(means=tuple(map(tuple, means)))
    arm = np.asarray(place) - density.means[k]
    length = float(np.clip(np.linalg.norm(arm), LEAST_WIDTH, MOST_WIDTH))
    if d == 1:
        matrices[k] = ((length**2,),)
        return state._replace(covariances=tuple(matrices))
    short, long = np.sqrt(density.eigenvalues[k])
    axis = density.axes[k][:, 1]
    if part == 1:  # the long one turns as well
        axis, long = (arm if np.linalg.norm(arm) > 0 else axis), length
    else:
        short = length
    made = stretched(long, short, np.rad2deg(np.arctan2(axis[1], axis[0])))
    matrices[k] = tuple(map(tuple, made.tolist()))
    return state._replace(covariances=tuple(matrices))


def as_lists(state: Drawn) -> list[tuple[float, ...]]:
    """Return weights, means, the upper triangles of the covariances, a and b, each as one list.

    >>> as_lists(drawn(Mixture([1.0], [0.0], [4.0]), [1.0], [2.0]))
    [(1.0,), (0.0,), (4.0,), (1.0,), (2.0,)]
    """
    upper = [row[k:] for matrix in state.covariances for k, row in enumerate(matrix)]
    return [state.weights, sum(state.means, ()), sum(upper, ()), state.a, state.b]


def from_lists(lists: Sequence[Sequence[float]]) -> Drawn:
    """Return what :func:`as_lists` made lists of, in one or two dimensions, if a hand could have made it.

    Raises ``ValueError`` for lists that do not fit together, more than 32 bumps, places beyond ±100, standard
    deviations outside [0.05, 50], and what :class:`Mixture` refuses.

    >>> from_lists([(1.0,), (0.0,), (4.0,), (1.0,), (2.0,)]).covariances
    (((4.0,),),)
    """
    d = len(lists[3]) if len(lists) == 5 else 0
    n = len(lists[0]) if d else 0
    if d not in (1, 2) or [len(part) for part in lists] != [n, n * d, n * d * (d + 1) // 2, d, d]:
        raise ValueError("it must hold weights, means, upper triangles of covariances, a and b, in 1 or 2 dimensions")
    if n > MOST_BUMPS:
        raise ValueError(f"it holds {n} bumps; up to {MOST_BUMPS} are taken")
    weights, flat, upper, a, b = (tuple(float(value) for value in part) for part in lists)
    means = tuple(flat[k * d : (k + 1) * d] for k in range(n))
    if d == 1:
        covariances: tuple = tuple(((value,),) for value in upper)
    else:
        covariances = tuple(((x, xy), (xy, y)) for x, xy, y in zip(*[iter(upper)] * 3, strict=True))
    if max(map(abs, (*flat, *a, *b))) > FARTHEST:
        raise ValueError(f"it holds a place beyond ±{FARTHEST:g}")
    found = Drawn(weights, means, covariances, a, b)
    deviations = np.sqrt(found.density.eigenvalues)
    slack = 1 + 1e-6  # a width at the very bound comes back from its matrix with an error of its last digits
    if not (deviations.min() * slack >= LEAST_WIDTH and deviations.max() <= MOST_WIDTH * slack):
        raise ValueError(
            f"the standard deviations go from {deviations.min():.3g} to {deviations.max():.3g}; {LEAST_WIDTH:g} to "
            f"{MOST_WIDTH:g} are taken"
        )
    return found


def reweighted(state: Drawn, first: float) -> Drawn:
    """Return the density with weight ``first`` on its first bump, the others in proportion; as it is for one bump.

    >>> reweighted(drawn(Mixture([0.5, 0.5], [0.0, 1.0], [1.0, 1.0]), [0.0], [1.0]), 0.25).weights
    (0.25, 0.75)
    """
    first = checks.real("first", first, exclusive_minimum=0, maximum=0.99)
    if len(state.weights) == 1:
        return state
    rest = sum(state.weights[1:])
    return state._replace(weights=(first, *((1 - first) * w / rest for w in state.weights[1:])))
