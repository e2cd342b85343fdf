"""Energy confusion and energy distance: identities, gradients, the power that degenerates, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance as root_of_half

from workbench import metrics
from workbench.metrics.embeddings.confusion import confusion
from workbench.metrics.embeddings.inputs import labelled

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)) + 3
Y = RNG.integers(0, 4, 60)


def by_pairs(x, y, power=2.0):
    """Return E by the double loop."""
    values = [
        0.5 * np.sqrt(np.sum((x[i] - x[j]) ** 2)) ** power for i in range(len(x)) for j in range(i) if y[i] != y[j]
    ]
    return float(np.mean(values))


def test_the_identity_of_means_and_traces():
    x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    found = metrics.energy_confusion(x, ["x", "x", "y", "y"])
    means, traces = ((1.0, 0.0), (0.0, 2.0)), (1.0, 1.0)
    assert float(found.value) == 3.5
    assert 0.5 * (np.sum(np.subtract(*means) ** 2) + sum(traces)) == 3.5


@pytest.mark.parametrize("power", [2.0, 1.0, 0.5])
@pytest.mark.parametrize("normalised", [False, True])
def test_value_and_gradient_are_those_of_all_pairs(power, normalised):
    def seen(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True) if normalised else x

    found = metrics.energy_confusion(X, Y, power, normalised=normalised)
    assert float(found.value) == pytest.approx(by_pairs(seen(X), Y, power), rel=1e-12)
    for i, f in ((3, 2), (40, 0)):
        up, down = X.copy(), X.copy()
        up[i, f] += 1e-6
        down[i, f] -= 1e-6
        slope = (np.log(by_pairs(seen(up), Y, power)) - np.log(by_pairs(seen(down), Y, power))) / 2e-6
        assert float(found.gradient[i, f]) == pytest.approx(slope, abs=1e-8)
    assert float(found.euler) == pytest.approx(0.0 if normalised else power, abs=1e-12)


def test_moments_far_from_the_origin_do_not_cancel():
    far = X + 1e7
    assert confusion(labelled(far, Y))[0] == pytest.approx(by_pairs(far, Y), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 50))
def test_turned_and_moved_it_stands_scaled_it_shifts(seed, scale):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    before = float(metrics.energy_confusion(X, Y).log)
    assert float(metrics.energy_confusion(X @ q + rng.normal(size=5), Y).log) == pytest.approx(before, abs=1e-12)
    assert float(metrics.energy_confusion(scale * X, Y).log) == pytest.approx(before + 2 * np.log(scale), abs=1e-12)


def test_independent_unit_vectors_have_energy_one():
    x = np.random.default_rng(1).normal(size=(2000, 128))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    assert float(metrics.energy_confusion(x, np.arange(2000) % 10).value) == pytest.approx(1.0, abs=2e-3)


def test_the_energy_distance_of_power_two_sees_means_alone():
    a, b = X[:25], X[25:] * [1, 2, 3, 4, 5]
    assert metrics.energy_distance(a, b, 2) == pytest.approx(2 * np.sum((a.mean(0) - b.mean(0)) ** 2), rel=1e-12)
    moved = b - b.mean(0) + a.mean(0)
    assert metrics.energy_distance(a, moved, 2) == pytest.approx(0.0, abs=1e-12)
    assert metrics.energy_distance(a, moved, 1) > 0.5
    assert metrics.energy_distance(a, a[::-1], 1) == pytest.approx(0.0, abs=1e-12)
    repeated = np.repeat(a, 3, axis=0)  # one law, another sample
    assert metrics.energy_distance(a, repeated, 1) == pytest.approx(0.0, abs=1e-12)


def test_the_energy_distance_is_that_of_all_pairs_and_of_scipy_on_a_line():
    a, b = X[:20], X[20:]
    for power in (1.0, 0.7):
        across, first, second = (cdist(u, v).ravel() ** power for u, v in ((a, b), (a, a), (b, b)))
        expected = 2 * across.mean() - first.mean() - second.mean()
        assert metrics.energy_distance(a, b, power) == pytest.approx(expected, rel=1e-12)
    one = metrics.energy_distance(a[:, :1], b[:, :1])
    assert one == pytest.approx(root_of_half(a[:, 0], b[:, 0]) ** 2, rel=1e-12)  # SciPy's is √(2∫(F−G)²)


def test_the_table_of_classes_holds_the_energy_distances():
    found = metrics.energy_confusion(X, Y, 1.0)
    a, b = X[Y == 1], X[Y == 3]
    assert float(found.distance[1, 3]) == pytest.approx(metrics.energy_distance(a, b), rel=1e-12)
    assert float(found["mean"][1, 3]) == pytest.approx(0.5 * cdist(a, b).mean(), rel=1e-12)
    assert np.all(np.diag(found.distance) == 0)


def test_where_all_pairs_coincide_the_gradient_is_zero():
    found = metrics.energy_confusion(np.ones((4, 2)), [0, 0, 1, 1], 1.0)
    assert float(found.value) == 0
    assert float(found.log) == -np.inf
    assert not found.gradient.any()


def test_threads_give_what_one_thread_gives():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(700, 8)), rng.integers(0, 3, 700)
    found = metrics.energy_confusion(x, y, 1.0)
    distances = cdist(x, x)
    apart = y[:, None] != y[None, :]
    assert float(found.value) == pytest.approx(0.5 * distances[apart].mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.energy_confusion(X, np.zeros(60, int)), "all 60 items are of class 0"),
        (lambda: metrics.energy_confusion(X, Y[:59]), "60 rows and labels has 59"),
        (lambda: metrics.energy_confusion(X, Y, 3), "power must be at most 2"),
        (lambda: metrics.energy_confusion(X, Y, 0), "greater than 0"),
        (lambda: metrics.energy_confusion(np.where(X > 5, np.nan, X), Y), r"NaN or infinity in row \d+"),
        (lambda: metrics.energy_confusion(np.zeros((2, 2)), [0, 1], normalised=True), "row 0 .* has no direction"),
        (lambda: metrics.energy_confusion(X, [None, *Y[1:].tolist()]), "no label in row 0"),
        (lambda: metrics.energy_confusion(X, np.arange(60.0) / 0), "labels has"),
        (lambda: metrics.energy_confusion(1e120 * X, Y), "square sums overflow"),
        (lambda: metrics.energy_distance(X, X[:, :2]), "5 features and y has 2"),
        (lambda: metrics.energy_confusion(np.zeros((100_000, 50)), np.arange(100_000) % 7, 1.0), "draw a part"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_refusals(call, words):
    with pytest.raises(ValueError, match=words):
        call()
