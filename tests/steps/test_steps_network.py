"""The whole network's radius: closed form, Taylor recurrences, and the linear model as a third engine."""

import numpy as np
import pytest
import torch
from torch import nn

from workbench import steps
from workbench.progress import Cancelled, Progress
from workbench.steps.continuation import Continuation
from workbench.steps.experiments.counterexamples import linear_example, tanh_example
from workbench.steps.network import ComplexNetwork


def setting(network, stage="converged", samples=12, direction="-gradient"):
    data = steps.digits()
    model = steps.at_stage(network, stage)
    x, y = data.train_inputs[:samples], data.train_targets[:samples]
    return model, x, y, steps.unit_direction(direction, model, x, y)


def test_the_tanh_example_where_the_bound_is_no_bound():
    true, bound = tanh_example()
    assert true == pytest.approx(1.12151002472052, rel=1e-13)
    assert bound == pytest.approx(1.99733085995551, rel=1e-13)


def test_the_exactly_linear_counterexample():
    before, after = linear_example(0.9)
    assert before == pytest.approx(0.693160, abs=5e-7)
    assert after == pytest.approx(1.466758, abs=5e-7)


def test_a_linear_network_has_its_exact_radius():
    model, x, y, v = setting("linear")
    ray = steps.Ray(model, x, y, v)
    found = steps.network_radius(model, x, v, circles=60)
    assert set(found.kind.values) <= {"zero", "beyond"}
    zeros = found.kind.values == "zero"
    assert zeros.sum() >= 8
    exact = steps.exact_radius(ray.logits, ray.slopes).radius
    np.testing.assert_allclose(found.radius[zeros], exact[zeros], rtol=1e-9)
    assert (found.radius.values[~zeros] < exact[~zeros]).all()


@pytest.mark.parametrize("network", ["mlp-relu", "mlp-gelu"])
def test_circle_and_taylor_agree(network):
    model, x, _, v = setting(network)
    found = steps.network_radius(model, x, v, circles=16)
    series = steps.taylor_radius(model, x, v)
    both = (found.kind.values == "zero") & np.isfinite(series)
    assert both.sum() >= 4
    np.testing.assert_allclose(series[both], found.radius.values[both], rtol=1e-3)
    assert np.median(np.abs(series[both] / found.radius.values[both] - 1)) < 1e-5


def test_the_zero_found_is_a_zero_of_the_network():
    model, x, _, v = setting("mlp-gelu", samples=6)
    found = steps.network_radius(model, x, v, circles=12)
    network = ComplexNetwork(model, x, v)
    zeros = np.flatnonzero(found.kind.values == "zero")
    assert zeros.size
    for i in zeros:
        z = network.at(complex(found.zero_real[i], found.zero_imaginary[i]))[i]
        terms = np.exp(z - z.real.max())
        assert abs(terms.sum()) < 1e-9 * np.abs(terms).sum()
    others = found.kind.values != "zero"
    assert (found.lower.values <= found.upper.values).all()
    assert (found.radius.values[others] >= found.lower.values[others]).all()


@pytest.mark.parametrize("network", list(steps.NETWORKS))
def test_the_continuation_is_the_network_on_the_real_axis(network):
    model, x, _, v = setting(network, samples=5)
    complex_network = ComplexNetwork(model, x, v)
    wide = model.double()
    with torch.no_grad():
        np.testing.assert_allclose(complex_network.at(0.0), wide(x.double()).numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(complex_network.at(1e-3 + 2e-3j), complex_network.at(1e-3 - 2e-3j).conj(), rtol=1e-12)
    # Cauchy–Riemann: the derivative along the imaginary axis is i times the one along the real axis
    h, centre = 1e-6, 1e-4
    along = (complex_network.at(centre + h) - complex_network.at(centre - h)) / (2 * h)
    across = (complex_network.at(centre + 1j * h) - complex_network.at(centre - 1j * h)) / (2j * h)
    np.testing.assert_allclose(across, along, rtol=1e-5, atol=1e-5)


def test_all_replacements_are_analytic_and_right_on_the_real_axis():
    x = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    F = nn.functional
    weight = torch.linspace(0.5, 1.5, 6, dtype=torch.float64)
    causal = torch.ones(4, 4, dtype=torch.bool).tril()
    functions = {
        "leaky": lambda t: F.leaky_relu(t, 0.2),
        "silu": F.silu,
        "gelu-tanh": lambda t: F.gelu(t, approximate="tanh"),
        "softmax": lambda t: torch.softmax(t, dim=-1),
        "layer-norm": lambda t: F.layer_norm(t, (6,), weight.to(t.dtype), weight.to(t.dtype)),
        "attention": lambda t: F.scaled_dot_product_attention(t, t, t),
        "causal": lambda t: F.scaled_dot_product_attention(t, t, t, is_causal=True),
        "masked": lambda t: F.scaled_dot_product_attention(t, t, t, attn_mask=causal),
    }
    for name, function in functions.items():
        mode = Continuation()
        with mode.recording():
            recorded = function(x.to(torch.complex128))
        with mode.replaying():
            replayed = function(x.to(torch.complex128))
        torch.testing.assert_close(recorded.real, function(x), msg=name)
        torch.testing.assert_close(replayed, recorded, msg=name)


def test_what_is_not_analytic_is_refused():
    class Model(nn.Linear):
        def forward(self, x):
            return torch.abs(super().forward(x))

    with pytest.raises(ValueError, match="no analytic continuation"):
        steps.network_radius(Model(2, 2), torch.rand(3, 2), {"weight": torch.eye(2)})  # both slopes differ in size
    with pytest.raises(ValueError, match="every radius is infinite"):
        steps.network_radius(nn.Linear(2, 2), torch.rand(3, 2), {"bias": torch.ones(2)})


def test_it_can_be_cancelled():
    model, x, _, v = setting("linear", samples=2)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        steps.network_radius(model, x, v, progress=progress)
