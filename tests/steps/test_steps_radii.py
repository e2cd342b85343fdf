"""Bound, dominance and binary radii against closed forms, and their properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench import steps

BINARY = [
    (0.0, 1.0, np.pi),
    (2.0, 1.0, 3.72419177823717),
    (10.0, 3.0, 3.49395675736596),
    (-1.5, 0.25, 13.9252888809328),
]


def pairs(classes=st.integers(2, 8), batch=4):
    shapes = classes.map(lambda k: (batch, k))
    number = st.floats(-8, 8).map(lambda v: round(v, 6))
    return shapes.flatmap(
        lambda s: st.tuples(hnp.arrays(float, s, elements=number), hnp.arrays(float, s, elements=number))
    )


@pytest.mark.parametrize(("gap", "slope", "expected"), BINARY)
def test_binary_closed_form(gap, slope, expected):
    assert steps.binary_radius(gap, slope) == pytest.approx(expected, rel=1e-14)
    assert steps.dominance_radius([[0, gap]], [[0, slope]])[0] == pytest.approx(expected, rel=1e-12)
    assert steps.bound_radius([[0, slope]])[0] == pytest.approx(np.pi / slope, rel=1e-15)


def test_binary_temperature():
    assert steps.binary_radius(2.0, 1.0, temperature=0.5) == pytest.approx(2.54310855062704, rel=1e-14)
    assert steps.binary_radius(2.0, 1.0, temperature=4) == pytest.approx(12.7245302631347, rel=1e-14)
    assert steps.bound_radius([[0, 1.0]], temperature=4)[0] == pytest.approx(4 * np.pi)


def test_constant_slopes_are_infinite():
    assert np.isposinf(steps.bound_radius([[2.0, 2.0, 2.0]])).all()
    assert np.isposinf(steps.dominance_radius([[0.0, 1.0]], [[3.0, 3.0]])).all()
    assert np.isposinf(steps.binary_radius(1.0, 0.0))
    assert steps.set_radius([np.inf, np.inf]) == np.inf


@settings(deadline=None)
@given(pairs())
def test_dominance_lies_between_bound_and_first_zero(pair):
    logits, slopes = pair
    bound, dominance = steps.bound_radius(slopes), steps.dominance_radius(logits, slopes)
    assert (dominance >= bound * (1 - 1e-12)).all()
    # nothing vanishes inside: F is bounded away from 0 on a dense polar grid of the disc
    for z, a, radius in zip(logits, slopes, dominance, strict=True):
        if np.isfinite(radius):
            t = radius * np.outer(np.linspace(0.05, 0.98, 12), np.exp(1j * np.linspace(0, np.pi, 40)))
            exponents = z + np.multiply.outer(t, a)
            terms = np.exp(exponents - exponents.real.max(axis=-1, keepdims=True))  # wide slopes overflow otherwise
            assert (np.abs(terms.sum(axis=-1)) > 1e-9 * np.abs(terms).sum(axis=-1)).all()


@settings(deadline=None)
@given(pairs(), st.floats(0.1, 10), st.floats(-5, 5))
def test_symmetries(pair, scale, shift):
    logits, slopes = pair
    for radius in (steps.dominance_radius, lambda z, a: steps.bound_radius(a)):
        reference = radius(logits, slopes)
        np.testing.assert_allclose(radius(logits + shift, slopes + shift), reference, rtol=1e-7)
        np.testing.assert_allclose(radius(logits, -slopes), reference, rtol=1e-9)
        np.testing.assert_allclose(radius(logits, scale * slopes), reference / scale, rtol=1e-9)
        np.testing.assert_allclose(radius(logits[:, ::-1], slopes[:, ::-1]), reference, rtol=1e-7)


def test_trust_region_reading():
    """For linear logits no sample's loss changes by more than πr, and no prediction flips with a margin above πr."""
    rng = np.random.default_rng(0)
    logits, slopes = 3 * rng.normal(size=(200, 7)), rng.normal(size=(200, 7))
    labels = rng.integers(7, size=200)
    tau = steps.set_radius(steps.bound_radius(slopes))

    def losses(z):
        return np.log(np.exp(z).sum(axis=1)) - z[np.arange(200), labels]

    for r in (0.3, 1.0, 2.0):
        moved = logits + r * tau * slopes
        assert np.abs(losses(moved) - losses(logits)).max() <= np.pi * r
        ordered = np.sort(logits, axis=1)
        flipped = moved.argmax(axis=1) != logits.argmax(axis=1)
        assert ((ordered[:, -1] - ordered[:, -2])[flipped] <= np.pi * r).all()


def test_set_radius_and_quantiles():
    radii = np.pi / np.arange(1, 101)
    assert steps.set_radius(radii) == pytest.approx(np.pi / 100)
    assert steps.set_radius(radii, quantile=0.5) == pytest.approx(np.pi / 50.5)
    assert steps.set_radius([1.0, np.inf]) == 1.0
    with pytest.raises(ValueError, match="at most 1"):
        steps.set_radius(radii, quantile=1.5)
    with pytest.raises(ValueError, match="radii ≥ 0"):
        steps.set_radius([np.nan])


@pytest.mark.parametrize(
    ("slopes", "message"),
    [
        ([[np.nan, 1.0]], "NaN or infinite"),
        ([[np.inf, 1.0]], "NaN or infinite"),
        ([[1.0]], "at least 2"),
        ([1.0, 2.0], "2 dimension"),
    ],
)
def test_bad_slopes_are_refused(slopes, message):
    with pytest.raises(ValueError, match=message):
        steps.bound_radius(slopes)


def test_bad_pairs_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        steps.dominance_radius([[0.0, 1.0, 2.0]], [[0.0, 1.0]])
    with pytest.raises(ValueError, match="greater than 0"):
        steps.bound_radius([[0.0, 1.0]], temperature=0)
