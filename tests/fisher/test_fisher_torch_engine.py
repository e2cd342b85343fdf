"""The torch engine: batches and the choice of a device."""

import numpy as np
import pytest
import torch

from workbench.fisher import metric, torch_engine
from workbench.fisher.torus import torus


@pytest.mark.parametrize(
    "device",
    ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card"))],
)
def test_density_equals_the_plain_one(device):
    from workbench.fisher import plain

    lattice = torus((5, 6), 0.4, 0.3)
    pairs = metric.pairs(lattice)
    F = metric.metric_in_space(pairs)
    expected, _ = plain.densities(plain.dense_cumulant(pairs, F), F)
    np.testing.assert_allclose(torch_engine.cumulant_density(pairs, F, device), expected, rtol=1e-10)


def test_device_names_are_checked():
    with pytest.raises(ValueError, match="device"):
        torch_engine.choose_device("gpu")
    assert torch_engine.choose_device("cpu") == "cpu"
