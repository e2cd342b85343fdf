"""Taylor recurrences: known series, differentiation by another engine, and the radii they give."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from workbench import steps
from workbench.steps.experiments.taylor import circle_series
from workbench.steps.taylor import partition_series


def test_log_one_plus_exp():
    logits = np.zeros((9, 1, 2))
    logits[1, 0, 1] = 1.0
    _, log = partition_series(logits)
    expected = [math.log(2), 1 / 2, 1 / 8, 0, -1 / 192, 0, 1 / 2880]
    np.testing.assert_allclose(log[:7, 0], expected, atol=1e-15)
    np.testing.assert_allclose(
        steps.loss_series(logits, np.array([1]))[:3, 0], [math.log(2), -1 / 2, 1 / 8], atol=1e-15
    )


def small(activation, norm=False):
    layers = [nn.Linear(5, 7), *([nn.LayerNorm(7)] if norm else []), activation, nn.Dropout(0.5), nn.Linear(7, 3)]
    model = nn.Sequential(nn.Identity(), nn.Sequential(*layers)).double().eval()
    steps.networks.initialise(model, 3)
    g = torch.Generator().manual_seed(1)
    x = torch.randn(4, 5, generator=g, dtype=torch.float64)
    v = {n: 0.5 * torch.randn(p.shape, generator=g, dtype=torch.float64) for n, p in model.named_parameters()}
    return model, x, v


ACTIVATIONS = [nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.GELU(approximate="tanh")]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_recurrences_against_values_on_a_circle(activation, norm):
    """The same coefficients from FFT of complex evaluations: an engine that shares no line with the recurrences."""
    model, x, v = small(activation, norm)
    ray = steps.Ray(model, x, torch.zeros(4, dtype=torch.int64), v)
    series = steps.logit_series(ray.model, ray.inputs, ray.direction, order=12)
    other = circle_series(ray, 12)
    scale = float(steps.bound_radius(ray.slopes).min()) ** np.arange(13)[:, None, None]
    np.testing.assert_allclose(series * scale, other * scale, atol=1e-9 * np.abs(series * scale).max(), rtol=1e-6)


def test_first_coefficients_are_logits_and_slopes():
    model, x, v = small(nn.GELU(), norm=True)
    found = steps.logits_and_slopes(model, x, v)
    series = steps.logit_series(model, x, v, order=3)
    np.testing.assert_allclose(series[0], found.logits.numpy(), atol=1e-13)
    np.testing.assert_allclose(series[1], found.slopes.numpy(), atol=1e-12)


def test_the_loss_series_sums_to_the_loss():
    model, x, v = small(nn.Tanh())
    targets = torch.tensor([0, 1, 2, 0])
    ray = steps.Ray(model, x, targets, v)
    series = steps.loss_series(steps.logit_series(ray.model, x, ray.direction), ray.labels).mean(axis=1)
    tau = 0.3 * float(steps.convergence_radius(series[:, None])[0])
    assert np.polynomial.polynomial.polyval(tau, series) == pytest.approx(ray.loss_at(tau), rel=1e-12)


@pytest.mark.parametrize(("gap", "slope"), [(0.0, 1.0), (1.5, 2.0), (-2.0, 0.5)])
def test_prony_finds_the_binary_radius(gap, slope):
    model = nn.Sequential(nn.Linear(1, 2)).double()
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].bias.copy_(torch.tensor([0.0, gap]))
    v = {"0.bias": torch.tensor([0.0, slope])}
    radius = steps.taylor_radius(model, torch.ones(1, 1, dtype=torch.float64), v)
    assert radius[0] == pytest.approx(float(steps.binary_radius(gap, slope)), rel=1e-6)


def test_root_test():
    n = np.arange(1, 60)[:, None]
    series = np.concatenate([[[0.0, 0.0]], np.hstack([1 / 2.0**n, 1 / (n * 0.7**n)])])
    np.testing.assert_allclose(steps.convergence_radius(series), [2.0, 0.7], rtol=0.05)


def test_unknown_layers_are_refused():
    with pytest.raises(ValueError, match=r"no Taylor recurrence for layer 0 \(Bilinear\).*network_radius works"):
        steps.logit_series(nn.Sequential(nn.Bilinear(2, 2, 2)), torch.zeros(1, 2), {})
