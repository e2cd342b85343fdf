"""Generators trained with sliced losses: gradients that are right, runs that pair, and what is refused."""

import math

import numpy as np
import pytest

from workbench import data, fields
from workbench.fields.core.network import forward, pull_back, split
from workbench.fields.sliced.generator import ANY_DIMENSION, COMPARED, _fresh, _variance
from workbench.progress import Cancelled, Progress
from workbench.transport import sliced_wasserstein_gradient

SMALL = {"steps": 6, "batch": 16, "n_directions": 8, "looks": 2}


def test_the_gradient_of_the_generator_is_that_of_the_loss():
    theta, shapes = _fresh(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    z, x = rng.normal(size=(12, 16)).astype(np.float32), rng.random((12, 64))

    def loss(row):
        made = forward(*split(row, shapes), z)[0].astype(np.float64)
        return sliced_wasserstein_gradient(made, x, method="monte-carlo", n_directions=20, seed=3, precision="double")

    weights, biases = split(theta, shapes)
    _, hidden, bends = forward(weights, biases, z)
    slopes = np.zeros_like(theta)
    pull_back(weights, hidden, bends, loss(theta)[1].astype(np.float32), slopes)
    along = rng.normal(size=len(theta)).astype(np.float32)
    along /= np.linalg.norm(along)
    h = 2e-2
    slope = (loss(theta + h * along)[0] - loss(theta - h * along)[0]) / (2 * h)
    assert float(slopes @ along) == pytest.approx(slope, rel=2e-2, abs=1e-5)


def test_more_directions_vary_less_and_orthogonal_ones_less_still():
    rng = np.random.default_rng(0)
    made, x = rng.normal(size=(40, 64)).astype(np.float32), rng.random((40, 64))
    few, many = (_variance(made, x, "monte-carlo", count, [1]) for count in (16, 256))
    assert few / many == pytest.approx(16, rel=0.5)
    assert _variance(made, x, "orthogonal", 64, [1]) < 0.9 * _variance(made, x, "monte-carlo", 64, [1])


def test_methods_start_alike_and_repeat():
    one, again, other = (fields.train_generator(m, **SMALL) for m in ("monte-carlo", "monte-carlo", "orthogonal"))
    np.testing.assert_array_equal(one.picture, again.picture)
    assert float(one.wasserstein[0]) == float(other.wasserstein[0])
    assert not np.array_equal(one.picture, other.picture)
    assert float(one.floor) < float(one.wasserstein[0])


def test_a_training_is_cancelled_and_refused_in_words():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        fields.train_generator(progress=progress, **SMALL)
    with pytest.raises(ValueError, match="monte-carlo"):
        fields.train_generator("spiral")
    with pytest.raises(ValueError, match="give 'monte-carlo' and two seeds"):
        fields.generator_study(("orthogonal",))
    assert "equispaced" not in ANY_DIMENSION


def test_the_shipped_study_pairs_over_its_seeds():
    ds = data.result("fields/generators.nc")
    assert ds.estimator.values.tolist() == list(COMPARED)
    last = ds.wasserstein.isel(step=-1)
    apart = (last - last.sel(estimator="monte-carlo")).mean("seed")
    np.testing.assert_allclose(ds.difference, apart, atol=1e-12)
    assert float(ds.difference[0]) == float(ds.reach[0]) == 0.0
    assert (ds.wasserstein.isel(step=-1) < 0.7 * ds.wasserstein.isel(step=0)).all()
    assert math.isclose(float(ds.variance_ratio.sel(estimator="monte-carlo")), 1.0)
