"""Where two fields are compared: points under the exact law, at the nodes of a quadrature in time."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from workbench import checks
from workbench.fields.core.exact import ExactField
from workbench.fields.core.irreducible import nodes_of
from workbench.fields.core.laws import Floats

AnyField = Callable[[Floats, Floats], Floats]
NODES = 24


class Probe(NamedTuple):
    """Points x_t with their u, (nodes · each, d), at ``times`` (nodes · each,); node k counts with ``weights`` (k,).

    The quadrature in t has no error to speak of, the points have: means over a probe come with a standard error.
    """

    x: Floats
    u: Floats
    times: Floats
    weights: Floats

    def mean(self, values: Floats) -> tuple[float, float]:
        """Return the mean over t and x of ``values`` (nodes · each,) and its standard error."""
        table = values.reshape(len(self.weights), -1)
        spread = table.var(axis=1, ddof=1) / table.shape[1]
        return float(self.weights @ table.mean(axis=1)), math.sqrt(float(self.weights**2 @ spread))

    def distance(self, a: Floats, b: Floats) -> tuple[float, float]:
        """Return E‖a − b‖² of two fields' values at the points, and its standard error."""
        return self.mean(np.sum((a - b) ** 2, axis=1))


def probe(x0: Floats, x1: Floats, until: float) -> Probe:
    """Return a probe from pairs (n, d), shared out over the nodes; what is left over is dropped."""
    times, weights = nodes_of(until, NODES)
    each = len(x0) // NODES
    if each < 2:
        raise ValueError(f"a probe needs at least {2 * NODES} pairs, got {len(x0)}")
    t = np.repeat(times, each)
    x0, x1 = x0[: len(t)], x1[: len(t)]
    return Probe((1 - t)[:, None] * x0 + t[:, None] * x1, x1 - x0, t, weights)


def field_distance(
    a: AnyField,
    b: AnyField,
    law: ExactField,
    *,
    until: float = 0.95,
    samples: int = 20_000,
    seed: int | np.random.Generator = 0,
) -> tuple[float, float]:
    """Return E‖a(x_t, t) − b(x_t, t)‖² under the law of ``law``, t uniform in [0, ``until``], and its standard error.

    For a field a and b = v*, this is how far a's loss on fresh pairs lies above the least one.

    >>> from workbench.fields import exact_field
    >>> truth = exact_field("gaussian", "two-blobs")
    >>> field_distance(truth, truth, truth, samples=480)
    (0.0, 0.0)
    """
    until = checks.real("until", until, exclusive_minimum=0)
    if until > law.last_time:
        raise ValueError(f"until must be at most {law.last_time:g} for this law, got {until:g}")
    samples = checks.integer("samples", samples, minimum=2 * NODES, maximum=10**7)
    points = probe(*law.couple(samples, checks.generator(seed)), until)
    return points.distance(a(points.x, points.times), b(points.x, points.times))
