"""Learners: closed counts against gradient descent that is really run, argmins, and infinity as a value."""

import math

import numpy as np
import pytest

from workbench import fisher
from workbench.fisher.regulators.damping import optimal_damping
from workbench.fisher.regulators.learning import (
    LEARNER_LOSSES,
    STEP_RULES,
    best_learning,
    count,
    first_step,
    least,
    rates_of,
)
from workbench.fisher.regulators.spectra import spectrum

SPECTRUM = np.array([1.0, 3.0, 10.0])
K4 = fisher.graph_metric(fisher.GRAPHS["complete"](4), 0.5)


def steps_run(values, c, loss, step, tolerance):
    """Run gradient descent in a skew basis until the slowest mode has come down, and count."""
    rng = np.random.default_rng(1)
    Q = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    F = Q @ np.diag(values) @ Q.T
    H = Q @ np.diag(LEARNER_LOSSES[loss](values)) @ Q.T
    g = F @ F + c * F
    update = np.linalg.solve(g, H)
    rates = np.linalg.eigvals(update).real
    mu = np.linalg.eigvalsh(g)
    eta = {
        "best": 2 / (rates.min() + rates.max()),
        "smooth": 1 / rates.max(),
        "timid": mu[0] / mu[-1],
        "fixed": first_step(values, loss),
    }[step]
    one = np.eye(len(values)) - eta * update
    modes, taken = np.eye(len(values)), 0
    while np.linalg.norm(modes, 2) ** 2 > tolerance:
        modes, taken = one @ modes, taken + 1
        assert taken < 100_000
    return taken


@pytest.mark.parametrize("loss", list(LEARNER_LOSSES))
@pytest.mark.parametrize("step", ["best", "smooth", "timid", "fixed"])
@pytest.mark.parametrize("c", [0.4, 5.0])
def test_the_closed_count_is_that_of_a_run(loss, step, c):
    values, tolerance = np.array([0.6, 1.1, 1.7]), 1e-3
    ds = fisher.measured_convergence(values, c, loss, step, tolerance=tolerance)
    taken = steps_run(values, c, loss, step, tolerance)
    assert int(ds.whole_steps[0]) == taken


@pytest.mark.parametrize(
    ("loss", "step", "at_zero", "at_infinity"),
    [
        ("isotropic", "best", 345.376, 34.423),
        ("isotropic", "smooth", 687.316, 65.563),
        ("likelihood", "best", 34.423, 0.0),
        ("squared", "best", 0.0, 34.423),
    ],
)
def test_known_counts(loss, step, at_zero, at_infinity):
    ds = fisher.measured_convergence(SPECTRUM, [0.0, math.inf], loss, step)
    np.testing.assert_allclose(ds.needed, [at_zero, at_infinity], atol=6e-4)
    assert ds.whole_steps.values[0] == max(math.ceil(at_zero), 1)


def test_gradient_flow_counts_time():
    ds = fisher.measured_convergence(SPECTRUM, [0.0, 2.0, math.inf], "isotropic", "flow")
    np.testing.assert_allclose(ds.needed, [math.log(1e6) / 2 * 100, math.log(1e6) / 2 * 120, np.inf])
    assert np.isnan(ds.whole_steps).all()


EXPECTED = {
    ("isotropic", "best"): math.inf,
    ("isotropic", "smooth"): math.inf,
    ("isotropic", "flow"): 0.0,
    ("isotropic", "fixed"): 0.0,
    ("likelihood", "best"): math.inf,
    ("likelihood", "flow"): 0.0,
    ("squared", "best"): 0.0,
    ("squared", "flow"): 0.0,
}


@pytest.mark.parametrize(("learner", "expected"), EXPECTED.items())
def test_where_learners_learn_fastest(learner, expected):
    for F in (SPECTRUM, K4, [1.0, 5.0]):
        assert best_learning(spectrum(F), *learner).c == expected


@pytest.mark.parametrize("F", [[1, 3, 10], [1, 5], K4, [0.9, 4.0, 4.1]], ids=["1, 3, 10", "1, 5", "K4", "another"])
def test_only_the_timid_step_obeys_model_a(F):
    """Its slowest mode loses μ_min/μ_max² = 1/T of itself a step, so its count is a rising function of T."""
    for loss in ("isotropic", "likelihood"):
        found = best_learning(spectrum(F), loss, "timid")
        assert found.c == pytest.approx(optimal_damping(F), rel=1e-6)


def test_how_slow_the_timid_step_is():
    assert best_learning(spectrum(SPECTRUM), "isotropic", "timid").value == pytest.approx(24_864.5, abs=0.5)


def test_a_fixed_step_past_its_limit_diverges_and_then_wants_damping():
    values = np.array([1.0, 3.0])
    assert np.isinf(fisher.measured_convergence(values, 0.0, "isotropic", "fixed", eta=2.0).needed[0])
    damped = fisher.measured_convergence(values, 0.0, "isotropic", "fixed", eta=4.0)
    assert 0 < float(damped.best_c) < math.inf
    r = rates_of(values, np.array([float(damped.best_c)]), "isotropic")
    low, high = r.low[0] * r.weight[0], r.high[0] * r.weight[0]
    assert 4.0 * (low + high) == pytest.approx(2.0, rel=1e-4)  # both ends shrink alike


def test_small_metrics_make_the_timid_step_diverge_everywhere_but_far_out():
    values = np.array([0.01, 0.02])
    needed = count(values, np.array([0.0, 1.0, math.inf]), "isotropic", "timid", 1.0, 1e-6)
    assert np.isinf(needed).all()


def test_equal_directions_take_any_damping():
    found = best_learning(spectrum([2.0, 2.0, 2.0]), "isotropic", "best")
    assert found.is_flat
    assert found.value == 0
    ds = fisher.measured_convergence([2.0, 2.0], [0.0, 1.0])
    assert ds.whole_steps.values.tolist() == [1.0, 1.0]
    assert ds.attrs["any_c"]


def test_least_knows_its_ends_and_negative_values():
    assert least(lambda c: np.where(np.isinf(c), 0.0, 1 / (1 + c)), 1.0).c == math.inf
    assert least(lambda c: np.where(np.isinf(c), np.inf, c + 1), 1.0).c == 0.0
    found = least(lambda c: np.where(np.isinf(c), 0.0, -np.exp(-((np.log(np.maximum(c, 1e-300)) - 1) ** 2))), 1.0)
    assert found.c == pytest.approx(math.e, rel=1e-6)
    assert math.isnan(least(lambda c: np.full(len(c), np.inf), 1.0).c)


def test_rules_are_found_by_name_and_bad_values_are_refused():
    for words, call in {
        "unknown loss": lambda: fisher.measured_convergence([1, 2], 1.0, "cubic"),
        "unknown step": lambda: fisher.measured_convergence([1, 2], 1.0, step="bold"),
        "from 0 to ∞": lambda: fisher.measured_convergence([1, 2], -1.0),
        "c must be": lambda: fisher.measured_convergence([1, 2], []),
        "tolerance must be": lambda: fisher.measured_convergence([1, 2], 1.0, tolerance=1.0),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()
    assert [name for name, entry in STEP_RULES.items() if not entry.fact("natural")] == ["timid"]


def test_the_report_holds_what_its_parts_say():
    ds = fisher.regulator_report("spectrum", eigenvalues=(1.0, 3.0, 10.0), loss="likelihood", beta=2.0)
    assert float(ds.c_star) == 8.0
    assert float(ds.kappa_g) == pytest.approx(20.0)
    np.testing.assert_allclose(ds.alpha_k, SPECTRUM / (SPECTRUM + 2))
    for step in STEP_RULES:
        part = fisher.measured_convergence(SPECTRUM, ds.damping.values, "likelihood", step)
        np.testing.assert_allclose(ds.needed.sel(step=step), part.needed)
    assert float(ds.needed.sel(step="best")[-1]) == 0.0  # c = ∞ is a place of its own
    assert float(ds.best.sel(loss="likelihood", step="best")) == math.inf
    np.testing.assert_allclose(ds.model_value.min("place").sel(model=["A", "D"]), 1.0, atol=2e-3)
    large = fisher.regulator_report("torus", L=32)
    assert large.sizes["direction"] <= 400
    assert int(large.parameters) == 2048
