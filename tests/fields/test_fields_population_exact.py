"""Populations whose answer is known: gaps in closed form, letters, swarms, the deconvolution; and what is refused."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from workbench import fields
from workbench.fields.population.deconvolution import deconvolve
from workbench.fields.population.gap import PooledField
from workbench.fields.population.laws import (
    BLUR,
    PRINT,
    Population,
    letter_field,
    letter_pixels,
    mixture_field,
    populations,
    rotation,
)
from workbench.fields.population.swarm import attraction, fit_kernel, kernel_flow, swarm_flow
from workbench.transport import wasserstein


def pair(a, b):
    return [fields.exact_field(fields.gaussian(s * b, 1.0), fields.gaussian(s * (b + a), 1.0)) for s in (-1.0, 1.0)]


@pytest.mark.parametrize(
    ("a", "b", "gap"),
    [(1, 0, 0.64462828157849), (2, 0, 1.8016081431917), (1, 1, 0.39791413166076), (1, 3, 0.0044987839186867)],
)
def test_the_gap_of_two_gaussians_is_that_of_the_quadrature(a, b, gap):
    found = [float(fields.gap_of(pair(a, b), 1500, 40, seed).total) for seed in range(8)]
    error = np.std(found, ddof=1) / math.sqrt(len(found))
    assert abs(np.mean(found) - gap) < 4 * error + 1e-4  # the midpoint rule in t
    assert error < 0.1 * gap + 3e-4


def test_populations_that_are_alike_or_far_apart_have_no_gap():
    alike = [letter_field("A", 0.3)] * 3
    assert float(fields.gap_of(alike, 10, 4).total) < 1e-20
    assert float(fields.gap_of(pair(1, 20), 200, 10).total) < 1e-10
    near, far = (float(fields.population_gap("mixtures", 6, separation=b, draws=8, times=4).total) for b in (0.0, 50.0))
    assert near > 1
    assert far < 1e-8


def test_the_pooled_field_is_the_exact_field_of_all_pixels_together():
    apart = [letter_field("T", 0.2), letter_field("T", 1.1)]
    pixels = np.concatenate([one.target.means for one in apart])
    law = fields.GaussianMixture(
        np.full(len(pixels), 1 / len(pixels)), pixels, np.tile(PRINT**2 * np.eye(2), (len(pixels), 1, 1))
    )
    together = fields.exact_field(fields.gaussian([0.0, 0.0], BLUR**2 * np.eye(2)), law, "paired")
    x = np.random.default_rng(0).normal(scale=2, size=(50, 2))
    for t in (0.0, 0.4, 0.9):
        np.testing.assert_allclose(PooledField(apart)(x, t), together(x, t), atol=1e-9)


def test_the_field_of_a_letter_is_the_formula_and_a_heat_flow_backwards():
    field, pixels = letter_field("K"), letter_pixels("K")
    x = np.random.default_rng(1).normal(scale=2, size=(20, 2))
    for t in (0.1, 0.8):
        variance = PRINT**2 + BLUR**2 * (1 - t) ** 2
        away = x[:, None] - pixels
        exponents = -(away**2).sum(axis=2) / (2 * variance)
        r = np.exp(exponents - exponents.max(axis=1, keepdims=True))
        r /= r.sum(axis=1, keepdims=True)
        wanted = -(BLUR**2 * (1 - t) / variance) * (r[:, :, None] * away).sum(axis=1)
        np.testing.assert_allclose(field(x, t), wanted, atol=1e-9)
        np.testing.assert_allclose(field(x, t), BLUR**2 * (1 - t) * field.score(x, t), atol=1e-9)


def test_the_exact_flow_of_a_letter_ends_at_the_floor_and_turns_with_the_letter():
    field = letter_field("Y")
    rng = np.random.default_rng(0)

    def away(x):
        return math.sqrt(wasserstein(x, field.couple(80, rng)[1]))

    clouds = [field.couple(80, rng) for _ in range(24)]
    ends = [fields.predict("exact", Population("Y", x0, x1, True, field))[-1] for x0, x1 in clouds]
    starts, samples = zip(*clouds, strict=True)
    reached, before, floor = (np.array([away(x) for x in those]) for those in (ends, starts, samples))
    error = math.sqrt((reached.var(ddof=1) + floor.var(ddof=1)) / len(clouds))
    assert abs(reached.mean() - floor.mean()) < 3 * error
    assert before.mean() - floor.mean() > 3 * error
    turn = rotation(0.7)
    x = clouds[0][0][:20]
    np.testing.assert_allclose(letter_field("Y", 0.7)(x @ turn.T, 0.5), letter_field("Y")(x, 0.5) @ turn.T, atol=1e-9)


def test_held_out_letters_are_letters_that_no_training_sees_and_seeds_repeat():
    seen = {one.name[0] for one in populations("letters", 48, 2)}
    assert len(seen) == 24
    assert {one.name[0] for one in populations("letters", 4, 2, held_out=True)} == {"X", "Y"}
    assert not seen & {"X", "Y"}
    for kind in ("letters", "swarm", "mixtures"):
        a, b, c = populations(kind, 2, 9), populations(kind, 2, 9), populations(kind, 2, 9, held_out=True)
        np.testing.assert_array_equal(a[1].source, b[1].source)
        assert not np.array_equal(a[1].source, c[1].source)


def test_a_letter_has_its_longer_side_and_its_hole():
    pixels = letter_pixels("O")
    assert np.abs(pixels).max() == pytest.approx(3.0)
    assert np.linalg.norm(pixels, axis=1).min() > 0.5  # the hole of the O


def test_a_swarm_with_constant_attraction_contracts_exactly():
    x = np.random.default_rng(3).normal(size=(30, 2))
    middle = x.mean(axis=0)
    end = swarm_flow(x, lambda r: np.full_like(r, 0.8))
    np.testing.assert_allclose(end, middle + math.exp(-0.8) * (x - middle), atol=1e-8)


def test_the_swarm_agrees_with_another_integrator_and_keeps_its_symmetries():
    x = np.random.default_rng(4).normal(scale=1.5, size=(12, 2))

    def velocity(_, flat):
        p = flat.reshape(-1, 2)
        away = p[None] - p[:, None]
        return (attraction(np.linalg.norm(away, axis=2))[:, :, None] * away).mean(axis=1).ravel()

    wanted = solve_ivp(velocity, (0, 1), x.ravel(), method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1].reshape(-1, 2)
    end = swarm_flow(x)
    np.testing.assert_allclose(end, wanted, atol=2e-4)  # the kernel is read from a table of 1/32
    turn = rotation(1.2)
    np.testing.assert_allclose(swarm_flow(x @ turn.T + 3.0), end @ turn.T + 3.0, atol=1e-9)
    np.testing.assert_allclose(swarm_flow(x[::-1]), end[::-1], atol=1e-12)


def test_the_law_of_pairs_is_found_and_carries_a_swarm_never_seen():
    training = populations("swarm", 2, 100)
    values = fit_kernel(training)
    at = np.array([1, 2, 4, 8, 12])
    np.testing.assert_allclose(values[at], attraction(at / 4), atol=0.12)
    one = populations("swarm", 3, 100, held_out=True)[2]
    apart = math.sqrt(wasserstein(kernel_flow(one.source, values), one.target))
    assert apart < 0.02 * math.sqrt(wasserstein(one.source, one.target))
    straight = fit_kernel(training, rounds=0)
    off = math.sqrt(wasserstein(kernel_flow(one.source, straight), one.target))
    assert off > 2 * apart  # going along the flow is worth its rounds
    with pytest.raises(ValueError, match="were followed"):
        fit_kernel(populations("mixtures", 2, 20))


def test_the_deconvolution_finds_two_points_and_refuses_what_leaves_its_grid():
    rng = np.random.default_rng(0)
    truth = np.array([[-1.5, 0.0], [1.5, 0.0]])
    x = truth[rng.integers(2, size=300)] + math.hypot(BLUR, PRINT) * rng.standard_normal((300, 2))
    law = deconvolve(x)
    near = np.linalg.norm(law.means[:, None] - truth, axis=2).min(axis=1)
    assert law.weights @ (near < 0.45) > 0.9
    np.testing.assert_allclose(law.mean, x.mean(axis=0), atol=0.05)
    with pytest.raises(ValueError, match="leave it"):
        deconvolve(x + 50)


def test_mixtures_move_across_their_axis():
    field = mixture_field(np.zeros(2), 0.4)
    shift = field.target.mean - field.source.mean
    assert np.linalg.norm(shift) == pytest.approx(2.0)
    axis = field.source.means[0] - field.source.means[1]
    assert shift @ axis == pytest.approx(0.0, abs=1e-12)


def test_what_has_no_law_is_refused_in_words():
    with pytest.raises(ValueError, match="letters"):
        populations("organoids")
    with pytest.raises(ValueError, match="mixtures"):
        fields.population_gap("swarm")
    with pytest.raises(ValueError, match="no fresh points"):
        populations("swarm", 1, 10)[0].fresh(3, 0)
    own = Population("mine", np.zeros((3, 2)), np.ones((3, 2)), False)
    with pytest.raises(ValueError, match="nobody knows"):
        fields.predict("exact", own)
    with pytest.raises(ValueError, match="taught nothing"):
        fields.predict("flow-matching", own)
    with pytest.raises(ValueError, match="begin at 0"):
        fields.predict("no-change", own, times=(0.5, 1.0))
    with pytest.raises(ValueError, match="with kind"):
        fields.population_report("letters", centres=[[0.0, 0.0]])
    with pytest.raises(ValueError, match="hold out 5"):
        fields.compare_populations(held=4)
