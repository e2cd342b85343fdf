"""Linear families: what they reproduce, both engines side by side, leave-one-out against refits, proved limits."""

import numpy as np
import pytest
from scipy import sparse

from workbench import shapes
from workbench.shapes.fits import bases
from workbench.shapes.fits.bases import Design
from workbench.shapes.fits.certified import certified_floor
from workbench.shapes.fits.ridge import BandEngine, DenseEngine, engine_for, fit_ridge
from workbench.shapes.fits.signals import centres, sample_points

RNG = np.random.default_rng(5)
FAMILIES = {name: e.fact("family") for name, e in shapes.FITS.items() if e.fact("linear")}
LOCAL = [name for name, family in FAMILIES.items() if family.local]


def design(name, count, d, points=None):
    family = FAMILIES[name]
    points = RNG.uniform(-0.99, 0.99, (60, d)) if points is None else points
    return family.design(points, family.sides(count, d))


def dense(matrix):
    return matrix.toarray() if sparse.issparse(matrix) else matrix


def test_the_metric_maps_have_the_ranges_of_the_paper():
    ends = [phi.round(14).tolist() for phi in bases.metric_maps(np.array([-1.0, 0.0, 1.0]))]
    assert ends == [[0, 0.5, 1], [-1, -0.5, 0], [-1, -0.75, -0.5]]
    x = centres(50)
    for k, phi in enumerate(bases.metric_maps(x)):
        assert np.allclose(bases.metric_places(k, phi), x, atol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("name", ["linear", "quadratic", "bspline", "metric"])
def test_weights_sum_to_one(name, d):
    sums = dense(design(name, 200, d).matrix).sum(axis=1)
    assert np.allclose(sums, 3 if name == "metric" else 1, atol=1e-14)


@pytest.mark.parametrize(("name", "degree"), [("linear", 1), ("quadratic", 2), ("bspline", 3)])
def test_polynomials_of_the_degree_are_reproduced(name, degree):
    points = RNG.uniform(-1, 1, (200, 2))
    x, y = points.T
    values = sum((i + 1.5) * (j - 0.7) * x**i * y**j for i in range(degree + 1) for j in range(degree + 1))
    matrix = dense(design(name, 49, 2, points).matrix)
    found = np.linalg.lstsq(matrix, values, rcond=None)[0]
    assert np.abs(matrix @ found - values).max() < 1e-12 * np.abs(values).max()
    more = dense(design(name, 49, 2, points).matrix)
    worse = x ** (degree + 1)
    assert np.abs(more @ np.linalg.lstsq(more, worse, rcond=None)[0] - worse).max() > 1e-4


def test_hats_interpolate_between_their_nodes():
    nodes = RNG.normal(size=5)
    u = RNG.uniform(-1, 1, 100)
    assert np.allclose(bases.hats(u, 5) @ nodes, np.interp(u, np.linspace(-1, 1, 5), nodes), atol=1e-14)
    points = np.column_stack(
        [u, np.full(100, -1.0)]
    )  # along the lower edge only the first row of nodes acts, x fastest
    found = bases.HATS.design(points, (5,)).matrix @ np.concatenate([nodes, np.full(20, 9.0)])
    assert np.allclose(found, np.interp(u, np.linspace(-1, 1, 5), nodes), atol=1e-14)


def test_the_three_metric_grids_share_the_constants():
    matrix = dense(design("metric", 60, 1, sample_points((400,))).matrix)
    assert matrix.shape[1] - np.linalg.matrix_rank(matrix) >= 2


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_both_engines_agree(name, d):
    made = design(name, {1: 40, 2: 150, 3: 260}[d], d, RNG.uniform(-0.99, 0.99, (200, d)))
    ordered = sparse.csr_array(made.matrix[:, made.order])
    band, full = BandEngine(ordered, made.order), DenseEngine(dense(made.matrix))
    right = RNG.normal(size=(made.matrix.shape[1], 2))
    for ridge in (1e-4, 1e-1):
        assert np.allclose(band.solve(ridge, right), full.solve(ridge, right), rtol=1e-7, atol=1e-9)
        assert np.allclose(band.leverages(ridge), full.leverages(ridge), atol=1e-9)
        assert band.condition(ridge) == pytest.approx(full.condition(ridge), rel=0.2)


def test_the_band_is_taken_where_it_is_narrow():
    assert isinstance(engine_for(design("bspline", 400, 2)), BandEngine)
    assert isinstance(engine_for(design("dct", 40, 1)), DenseEngine)


@pytest.mark.parametrize("name", ["linear", "bspline", "metric", "pspline", "chebyshev"])
def test_leave_one_out_is_that_of_refits(name):
    points, values = RNG.uniform(-0.99, 0.99, (40, 2)), RNG.normal(size=(40, 2))
    made = design(name, 30, 2, points)
    found = fit_ridge(made, values, 0.01)
    matrix = dense(made.matrix)
    penalty = np.eye(matrix.shape[1]) if made.penalty is None else made.penalty.toarray()
    squares = []
    for i in range(40):
        kept = np.arange(40) != i
        a, y = matrix[kept], values[kept]
        c = np.linalg.solve(a.T @ a + found.ridge * penalty, a.T @ y)
        squares.append((values[i] - matrix[i] @ c) ** 2)
    assert found.loo == pytest.approx(np.mean(squares), rel=1e-8)


def test_the_smoothing_penalty_is_that_of_second_differences():
    c = RNG.normal(size=(6, 6))
    squares = sum((np.diff(c, 2, axis=axis) ** 2).sum() for axis in (0, 1))
    assert c.ravel() @ (bases.bending(6, 2) @ c.ravel()) == pytest.approx(squares + 1e-6 * (c**2).sum())


def test_the_ridge_is_the_best_of_many():
    points = RNG.uniform(-0.99, 0.99, (300, 1))
    values = np.sin(5 * points) + 0.3 * RNG.normal(size=points.shape)
    made = design("bspline", 60, 1, points)
    chosen = fit_ridge(made, values)
    scale = engine_for(made).scale
    tried = [fit_ridge(made, values, power) for power in 10.0 ** np.arange(-6, 2, 0.5)]
    assert chosen.loo <= min(one.loo for one in tried) * (1 + 1e-6)
    assert 1e-3 < chosen.ridge / scale < 10  # noise asks for one
    truth = np.sin(5 * points)
    errors = [np.mean((made.matrix @ one.coefficients - truth) ** 2) for one in (chosen, *tried)]
    assert errors[0] < 1.1 * min(errors[1:])  # of the truth, which it has not seen, it misses little more than any
    assert errors[0] < 0.8 * errors[1]


@pytest.mark.parametrize("name", [*LOCAL, "dct", "chebyshev"])
@pytest.mark.parametrize("many", [True, False])
def test_nothing_is_below_the_certified_floor_and_the_optimum_is_at_it(name, many):
    points = RNG.uniform(-0.99, 0.99, (300 if many else 30, 2))
    points = np.repeat(points, 1 if many else 10, axis=0)  # few places, ten values at each: more unknowns than places
    values = RNG.normal(size=(len(points), 2))
    made = design(name, 49, 2, points)
    floor = certified_floor(made, values)
    matrix = dense(made.matrix)
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    reached = []
    for cut in (1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2):  # the best fits with so many of the singular directions
        kept = sizes > cut * sizes[0]
        c = (right[kept].T / sizes[kept]) @ (left[:, kept].T @ values)
        if np.sqrt(np.mean(c**2)) <= floor.radius:
            reached.append(np.mean((values - matrix @ c) ** 2))
    best = min(reached)
    assert floor.mse <= best * (1 + 1e-12)
    assert floor.mse > 0.98 * best
    if many and name != "metric":
        assert floor.radius == np.inf
        assert floor.mse > (1 - 1e-9) * best
    if name == "metric" or not many:
        assert np.isfinite(floor.radius)  # the samples do not determine all coefficients


def test_a_coefficient_that_no_sample_sees_changes_no_floor():
    points = RNG.uniform(-0.99, 0.2, (80, 1))
    values = RNG.normal(size=(80, 1))
    made = bases.HATS.design(points, (9,))
    floor = certified_floor(made, values)
    used = dense(made.matrix)[:, : floor.coefficients.shape[0]]
    small = certified_floor(Design(sparse.csr_array(used), np.arange(used.shape[1]), (9,)), values)
    assert floor.mse == pytest.approx(small.mse, rel=1e-12)
    assert floor.radius == np.inf


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("bspline", 16, "at least 16"),
        ("wavelet", 100, "unknown fit"),
        ("hash", 100, "unknown fit"),
        ("linear", 3, "16"),
    ],
)
def test_bad_budgets_and_families_are_refused(name, parameters, words):
    with pytest.raises(ValueError, match=words):
        shapes.best_linear_fit("temple", name, parameters)


def test_too_much_work_is_refused_before_it():
    with pytest.raises(ValueError, match="fewer parameters"):
        shapes.best_linear_fit("ripples", "dct", 9000, size=100)
    with pytest.raises(ValueError, match="'loo' or a number"):
        shapes.best_linear_fit("sine", "linear", 20, "gcv")


# ---- orders ---------------------------------------------------------------------------------------------------------


def test_orders_are_those_of_theory():
    ds = shapes.approximation_orders(("linear", "quadratic", "bspline"), ("sine", "chirp", "runge"), (96, 192))
    assert np.abs(ds.slope.values[..., 0] - ds.theory.values[:, None]).max() < 0.4
    sizes = np.unique(np.round(np.geomspace(24, 320, 21)).astype(int))
    metric = shapes.approximation_orders(("metric",), ("sine", "runge"), sizes)
    assert np.abs(metric.order - 2).max() < 0.35
    assert metric.slope.std() > 0.3  # from one size to the next it says nothing: knots interlace by chance


def test_the_best_fit_by_hats_has_its_asymptotic_constant():
    ds = shapes.approximation_order("linear", "sine", (96, 192))
    x = centres(20_000)
    rms = 36 * np.sqrt(np.mean(np.sin(6 * x) ** 2))
    assert float(ds.error[1]) == pytest.approx((2 / 191) ** 2 * rms / np.sqrt(720), rel=0.02)


def test_metric_grids_lose_to_one_grid_of_as_many_numbers():
    errors = {
        name: float(shapes.approximation_order(name, "sine", (96, 192)).error[1]) for name in ("linear", "metric")
    }
    assert 2.5 < errors["metric"] / errors["linear"] < 4
    flat = shapes.approximation_order("chebyshev", "runge", (192, 384))
    assert float(flat.error[0]) < 1e-14
    assert np.isnan(flat.slope[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("hash",), "unknown fit"), (("linear", "x*y"), "x alone"), (("linear", "sine", (48, 24)), "rising")],
)
def test_orders_refuse_what_has_none(arguments, words):
    with pytest.raises(ValueError, match=words):
        shapes.approximation_order(*arguments)
