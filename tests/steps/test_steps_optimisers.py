"""AdaHessian and M-FAC against dense matrices and closed forms."""

import copy
import itertools
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from workbench import steps
from workbench.steps.optimisers import mfac


def tiny():
    g = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2, bias=False)).double()
    steps.networks.initialise(model, 2)
    return model, torch.randn(6, 2, generator=g, dtype=torch.float64), torch.randint(0, 2, (6,), generator=g)


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


@pytest.mark.parametrize("poison", [float("nan"), float("inf"), 1e200])
def test_mfac_refuses_a_lost_gradient_and_goes_on_as_if_it_had_not_been(poison):
    """One NaN in the window would make every weight NaN for ever, since each depends on all of them."""

    def run(model, poisoned):
        optimizer = steps.MFAC(model.parameters(), lr=0.05, window=3, damping=0.1)
        for k in range(7):
            if poisoned and k in (0, 2, 5):
                for p in model.parameters():
                    p.grad = torch.zeros_like(p)
                model[0].weight.grad[0, 0] = poison
                before = copy.deepcopy(model.state_dict())
                with pytest.raises(ValueError, match="nothing was changed"):
                    optimizer.step()
                assert all(torch.equal(v, before[n]) for n, v in model.state_dict().items())
            model.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()

    model, x, y = tiny()
    twin, _, _ = tiny()
    run(model, poisoned=True)
    run(twin, poisoned=False)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))


def test_inverse_fisher_refuses_products_that_overflow():
    fisher = steps.InverseFisher(2, 2, 0.1, dtype=torch.float64)
    fisher.push(torch.tensor([1e150, 0.0], dtype=torch.float64))
    before = fisher.solve(torch.ones(2, dtype=torch.float64))
    with pytest.raises(ValueError, match="too large to square"):
        fisher.push(torch.tensor([1e160, 0.0], dtype=torch.float64))
    torch.testing.assert_close(fisher.solve(torch.ones(2, dtype=torch.float64)), before)


def test_mfac_takes_a_group_that_is_added_later():
    """The window of the whole model from the start, its second part without gradients at first, is the reference."""
    model, x, y = tiny()
    twin, _, _ = tiny()
    late = steps.MFAC(model[0].parameters(), lr=0.05, window=3, damping=0.1)
    whole = steps.MFAC(
        [{"params": list(twin[0].parameters())}, {"params": list(twin[2].parameters()), "lr": 0.02}],
        lr=0.05,
        window=3,
        damping=0.1,
    )
    for k in range(8):
        if k == 4:
            late.add_param_group({"params": list(model[2].parameters()), "lr": 0.02})
        for net, optimizer in ((model, late), (twin, whole)):
            net.zero_grad()
            cross_entropy(net(x), y).backward()
            if k < 4:
                net[2].zero_grad()
            optimizer.step()
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    with pytest.raises(ValueError, match="one device"):
        late.add_param_group({"params": [nn.Parameter(torch.zeros(2, device="meta"))]})
    late.step()  # the refused group is gone again


def test_mfac_takes_sparse_gradients():
    def run(sparse):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(7, 4, sparse=sparse), nn.Linear(4, 3)).double()
        optimizer = steps.MFAC(model.parameters(), lr=0.1, window=3, damping=0.1)
        for k in range(6):
            optimizer.zero_grad()
            tokens = torch.tensor([k % 7, 2, 2])
            cross_entropy(model(tokens), torch.tensor([0, 1, 2])).backward()
            optimizer.step()
        return model

    for a, b in zip(run(True).parameters(), run(False).parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


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


def test_mfac_keeps_its_window_in_float32_for_16_bit_weights():
    model = nn.Linear(3, 2).bfloat16()
    twin = nn.Linear(3, 2)
    twin.load_state_dict({n: v.float() for n, v in model.state_dict().items()})
    updates = []
    for net in (model, twin):
        before = [p.detach().double().clone() for p in net.parameters()]
        optimizer = steps.MFAC(net.parameters(), lr=0.5, window=4, damping=1e-2)
        for p in net.parameters():
            p.grad = torch.ones_like(p)
        optimizer.step()
        updates.append([p.detach().double() - b for p, b in zip(net.parameters(), before, strict=True)])
        assert optimizer.state[next(net.parameters())]["fisher"]["rows"].dtype == torch.float32
    for narrow, wide in zip(*updates, strict=True):
        torch.testing.assert_close(narrow, wide, rtol=0.05, atol=0.01)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_mfac_keeps_its_window_on_the_parameters_device():
    model = nn.Linear(3, 2).cuda()
    optimizer = steps.MFAC(model.parameters(), window=3)
    for _ in range(5):
        optimizer.zero_grad()
        model(torch.ones(4, 3, device="cuda")).sum().backward()
        optimizer.step()
    kept = optimizer.state[model.weight]["fisher"]
    assert {kept[name].device.type for name in ("rows", "gram", "inverse")} == {"cuda"}


def test_inverse_fisher_is_made_where_it_is_asked_for():
    """The device without memory stands for any other than the CPU."""
    fisher = steps.InverseFisher(5, 3, 0.1, device="meta")
    assert {t.device.type for t in (fisher.rows, fisher.gram, fisher.inverse)} == {"meta"}


def test_mfac_step_is_the_dense_one():
    model, x, y = tiny()
    twin, _, _ = tiny()
    optimizer = steps.MFAC(model.parameters(), lr=0.05, window=3, damping=0.01, momentum=0.9, weight_decay=0.1)
    kept, momentum = [], 0.0
    for _ in range(5):
        for net in (model, twin):
            net.zero_grad()
            cross_entropy(net(x), y).backward()
        optimizer.step()
        flat = torch.cat([(p.grad + 0.1 * p.detach()).reshape(-1) for p in twin.parameters()])
        kept = [*kept, flat][-3:]
        stacked = torch.stack(kept)
        dense = 0.01 * torch.eye(len(flat), dtype=torch.float64) + stacked.T @ stacked / 3
        momentum = 0.9 * momentum + torch.linalg.solve(dense, flat)
        start = 0
        with torch.no_grad():
            for p in twin.parameters():
                p -= 0.05 * momentum[start : start + p.numel()].view_as(p)
                start += p.numel()
        for a, b in zip(model.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def test_mfac_resumes_from_its_state_dict():
    def run(model, optimizer, count):
        for _ in range(count):
            model.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()

    model, x, y = tiny()
    model, x = model.float(), x.float()
    optimizer = steps.MFAC(model.parameters(), lr=0.05, window=4, damping=0.1)
    run(model, optimizer, 6)
    other, _, _ = tiny()
    other.float().load_state_dict(model.state_dict())
    resumed = steps.MFAC(other.parameters(), lr=0.05, window=4, damping=0.1)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    run(model, optimizer, 3)
    run(other, resumed, 3)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_mfac_refuses():
    model, _, _ = tiny()
    for options, message in (({"window": 0}, "window"), ({"damping": 0}, "damping"), ({"momentum": 1.0}, "momentum")):
        with pytest.raises(ValueError, match=message):
            steps.MFAC(model.parameters(), **options)
    with pytest.raises(ValueError, match="needs about"):
        steps.InverseFisher(10**9, 10**6, 0.1)
    with pytest.raises(ValueError, match="shape"):
        steps.InverseFisher(3, 2, 0.1).push(torch.zeros(4))


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
