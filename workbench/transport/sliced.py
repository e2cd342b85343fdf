"""The sliced Wasserstein distance of two clouds, its gradient, and an error bar for each."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.transport.estimators import Rule
from workbench.transport.evaluate import check_method, check_power, draw, make_rule, mean_and_error
from workbench.transport.lines import transport
from workbench.transport.measures import Cloud, prepare_pair

PRECISIONS = {"single": np.float32, "double": np.float64}
LARGEST_DIRECTIONS = 10_000_000
WORTH_A_MEMORY_CHECK = 1_000_000  # asking how much is free takes as long as a small draw


@dataclass(frozen=True)
class Estimate:
    """An estimate of SW_p^p and its standard error (NaN for a single draw); arrays (B,) for a batch of pairs."""

    value: Any
    standard_error: Any

    def __iter__(self):
        """Unpack as ``value, standard_error``."""
        return iter((self.value, self.standard_error))


def directions(method: str, n_directions: int, dim: int, seed: int | np.random.Generator = 0) -> NDArray[np.float64]:
    """Return one draw of the directions of an estimator: unit vectors (n_directions, dim).

    Raises ``ValueError`` for an unknown method, or a dimension or number that the method cannot do.

    >>> np.allclose(np.linalg.norm(directions("design", 100, 3), axis=1), 1)
    True
    """
    n_directions, dim = _counts(n_directions, dim)
    return make_rule(method, n_directions, dim, checks.generator(seed)).directions


def _counts(n_directions: int, dim: int) -> tuple[int, int]:
    n_directions = checks.integer("n_directions", n_directions, minimum=1, maximum=LARGEST_DIRECTIONS)
    dim = checks.integer("dim", dim, minimum=1)
    if n_directions * dim > WORTH_A_MEMORY_CHECK:
        checks.memory(8 * 4 * n_directions * dim, f"{n_directions} directions in {dim} dimensions")
    return n_directions, dim


def projected_costs(
    x: ArrayLike,
    y: ArrayLike,
    directions: ArrayLike,
    *,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    p: int = 2,
    precision: str = "single",
) -> NDArray[np.float64]:
    """Return f(θ_l) = W_p^p of the two clouds projected on each direction, (L,).

    ``x`` (n, d), ``y`` (m, d), ``directions`` (L, d), normalised here. Raises ``ValueError`` for bad clouds, weights
    or directions of length zero.

    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> projected_costs(x, x + [3.0, 0.0], [[1, 0], [0, 1]]).round(5).tolist()
    [9.0, 0.0]
    """
    cloud_x, cloud_y = prepared_pair(x, y, x_weights, y_weights, precision)
    vectors = checks.finite_array("directions", directions, ndim=2)
    if vectors.shape[1] != cloud_x.dim:
        raise ValueError(f"directions have {vectors.shape[1]} columns, the clouds lie in {cloud_x.dim} dimensions")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError("directions holds a zero vector, which points nowhere; remove it")
    weights = np.full(len(vectors), 1 / len(vectors))
    return transport(cloud_x, cloud_y, vectors / lengths, weights, power=check_power(p)).costs


def sliced_wasserstein(
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "design",
    n_directions: int = 100,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    p: int = 2,
    repeats: int = 4,
    seed: int | np.random.Generator = 0,
    precision: str = "single",
    threads: int | None = None,
) -> Estimate:
    """Estimate SW_p^p, the mean over directions of the one-dimensional W_p^p: *squared* for the default p = 2.

    The value is the mean of ``repeats`` independent draws of ``n_directions`` directions each, and the standard error
    comes from their scatter, so it holds for every method, designs included.

    Shapes: ``x`` (n, d), ``y`` (m, d), weights (n,), (m,), any positive scale; or a batch ``x`` (B, n, d) with ``y``
    (B, m, d) or (m, d), whose pairs share their directions. Units: those of the coordinates to the power p.
    ``method`` is a name in ``ESTIMATORS``; ``p`` 1 or 2. ``precision="double"`` sorts in float64, about ten times
    slower. Same seed, same result, whatever ``threads`` is (default: all cores).

    Raises ``ValueError`` for NaN, infinity, empty clouds, different d, negative or zero-sum weights, or an unknown
    name. Coordinates may be of any finite size: only a result that itself exceeds 1.8e308 is refused, and one below
    5e-324 is 0. Cost: about 10 ns per point and direction on one core; memory O(n), independent of the directions.

    Reference: Bonneel, Rabin, Peyré, Pfister, "Sliced and Radon Wasserstein barycenters of measures", 2015.

    >>> from workbench import flows
    >>> x = flows.cloud("torus", 500)
    >>> value, error = flows.sliced_wasserstein(x, x + [3.0, 0.0, 0.0])   # |t|²/d, exactly
    >>> round(value, 5)
    3.0
    """
    power, repeats = check_power(p), checks.integer("repeats", repeats, minimum=1)
    pairs, is_batch = _pairs(x, y, x_weights, y_weights, precision)
    rules = _rules(method, n_directions, pairs[0][0].dim, repeats, seed, power)
    values, errors = mean_and_error(
        [[draw(a, b, rule, power=power, threads=threads).value for rule in rules] for a, b in pairs]
    )
    return Estimate(values, errors) if is_batch else Estimate(float(values[0]), float(errors[0]))


def sliced_wasserstein_gradient(
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "design",
    n_directions: int = 100,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    p: int = 2,
    repeats: int = 1,
    seed: int | np.random.Generator = 0,
    precision: str = "single",
    threads: int | None = None,
) -> tuple[Any, NDArray[np.float64]]:
    """Return (SW_p^p, its gradient in the points of ``x``): (float, (n, d)), or ((B,), (B, n, d)) for a batch.

    The gradient is the exact derivative of the returned value for the directions drawn,
    ∂/∂x_i = 2 Σ_l w_l θ_l Σ_j π_ij θ_l·(x_i − y_j) for p = 2, including what flows through the weights of the control
    variates. Arguments, errors and cost as :func:`sliced_wasserstein` (the gradient adds about a quarter).

    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> value, gradient = sliced_wasserstein_gradient(x, x + [3.0, 0.0, 0.0])
    >>> (len(x) * gradient.mean(axis=0)).round(4).tolist()  # −2t/d
    [-2.0, 0.0, 0.0]
    """
    power, repeats = check_power(p), checks.integer("repeats", repeats, minimum=1)
    pairs, is_batch = _pairs(x, y, x_weights, y_weights, precision)
    rules = _rules(method, n_directions, pairs[0][0].dim, repeats, seed, power)
    values, gradients = [], []
    for a, b in pairs:
        draws = [draw(a, b, rule, power=power, want_x=True, threads=threads) for rule in rules]
        values.append(float(mean_and_error([one.value for one in draws])[0]))
        gradients.append(np.mean([one.gradient_x for one in draws], axis=0) if repeats > 1 else draws[0].gradient_x)
    return (np.array(values), np.stack(gradients)) if is_batch else (values[0], gradients[0])


def prepared_pair(
    x: ArrayLike, y: ArrayLike, x_weights: ArrayLike | None, y_weights: ArrayLike | None, precision: str
) -> tuple[Cloud, Cloud]:
    """Return both clouds, checked, in the precision of this name."""
    return prepare_pair(x, y, x_weights, y_weights, PRECISIONS[checks.choice("precision", precision, PRECISIONS)])


def _pairs(
    x: ArrayLike, y: ArrayLike, x_weights: ArrayLike | None, y_weights: ArrayLike | None, precision: str
) -> tuple[list[tuple[Cloud, Cloud]], bool]:
    """Return the prepared pairs of a single call or a batch, and whether it is a batch."""
    if np.ndim(x) != 3:
        return [prepared_pair(x, y, x_weights, y_weights, precision)], False
    first = checks.finite_array("x", x, ndim=3)
    second = checks.finite_array("y", y, ndim=(2, 3))
    if second.ndim == 2:
        second = np.broadcast_to(second, (len(first), *second.shape))
    if len(first) != len(second):
        raise ValueError(f"x is a batch of {len(first)} clouds and y of {len(second)}; give as many of each")
    masses_x = _batch_weights("x_weights", x_weights, len(first))
    masses_y = _batch_weights("y_weights", y_weights, len(first))
    rows = zip(first, second, masses_x, masses_y, strict=True)
    return [prepared_pair(a, b, mass_a, mass_b, precision) for a, b, mass_a, mass_b in rows], True


def _batch_weights(name: str, weights: ArrayLike | None, size: int) -> list[Any]:
    if weights is None:
        return [None] * size
    array = checks.finite_array(name, weights, ndim=(1, 2))
    if array.ndim == 1:
        return [array] * size
    if len(array) != size:
        raise ValueError(f"{name} has {len(array)} rows for a batch of {size}; give one row per pair, or one for all")
    return list(array)


def _rules(
    method: str, n_directions: int, dim: int, repeats: int, seed: int | np.random.Generator, power: int
) -> list[Rule]:
    """Draw the rules of all repeats from independent streams of the seed."""
    n_directions, dim = _counts(n_directions, dim)
    check_method(method, power)
    return [make_rule(method, n_directions, dim, rng) for rng in checks.generator(seed).spawn(repeats)]
