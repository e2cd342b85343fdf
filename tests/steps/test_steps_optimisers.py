"""AdaHessian against dense Hessians; complex parameters and training of both second-order optimisers."""

import copy
import itertools

import numpy as np
import pytest
import torch
from guarded import tiny
from torch import nn
from torch.nn.functional import cross_entropy

from workbench import steps


def dense_hessian(model, x, y):
    names = [n for n, _ in model.named_parameters()]
    sizes = [p.shape for p in model.parameters()]

    def loss(vector):
        parts = torch.split(vector, [s.numel() for s in sizes])
        values = {n: part.view(s) for n, part, s in zip(names, parts, sizes, strict=True)}
        return cross_entropy(torch.func.functional_call(model, values, (x,)), y)

    flat = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    return torch.autograd.functional.hessian(loss, flat)


def test_hutchinson_averaged_over_all_signs_is_the_exact_diagonal():
    model, x, y = tiny()
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(cross_entropy(model(x), y), parameters, create_graph=True)
    size = sum(p.numel() for p in parameters)
    total = torch.zeros(size, dtype=torch.float64)
    for signs in itertools.product((-1.0, 1.0), repeat=size):
        parts = torch.split(torch.tensor(signs, dtype=torch.float64), [p.numel() for p in parameters])
        z = [part.view(p.shape) for part, p in zip(parts, parameters, strict=True)]
        estimate = steps.hutchinson_diagonal(gradients, parameters, z)
        total += torch.cat([e.reshape(-1) for e in estimate])
    torch.testing.assert_close(total / 2**size, torch.diag(dense_hessian(model, x, y)))


def test_adahessian_first_step_is_the_papers():
    """On a separable quadratic z ⊙ Hz is exactly the diagonal, and the first step is lr·g/(|h| + ε)."""
    curvature = torch.tensor([1.0, 4.0, 0.5], dtype=torch.float64)
    theta = nn.Parameter(torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64))
    optimizer = steps.AdaHessian([theta], lr=0.1, eps=1e-12)
    start = theta.detach().clone()
    loss = optimizer.step(lambda: 0.5 * (curvature * theta**2).sum())
    assert float(loss) == pytest.approx(float(0.5 * (curvature * start**2).sum()))
    torch.testing.assert_close(theta.detach(), start - 0.1 * start)
    torch.testing.assert_close(theta.grad, curvature * start)


def test_adahessian_hessian_power_and_decay():
    theta = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = steps.AdaHessian([theta], lr=0.1, eps=1e-12, hessian_power=0.5, weight_decay=0.3)
    optimizer.step(lambda: 2 * (theta**2).sum())  # h = 4, g = 8
    assert float(theta.detach()) == pytest.approx(2.0 * (1 - 0.03) - 0.1 * 8 / 2)


def test_adahessian_averages_convolution_kernels():
    model = nn.Sequential(
        nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8, 2)
    ).double()
    optimizer = steps.AdaHessian(model.parameters(), lr=0.1)
    x = torch.rand(5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    optimizer.step(lambda: cross_entropy(model(x), torch.tensor([0, 1, 0, 1, 1])))
    square = optimizer.state[model[1].weight]["square"]
    assert torch.equal(square, square[..., :1].expand_as(square))


def test_adahessian_repeats_and_resumes():
    def run(model, optimizer, count):
        for _ in range(count):
            optimizer.step(lambda: cross_entropy(model(x), y))

    model, x, y = tiny()
    optimizer = steps.AdaHessian(model.parameters(), seed=4)
    run(model, optimizer, 3)
    other, _, _ = tiny()
    other.load_state_dict(model.state_dict())
    resumed = steps.AdaHessian(other.parameters(), seed=4)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    run(model, optimizer, 3)
    run(other, resumed, 3)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_adahessian_differentiates_attention_twice():
    model = steps.build("transformer")
    optimizer = steps.AdaHessian(model.parameters())
    x, y = steps.digits().train_inputs[:8], steps.digits().train_targets[:8]
    losses = [float(optimizer.step(lambda: cross_entropy(model(x), y))) for _ in range(3)]
    assert losses[-1] < losses[0]


def test_adahessian_wants_the_loss_itself():
    model, x, y = tiny()
    optimizer = steps.AdaHessian(model.parameters())
    with pytest.raises(ValueError, match="attached to its graph"):
        optimizer.step(lambda: cross_entropy(model(x), y).item())
    with pytest.raises(ValueError, match="hessian_power"):
        steps.AdaHessian(model.parameters(), hessian_power=2)


class Complex(nn.Module):
    """A complex parameter, or the same numbers as pairs of real ones."""

    def __init__(self, pairs):
        super().__init__()
        start = torch.tensor([[1.0, 2.0], [-0.5, 0.3], [0.2, -1.5]], dtype=torch.float64)
        self.value = nn.Parameter(start if pairs else torch.view_as_complex(start))

    def loss(self):
        pairs = self.value if not self.value.is_complex() else torch.view_as_real(self.value)
        curvature = torch.tensor([[1.0, 4.0], [0.5, 2.0], [3.0, 0.1]], dtype=torch.float64)
        return 0.5 * (curvature * pairs**2).sum() + 0.1 * (pairs**4).sum()


@pytest.mark.parametrize(
    "make",
    [
        lambda p: steps.AdaHessian(p, lr=0.1, weight_decay=0.1, samples=2),
        lambda p: steps.MFAC(p, lr=0.01, window=2, damping=0.5, weight_decay=0.1),
    ],
)
def test_a_complex_parameter_is_a_pair_of_real_ones(make):
    found = []
    for pairs in (False, True):
        model = Complex(pairs)
        optimizer = make(model.parameters())
        losses = []
        for _ in range(30):
            if isinstance(optimizer, steps.AdaHessian):
                losses.append(float(optimizer.step(model.loss)))
            else:
                optimizer.zero_grad()
                loss = model.loss()
                loss.backward()
                optimizer.step()
                losses.append(float(loss.detach()))
        value = model.value.detach()
        found.append(value if pairs else torch.view_as_real(value))
        assert losses[-1] < losses[0]
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-14)


def test_hutchinson_on_complex_parameters_is_the_diagonal_by_parts():
    z = nn.Parameter(torch.tensor([1 + 2j, -0.5 + 0.3j], dtype=torch.complex128))
    a, b = torch.tensor([1.0, 3.0], dtype=torch.float64), torch.tensor([4.0, 0.5], dtype=torch.float64)
    loss = 0.5 * (a * z.real**2 + b * z.imag**2).sum()
    gradients = torch.autograd.grad(loss, [z], create_graph=True)
    signs = torch.tensor([1 - 1j, -1 - 1j], dtype=torch.complex128)
    torch.testing.assert_close(steps.hutchinson_diagonal(gradients, [z], [signs])[0], torch.complex(a, b))


@pytest.mark.parametrize("make", [lambda p: steps.MFAC(p, lr=1e-2), lambda p: steps.AdaHessian(p, lr=0.1)])
def test_they_train(make):
    data = steps.digits()
    model = steps.build("mlp-tanh", seed=1)
    optimizer = make(model.parameters())
    for x, y in steps.training.batches(data, 60, 0):
        if isinstance(optimizer, steps.AdaHessian):
            optimizer.step(lambda x=x, y=y: cross_entropy(model(x), y))
        else:
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()
    assert steps.training.accuracy(model, data.test_inputs, data.test_targets) > 0.75
    assert np.isfinite(sum(float(p.detach().sum()) for p in model.parameters()))
