"""Regimes and damping: the paper's numbers, the general law against searches, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher.regulators.damping import extremes, predicted
from workbench.fisher.regulators.learning import least
from workbench.fisher.regulators.spectra import spectrum

KNOWN = {  # graph, sites: distinct eigenvalues with multiplicities, κ, Δ, α at J = ½
    ("complete", 3): ({0.38502054: 2, 1.09535971: 1}, 2.844938376910374, 0.32531863101493674, 0.43044833402699423),
    ("complete", 4): (
        {0.11683731: 2, 0.31759674: 3, 1.13704005: 1}, 9.731823110178258, 0.9033654296819326, 0.6006398139343319,
    ),
    ("complete", 5): (None, 21.381604653118483, None, 0.5540990175528507),
    ("ring", 5): (None, 1.421660205059837, 0.0, 0.0),
}  # fmt: skip
powers = st.floats(0.2, 4.0)


@pytest.mark.parametrize(("graph", "expected"), KNOWN.items(), ids=lambda value: str(value)[:16])
def test_graphs_of_the_paper(graph, expected):
    eigenvalues, kappa, damping, alpha = expected
    F = fisher.graph_metric(fisher.GRAPHS[graph[0]](graph[1]), 0.5)
    ds = fisher.regimes(F)
    if eigenvalues:
        listed = np.repeat(list(eigenvalues), list(eigenvalues.values()))
        np.testing.assert_allclose(ds.eigenvalue, listed, atol=5e-9)
        values, counts = spectrum(F).distinct()
        assert dict(zip(values.round(8).tolist(), counts.tolist(), strict=True)) == eigenvalues
    assert float(ds.kappa) == pytest.approx(kappa, rel=1e-12)
    assert float(ds.alpha) == pytest.approx(alpha, rel=1e-11, abs=1e-15)
    if damping is not None:
        assert float(ds.c_star) == pytest.approx(damping, rel=1e-11, abs=1e-15)


def test_a_triangle_in_closed_form_and_a_tree():
    J = 0.5
    tau = (math.tanh(J) + math.tanh(J) ** 2) / (1 + math.tanh(J) ** 3)  # mean bond energy of the triangle
    values = np.sort([1 - tau, 1 - tau, 1 + 2 * tau - 3 * tau**2])
    F = fisher.graph_metric(fisher.GRAPHS["complete"](3), J)
    np.testing.assert_allclose(np.linalg.eigvalsh(F), values, atol=1e-14)
    tree = fisher.graph_metric(fisher.GRAPHS["tree"](6), J)
    np.testing.assert_allclose(tree, np.eye(5) * 0.7864477329659262, atol=1e-14)
    assert fisher.optimal_damping(tree, b=0) == 0  # all directions alike: nothing to gain from any damping


@pytest.mark.parametrize(
    ("values", "alpha"),
    [([1, 5], 0.791287847478), ([1, 2.2], 0.358257569496), ([1, 2.5], 0.5), ([1, 3], (math.sqrt(5) - 1) / 2)],
)
def test_alpha_of_bare_spectra(values, alpha):
    ds = fisher.regimes(values)
    assert float(ds.alpha) == pytest.approx(alpha, abs=1e-12)
    assert fisher.beta_of(float(ds.alpha)) == pytest.approx(float(ds.c_star), rel=1e-12)


@pytest.mark.parametrize(
    ("law", "expected"),
    [((1, 1, 2), 4), ((2, 1, 2), 9), ((1, 2, 2), 1.5), ((1, 1, 3), 34), ((1, 0.25, 1.5), 4.7979589711)],
)
def test_general_law(law, expected):
    assert fisher.optimal_damping([1, 6], *law) == pytest.approx(expected, abs=1e-10)


@settings(max_examples=25, deadline=None)
@given(powers, powers, st.floats(1.2, 3.5), st.floats(1.05, 40.0), st.floats(0.1, 10.0))
def test_the_law_is_where_a_search_finds_the_least(a, b, p, kappa, low):
    values = np.array([low, low * kappa])
    closed = fisher.optimal_damping(values, a, b, p)
    scale = values[1] ** (p - 1)

    def logarithm(c):  # relative to c = 0, so that nothing cancels
        part = np.where(np.isinf(c), 0, c)[:, None] / values ** (p - 1)
        down, up = np.log1p(part).T
        return np.where(np.isinf(c), np.inf, (a + b) * up - a * down)

    found = least(logarithm, scale)
    slack = 3e-6 if abs(kappa / fisher.damping_threshold(a, b, p) - 1) > 1e-2 else 3e-3
    assert found.c == pytest.approx(closed, abs=slack * scale)
    assert (closed > 0) == (kappa > fisher.damping_threshold(a, b, p))


def test_models_are_what_their_powers_say():
    values, c = np.array([0.3, 1.0, 4.0]), np.array([0.0, 0.7, 30.0])
    for name, entry in fisher.CONVERGENCE_MODELS.items():
        largest, smallest = extremes(values, c)
        np.testing.assert_allclose(
            predicted(name, values, c), (largest / smallest) ** entry.fact("a") * largest ** entry.fact("b"), rtol=1e-14
        )
    square = predicted("A", values, c)
    np.testing.assert_allclose(predicted("D", values, c) ** 2, square, rtol=1e-14)
    assert predicted("B", values, np.array([np.inf]))[0] == pytest.approx(4.0 / 0.3)
    assert predicted("A", values, np.array([np.inf]))[0] == np.inf


def test_at_the_optimum_the_condition_number_is_twice_that_of_F():
    for values in ([1, 5], [1, 3, 10], [0.2, 7]):
        ds = fisher.regimes(values)
        assert float(ds.kappa_g) == pytest.approx(2 * float(ds.kappa), rel=1e-13)
        assert float(ds.gain) == pytest.approx(float(ds.kappa) ** 2 / (4 * (float(ds.kappa) - 1)), rel=1e-13)


@settings(max_examples=25, deadline=None)
@given(st.floats(1.01, 1e4), st.floats(1e-3, 1e3))
def test_the_widest_spread(kappa, low):
    values = [low, low * kappa]
    widest = fisher.regimes(values, low * math.sqrt(kappa))
    assert float(widest.spread) == pytest.approx(float(widest.spread_bound), rel=1e-9)
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert float(fisher.regimes(values, factor * low * math.sqrt(kappa)).spread) < float(widest.spread)


def test_effective_parameters_are_the_trace_of_the_hat_matrix():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    F = X.T @ X
    hat = X @ np.linalg.solve(F + 3.0 * np.eye(5), X.T)
    assert float(fisher.regimes(F, 3.0).effective_parameters) == pytest.approx(np.trace(hat), rel=1e-12)


def test_charts():
    ds = fisher.gaussian_charts(2.0)
    np.testing.assert_allclose(ds.alpha, [0.0, 0.686141, 0.349295, 0.961481], atol=1e-6)
    assert float(fisher.gaussian_charts(2.0, mu=1.0).alpha[3]) == pytest.approx(0.978358, abs=1e-6)
    for sigma in (0.3, 1.0, 2.0, 7.0):
        here = fisher.gaussian_charts(sigma)
        assert float(here.kappa[0]) == pytest.approx(2.0, rel=1e-12)  # exactly on the threshold
        assert float(here.kappa[1]) == pytest.approx(max(2 * sigma**2, 1 / (2 * sigma**2)), rel=1e-12)
        np.testing.assert_allclose(here.alpha_kept, np.tile(here.alpha_kept[0], (4, 1)), rtol=1e-9)
    natural = np.array([[4.0, 8.0], [8.0, 48.0]])  # covariance of (x, x²) of N(1, 2²)
    J = np.array([[4.0, 2 * 1.0 * 4.0], [0.0, 8.0]])
    np.testing.assert_allclose(fisher.in_chart(np.diag([0.25, 0.5]), J), natural, rtol=1e-12)


def test_scaling_F_keeps_kappa_and_moves_alpha():
    small, large = fisher.regimes([1.0, 5.0]), fisher.regimes([3.0, 15.0])
    assert float(small.kappa) == float(large.kappa)
    assert float(large.alpha) > float(small.alpha)


def test_phase_diagram_is_the_law():
    ds = fisher.phase_diagram(p=3, smallest=0.7, ratios=[0.3, 1.0, 4.0], kappas=[1.0, 2.0, 11.0])
    for ratio in ds.ratio.values:
        assert float(ds.threshold.sel(ratio=ratio)) == pytest.approx(fisher.damping_threshold(1, ratio, 3))
        for kappa in (2.0, 11.0):
            expected = fisher.optimal_damping([0.7, 0.7 * kappa], 1, ratio, 3)
            assert float(ds.damping.sel(ratio=ratio, kappa=kappa)) == pytest.approx(expected, rel=1e-12)


def test_exact_torus_against_enumeration_and_its_critical_line():
    F = fisher.graph_metric(fisher.GRAPHS["torus"](3), 0.4)
    np.testing.assert_allclose(fisher.torus_spectrum(3, 0.4), np.linalg.eigvalsh(F), atol=1e-12)
    along = fisher.torus_regimes((4, 8), [0.3, fisher.J_CRITICAL, 0.6], "critical line")
    coupling = fisher.torus_regimes((4, 8), [fisher.J_CRITICAL])
    np.testing.assert_allclose(along.alpha[:, 1], coupling.alpha[:, 0], rtol=1e-9)
    assert (coupling.alpha.diff("L") > 0).all()


def test_digits_are_a_fisher_matrix():
    ds = fisher.regimes(fisher.digits_metric())
    assert ds.sizes["direction"] == 17
    assert 10 < float(ds.kappa) < 100


TRAPS = {
    "changes nothing; leave one": lambda: fisher.regimes([[1.0, 1.0, 0], [1.0, 1.0, 0], [0, 0, 1.0]]),
    r"\+0.71·θ₀ −0.71·θ₁": lambda: fisher.regimes([[1.0, 1.0, 0], [1.0, 1.0, 0], [0, 0, 1.0]]),
    "negative eigenvalue": lambda: fisher.regimes([[1.0, 2.0], [2.0, 1.0]]),
    "not symmetric": lambda: fisher.regimes([[1.0, 0.5], [0.4, 1.0]]),
    "must be square": lambda: fisher.regimes(np.ones((2, 3))),
    "above 0, got -1": lambda: fisher.regimes([1.0, -1.0]),
    "farther apart": lambda: fisher.regimes([1e-14, 1.0]),
    "NaN": lambda: fisher.regimes([np.nan, 1.0]),
    "both 0": lambda: fisher.optimal_damping([1, 2], 0, 0),
    "p must be greater than 1": lambda: fisher.optimal_damping([1, 2], p=1),
    "below 1": lambda: fisher.beta_of(1.0),
    "singular .condition": lambda: fisher.in_chart([1.0, 2.0], [[1.0, 1.0], [1.0, 1.0]]),
    r"must be \(2, 2\)": lambda: fisher.in_chart([1.0, 2.0], np.eye(3)),
    "from 0 to ∞": lambda: fisher.alpha_of(-1.0),
    "two different digits": lambda: fisher.digits_metric(3, 3),
    "rising sides": lambda: fisher.torus_regimes((8, 4)),
    "unknown path": lambda: fisher.torus_regimes((4,), [0.3], "diagonal"),
}


@pytest.mark.parametrize(("words", "call"), TRAPS.items())
def test_traps_are_refused_in_words(words, call):
    with pytest.raises(ValueError, match=words):
        call()


def test_below_the_threshold_alpha_is_zero_and_never_nan():
    ds = fisher.regimes([1.0, 1.9])
    assert (float(ds.c_star), float(ds.alpha), float(ds.spread)) == (0.0, 0.0, 0.0)
    assert float(ds.gain) == 1.0
