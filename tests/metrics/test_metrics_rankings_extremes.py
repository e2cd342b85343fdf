"""The range of AP at one AUROC: known numbers, brute force over all orders, and bounds that enclose the truth."""

from itertools import combinations

import numpy as np
import pytest

from workbench import metrics
from workbench.metrics.rankings import extremes


@pytest.mark.parametrize(
    ("p", "m", "auroc", "low", "high"),
    [
        (10, 90, 0.5, 0.0999697515655578, 0.5407206692423923),
        (10, 90, 0.9, 0.3483725639685392, 0.91),
        (10, 90, 0.95, 0.5065601065601066, 0.9181818181818182),
        (5, 95, 0.8, 0.1277761928752223, 0.81),
    ],
)
def test_known_ranges(p, m, auroc, low, high):
    found = metrics.ap_range(p, m, auroc)
    assert bool(found.is_exact)
    assert float(found.lowest) == pytest.approx(low, abs=1e-13)
    assert float(found.highest) == pytest.approx(high, abs=1e-13)


@pytest.mark.parametrize(("p", "m"), [(4, 6), (1, 7), (5, 2), (3, 5)])
def test_every_auroc_equals_brute_force(p, m):
    by_total: dict[int, list[float]] = {}
    for places in combinations(range(p + m), p):
        above = np.array(places) - np.arange(p)
        by_total.setdefault(int(above.sum()), []).append(extremes.ap_of(above))
    for total, values in by_total.items():
        found = metrics.ap_range(p, m, 1 - total / (p * m))
        assert float(found.range_auroc) == pytest.approx(1 - total / (p * m), abs=1e-15)
        assert float(found.lowest) == pytest.approx(min(values), abs=1e-14)
        assert float(found.highest) == pytest.approx(max(values), abs=1e-14)
        for sign, extreme in ((-1.0, min(values)), (1.0, max(values))):
            assert extremes.extreme_profile(p, m, sign)[total] / p == pytest.approx(extreme, abs=1e-14)


def test_the_middle_of_the_best_order_may_be_two_neighbours():
    low, high, *_ = extremes.extremes(3, 50, 91)
    assert high.tolist() == [0, 45, 46]
    assert extremes.ap_of(high) == pytest.approx(0.367926, abs=1e-6)
    assert low.sum() == 91


@pytest.mark.parametrize(
    ("p", "m", "share"),
    [(10, 90, 0.1), (20, 180, 0.5), (3, 50, 0.61), (50, 50, 0.1), (10, 90, 0.99), (30, 4, 0.4), (7, 60, 0.003),
     (1, 40, 0.5), (12, 30, 0.97), (2, 3, 0.5)],
)  # fmt: skip
def test_bounds_enclose_the_exact_extremes(p, m, share):
    total = round(share * p * m)
    low, high, *_ = extremes.extremes(p, m, total)
    for order, bound, exact, sign in (
        (*extremes.least_between(p, m, total), extremes.ap_of(low), 1),
        (*extremes.greatest_between(p, m, total), extremes.ap_of(high), -1),
    ):
        assert order.sum() == total
        assert (np.diff(order) >= 0).all()
        assert 0 <= order[0] <= order[-1] <= m
        assert sign * bound <= sign * exact + 1e-14
        assert sign * exact <= sign * extremes.ap_of(order) + 1e-14


@pytest.mark.parametrize(("p", "m"), [(500, 9500), (1500, 3000), (5000, 95_000)])
def test_large_classes_get_tight_bounds(p, m):
    found = metrics.ap_range(p, m, 0.9)
    assert not bool(found.is_exact)
    assert float(found.lowest_bound) <= float(found.lowest) < float(found.highest) <= float(found.highest_bound)
    assert float(found.lowest - found.lowest_bound) < 1e-5
    assert float(found.highest_bound - found.highest) < 2e-3
    for name in ("lowest", "highest"):
        labels = extremes.labels_of(found[f"{name}_rank"].values - found.positive.values, m)
        one = metrics.ranking(labels, np.arange(p + m, 0, -1)).isel(part=0)
        assert float(one.auroc) == pytest.approx(float(found.range_auroc), abs=1e-12)
        assert float(one.ap) == pytest.approx(float(found[name]), abs=1e-12)


@pytest.mark.parametrize("auroc", [0.0, 1.0])
def test_the_ends_have_one_order(auroc):
    for p, m in ((4, 9), (800, 9000)):
        found = metrics.ap_range(p, m, auroc)
        assert float(found.lowest) == float(found.highest)


def test_auroc_is_taken_to_the_nearest_multiple_halves_upwards():
    assert float(metrics.ap_range(2, 5, 0.84).range_auroc) == 0.8
    assert float(metrics.ap_range(1, 2, 0.25).range_auroc) == 0.5
    with pytest.raises(ValueError, match="auroc must be at most 1"):
        metrics.ap_range(2, 5, 90)
    with pytest.raises(ValueError, match="positives must be at least 1"):
        metrics.ap_range(0, 5, 0.5)


def test_any_ranking_lies_in_its_range():
    for seed in range(8):
        y, scores = metrics.binormal(80, prevalence=0.2, separation=1.0, seed=seed)
        one = metrics.ranking(y, scores).isel(part=0)
        found = metrics.ap_range(16, 64, float(one.auroc))
        assert float(found.range_auroc) == pytest.approx(float(one.auroc), abs=1e-15)
        assert float(found.lowest) <= float(one.ap) <= float(found.highest)
