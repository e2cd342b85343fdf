"""The layer: gradients against finite differences, its promise where nothing folds, folds, the released code."""

import numpy as np
import pytest
import torch

from workbench.flows.covariances import stable
from workbench.flows.covariances.layer import METRICS, SPDBatchNorm, released_mean
from workbench.transport.bures_mean import bures_mean
from workbench.transport.gaussians import bures_distance, bures_exp, bures_log, bures_transport, symmetric

I4 = torch.eye(4, dtype=torch.float64)


def batch(count, n, condition, seed=0):
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        q = np.linalg.qr(rng.normal(size=(n, n)))[0]
        out.append(symmetric((q * condition ** -rng.random(n)) @ q.T))
    return torch.tensor(np.array(out))


def symmetric_input(function, x):
    """Gradcheck moves single entries; the functions mean symmetric matrices."""
    return torch.autograd.gradcheck(
        lambda a: function((a + a.mT) / 2), x.clone().requires_grad_(), atol=1e-6, rtol=1e-5
    )


SPECTRAL = {
    "root": lambda a: stable.power(a, 0.5),
    "inverse root": lambda a: stable.power(a, -0.5),
    "square": lambda a: stable.power(a, 2),
    "power": lambda a: stable.power(a, 0.3),
    "log": stable.logarithm,
    "exp": stable.exponential,
    "rectified": lambda a: stable.rectified(a, 0.05),
}


@pytest.mark.parametrize("name", SPECTRAL)
@pytest.mark.parametrize("spread", [1.0, 1e-7, 0.0])
def test_spectral_derivatives_where_eigenvalues_meet(name, spread):
    h = batch(1, 4, 10, 3)[0]
    x = (1.3 * I4 + spread * (h - h.diagonal().mean() * I4))[None]
    assert symmetric_input(SPECTRAL[name], x)


def test_autograd_through_eigh_is_nan_there_and_the_released_derivative_is_wrong():
    def through_eigh(a):
        values, u = torch.linalg.eigh(a)
        return (u * values.sqrt()) @ u.mT

    h = batch(1, 4, 10, 3)[0]
    found = {}
    for name, function in (
        ("eigh", through_eigh),
        ("released", lambda a: stable.power(a, 0.5, released=True)),
        ("ours", lambda a: stable.power(a, 0.5)),
    ):
        x = I4.clone().requires_grad_()
        (function(x) * h).sum().backward()
        found[name] = x.grad
    assert torch.isnan(found["eigh"]).any()
    torch.testing.assert_close(found["ours"], h / 2)
    torch.testing.assert_close(found["released"], torch.diag(h.diagonal()) / 2)


def test_stretch_is_parallel_transport_and_differentiates_in_the_base():
    x = batch(5, 4, 50)
    g = batch(1, 4, 20, 1)[0]
    expected = bures_transport(x.numpy(), g.numpy(), np.eye(4))
    np.testing.assert_allclose(stable.stretch(x, g), expected, atol=1e-12)
    for base in (g, I4, I4 + 1e-8 * g):
        assert torch.autograd.gradcheck(
            lambda v, b: stable.stretch((v + v.mT) / 2, (b + b.mT) / 2),
            (x.clone().requires_grad_(), base.clone().requires_grad_()),
            rtol=1e-5,
        )


def test_gradient_of_the_exact_mean():
    x = batch(4, 3, 100)
    torch.testing.assert_close(stable.exact_mean(x), torch.tensor(bures_mean(x.numpy()).mean))
    assert symmetric_input(stable.exact_mean, x)
    assert symmetric_input(stable.exact_mean, torch.stack([torch.eye(3, dtype=torch.float64)] * 3))


@pytest.mark.parametrize(
    ("metric", "power", "variant"),
    [
        ("bures", 1.0, "exact"),
        ("bures", 1.0, "paper"),
        ("bures", 0.5, "exact"),
        ("generalised-bures", 1.0, "paper"),
        ("generalised-bures", 0.7, "exact"),
        ("log-euclidean", 1.0, "exact"),
        ("log-cholesky", 1.0, "exact"),
    ],
)
def test_gradient_of_the_layer(metric, power, variant):
    layer = SPDBatchNorm(3, metric, power, variant=variant, tolerance=0.0)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, dtype=torch.float64))
        for parameter in (layer.bias, layer.base):
            if parameter is not None:
                parameter.copy_((parameter + parameter.mT) / 2)
        layer.scale.fill_(0.2)  # small enough that nothing is capped: the cap itself is held constant
    x = batch(4, 3, 20)
    weight = torch.randn(4, 3, 3, dtype=torch.float64)

    def loss(a):
        return (layer(a) * weight).sum()

    layer(x)
    assert layer.capped == 0
    assert symmetric_input(loss, x)
    (loss(x)).backward()
    for parameter in layer.parameters():
        h = torch.randn(parameter.shape, dtype=torch.float64)
        h = (h + h.mT) / 2 if h.ndim else h
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter.add_(sign * 1e-5 * h)
                values.append(float(loss(x)))
                parameter.sub_(sign * 1e-5 * h)
        assert (values[0] - values[1]) / 2e-5 == pytest.approx(float((parameter.grad * h).sum()), rel=1e-5, abs=1e-7)


def test_the_released_gradient_is_not_that_of_the_layer():
    x, h = batch(30, 4, 1e4), batch(30, 4, 10, 5)
    weight = batch(30, 4, 10, 6)
    values = {}
    for variant in ("released", "paper"):
        layer = SPDBatchNorm(4, variant=variant, tolerance=0.0)
        layer.scale.data.fill_(0.3)
        a = x.clone().requires_grad_()
        (layer(a) * weight).sum().backward()
        h_small = 1e-6 * h * x.abs().amax((1, 2))[:, None, None] * 1e-3
        ends = [(layer(x + sign * h_small) * weight).sum().item() for sign in (1, -1)]
        values[variant] = (float((a.grad * h_small).sum()), (ends[0] - ends[1]) / 2)
    assert values["paper"][0] == pytest.approx(values["paper"][1], rel=1e-3)
    assert abs(values["released"][0] / values["released"][1] - 1) > 0.2


def test_promise_holds_without_folds():
    x = batch(20, 4, 10, 2)
    layer = SPDBatchNorm(4, tolerance=0.0)
    layer.scale.data.fill_(0.1)
    out = layer(x).detach().numpy()
    assert layer.capped == layer.folded == 0
    found = bures_mean(out, tolerance=1e-15)
    np.testing.assert_allclose(found.mean, np.eye(4), atol=1e-12)
    v2 = bures_mean(x.numpy()).value
    assert found.value == pytest.approx(0.01 * v2 / (v2 + 1e-5), rel=1e-10)
    with torch.no_grad():
        layer.bias.copy_(torch.diag(torch.tensor([0.3, -0.2, 0.1, 0])))
    np.testing.assert_allclose(
        bures_mean(layer(x).detach().numpy()).mean, np.diag(np.exp([0.3, -0.2, 0.1, 0])), atol=1e-6
    )


def test_the_layer_is_log_transport_exp():
    x = batch(6, 4, 100, 3)
    layer = SPDBatchNorm(4, variant="paper", tolerance=0.0)
    mean = bures_mean(x.numpy())
    tangent = bures_transport(bures_log(mean.mean, x.numpy()), mean.mean, np.eye(4))
    factor = 1 / np.sqrt(mean.value + 1e-5)
    expected = bures_exp(np.eye(4), factor * tangent, allow_folding=True)
    np.testing.assert_allclose(layer(x).detach(), expected, atol=1e-9)


def test_folding_and_its_cap():
    x = torch.tensor([[[0.01]], [[9.0]]], dtype=torch.float64)
    layer = SPDBatchNorm(1)
    layer.scale.data.fill_(float(np.sqrt(2.1025 + 1e-5)))  # k = 1
    out = layer(x).detach().ravel().numpy()
    k = 0.999 / 1.45
    assert k == pytest.approx(0.68897, abs=1e-5)
    np.testing.assert_allclose(np.sqrt(out), [1 - k * 1.45, 1 + k * 1.45], atol=1e-6)
    assert layer.capped == 1
    paper = SPDBatchNorm(1, variant="paper")
    paper.scale.data.fill_(float(np.sqrt(2.1025 + 1e-5)))
    np.testing.assert_allclose(paper(x).detach().ravel(), [0.45**2, 2.45**2], atol=1e-5)
    assert paper.folded == 0.5


def test_evaluation_uses_the_running_pair_and_no_neighbours():
    x = batch(12, 3, 1e3, 4)
    layer = SPDBatchNorm(3, tolerance=1e-15)
    layer(x)
    torch.testing.assert_close(layer.running_mean, stable.exact_mean(x))
    layer.eval()
    whole, alone = layer(x), layer(x[:1])
    torch.testing.assert_close(whole[:1], alone)
    paper = SPDBatchNorm(3, variant="paper")
    paper(x)
    expected = 0.9 * torch.ones((), dtype=torch.float64) + 0.1 * bures_mean(x.numpy()).value
    torch.testing.assert_close(paper.running_variance, expected)
    restored = SPDBatchNorm(3)
    restored.load_state_dict(layer.state_dict())
    torch.testing.assert_close(restored.eval()(x), whole)


def test_released_layer_measures_about_the_identity():
    x = batch(30, 6, 1e4, 8)
    layer = SPDBatchNorm(6, variant="released", momentum=1.0)
    layer(x)
    one_step = released_mean(x).numpy()
    about_identity = np.mean(bures_distance(np.eye(6), x.numpy()))
    assert float(layer.running_variance) == pytest.approx(about_identity, rel=1e-9)
    best = bures_mean(x.numpy())
    excess = np.mean(bures_distance(one_step, x.numpy())) - best.value
    assert 1e-4 < excess / best.value < 0.1


def test_batch_of_one_and_identical_matrices_become_the_identity():
    for x in (batch(1, 3, 10), batch(1, 3, 10).repeat(4, 1, 1)):
        torch.testing.assert_close(SPDBatchNorm(3)(x), torch.eye(3, dtype=torch.float64).repeat(len(x), 1, 1))


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_centres_and_scales(metric):
    from workbench.transport.spd_metrics import covariance_distance, covariance_mean

    x = batch(15, 3, 10, 5)
    layer = SPDBatchNorm(3, metric, tolerance=0.0)
    layer.scale.data.fill_(0.2)
    out = layer(x).detach().numpy()
    options = {"power": 1.0} if metric == "generalised-bures" else {}
    np.testing.assert_allclose(covariance_mean(out, metric=metric, **options), np.eye(3), atol=1e-9)
    assert np.mean(covariance_distance(np.eye(3), out, metric, **options)) == pytest.approx(0.04, rel=1e-3)
    assert layer.eval()(x).shape == x.shape


def test_float32_in_float32_out():
    assert SPDBatchNorm(3)(batch(4, 3, 10).float()).dtype == torch.float32


def test_refusals():
    x = batch(3, 3, 10)
    for bad, error, words in (
        (x[0], ValueError, r"\(N, 3, 3\)"),
        (x.numpy(), TypeError, "tensor"),
        (x + torch.tensor([[0, 1.0, 0], [0, 0, 0], [0, 0, 0]]), ValueError, "not symmetric"),
        (-x, ValueError, "eigenvalue"),
        (x * torch.nan, ValueError, "NaN"),
    ):
        with pytest.raises(error, match=words):
            SPDBatchNorm(3)(bad)
    with pytest.raises(ValueError, match="greater than 0"):
        SPDBatchNorm(3, power=-1)
    with pytest.raises(ValueError, match="concern the Bures metrics"):
        SPDBatchNorm(3, "affine", variant="paper")
    with pytest.raises(ValueError, match="unknown variant"):
        SPDBatchNorm(3, variant="coded")
