"""The comparison reproduces what is known about the estimators; the seed's experiment reproduces its floor."""

import numpy as np
import pytest

from workbench import flows
from workbench.progress import Cancelled, Progress


@pytest.fixture(scope="module")
def table():
    return flows.compare_estimators(n=512, repeats=60, seed=1)


def ratio(table, pair, method):
    return float(table.rmse_ratio.sel(pair=pair, estimator=method))


def test_designs_beat_monte_carlo_by_far(table):
    assert ratio(table, "torus-cube", "design") < 1 / 50
    assert ratio(table, "sphere-two-blobs", "design") < 1 / 50
    assert ratio(table, "translated", "design") < 1 / 1000
    assert ratio(table, "torus-cube", "spiral") < 1 / 20
    assert ratio(table, "torus-cube", "harmonic-cv") < 1 / 4


def test_the_seeds_variates_help_only_where_a_translation_dominates(table):
    for method in ("lower-cv", "upper-cv"):
        assert ratio(table, "torus-cube", method) > 0.5
        assert ratio(table, "translated", method) < 0.2


def test_the_reference_is_far_more_accurate_than_what_it_judges(table):
    best = table.rmse.min("estimator")
    assert (table.reference_standard_error < 0.35 * best).all()
    spread = np.sqrt(table.variance + table.bias**2)
    np.testing.assert_allclose(table.rmse, spread, rtol=0.02)
    assert ratio(table, "torus-cube", "monte-carlo") == 1
    expected = table.rmse_ratio * np.sqrt(table.seconds_per_draw / table.seconds_per_draw.sel(estimator="monte-carlo"))
    np.testing.assert_allclose(table.rmse_ratio_equal_time, expected)


def test_monte_carlo_error_is_what_theory_says(table):
    """RMSE² = Var f / L, with Var f from many directions."""
    rng = np.random.default_rng(1).spawn(4)[0]
    x, y = flows.PAIRS["torus-cube"](512, rng)
    costs = flows.projected_costs(x, y, flows.directions("monte-carlo", 4000, 3))
    found = table.sel(pair="torus-cube", estimator="monte-carlo")
    assert abs(found.rmse - costs.std() / 10) < 4 * found.rmse_standard_error


def test_own_pairs_in_other_dimensions():
    x, y = flows.cloud("disc", 200), flows.cloud("square", 150)
    table = flows.compare_on(x, y, n_directions=20, repeats=30)
    assert list(table.estimator.values) == flows.methods_for(2, 20)
    assert "spiral" not in table.estimator
    assert table.rmse_ratio.sel(pair="given", estimator="equispaced") < 0.3
    two = flows.compare_on(x, y, ["equispaced"], n_directions=20, repeats=5)
    assert list(two.estimator.values) == ["monte-carlo", "equispaced"]


def test_identical_clouds_have_no_error():
    x = flows.cloud("disc", 50)
    table = flows.compare_on(x, x, ["equispaced"], n_directions=5, repeats=3)
    assert (table.rmse == 0).all()
    assert (table.rmse_standard_error == 0).all()


def test_refusals_and_cancel():
    with pytest.raises(ValueError, match="unknown pair"):
        flows.compare_estimators(["torus-ring"])
    with pytest.raises(ValueError, match="unknown estimator"):
        flows.compare_estimators(methods=["nonsense"], n=10)
    with pytest.raises(ValueError, match="at least 2"):
        flows.compare_on(np.eye(3), np.eye(3), repeats=1)
    with pytest.raises(ValueError, match="2 dimensions, got 3"):
        flows.compare_on(np.eye(3), np.eye(3), ["equispaced"])
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        flows.compare_estimators(n=50, progress=progress)


def test_the_seeds_experiment_at_small_size():
    """Start 20√3 apart, constant speed 1/√3 per unit of step: W_2² = (20√3 − 0.01·k/√3)² + shape term."""
    found = flows.seed_experiment(
        n=128, steps=300, checkpoints=(0, 300), learning_rate=0.1, seeds=(0, 1),
        methods=("monte-carlo", "lower-cv", "orthogonal"), n_directions=(4, 10, 3),
    )  # fmt: skip
    assert found.w2.dims == ("estimator", "seed", "checkpoint")
    floor = (20 * np.sqrt(3) - 0.1 * 300 / np.sqrt(3)) ** 2
    end = found.w2.sel(checkpoint=300)
    np.testing.assert_allclose(end.sel(estimator="orthogonal"), floor, rtol=0.03)
    assert (end.sel(estimator="monte-carlo").mean() > end.sel(estimator="orthogonal").mean()).item()
    assert (found.sw2 <= found.w2 / 3 + 1e-3).all()
    assert list(found.n_directions.values) == [4, 10, 3]


def test_the_seeds_experiment_refuses():
    with pytest.raises(ValueError, match="2 entries for 1 methods"):
        flows.seed_experiment(methods=("design",), n_directions=(3, 4))
    with pytest.raises(ValueError, match="at least one"):
        flows.seed_experiment(methods=())
    with pytest.raises(ValueError, match="at most 5"):
        flows.seed_experiment(steps=5)
    with pytest.raises(ValueError, match="unknown shape"):
        flows.seed_experiment("teapot", steps=5, checkpoints=(5,))


@pytest.mark.slow
def test_the_seeds_experiment_at_full_size():
    """Step 3000: three orthogonal directions are the noise-free floor, 300 for the translation plus the shapes.

    With ten directions Monte Carlo lags 4 to 8 behind it and the control variates 2 to 5.
    """
    found = flows.seed_experiment(
        steps=3000, checkpoints=(3000,), seeds=(0, 1, 2),
        methods=("monte-carlo", "lower-cv", "upper-cv", "orthogonal"), n_directions=(10, 10, 10, 3),
    )  # fmt: skip
    end = found.w2.sel(checkpoint=3000).mean("seed")
    floor = float(end.sel(estimator="orthogonal"))
    assert 300 < floor < 303
    assert 3.5 < end.sel(estimator="monte-carlo") - floor < 9
    assert 1.5 < end.sel(estimator="lower-cv") - floor < 5.5
    assert 1.5 < end.sel(estimator="upper-cv") - floor < 5.5
