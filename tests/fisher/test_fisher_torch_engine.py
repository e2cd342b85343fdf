"""The torch engine: against the engine without symmetry, against the one in numba, in rounds, and on a card."""

import numpy as np
import pytest
import torch

from workbench import fisher
from workbench.fisher import contraction, metric, plain, torch_engine
from workbench.fisher.torus import torus

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card")),
]


def parts(L, J, J_vertical=None):
    pairs = metric.pairs(torus(L, J, J_vertical))
    F = metric.metric_in_space(pairs)
    return pairs, F, metric.to_momentum(F)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("L", "J", "J_vertical"),
    [((5, 6), 0.4, 0.3), ((7, 4), 0.2, -0.35), (6, fisher.J_CRITICAL, None), (5, 0.6, None), ((4, 4), 0.3, 0.55)],
)
def test_density_equals_the_plain_one(L, J, J_vertical, device):
    pairs, F, F_hat = parts(L, J, J_vertical)
    expected, _ = plain.densities(plain.dense_cumulant(pairs, F), F)
    found = torch_engine.cumulant_density(pairs, F, F_hat, device)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("device", DEVICES)
def test_density_equals_the_fast_one_at_a_larger_size(device):
    pairs, F, F_hat = parts(20, fisher.J_CRITICAL)
    expected = contraction.cumulant_density(pairs, F, F_hat)
    np.testing.assert_allclose(torch_engine.cumulant_density(pairs, F, F_hat, device), expected, rtol=1e-10)


def test_rounds_and_small_blocks_change_nothing(monkeypatch):
    pairs, F, F_hat = parts((9, 8), 0.41, 0.43)
    whole = torch_engine.cumulant_density(pairs, F, F_hat, "cpu")
    monkeypatch.setitem(torch_engine.BLOCK, "cpu", 8 * 72 * 3)
    in_rounds = torch_engine.cumulant_density(pairs, F, F_hat, "cpu", max_memory=4e4)
    np.testing.assert_allclose(in_rounds, whole, rtol=1e-13)


def test_device_names_are_checked():
    with pytest.raises(ValueError, match="device"):
        torch_engine.choose_device("gpu")
    assert torch_engine.choose_device("cpu") == "cpu"
