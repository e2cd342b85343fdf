"""Radii of activations and norms: closed forms against the zeros and poles themselves."""

import numpy as np
import pytest
import torch
from torch import nn

from workbench import steps
from workbench.steps.activations import entire_radius


def test_closed_forms():
    assert steps.tanh_radius(0.5, 1.0) == pytest.approx(np.hypot(0.5, np.pi / 2))
    assert steps.sigmoid_radius(-1.0, 2.0) == pytest.approx(np.hypot(1, np.pi) / 2)
    assert steps.relu_radius(-3.0, 2.0) == pytest.approx(1.5)
    assert np.isposinf(steps.tanh_radius(1.0, 0.0))
    assert np.isposinf(entire_radius([1.0, 2.0], 1.0)).all()


@pytest.mark.parametrize("value", [-2.0, 0.3, 5.0])
def test_the_singularity_is_where_it_is_said(value):
    """tanh and the sigmoid blow up at the predicted distance and nowhere on smaller circles."""
    slope = 0.7
    for radius, function in (
        (steps.tanh_radius(value, slope), np.tanh),
        (steps.sigmoid_radius(value, slope), lambda h: 1 / (1 + np.exp(-h))),
    ):
        angle = np.linspace(0, 2 * np.pi, 100_001)
        near = np.abs(function(value + slope * float(radius) * (1 - 1e-4) * np.exp(1j * angle)))
        inside = np.abs(function(value + slope * float(radius) * 0.9 * np.exp(1j * angle)))
        assert near.max() > 1e3
        assert inside.max() < 20


def test_layer_norm_against_roots_of_the_variance():
    rng = np.random.default_rng(0)
    value, slope = rng.normal(size=(5, 16)), rng.normal(size=(5, 16))
    radius = steps.layer_norm_radius(value, slope, epsilon=1e-3)
    for h, d, r in zip(value, slope, radius, strict=True):
        roots = np.roots([d.var(), 2 * np.cov(h, d, bias=True)[0, 1], h.var() + 1e-3])
        assert r == pytest.approx(np.abs(roots).min(), rel=1e-12)
    assert np.isposinf(steps.layer_norm_radius([[1.0, 2.0]], [[3.0, 3.0]])).all()


def test_bad_input():
    with pytest.raises(ValueError, match="NaN"):
        steps.tanh_radius(np.nan, 1.0)
    with pytest.raises(ValueError, match="at least 0"):
        steps.layer_norm_radius([[1.0, 2.0]], [[1.0, 3.0]], epsilon=-1)


def test_a_model_layer_by_layer():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 2)).double()
    inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    direction = {"0.weight": torch.full((4, 3), 0.1, dtype=torch.float64) * torch.arange(4)[:, None]}
    ds = steps.activation_radii(model, inputs, direction)
    assert list(ds.kind.values) == ["LayerNorm", "Tanh"]
    value = (inputs @ model[0].weight.T + model[0].bias).detach().numpy()
    slope = (inputs @ direction["0.weight"].T).numpy()
    np.testing.assert_allclose(ds.radius[0], steps.layer_norm_radius(value, slope, epsilon=1e-5), rtol=1e-10)
    assert not model[1]._forward_pre_hooks


@pytest.mark.parametrize("activation", [nn.GELU(), nn.GELU(approximate="tanh"), nn.SiLU(), nn.Softplus(beta=2.0)])
def test_other_activations_agree_with_the_network(activation):
    """One hidden unit: the whole network's singularity is the activation's, unless a softmax zero comes first."""
    model = nn.Sequential(nn.Linear(1, 1), activation, nn.Linear(1, 2)).double()
    with torch.no_grad():
        for p, value in zip(model.parameters(), (0.4, 0.2, [[0.0], [0.01]], [0.0, 0.0]), strict=True):
            p.copy_(torch.tensor(value, dtype=torch.float64).reshape(p.shape))
    direction = {"0.weight": torch.ones(1, 1, dtype=torch.float64)}
    inputs = torch.ones(1, 1, dtype=torch.float64)
    radius = float(steps.activation_radii(model, inputs, direction).radius[0, 0])
    if isinstance(activation, nn.GELU) and activation.approximate == "none":
        assert radius == np.inf
        return
    if isinstance(activation, nn.Softplus):
        assert radius == pytest.approx(np.hypot(2 * 0.6, np.pi) / 2)
        return
    found = steps.network_radius(model, inputs, direction)
    assert found.kind[0] == "singularity"
    assert float(found.lower[0]) * 0.9 < radius < float(found.upper[0]) * 1.1


def test_a_model_without_known_activations_is_refused():
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="no activation module"):
        steps.activation_radii(model, torch.zeros(1, 2), {"weight": torch.ones(2, 2)})
