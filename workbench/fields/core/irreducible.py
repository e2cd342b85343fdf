"""The irreducible loss: what no field can explain of u, because paths cross."""

import math
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fields.core.exact import ExactField, exact_field, geometric_mean
from workbench.fields.core.laws import FiniteSample, Floats, GaussianMixture
from workbench.progress import Progress

NODES = 48
REACH = 12.0
"""Standard deviations beyond the outermost component where a density counts as zero."""
FINEST = 200_000


class Estimated(NamedTuple):
    """A number with its error, and how it was found: "closed form", "quadrature" or "sampled"."""

    value: float
    error: float
    method: str


@results.experiment
def irreducible_loss(
    source: Any,
    target: Any,
    coupling: str = "independent",
    until: float = 1.0,
    samples: int = 20_000,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return L* = E‖u − v*‖², the loss below which no field comes on fresh pairs, t uniform in [0, ``until``].

    Laws and ``coupling`` as :func:`exact_field`. Two Gaussians, independent: the closed form (π/2) tr(S₀ # S₁), # the
    matrix geometric mean. One Gaussian on each side otherwise: Gauss–Legendre quadrature in t. One dimension:
    quadrature in t and x, with its error by halving both. Else ``samples`` points, with a
    standard error; the part that does not depend on x is taken exactly. A finite sample needs ``until`` < 1.

    The Dataset holds ``loss``, ``error`` (a standard error where ``method`` is "sampled"), ``control`` = E‖u‖², and the
    share that a field can explain.

    >>> ds = irreducible_loss("gaussian", "gaussian", "optimal")
    >>> float(ds.loss), ds.attrs["method"]
    (0.0, 'closed form')
    """
    field = exact_field(source, target, coupling)
    until = checks.real("until", until, exclusive_minimum=0)
    if until > field.last_time:
        raise ValueError(
            f"until must be at most {field.last_time:g} for these laws, got {until:g}: the velocity towards a point "
            "grows without bound at the end"
        )
    samples = checks.integer("samples", samples, minimum=2 * NODES, maximum=10**7)
    found = least_loss(field, until=until, samples=samples, seed=seed, progress=progress)
    whole = total_of_u(field)
    return results.dataset(
        {
            "loss": ((), found.value, "irreducible loss L*"),
            "error": ((), found.error, "error of the irreducible loss"),
            "control": ((), whole, "mean squared length of u"),
            "explainable": ((), 1 - found.value / whole if whole else 0.0, "share of u that a field can explain"),
        },
        attrs={"method": found.method},
    )


def least_loss(
    field: ExactField, *, until: float = 1.0, samples: int = 20_000, seed: int = 0, progress: Progress | None = None
) -> Estimated:
    """Return L* of a field for t uniform in [0, ``until``]."""
    if field.coupling == "optimal":
        return Estimated(0.0, 0.0, "closed form")
    gaussian = all(isinstance(law, GaussianMixture) and law.is_gaussian for law in (field.source, field.target))
    if gaussian and field.coupling == "independent" and until == 1.0:
        mean = geometric_mean(field.source.covariances[0], field.target.covariances[0])  # type: ignore[union-attr]
        return Estimated(math.pi / 2 * float(np.trace(mean)), 0.0, "closed form")
    if gaussian:
        fine, rough = (_over_time(field, until, nodes) for nodes in (NODES, NODES // 2))
        return Estimated(fine, abs(fine - rough), "quadrature")
    is_finite = isinstance(field.source, FiniteSample) or isinstance(field.target, FiniteSample)
    if field.dimension == 1 and not is_finite:
        found = _on_a_line(field, until)
        if found is not None:
            return found
    return _sampled(field, until, samples, seed, progress or Progress())


def total_of_u(field: ExactField) -> float:
    """Return E‖u‖² of the coupling."""
    source, target = field.source, field.target
    if field.coupling == "paired":
        return float(source.mean @ source.mean + np.trace(source.covariance))
    apart = target.mean - source.mean
    both = np.trace(source.covariance) + np.trace(target.covariance)
    if field.coupling == "optimal":
        both -= 2 * np.trace(optimal_matrix(field) @ source.covariance)
    return float(apart @ apart + both)


def optimal_matrix(field: ExactField) -> Floats:
    """Return the matrix of the optimal map between two Gaussians."""
    origin = np.zeros((1, field.dimension))
    base = field.flow_map(origin)
    return (field.flow_map(np.eye(field.dimension)) - base).T


def nodes_of(until: float, count: int) -> tuple[Floats, Floats]:
    """Return Gauss–Legendre nodes in [0, until] and weights that sum to 1."""
    at, weights = np.polynomial.legendre.leggauss(count)
    return until * (at + 1) / 2, weights / 2


def _over_time(field: ExactField, until: float, count: int) -> float:
    times, weights = nodes_of(until, count)
    return float(sum(w * field.within(float(t)) for t, w in zip(times, weights, strict=True)))


def _on_a_line(field: ExactField, until: float) -> Estimated | None:
    """Return L* by the trapezoidal rule in x, which is exact to the last digits for such densities; None: too fine."""
    rough = _line(field, until, NODES // 2, 0.25)
    fine = None if rough is None else _line(field, until, NODES, 0.125)
    if rough is None or fine is None:
        return None
    return Estimated(fine, abs(fine - rough), "quadrature")


def _line(field: ExactField, until: float, count: int, step: float) -> float | None:
    total = 0.0
    for t, w in zip(*nodes_of(until, count), strict=True):
        found = field.slice(float(t))
        widths = 1 / np.sqrt(found.precisions[:, 0, 0])
        low, high = (found.means[:, 0] - REACH * widths).min(), (found.means[:, 0] + REACH * widths).max()
        n = math.ceil((high - low) / (step * widths.min()))
        if n > FINEST:
            return None
        x = np.linspace(low, high, n)
        values = field.values(x[:, None], float(t))
        across = float(np.exp(values.log_density) @ values.spread) * (x[1] - x[0])
        total += w * (found.within + across)
    return total


def _sampled(field: ExactField, until: float, samples: int, seed: int, progress: Progress) -> Estimated:
    """Return L* with a standard error: quadrature in t, where everything is smooth, and fresh points at every node."""
    rng = checks.generator(seed)
    each = max(samples // NODES, 2)
    total, variance = 0.0, 0.0
    for k, (t, w) in enumerate(zip(*nodes_of(until, NODES), strict=True)):
        t = max(float(t), field.first_time)
        x0, x1 = field.couple(each, rng)
        spread = field.values((1 - t) * x0 + t * x1, t).spread
        total += w * (field.within(t) + spread.mean())
        variance += w * w * spread.var(ddof=1) / each
        progress.update(k + 1, NODES, "the irreducible loss")
    return Estimated(float(total), math.sqrt(variance), "sampled")
