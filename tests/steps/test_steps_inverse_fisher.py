"""The inverse of the empirical Fisher matrix against dense inverses, in single and double precision."""

from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import steps
from workbench.steps.optimisers import mfac


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 30), st.integers(0, 1000))
def test_inverse_fisher_against_the_dense_inverse(size, window, pushes, seed):
    _against_the_dense_inverse(size, window, pushes, seed)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 30), st.integers(0, 1000))
def test_rank_two_updates_against_the_dense_inverse(size, window, pushes, seed):
    with mock.patch.object(mfac, "DIRECT", 0):  # as for large windows
        _against_the_dense_inverse(size, window, pushes, seed)


def _against_the_dense_inverse(size, window, pushes, seed):
    g = torch.Generator().manual_seed(seed)
    fisher = steps.InverseFisher(size, window, 0.1, dtype=torch.float64)
    kept = []
    for _ in range(pushes):
        gradient = torch.randn(size, generator=g, dtype=torch.float64)
        fisher.push(gradient)
        kept = [*kept, gradient][-window:]
    stacked = torch.stack(kept)
    dense = 0.1 * torch.eye(size, dtype=torch.float64) + stacked.T @ stacked / window
    vector = torch.randn(size, generator=g, dtype=torch.float64)
    torch.testing.assert_close(fisher.solve(vector), torch.linalg.solve(dense, vector), rtol=1e-9, atol=1e-9)


def test_inverse_fisher_stays_accurate_over_a_long_stream():
    g = torch.Generator().manual_seed(0)
    fisher = steps.InverseFisher(50, 16, 1e-5, dtype=torch.float64)
    kept = []
    for _ in range(1000 + 7):
        gradient = torch.randn(50, generator=g, dtype=torch.float64)
        fisher.push(gradient)
        kept = [*kept, gradient][-16:]
    stacked = torch.stack(kept)
    dense = 1e-5 * torch.eye(50, dtype=torch.float64) + stacked.T @ stacked / 16
    vector = torch.randn(50, generator=g, dtype=torch.float64)
    error = dense @ fisher.solve(vector) - vector
    assert float(error.norm() / vector.norm()) < 1e-6


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e4])
def test_inverse_fisher_keeps_its_digits_when_gradients_explode(scale):
    """Gradients of float32 whose squares leave the damping ten digits behind: the product is still the dense one."""
    g = torch.Generator().manual_seed(3)
    fisher = steps.InverseFisher(20, 4, 0.01)
    kept = []
    for k in range(11):
        gradient = torch.randn(20, generator=g) * (scale if k % 3 else 1.0)
        fisher.push(gradient)
        kept = [*kept, gradient.double()][-4:]
    stacked = torch.stack(kept)
    dense = 0.01 * torch.eye(20, dtype=torch.float64) + stacked.T @ stacked / 4
    vector = torch.randn(20, generator=g)
    expected = torch.linalg.solve(dense, vector.double())
    torch.testing.assert_close(fisher.solve(vector).double(), expected, rtol=1e-3, atol=1e-3 * float(expected.norm()))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 8),
    st.lists(st.sampled_from([1e-6, 1e-2, 1.0, 30.0, 1e3, 1e5, "again"]), min_size=1, max_size=20),
    st.sampled_from([1e-6, 1e-3, 0.1]),
    st.integers(0, 1000),
)
def test_single_precision_is_left_before_it_costs_digits(size, window, scales, damping, seed):
    """Gradients of any size, and the same one again and again: every product is the dense one in float64."""
    g = torch.Generator().manual_seed(seed)
    fisher, kept = steps.InverseFisher(size, window, damping), []
    for scale in scales:
        gradient = kept[-1].float() if scale == "again" and kept else torch.randn(size, generator=g)
        gradient = gradient * (scale if scale != "again" else 1.0)
        found = fisher.push_and_solve(gradient)
        kept = [*kept, gradient.double()][-window:]
        # (λ + GGᵀ/m)⁻¹ on G e and on another vector, from G = U s Vᵀ: no squares are subtracted
        u, s, vh = torch.linalg.svd(torch.stack(kept).T, full_matrices=True)
        values = torch.full((size,), damping, dtype=torch.float64)
        values[: len(s)] += s**2 / window
        first = u[:, : len(s)] @ (s / values[: len(s)] * vh[: len(s), -1])
        other = torch.randn(size, generator=g)
        second = u @ ((u.T @ other.double()) / values)
        condition = float(values.max()) / damping
        for vector, answer, expected in ((gradient, found, first), (other, fisher.solve(other), second)):
            # what float64 may lose, too, to terms of size |v|/λ that cancel
            lost = 1e-14 * condition * float(vector.double().norm()) / damping
            assert float((answer.double() - expected).norm()) <= 1e-3 * float(expected.norm()) + lost


def test_ordinary_gradients_stay_in_single_precision_and_large_ones_come_back_to_it():
    g = torch.Generator().manual_seed(0)
    fisher = steps.InverseFisher(1000, 4, 1e-2)
    for _ in range(9):
        fisher.push_and_solve(torch.randn(1000, generator=g) / 30)
        assert fisher.single
    fisher.push_and_solve(1e6 * torch.randn(1000, generator=g))
    fisher.solve(torch.randn(1000, generator=g))
    assert not fisher.single
    for _ in range(4):
        fisher.push_and_solve(torch.randn(1000, generator=g) / 30)
    assert fisher.single
    assert not steps.InverseFisher(3, 2, 0.1, dtype=torch.float64).single


def test_blocks_of_the_window_make_one_product(monkeypatch):
    answers = []
    for block in (1 << 20, 4 * 64):  # 64 columns is the narrowest
        monkeypatch.setattr(mfac, "BLOCK", block)
        g, fisher = torch.Generator().manual_seed(1), steps.InverseFisher(200, 4, 0.05)
        answers.append([fisher.push_and_solve(torch.randn(200, generator=g)) for _ in range(6)])
        assert fisher.single
    torch.testing.assert_close(answers[1], answers[0], rtol=1e-5, atol=1e-6)


def test_inverse_fisher_refuses_products_that_overflow():
    fisher = steps.InverseFisher(2, 2, 0.1, dtype=torch.float64)
    fisher.push(torch.tensor([1e150, 0.0], dtype=torch.float64))
    before = fisher.solve(torch.ones(2, dtype=torch.float64))
    with pytest.raises(ValueError, match="too large to square"):
        fisher.push(torch.tensor([1e160, 0.0], dtype=torch.float64))
    torch.testing.assert_close(fisher.solve(torch.ones(2, dtype=torch.float64)), before)


def test_inverse_fisher_is_made_where_it_is_asked_for():
    """The device without memory stands for any other than the CPU."""
    fisher = steps.InverseFisher(5, 3, 0.1, device="meta")
    assert {t.device.type for t in (fisher.rows, fisher.gram, fisher.inverse)} == {"meta"}
