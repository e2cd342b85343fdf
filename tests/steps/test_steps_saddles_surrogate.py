"""The surrogate against central differences, its data, and training's own gradient."""

import numpy as np
import pytest

from workbench.steps.saddles.surfaces import SURFACES
from workbench.steps.saddles.surrogate import Surrogate, covariance, make_data
from workbench.steps.saddles.training import VARIANCE_MAX, Objective, barrier, first_guess, train

SPECIES = ("H", "O", "H", "C")


@pytest.fixture
def observed(rng):
    surface = SURFACES["lennard-jones"](4)
    x = surface.start + 0.02 * rng.normal(size=(4, 12))
    pairs = [surface(row) for row in x]
    return x, np.array([e for e, _ in pairs]), np.array([g for _, g in pairs])


def fitted(observed, rng, **more):
    model = Surrogate(12, SPECIES, constant=1.0, **more)
    return model.fit(*observed, variance=1.5, scales=rng.uniform(0.8, 1.6, len(model.features.types)))


def test_kernel_blocks_are_derivatives_of_the_kernel(rng):
    model = Surrogate(12, SPECIES, constant=1.0)
    model.variance, model.scales = 1.3, rng.uniform(0.5, 2, len(model.features.types))
    base = SURFACES["lennard-jones"](4).start
    a, b = base + 0.1 * rng.normal(size=12), base + 0.1 * rng.normal(size=12)

    def at(p, q):
        data = [make_data(model.features, x[None], np.zeros(1), np.zeros((1, 12))) for x in (p, q)]
        return covariance(model, *data)

    h, matrix = 1e-5, at(a, b)
    for k, v in enumerate(np.eye(12) * h):
        assert matrix[0, 1 + k] == pytest.approx((at(a, b + v)[0, 0] - at(a, b - v)[0, 0]) / (2 * h), abs=5e-9)
        assert matrix[1 + k, 0] == pytest.approx((at(a + v, b)[0, 0] - at(a - v, b)[0, 0]) / (2 * h), abs=5e-9)
        assert np.allclose(matrix[1 + k, 1:], (at(a + v, b) - at(a - v, b))[0, 1:] / (2 * h), atol=5e-9)
    assert np.allclose(at(b, a), matrix.T, atol=1e-12)


def test_one_point_without_noise_is_reproduced_exactly(rng):
    x, energy, gradient = rng.normal(size=(1, 3)), np.array([2.5]), rng.normal(size=(1, 3))
    model = Surrogate(3, noise=0.0).fit(x, energy, gradient, variance=1.2, scales=[0.8])
    found, slope = model.predict(x[0])
    assert found == pytest.approx(2.5, abs=1e-12)
    assert np.allclose(slope, gradient[0], atol=1e-12)
    assert model.energy_variance(x[0]) == pytest.approx(0, abs=1e-12)


def test_data_come_back_to_within_the_noise(observed, rng):
    """Told what another surrogate of the same kernel says, it repeats that: no misfit is left but the noise."""
    truth = fitted(observed, rng, noise=1e-4)
    x = observed[0] + 0.05 * rng.normal(size=observed[0].shape)
    told = [truth.predict(row) for row in x]
    energies, gradients = np.array([e for e, _ in told]), np.array([g for _, g in told])
    model = Surrogate(12, SPECIES, constant=1.0).fit(
        x, energies, gradients, variance=truth.variance, scales=truth.scales, reference=truth.reference
    )
    for row, energy, gradient in zip(x, energies, gradients, strict=True):
        found, slope = model.predict(row)
        assert found == pytest.approx(energy, abs=3 * np.sqrt(model.noise))
        assert np.allclose(slope, gradient, atol=3 * np.sqrt(model.noise))


def test_gradient_and_hessian_are_those_of_the_mean(observed, rng):
    model = fitted(observed, rng, noise=1e-4)
    x, h = observed[0][0] + 0.05 * rng.normal(size=12), 1e-5
    _, slope = model.predict(x)
    assert np.allclose(
        slope, [(model.predict(x + h * v)[0] - model.predict(x - h * v)[0]) / (2 * h) for v in np.eye(12)], atol=1e-6
    )
    columns = [(model.predict(x + h * v)[1] - model.predict(x - h * v)[1]) / (2 * h) for v in np.eye(12)]
    assert np.allclose(model.hessian(x), columns, atol=1e-5)


def test_variance_vanishes_at_data_and_grows_away(observed, rng):
    model = fitted(observed, rng)
    x = observed[0][0]
    variances = [model.energy_variance(x * scale) for scale in (1.0, 1.1, 1.5)]
    assert variances[0] < 1e-5 < variances[1] < variances[2] <= model.variance + model.constant


def test_many_means_are_the_single_ones(rng):
    x = rng.normal(size=(3, 2))
    model = Surrogate(2).fit(x, rng.normal(size=3), rng.normal(size=(3, 2)), scales=[0.7])
    points = rng.normal(size=(5, 2))
    assert np.allclose(model.means(points), [model.predict(p)[0] for p in points], atol=1e-12)


@pytest.mark.parametrize("with_barrier", [True, False])
def test_training_knows_its_own_gradient(observed, rng, with_barrier):
    x, energies, gradients = observed
    model = Surrogate(12, SPECIES, constant=1.0, noise=1e-2)
    data = make_data(model.features, x, energies, gradients)
    objective = Objective(model, data, float(energies.max()), first_guess(model, data), with_barrier)
    phi = np.concatenate([[0.1], 0.3 * rng.normal(size=len(model.features.types))])
    _, gradient = objective(phi)
    h = 1e-5
    differences = [(objective(phi + h * v)[0] - objective(phi - h * v)[0]) / (2 * h) for v in np.eye(phi.size)]
    assert np.allclose(gradient, differences, rtol=1e-6, atol=1e-6 * np.abs(gradient).max())


def test_training_lowers_the_objective_and_the_barrier_holds_the_variance():
    surface = SURFACES["mueller-brown"]()
    x = np.array([[-0.9, 0.9], [-0.8, 0.9], [-0.85, 0.75]])
    pairs = [surface(row) for row in x]
    energies, gradients = np.array([e for e, _ in pairs]) / 10, np.array([g for _, g in pairs]) / 10
    variances = {}
    for held in (True, False):
        model = Surrogate(2)
        data = make_data(model.features, x, energies, gradients)
        before = Objective(model, data, float(energies.max()), first_guess(model, data), held)(np.zeros(2))[0]
        _, after = train(model, data, float(energies.max()), with_barrier=held)
        assert after <= before
        variances[held] = model.variance
    assert variances[True] < VARIANCE_MAX
    assert variances[False] > 2 * VARIANCE_MAX  # without it the variance runs away


def test_the_barrier_is_infinite_at_its_bound():
    assert barrier(np.log(2.0), 5) == (np.inf, np.inf)
    near = [barrier(np.log(2.0) - gap, 5)[0] for gap in (1e-2, 1e-6, 1e-12)]
    assert near[0] < near[1] < near[2]


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="need 6 coordinates"):
        Surrogate(7, "HH")
    with pytest.raises(ValueError, match="seen nothing"):
        Surrogate(2).predict([0.0, 0.0])
    with pytest.raises(ValueError, match="must have shape"):
        Surrogate(2).fit([[0.0, 1.0]], [0.0], [[1.0]])
    with pytest.raises(ValueError, match="positive numbers"):
        Surrogate(2).fit([[0.0, 1.0]], [0.0], [[1.0, 0.0]], scales=[-1.0])
