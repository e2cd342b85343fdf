"""The exact radius against closed forms, a dense scan of the plane, and its certificate."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench import steps


def one(logits, slopes, **options):
    result = steps.exact_radius([logits], [slopes], **options)
    return float(result.radius[0]), complex(result.zero[0]), bool(result.certified[0])


@pytest.mark.parametrize(
    ("gap", "slope", "expected"),
    [(0, 1, np.pi), (2, 1, 3.72419177823717), (10, 3, 3.49395675736596), (-1.5, 0.25, 13.9252888809328)],
)
def test_binary(gap, slope, expected):
    radius, zero, certified = one([0, gap], [0, slope])
    assert radius == pytest.approx(expected, rel=1e-13)
    assert zero == pytest.approx(complex(-gap, np.pi) / slope, rel=1e-12)
    assert certified


@pytest.mark.parametrize(("classes", "step"), [(3, 1.0), (10, 1.0), (25, 0.3), (200, 0.01)])
def test_equal_logits_in_arithmetic_progression(classes, step):
    radius, _, certified = one(np.zeros(classes), step * np.arange(classes))
    assert radius == pytest.approx(2 * np.pi / (classes * step), rel=1e-12)
    assert certified


def test_product_of_binaries():
    gaps, rates = np.array([1, 2, -0.5]), np.array([1, 1.7, 0.6])
    subsets = np.array([[i >> j & 1 for j in range(3)] for i in range(8)])
    radius, _, certified = one(subsets @ gaps, subsets @ rates)
    assert radius == pytest.approx(2.19070104602187, rel=1e-13)
    assert radius == pytest.approx((np.hypot(gaps, np.pi) / rates).min(), rel=1e-13)
    assert certified
    assert steps.bound_radius([subsets @ rates])[0] == pytest.approx(0.951997773815, rel=1e-11)


@pytest.mark.parametrize(
    ("weight", "expected"), [(0.45, 1.68213734113586), (1 / 3, 2.09439510239320), (0.1, 3.75864030446938)]
)
def test_three_symmetric_classes(weight, expected):
    radius, _, certified = one(np.log([weight, 1 - 2 * weight, weight]), [-1, 0, 1])
    assert radius == pytest.approx(expected, rel=1e-13)
    assert certified


def test_a_double_zero_is_flagged_not_guessed():
    radius, _, certified = one(np.log([0.25, 0.5, 0.25]), [-1, 0, 1])
    assert radius == pytest.approx(np.pi, rel=1e-6)
    assert not certified


def test_generic_example():
    radius, zero, certified = one([0.3, -1.1, 0.7], [1, -0.4, 0.25])
    assert radius == pytest.approx(4.11611533894129, rel=1e-13)
    assert zero == pytest.approx(0.373135596682741 + 4.09916763623495j, rel=1e-12)
    assert certified


@pytest.mark.parametrize(("temperature", "expected"), [(0.5, 2.54310855062704), (4, 12.7245302631347)])
def test_temperature(temperature, expected):
    assert one([0, 2], [0, 1], temperature=temperature)[0] == pytest.approx(expected, rel=1e-13)


def test_constant_slopes():
    result = steps.exact_radius([[0.0, 1.0], [0.0, 1.0]], [[2.0, 2.0], [0.0, 1.0]])
    assert np.isposinf(result.radius[0])
    assert result.certified.all()
    assert np.isfinite(result.radius[1])
    assert len(result) == 2


def second_engine(logits, slopes, limit):
    """Return the nearest zero by brute force: Newton from every point of a dense grid of the half disc."""
    best = np.inf
    for modulus in np.linspace(0.05, 1.0, 24) * limit:
        t = modulus * np.exp(1j * np.linspace(0, np.pi, 48))
        for _ in range(40):
            terms = np.exp(
                logits + np.multiply.outer(t, slopes) - (np.multiply.outer(t.real, slopes) + logits).max(1)[:, None]
            )
            f, d = terms.sum(1), (terms * slopes).sum(1)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = f / d
            t = t - step * np.minimum(1, 0.3 * limit / np.maximum(np.abs(step), 1e-300))
        good = (np.abs(f) < 1e-9) & np.isfinite(t)
        if good.any():
            best = min(best, np.abs(t[good]).min())
    return best


@pytest.mark.parametrize("classes", [3, 5, 10])
@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_against_brute_force(classes, scale):
    rng = np.random.default_rng(classes)
    logits, slopes = scale * rng.normal(size=(12, classes)), rng.normal(size=(12, classes))
    result = steps.exact_radius(logits, slopes)
    assert result.certified.all()
    for z, a, radius in zip(logits, slopes, result.radius, strict=True):
        assert second_engine(z, a, 1.1 * radius) == pytest.approx(radius, rel=1e-8)


def windings(logits, slopes, radius):
    t = radius * np.exp(2j * np.pi * np.arange(20000) / 20000)
    exponents = logits + np.multiply.outer(t, slopes)
    f = np.exp(exponents - exponents.real.max(1, keepdims=True)).sum(1)
    return round(float(np.angle(np.roll(f, -1) / f).sum() / (2 * np.pi)))


finite = st.floats(-6, 6).map(lambda v: round(v, 4))
samples = st.integers(2, 9).flatmap(
    lambda k: st.tuples(st.lists(finite, min_size=k, max_size=k), st.lists(finite, min_size=k, max_size=k))
)


@settings(deadline=None, max_examples=150)
@given(samples)
def test_order_and_certificate(sample):
    logits, slopes = (np.array(v) for v in sample)
    assume(np.ptp(slopes) > 0.1)
    radius, zero, certified = one(logits, slopes)
    bound = steps.bound_radius([slopes])[0]
    dominance = steps.dominance_radius([logits], [slopes])[0]
    assert bound <= dominance * (1 + 1e-12)
    if certified:
        assert dominance <= radius * (1 + 1e-9)
        assert abs(zero.imag) >= bound * (1 - 1e-9)
        terms = np.exp(logits - logits.max() + slopes * zero)
        assert abs(terms.sum()) < 1e-8 * np.abs(terms).sum() * (1 + radius * np.abs(slopes).max())
        assert windings(logits, slopes, 0.999 * radius) == 0
        assert windings(logits, slopes, 1.001 * radius) >= 2


@settings(deadline=None, max_examples=100)
@given(samples, st.floats(0.1, 10), st.floats(-5, 5), st.randoms(use_true_random=False))
def test_invariances(sample, scale, shift, random):
    logits, slopes = (np.array(v) for v in sample)
    assume(np.ptp(slopes) > 0.1)
    radius, _, certified = one(logits, slopes)
    order = list(range(len(logits)))
    random.shuffle(order)
    variants = {
        "shift": (logits + shift, slopes - shift, 1.0),
        "permutation": (logits[order], slopes[order], 1.0),
        "reversal": (logits, -slopes, 1.0),
        "scale": (logits, scale * slopes, 1 / scale),
        "split": (
            np.append(logits, logits[0] + np.log(0.3)) + np.append(np.log([0.7]), np.zeros(len(logits))),
            np.append(slopes, slopes[0]),
            1.0,
        ),
    }
    for name, (z, a, factor) in variants.items():
        other, _, other_certified = one(z, a)
        if certified and other_certified:
            assert other == pytest.approx(radius * factor, rel=2e-7), name


@settings(deadline=None, max_examples=60)
@given(samples, st.floats(-3, 3))
def test_the_radius_moves_no_faster_than_the_centre(sample, shift):
    logits, slopes = (np.array(v) for v in sample)
    assume(np.ptp(slopes) > 0.1)
    here, there = one(logits, slopes), one(logits + shift * slopes, slopes)
    if here[2] and there[2]:
        assert abs(there[0] - here[0]) <= abs(shift) + 1e-3 * max(here[0], there[0])


@pytest.mark.parametrize("classes", [100, 1000])
def test_many_classes_are_certified(classes):
    rng = np.random.default_rng(0)
    logits, slopes = 2 * rng.normal(size=(8, classes)), rng.normal(size=(8, classes))
    result = steps.exact_radius(logits, slopes)
    assert result.certified.all()
    assert (result.radius >= steps.dominance_radius(logits, slopes)).all()
    for z, a, radius in zip(logits, slopes, result.radius, strict=True):
        assert windings(z, a, 0.999 * radius) == 0
        assert windings(z, a, 1.001 * radius) >= 2


def test_the_nearest_pair_alone_is_often_wrong():
    """Why the algorithm is not the two-class formula over all pairs: that is below or above the truth."""
    rng = np.random.default_rng(1)
    logits, slopes = rng.normal(size=(200, 10)), rng.normal(size=(200, 10))
    exact = steps.exact_radius(logits, slopes).radius
    i, j = np.triu_indices(10, 1)
    pair = (np.hypot(logits[:, i] - logits[:, j], np.pi) / np.abs(slopes[:, i] - slopes[:, j])).min(axis=1)
    assert (np.abs(pair / exact - 1) > 0.01).mean() > 0.5


@pytest.mark.parametrize(
    ("logits", "slopes", "message"),
    [
        ([[np.nan, 0]], [[0, 1]], "logits holds 1"),
        ([[0, 0]], [[0, np.inf]], "slopes holds 1"),
        ([[0]], [[1]], "at least 2"),
        (np.zeros((1, 1001)), np.zeros((1, 1001)), "at most 1000 classes"),
    ],
)
def test_bad_input(logits, slopes, message):
    with pytest.raises(ValueError, match=message):
        steps.exact_radius(logits, slopes)


def test_it_can_be_stopped():
    class Stop(Exception):
        pass

    seen = []

    def on_chunk(done, total):
        seen.append((done, total))
        if done >= 128:
            raise Stop

    with pytest.raises(Stop):
        steps.exact_radius(np.zeros((1000, 2)), np.tile([0.0, 1.0], (1000, 1)), on_chunk=on_chunk)
    assert seen == [(64, 1000), (128, 1000)]


@pytest.mark.parametrize("size", [1.0, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12])
def test_the_work_does_not_grow_with_the_logits(size, monkeypatch):
    """Counted, not timed: how often F is looked at on the circle. It used to be one arc a unit of radius."""
    from workbench.steps import kernels

    seen = 0

    def counting(*arguments):
        nonlocal seen
        seen += 1
        return looked(*arguments)

    looked = kernels.on_circle.py_func
    monkeypatch.setitem(kernels.winding.py_func.__globals__, "on_circle", counting)
    gaps, rates = np.array([0.0, -size, -0.7 * size]), np.array([0.0, 1.0, 0.4])
    radius = np.hypot(size, np.pi) if size > 100 else one(gaps, rates)[0]
    assert kernels.winding.py_func(gaps, rates, 0.999 * radius) == 0
    assert seen < 200


@pytest.mark.parametrize("size", [1e3, 1e5, 1e8, 1e10, 1e13])
def test_large_logits_keep_their_certificate(size):
    """Far from its tie the third class weighs nothing: the radius is that of the first two."""
    radius, zero, certified = one([0, -size, -0.7 * size], [0, 1, 0.4])
    assert radius == pytest.approx(np.hypot(size, np.pi), rel=1e-14)
    assert zero.imag == pytest.approx(np.pi, rel=1e-12)
    assert certified
    assert steps.dominance_radius([[0, -size, -0.7 * size]], [[0, 1, 0.4]])[0] == pytest.approx(radius, rel=1e-12)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e6])
def test_large_products_of_binaries(size):
    """Eight classes whose partition function factorises: the zeros of each factor are known."""
    gaps, rates = size * np.array([1, 2, -0.5]), np.array([1, 1.7, 0.6])
    subsets = np.array([[i >> j & 1 for j in range(3)] for i in range(8)])
    radius, _, certified = one(subsets @ gaps, subsets @ rates)
    assert radius == pytest.approx((np.hypot(gaps, np.pi) / rates).min(), rel=1e-12)
    assert certified


@pytest.mark.parametrize("rate", [1e-3, 1e-6, 1e-9])
def test_a_slow_pair_beside_a_fast_class_far_below(rate):
    """1 + exp(εu) + exp(u − 10⁹/ε): the radius is π/ε, though a class of rate 1 takes part."""
    radius, _, certified = one([0, 0, -1e2 / rate], [0, rate, 1])
    assert radius == pytest.approx(np.pi / rate, rel=1e-12)
    assert certified


def test_three_lines_that_meet_far_out():
    """e^{−u}·w + (1 − 2w) + e^{u}·w seen from 10⁶ away: the nearest zero is no pair's."""
    far, weight = 1e6, 0.45
    logits, slopes = np.log([weight, 1 - 2 * weight, weight]), np.array([-1.0, 0.0, 1.0])
    radius, zero, certified = one(logits - far * slopes, slopes)
    height = np.arccos(-(1 - 2 * weight) / (2 * weight))
    assert zero == pytest.approx(complex(far, height), rel=1e-9)
    assert radius == pytest.approx(far, rel=1e-9)
    assert certified


@settings(deadline=None, max_examples=60)
@given(samples, st.sampled_from([10.0, 1e3, 1e6, 1e9]))
def test_certificates_of_large_logits_are_true(sample, size):
    """A certified radius is never below the dominance bound and never above the distance of a pair that is alone."""
    logits, slopes = size * np.array(sample[0]), np.array(sample[1])
    assume(np.ptp(slopes) > 0.1)
    radius, zero, certified = one(logits, slopes)
    if not certified:
        return
    assert steps.dominance_radius([logits], [slopes])[0] <= radius * (1 + 1e-9)
    terms = logits + slopes * zero.real
    close = terms > terms.max() - 30 - 1e-13 * abs(terms.max())
    assert close.sum() >= 2  # a lone term cannot vanish


def test_a_masked_class_is_absent():
    logits, slopes = [[0.3, -np.inf, -1.1, 0.7]], [[1.0, 50.0, -0.4, 0.25]]
    alone = steps.exact_radius([[0.3, -1.1, 0.7]], [[1.0, -0.4, 0.25]])
    found = steps.exact_radius(logits, slopes)
    assert found.radius == pytest.approx(alone.radius, rel=1e-14)
    assert found.certified.all()
    dominance = steps.dominance_radius([[0.3, -1.1, 0.7]], [[1.0, -0.4, 0.25]])
    np.testing.assert_allclose(steps.dominance_radius(logits, slopes), dominance, rtol=1e-14)
    with pytest.raises(ValueError, match="every logit of sample 0"):
        steps.exact_radius([[-np.inf, -np.inf]], [[0.0, 1.0]])


@pytest.mark.parametrize("radius_of", [steps.exact_radius, steps.dominance_radius])
def test_differences_that_overflow_are_refused(radius_of):
    with pytest.raises(ValueError, match=r"sample 1 differ by more than"):
        radius_of([[0.0, 1.0], [1.7e308, -1.7e308]], [[0.0, 1.0], [0.0, 1.0]])


def test_many_classes_come_in_smaller_pieces():
    """A compiled call cannot be interrupted, so that none may be long."""
    seen = []
    rng = np.random.default_rng(0)
    steps.exact_radius(rng.normal(size=(9, 800)), rng.normal(size=(9, 800)), on_chunk=lambda *at: seen.append(at))
    assert seen == [(8, 9), (9, 9)]
