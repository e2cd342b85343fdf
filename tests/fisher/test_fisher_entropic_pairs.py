"""Entropic curvature between two measures: known values, two routes, bounds and invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher.entropic.measures import Bumps, Normal, Table

K = fisher.entropic_curvature
ONE = Normal(0, 1)


@pytest.mark.parametrize(
    ("ends", "reference", "t", "N", "value"),
    [
        ((ONE, Normal(1, 4)), None, 0.25, np.inf, 0.2659026995958584),
        ((Normal(0, 0.49), Normal(1.3, 1.21)), Normal(0, 2.25), 0.3, np.inf, 0.5609359146734115),
        ((Normal(0.3, 0.2), Normal(1.7, 0.2)), Normal(0, 2.25), 0.7, np.inf, 4 / 9),
        ((ONE, Normal(0, 4)), None, 0.5, np.inf, 8 * np.log(1.5 / np.sqrt(2))),
        ((ONE, Normal(0, 4)), None, 0.25, np.inf, 0.5318053991917168),
        ((ONE, Normal(0, 4)), None, 0.25, 2, 0.2599879914740963),
        ((ONE, Normal(0, 4)), None, 0.25, 5, 0.42154720343131025),
        ((ONE, Normal(0, 4)), None, 0.25, 50, 0.5206838205765523),
        ((ONE, Normal(0, 4)), None, 0.25, 1, 0.0),
    ],
)
def test_the_known_values(ends, reference, t, N, value):
    found = K(*ends, reference=reference, t=t, N=N)
    assert float(found.value) == pytest.approx(value, rel=1e-12, abs=1e-13)


def as_bumps(one):
    return Bumps([1.0], one.mean, np.sqrt(one.covariance[0]))


@pytest.mark.parametrize("N", [1.5, np.inf])
def test_quadrature_on_the_line_agrees_with_the_closed_form(N):
    ends = Normal(-0.4, 0.5), Normal(1.3, 1.7)
    for reference in (None, Normal(0.2, 2.0)):
        closed = K(*ends, reference=reference, t=0.3, N=N)
        line = K(as_bumps(ends[0]), as_bumps(ends[1]), reference=reference, t=0.3, N=N)
        for name in ("value", "internal", "potential", "W2", "entropy", "chord", "arc"):
            np.testing.assert_allclose(line[name], closed[name], atol=1e-11, err_msg=name)
        assert float(line.error) < 1e-11


def test_tables_are_exact_for_what_they_say():
    """Uniform [0, 1] → density 2x: T = √x, and all integrals are elementary."""
    found = K(Table([0, 1], [1, 1]), Table([0, 1], [1e-9, 2.0]))
    assert float(found.W2) == pytest.approx(1 / 30, rel=1e-6)
    gap = 0.75 * np.log(3) - np.log(4) + 0.5 * np.log(2) + 0.25
    assert float(found.value) == pytest.approx(8 * gap * 30, rel=1e-6)


def test_a_table_of_a_mixture_is_the_mixture():
    bumps = Bumps([0.6, 0.4], [0.0, 2.5], [1.0, 0.7])
    x = np.linspace(-7, 8, 6001)
    table = Table(x, np.exp(bumps.log_density(x[:, None])))
    ends = Normal(0.5, 0.4), Normal(1.6, 0.3)
    exact, tabled = (K(*ends, reference=one) for one in (bumps, table))
    assert float(tabled.value) == pytest.approx(float(exact.value), abs=1e-4)
    mixed = K(bumps, ends[0])
    assert float(K(table, ends[0]).value) == pytest.approx(float(mixed.value), abs=2e-3)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_the_pairs_part_is_never_negative_and_the_whole_above_the_bound(seed, d):
    rng = np.random.default_rng(seed)

    def normal():
        root = rng.normal(size=(d, d))
        return Normal(rng.normal(size=d), root @ root.T + 0.1 * np.eye(d))

    mu0, mu1, reference = normal(), normal(), normal()
    t = float(rng.uniform(0.05, 0.95))
    found = K(mu0, mu1, reference=reference, t=t)
    bound = 1 / np.linalg.eigvalsh(reference.covariance)[-1]
    assert float(found.internal) >= -1e-12
    assert float(found.value) >= bound - 1e-10
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    scale = 3.0

    def moved(one):
        return Normal(scale * turn @ one.mean + 1, scale**2 * turn @ one.covariance @ turn.T)

    other = K(moved(mu0), moved(mu1), reference=moved(reference), t=t)
    assert float(other.value) * scale**2 == pytest.approx(float(found.value), rel=1e-8)
    assert float(K(mu1, mu0, reference=reference, t=1 - t).value) == pytest.approx(float(found.value), rel=1e-8)
    values = [float(K(mu0, mu1, reference=reference, t=t, N=N).value) for N in (d, 10 * d, 1e7)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(float(found.value), rel=1e-4)


def test_limits_keep_their_digits():
    near = [float(K(ONE, Normal(0, (1 + e) ** 2)).value) for e in (1e-3, 1e-6)]
    assert near[1] == pytest.approx(1.0, abs=1e-5)  # ∫|∇ of the step|² over its square
    assert near[0] == pytest.approx(near[1], abs=2e-3)
    ends = [float(K(ONE, Normal(0, 4), t=t).value) for t in (1e-9, 1e-5)]
    assert ends[0] == pytest.approx(ends[1], abs=1e-4)
    far = Bumps([1e-3, 1 - 1e-3], [-30, 0], [0.5, 1.0])
    assert np.isfinite(float(K(far, ONE).value))


def test_the_arc_meets_the_entropy_where_it_was_fitted():
    for N in (1.5, np.inf):
        found = K(Normal(-1, 0.5), Normal(2, 1.5), reference=Bumps([0.5, 0.5], [-1, 2], [1, 0.5]), N=N)
        middle = found.sizes["place"] // 2
        assert float(found.arc[middle]) == pytest.approx(float(found.entropy[middle]), abs=1e-10)
        np.testing.assert_allclose(found.arc[[0, -1]], found.entropy[[0, -1]], atol=1e-12)


def test_densities_to_draw_have_mass_one():
    found = K(Normal(-1, 0.5), Bumps([0.5, 0.5], [-1, 2], [1, 0.5]))
    for k in range(found.sizes["moment"]):
        mass = np.trapezoid(found.density[k], found.position[k])
        assert mass == pytest.approx(1, abs=5e-3)  # the trapezoidal rule over the 121 nodes that are drawn


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: K(ONE, Normal(0, 1)), "both measures are the same"),
        (lambda: K(ONE, Normal([0, 1], np.eye(2))), "mu1 lives in 2 dimensions"),
        (lambda: K(ONE, Normal(1, 1), t=1.0), "strictly between 0 and 1"),
        (lambda: K(ONE, Normal(1, 1), N=0.5), "N must be at least 1"),
        (lambda: Normal(0, -1), "positive definite"),
        (lambda: Normal([0, 0], [[1, 2], [0, 1]]), "not symmetric"),
        (lambda: Bumps([0.5, 0.6], [0, 1], [1, 1]), "sum to 1"),
        (lambda: Bumps([1.0], [0, 1], [1, 1]), "as many of each"),
        (lambda: Table([0, 0], [1, 1]), "x must rise"),
        (lambda: Table([0, 1, 2], [1, 0, 1]), r"got 0 at x\[1\]"),
        (lambda: K(ONE, Normal(1, 1), reference=Table([0, 1], [1, 1])), "give a wider table"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="mu1 must be a Normal, Bumps or Table"):
        K(ONE, 3.0)
