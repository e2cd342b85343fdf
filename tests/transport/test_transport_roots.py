"""The rules on S⁵ made of the root system E6: what they integrate exactly, and how the estimator uses them."""

import numpy as np
import pytest
from scipy.special import eval_gegenbauer

from workbench import transport
from workbench.transport.designs import root_lines, root_rule
from workbench.transport.evaluate import make_rule


def defect(a, b, degree):
    """Return the mean of C⁽²⁾ of the degree over pairs, over its value at 1: 0 where harmonics are integrated."""
    return float(eval_gegenbauer(degree, 2, a @ b.T).mean() / eval_gegenbauer(degree, 2, 1.0))


def test_both_sets_of_lines_are_exact_to_degree_5_and_miss_degree_6_oppositely():
    roots, dual = root_lines()
    assert (roots.shape, dual.shape) == ((36, 6), (27, 6))
    for degree in (2, 4):
        assert abs(defect(roots, roots, degree)) < 1e-15
        assert abs(defect(dual, dual, degree)) < 1e-15
    assert defect(roots, roots, 6) == pytest.approx(1 / 36, abs=1e-15)
    assert defect(dual, dual, 6) == pytest.approx(1 / 16, abs=1e-15)
    assert defect(roots, dual, 6) == pytest.approx(-1 / 24, abs=1e-15)


def test_together_they_are_exact_to_degree_7_and_not_8():
    lines, weights = root_rule(63)
    pairs = np.outer(weights, weights)
    defects = {d: float((pairs * eval_gegenbauer(d, 2, lines @ lines.T)).sum() / eval_gegenbauer(d, 2, 1.0)) for d in (2, 4, 6, 8)}  # noqa: E501 # fmt: skip
    assert max(abs(defects[d]) for d in (2, 4, 6)) < 1e-15
    assert defects[8] == pytest.approx(9 / 220, abs=1e-14)


@pytest.mark.parametrize("number", [27, 36, 63, 72, 126])
def test_the_design_of_six_dimensions_is_rotated_copies(number):
    rule = make_rule("design", number, 6, np.random.default_rng(2))
    np.testing.assert_allclose(np.linalg.norm(rule.directions, axis=1), 1, rtol=1e-13)
    assert rule.weights.sum() == pytest.approx(1)
    second = np.einsum("l,li,lj->ij", rule.weights, rule.directions, rule.directions)
    np.testing.assert_allclose(second, np.eye(6) / 6, atol=1e-14)
    assert rule.weights @ rule.directions[:, 0] ** 4 == pytest.approx(3 / 48, abs=1e-14)
    assert make_rule("design", 64, 6, np.random.default_rng(2)).directions.shape == (64, 6)


def test_a_translation_costs_its_square_over_six_without_error():
    x = np.random.default_rng(0).normal(size=(50, 6))
    found = transport.sliced_wasserstein(x, x + np.array([1.0, 2, 0, 0, 0, 2]), n_directions=36, precision="double")
    assert found.value == pytest.approx(9 / 6, rel=1e-12)


@pytest.mark.parametrize(("method", "size", "degree"), [("roots-5", 36, 4), ("roots-7", 63, 6)])
def test_the_named_rules_are_exact_to_their_degree_and_take_any_number(method, size, degree):
    """E x² = 1/6, E x⁴ = 3/48, E x⁶ = 15/480 on S⁵."""
    rng = np.random.default_rng(4)
    for number in (size, 2 * size):
        rule = make_rule(method, number, 6, rng)
        for power, moment in ((2, 1 / 6), (4, 3 / 48), (6, 15 / 480)):
            found = rule.weights @ rule.directions**power
            assert (np.abs(found - moment).max() < 1e-13) == (power <= degree)
    rest = make_rule(method, size + 5, 6, rng)
    assert rest.weights[size:].tolist() == [1 / (size + 5)] * 5
    assert len(make_rule(method, 7, 6, rng).directions) == 7
    with pytest.raises(ValueError, match=f"'{method}' is for clouds in 6 dimensions, got 3"):
        make_rule(method, size, 3, rng)
