"""What the confusion term sees of two classes in the plane: a class reshaped at its mean and trace, with dials."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.embeddings.blind import confusion_part, invariance_part
from workbench.metrics.embeddings.confusion import checked_power, confusion, energy_distance
from workbench.metrics.embeddings.hiding import reshaped
from workbench.metrics.embeddings.inputs import Floats, Labelled, feature_array
from workbench.metrics.embeddings.retrieval import scores
from workbench.progress import Progress

SHAPES = {
    "drawn": "as drawn",
    "stretched": "stretched and turned",
    "hidden": "as far off as the search finds",
}
"""What is done to class B, always at its mean and trace."""
STRETCHES = np.linspace(0, 0.99, 34)
MOST_POINTS = 300
STEPS = 60


def two_classes(count: int = 40, separation: float = 3.0, seed: int = 0) -> tuple[Floats, Floats]:
    """Return two classes (count, 2) in the plane, the second longer than wide.

    >>> [points.shape for points in two_classes(5)]
    [(5, 2), (5, 2)]
    """
    count = checks.integer("count", count, minimum=3, maximum=MOST_POINTS)
    separation = checks.real("separation", separation, minimum=0, maximum=100)
    rng = checks.generator(seed)
    a = rng.normal(size=(count, 2)) * [0.9, 0.7]
    b = rng.normal(size=(count, 2)) @ np.array([[1.2, 0.5], [0.0, 0.6]]) + [separation, 0.0]
    return a, b


def stretched(y: Floats, stretch: float, turn: float) -> Floats:
    """Return points (n, 2) of the mean and trace of ``y``, their variances in the ratio (1 + stretch) : (1 − stretch).

    ``turn`` is the direction of the larger one in degrees.
    """
    centre = y.mean(axis=0)
    flat = y - centre
    spread = float(np.mean(np.sum(flat**2, axis=1)))
    values, axes = np.linalg.eigh(flat.T @ flat / len(y))
    # what has no variance along an axis cannot be stretched along it: it stays flat
    scale = np.where(values > 1e-12 * spread, 1 / np.sqrt(np.maximum(values, 1e-300)), 0.0)
    angle = np.deg2rad(turn)
    along = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    made = (flat @ axes * scale)[:, ::-1] * np.sqrt([1 + stretch, 1 - stretch]) @ along
    size = float(np.mean(np.sum(made**2, axis=1)))
    return centre + made * np.sqrt(spread / size) if size > 0 else y.copy()


@results.experiment
def confusion_sight(
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    shape: str = "hidden",
    stretch: float = 0.9,
    turn: float = 90.0,
    power: float = 1.0,
    count: int = 40,
    separation: float = 3.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Reshape class B of two classes in the plane at its mean and trace, and read what each yardstick makes of it.

    ``x`` and ``y`` (n, 2) are the classes A and B, by default ``count`` points each, drawn ``separation`` apart.
    ``shape`` is one of "drawn", "stretched" (by ``stretch`` in [0, 1), its long axis ``turn`` degrees up) and "hidden"
    (:func:`hide_from`'s search). ``power`` in (0, 2] is that of the energy distance. Returns the points, over
    ``moment`` (before, after) ``confusion``, ``distance`` (of A and B), ``recall_at_1`` and ``map_at_r``; ``own``, the
    energy distance of B to what it was; the same numbers along ``along`` for every stretch; invariances, constants and
    blind spots. Raises ``ValueError`` for a class whose points coincide and for more than 300 points. Cost: 0.1 s.

    >>> found = confusion_sight(shape="stretched")
    >>> bool(abs(found.confusion[1] / found.confusion[0] - 1) < 1e-12)
    True
    """
    shape = checks.choice("shape", shape, SHAPES)
    stretch = checks.real("stretch", stretch, minimum=0, maximum=0.999)
    turn = checks.real("turn", turn, minimum=-360, maximum=360)
    power = checked_power(power)
    if (x is None) != (y is None):
        raise ValueError("give both classes x and y, or neither: then two are drawn")
    a, b = two_classes(count, separation, seed) if x is None else (_plane("x", x), _plane("y", y))
    if not np.ptp(b, axis=0).any():
        raise ValueError("all points of class B coincide: there is no variance to reshape; move one of them")
    if shape == "stretched":
        after = stretched(b, stretch, turn)
    elif shape == "hidden":
        after = reshaped(b, min(power, 1.0), STEPS, progress or Progress())[0]
    else:
        after = b
    codes = np.repeat([0, 1], [len(a), len(b)]).astype(np.int64)

    def read(points: Floats) -> tuple[float, float, float, float]:
        given = Labelled(np.concatenate([a, points]), codes, ("A", "B"))
        first, second = scores(given)[:2]
        return confusion(given)[0], energy_distance(a, points, power), first, second

    now = np.array([read(b), read(after)]).T
    along = np.array([read(stretched(b, value, turn)) for value in STRETCHES]).T
    told = ("energy confusion E", "energy distance of A and B", "R@1", "MAP@R")
    variables: dict = {
        "a": (("point_a", "axis"), a, "class A"),
        "before": (("point_b", "axis"), b, "class B before"),
        "after": (("point_b", "axis"), after, "class B after"),
        "own": ((), energy_distance(b, after, power), "energy distance of B to what it was"),
    }
    for k, name in enumerate(("confusion", "distance", "recall_at_1", "map_at_r")):
        variables[name] = (("moment",), now[k], told[k])
        variables[f"{name}_along"] = (("along",), along[k], f"{told[k]} at this stretch")
    coordinates = {
        "point_a": (("point_a",), np.arange(len(a)), "point of A"),
        "point_b": (("point_b",), np.arange(len(b)), "point of B"),
        "axis": (("axis",), np.array(["x", "y"]), "axis"),
        "moment": (("moment",), np.array(["before", "after"]), "before or after"),
        "along": (("along",), STRETCHES, "stretch"),
    }
    rng = np.random.default_rng(0)
    table = invariance_part(Labelled(np.concatenate([a, after]), codes, ("A", "B")), rng)
    return results.dataset(*grammar.joined((variables, coordinates), table, confusion_part()))


def _plane(name: str, points: ArrayLike) -> Floats:
    found = feature_array(name, points)
    if found.shape[1] != 2 or not 2 <= len(found) <= MOST_POINTS:
        raise ValueError(f"{name} has shape {found.shape}; give 2 to {MOST_POINTS} points of the plane, (n, 2)")
    return found
