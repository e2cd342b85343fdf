"""Hiding a class from the confusion term: another shape with the same mean and total variance, found by ascent.

The term sees Σ|z|² and Σz of a class alone. The shapes Z with Σz = 0 and Σ|z|² = n tr C about the class's mean are a
sphere in n d numbers; on it the energy distance of power below 2 to the class as it was is driven up, from the best of
a few shapes written down in closed form.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.metrics.embeddings.confusion import checked_power, confusion
from workbench.metrics.embeddings.inputs import Floats, Labelled, labelled
from workbench.metrics.embeddings.kernels import pull
from workbench.metrics.embeddings.retrieval import found_by
from workbench.progress import Progress

MOST_STEPS = 2000
MOST_WORK = 2e8
"""Squared items of the class times features: a quarter of a second a step."""
SMALLEST_GAIN = 1e-9


@results.experiment
def hide_from(
    features: ArrayLike,
    labels: ArrayLike,
    moved: Any = None,
    *,
    power: float = 1.0,
    steps: int = 100,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Reshape one class so that the confusion term stands still and an energy distance moves as far as it can.

    ``features`` (n, d), ``labels`` (n,); ``moved`` names the class, by default the one with most items; ``power`` in
    (0, 2) is that of the energy distance which is driven up, in at most ``steps`` steps. Returns ``before`` and
    ``after`` (item, feature); over ``moment`` (before, after) the term ``confusion``, ``recall_at_1`` and ``map_at_r``;
    ``distance`` (step) between the class as it was and as it is; ``bound``, which no shape of this mean and trace
    exceeds: 2E|X−Z|^power ≤ 2 (2 tr C)^(power/2). The ascent finds a local maximum. Raises ``ValueError`` for a class
    whose items coincide, for power 2, which sees no shape, and as :func:`labelled`. Cost: n_c² d · 3 ns a step.

    >>> found = hide_from([[0.0, 0.0], [2.0, 0.0], [1.0, 0.5], [5.0, 1.0]], ["a", "a", "a", "b"], "a", steps=20)
    >>> bool(abs(found.confusion[1] / found.confusion[0] - 1) < 1e-12), bool(found.distance[-1] > 0.3)
    (True, True)
    """
    power = checked_power(power)
    if power == 2:
        raise ValueError("power must be below 2: at 2 the energy distance sees means alone, and no shape moves it")
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    given = labelled(features, labels)
    kind = chosen_class(given, moved)
    own = np.flatnonzero(given.codes == kind)
    if float(len(own)) ** 2 * given.features.shape[1] > MOST_WORK:
        raise ValueError(
            f"class {given.classes[kind]} has {len(own):,} items of {given.features.shape[1]:,} features, too many to "
            "move one by one: draw a part of them"
        )
    shape, distance, start = reshaped(given.features[own], power, steps, progress or Progress())
    after = given.features.copy()
    after[own] = shape
    pair = (given, given.with_features(after))
    energies = [confusion(one)[0] for one in pair]
    judged = np.array([_means(one) for one in pair])
    both, where = ("moment",), ("item", "feature")
    spread = _spread(given.features[own])
    return results.dataset(
        {
            "before": (where, given.features, "features before"),
            "after": (where, after, "features after"),
            "is_moved": (("item",), given.codes == kind, "whether the item is of the class that was moved"),
            "label": (("item",), np.array(given.classes)[given.codes], "class of the item"),
            "confusion": (both, np.array(energies), "energy confusion E"),
            "recall_at_1": (both, judged[:, 0], "R@1"),
            "map_at_r": (both, judged[:, 1], "MAP@R"),
            "distance": (("step",), distance, "energy distance of the class to what it was"),
            "bound": ((), 2 * (2 * spread) ** (power / 2), "no shape of this mean and trace is further"),
            "start": ((), start, "the shape in closed form that the ascent began with"),
        },
        {
            "item": (("item",), np.arange(len(given.codes)), "item"),
            "feature": (("feature",), np.arange(given.features.shape[1]), "feature"),
            "moment": (both, np.array(["before", "after"]), "before or after"),
            "step": (("step",), np.arange(len(distance)), "step of the ascent"),
        },
    )


def chosen_class(given: Labelled, moved: Any) -> int:
    """Return the number of the class to move: the one named, or the largest."""
    if moved is None:
        return int(np.argmax(given.counts))
    return given.classes.index(checks.choice("class", str(moved), given.classes))


def _means(given: Labelled) -> Floats:
    values = found_by(given)[1]
    return values.mean(axis=0) if len(values) else np.full(3, np.nan)


def _spread(x: Floats) -> float:
    """Return the trace of the covariance, divided by n."""
    return float(np.mean(np.sum((x - x.mean(axis=0)) ** 2, axis=1)))


def reshaped(x: Floats, power: float, steps: int, progress: Progress) -> tuple[Floats, Floats, str]:
    """Return items (n, d) of the same mean and trace far from ``x``, the distances on the way, and where it began."""
    centre, spread = x.mean(axis=0), _spread(x)
    if len(x) < 2 or spread == 0:
        raise ValueError("all items of the class coincide: there is no variance to reshape; choose another class")
    flat = x - centre
    unit = np.sqrt(spread)
    flat = flat / unit  # so that steps have one scale whatever the data's
    inside = pull(flat, flat, power, np.zeros_like(flat)) / len(x) ** 2
    starts = _starts(flat)
    values = {name: _distance(z, flat, power, inside)[0] for name, z in starts.items()}
    name = max(values, key=values.__getitem__)
    z, value = starts[name], values[name]
    history, step = [0.0, value], 0.5
    _, slope = _distance(z, flat, power, inside)
    for k in range(steps):
        progress.update(k, steps, "reshaping")
        slope = slope - slope.mean(axis=0)
        slope = slope - np.sum(slope * z) / len(z) * z
        size = float(np.sqrt(np.sum(slope**2)))
        if size < 1e-12:
            break
        moved = False
        while step > 1e-8:
            trial = _onto_sphere(z + step * np.sqrt(len(z)) * slope / size)
            reached, next_slope = _distance(trial, flat, power, inside)
            if reached > value:
                moved = True
                break
            step *= 0.5
        if not moved or reached - value < SMALLEST_GAIN * value:
            break
        z, value, slope = trial, reached, next_slope
        history.append(value)
        step *= 1.5
    return centre + unit * z, np.array(history) * unit**power, name


def _distance(z: Floats, x: Floats, power: float, inside: float) -> tuple[float, Floats]:
    """Return the energy distance of two shapes of n items each, and its gradient in the first."""
    n = len(x)
    slope, own = np.zeros_like(z), np.zeros_like(z)
    across = pull(z, x, power, slope) / n**2
    within = pull(z, z, power, own) / n**2
    return max(2 * across - within - inside, 0.0), 2 * (slope - own) / n**2


def _onto_sphere(z: Floats) -> Floats:
    z = z - z.mean(axis=0)
    return z / np.sqrt(np.mean(np.sum(z**2, axis=1)))


def _starts(x: Floats) -> dict[str, Floats]:
    """Return shapes of mean 0 and trace 1: two points, one far item, a shell, and the class turned."""
    n, d = x.shape
    _, _, axes = np.linalg.svd(x, full_matrices=False)
    order = np.argsort(x @ axes[0])
    signs = np.where(np.arange(n) < n // 2, -1.0, 1.0)
    far = np.zeros(n)
    far[-1] = 1.0
    # the last of the axes may carry no variance at all, which is why it is tried
    last = axes[-1] if len(axes) > 1 else axes[0]
    along = {"two points along its widest axis": axes[0], "two points along its narrowest axis": last}
    made = {}
    for name, axis in along.items():
        flat = np.empty_like(x)
        flat[order] = np.outer(signs, axis)
        made[name] = flat
    spike = np.empty_like(x)
    spike[order] = np.outer(far, axes[0])
    made["one item far away"] = spike
    sizes = np.sqrt(np.sum(x**2, axis=1, keepdims=True))
    made["a shell"] = np.where(sizes > 0, x / np.where(sizes > 0, sizes, 1.0), axes[0])
    if d > 1:
        made["its axes exchanged"] = (x @ axes.T[:, ::-1] if len(axes) == d else x[:, ::-1]) @ (
            axes if len(axes) == d else np.eye(d)
        )
    return {name: _onto_sphere(z) for name, z in made.items() if np.any(z - z.mean(axis=0))}
