"""Trained fits: addresses, budgets, seeds, cancelling; both qualities; no training below the proved limit; proofs."""

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest

from workbench import shapes
from workbench.progress import Cancelled, Progress
from workbench.shapes.fits.bases import metric_maps
from workbench.shapes.fits.empty import cell_signs, range_on_box
from workbench.shapes.fits.methods import FITS
from workbench.shapes.fits.networks import capacity, corner_addresses, plan
from workbench.shapes.fits.signals import centres, sample_points

TRAINED = [name for name, entry in FITS.items() if not entry.fact("linear")]
RNG = np.random.default_rng(2)


def addresses(k, resolution, length, metric):
    points = sample_points((60, 60))
    phi = np.stack([metric_maps(points[:, axis])[k] for axis in range(2)], axis=1)
    return corner_addresses(phi, resolution, length, metric)


def test_the_first_map_has_cells_of_its_own_and_the_third_reads_the_seconds():
    n = 8
    whole = capacity(n, 2, True)
    found = [set(addresses(k, n, whole, True)[0].ravel().tolist()) for k in range(3)]
    assert [len(one) for one in found] == [81, 81, 25]
    assert not found[0] & found[1] - {0}
    assert found[2] < found[1]
    assert max(max(one) for one in found) < whole


@pytest.mark.parametrize("k", [0, 1, 2])
def test_hashed_addresses_lie_in_the_table_and_weights_sum_to_one(k):
    where, weights = addresses(k, 16, 37, True)
    assert where.min() >= 0
    assert where.max() < 37
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-14)
    assert weights.min() >= -1e-15


def test_a_table_that_holds_all_corners_interpolates():
    points = sample_points((9, 9))
    phi = (points + 1) / 2
    where, weights = corner_addresses(phi, 4, 25, False)
    nodes = np.add.outer(3 * np.linspace(0, 1, 5), np.linspace(0, 1, 5)).ravel()  # 3 v + u, u fastest
    assert np.allclose((nodes[where] * weights).sum(axis=1), phi[:, 0] + 3 * phi[:, 1], atol=1e-14)


@pytest.mark.parametrize("budget", [1500, 5808, 20_000])
@pytest.mark.parametrize("metric", [False, True])
@pytest.mark.parametrize("decoder", ["relu", "sine"])
def test_budgets_are_used_and_not_exceeded(budget, metric, decoder):
    made = plan(budget, 64, 2, 3, metric=metric, decoder=decoder)
    assert 0.9 * budget < made.parameters <= budget


@pytest.mark.parametrize("method", TRAINED)
def test_a_training_repeats_and_tells_both_qualities(method):
    one, two = (
        shapes.fit_signal("temple", method, 3000, size=24, steps=20, seed=3).drop_vars("fit_seconds") for _ in range(2)
    )
    assert one.identical(two.assign_attrs(seconds=one.attrs["seconds"]))
    assert int(one.parameters_used) <= 3000
    assert np.isfinite(one.psnr).all()
    assert one.held.values.mean() == pytest.approx(0.5, abs=0.01)
    other = shapes.fit_signal("temple", method, 3000, size=24, steps=20, seed=4)
    assert not np.array_equal(one.held, other.held)


@pytest.mark.parametrize("method", ["hash", "metricgrids"])
def test_a_training_gets_better(method):
    short, longer = (shapes.fit_signal("petals", method, 4000, size=32, steps=n, seed=1).psnr[0] for n in (5, 120))
    assert float(longer) > float(short) + 3


def test_no_training_of_the_linear_grid_passes_its_proved_limit_and_a_long_one_comes_near():
    budget = {"parameters": 192, "size": 16, "seed": 0}
    limit = float(shapes.best_linear_fit("petals", "linear", **budget).psnr_limit[0])
    found = [float(shapes.fit_signal("petals", "linear-adam", steps=n, **budget).psnr[0]) for n in (30, 1500)]
    assert found[0] < found[1] <= limit
    assert found[1] > limit - 0.1


def test_a_training_that_is_judged_keeps_its_best_step_and_never_looks_at_what_is_held_out():
    settings = {"size": 16, "steps": 150, "seed": 2}
    ds = shapes.fit_signal("petals", "siren", 900, stopping="best", **settings)
    assert int(ds.kept_step) == int(ds.step[np.argmax(ds.judged_psnr.values)]) < 150
    last = shapes.fit_signal("petals", "siren", 900, **settings)
    assert int(last.kept_step) == 150
    assert np.isnan(last.judged_psnr).all()
    target = shapes.signal("petals", 16)
    held = target.held(0.5, np.random.default_rng(0))
    poisoned = np.where(held[:, None], 0.5, target.values)
    made = [
        FITS["hash"](dataclasses.replace(target, values=values), ~held, 900, steps=30, seed=1, stopping="best")
        for values in (target.values, poisoned)
    ]
    assert np.array_equal(made[0].validation, made[1].validation)
    with pytest.raises(ValueError, match=r"unknown stopping 'lats'\. Did you mean 'last'"):
        shapes.fit_signal("petals", "hash", 900, stopping="lats")


def test_a_cancelled_training_stops():
    class Stopped(Progress):
        def show(self, done, total, message):
            if done:
                self.cancel()

    with pytest.raises(Cancelled):
        shapes.fit_signal("temple", "hash", 2000, size=16, steps=300, progress=Stopped())
    with pytest.raises(Cancelled):
        shapes.compare_fits("temple", ("hash",), 2000, seeds=2, size=16, steps=300, progress=Stopped())


@pytest.mark.parametrize(
    ("method", "parameters", "words"),
    [("hash", 100, "too few"), ("siren", 16, "too few"), ("metricgrids", 200, "too few")],
)
def test_budgets_that_hold_no_model_are_refused(method, parameters, words):
    with pytest.raises(ValueError, match=words):
        shapes.fit_signal("temple", method, parameters, size=24)


def test_too_few_numbers_for_any_of_several_families_are_refused_before_the_first_is_fitted():
    class Untouched(Progress):
        def update(self, done, total, message=""):
            pytest.fail("work has begun")

    with pytest.raises(ValueError, match="too few"):
        shapes.fits_report("torus", "linear", 48, size=10, progress=Untouched())
    with pytest.raises(ValueError, match="too few"):
        shapes.compare_fits("temple", ("linear", "metricgrids"), (5808, 200), progress=Untouched())


def test_the_report_sets_both_qualities_beside_each_other_and_bounds_the_linear_part():
    class Kept(Progress):
        parts = ()

        def publish(self, result):
            self.parts = (*self.parts, result)

    kept = Kept()
    ds = shapes.fits_report("petals", "hash", 900, size=16, steps=10, progress=kept)
    assert ds.rival.values.tolist() == ["linear", "metric", "bspline", "pspline", "hash"]
    assert (ds.rival_psnr.sel(rival="metric", part="training") <= ds.psnr_limit[0]).all()
    assert np.array_equal(ds.rival_psnr.sel(rival="hash"), ds.psnr)
    assert [part.rival.values.tolist() for part in kept.parts] == [["hash"]]
    assert (ds.rival_displayed.sel(part="all") > ds.rival_psnr.sel(part="all") - 0.2).all()


# ---- proofs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_range_on_a_box_is_that_of_many_samples(d):
    grid = RNG.normal(size=(5,) * d)
    for _ in range(4):
        ends = np.sort(RNG.uniform(-1, 1, (2, d)), axis=0)
        least, most = range_on_box(grid, *ends)
        axes = [np.unique(np.concatenate([np.linspace(a, b, 9), centres(4)[0:0]])) for a, b in ends.T]
        points = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
        values = FITS["linear"].fact("family").design(points, (5,)).matrix @ grid.ravel()
        assert float(least) <= values.min() + 1e-12
        assert float(most) >= values.max() - 1e-12
        nodes = np.linspace(-1, 1, 5)
        axes = [[a, *nodes[(nodes > a) & (nodes < b)], b] for a, b in ends.T]
        points = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
        corners = FITS["linear"].fact("family").design(points, (5,)).matrix @ grid.ravel()
        assert (float(least), float(most)) == pytest.approx((corners.min(), corners.max()), abs=1e-12)


def test_the_range_is_exact():
    grid = np.array([[0.1, 0.7], [0.3, -0.2]])
    least, _ = range_on_box(grid, (-1.0, -1.0), (0.5, 0.25))
    a, b, c, e = (Fraction(v) for v in (0.1, 0.7, 0.3, -0.2))
    s, t = Fraction(3, 4), Fraction(5, 8)
    corner = (1 - t) * ((1 - s) * a + s * b) + t * ((1 - s) * c + s * e)
    assert least == min(a, corner, (1 - s) * a + s * b, (1 - t) * a + t * c)


@pytest.fixture(scope="module")
def torus():
    return shapes.best_linear_fit("torus", "linear", 1728, size=16)


def test_a_torus_is_proved_to_have_its_hole(torus):
    document = shapes.prove_empty(torus, (-0.1, -0.1, -0.9), (0.1, 0.1, 0.9))
    found = shapes.check_empty(document)
    assert (found.sign, found.low[2]) == (1, -0.9)
    assert 0 < found.least < 0.33
    inside = shapes.check_empty(shapes.prove_empty(torus, (0.5, -0.05, -0.05), (0.6, 0.05, 0.05)))
    assert inside.sign == -1
    with pytest.raises(ValueError, match="not free of zeros"):
        shapes.prove_empty(torus, (0.2, -0.1, -0.1), (0.5, 0.1, 0.1))


def test_changed_documents_prove_nothing_false(torus):
    document = json.loads(shapes.prove_empty(torus, (-0.1, -0.1, -0.9), (0.1, 0.1, 0.9)))
    changes = {
        "least": [0.5, 0, -1, float("nan"), True, "0.1", 1e-3 + document["least"]],
        "sign": [-1, 0, 1.0, True, 2],
        "low": [[-0.6, -0.1, -0.9], [-0.1, -0.1], [0.2, -0.1, -0.9], [-1.5, 0, 0], ["a", 0, 0], [float("nan"), 0, 0]],
        "high": [[0.6, 0.1, 0.9], [2, 0.1, 0.9], 3],
        "side": [11, 13, 12.0, 10**9, True],
        "dimension": [2, 0, 4],
        "values": [[0.0] * 1728, document["values"][:-1], [-1e-9, *document["values"][1:]], "x", [1e400] * 1728],
        "kind": ["other"],
        "version": [2, True],
    }
    grid = np.array(document["values"]).reshape(12, 12, 12)
    accepted = 0
    for key, values in changes.items():
        for value in values:
            changed = document | {key: value}
            try:
                found = shapes.check_empty(changed)
            except ValueError:
                continue
            accepted += 1  # then it must be true: here only of a value at a far corner
            assert key == "values"
            assert value[0] == -1e-9
            low, high = (np.array(end) for end in (found.low, found.high))
            points = low + (high - low) * RNG.random((2000, 3))
            assert (FITS["linear"].fact("family").design(points, (12,)).matrix @ grid.ravel() >= found.least).all()
    assert accepted == 1
    for key in document:
        with pytest.raises(ValueError, match="exactly the keys"):
            shapes.check_empty({k: v for k, v in document.items() if k != key})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{" * 3000,
        '{"kind": 1, "kind": 2}',
        '{"a": NaN}',
        '{"a": ' + "9" * 5000 + "}",
        b"\xff\xfe",
        "[" * 100_000,
    ],
)
def test_what_is_no_document_is_refused(text):
    with pytest.raises(ValueError, match="document"):
        shapes.check_empty(text)


@pytest.mark.parametrize(("method", "least"), [("linear", 0.6), ("quadratic", 0.4), ("bspline", 0.03)])
def test_proved_signs_of_cells_are_true(method, least):
    target, family, sides = shapes.signal("sphere", 14), FITS[method].fact("family"), (11,)
    made = family.design(target.points, sides).matrix.toarray()
    c = np.linalg.lstsq(made, target.values[:, 0], rcond=1e-10)[0]
    signs = cell_signs(c, sides, 3, method)
    cells = signs.shape[0]
    assert cells == 11 - {"linear": 1, "quadratic": 2, "bspline": 3}[method]
    points = RNG.uniform(-1, 1, (4000, 3))
    values = family.design(points, sides).matrix @ c
    at = np.minimum(((points + 1) / 2 * cells).astype(int), cells - 1)
    found = signs[at[:, 2], at[:, 1], at[:, 0]]
    assert (values[found > 0] > 0).all()
    assert (values[found < 0] < 0).all()
    assert (found != 0).mean() > least  # of a cubic spline four coefficients along each axis speak for a cell


def test_proofs_refuse_photographs_and_other_grids():
    with pytest.raises(ValueError, match="no linear grid"):
        shapes.prove_empty(shapes.fit_signal("sine", "linear", 24), (0.0,), (0.5,))
    with pytest.raises(ValueError, match="low < high"):
        shapes.prove_empty(np.ones((3, 3)), (0.5, 0.0), (0.0, 0.5))
