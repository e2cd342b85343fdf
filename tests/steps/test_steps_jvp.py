"""Logits and slopes: against autograd and closed forms, and without leaving a trace on the model."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest
import torch
from torch import nn

from workbench import steps

GENERATOR = torch.Generator


def random_direction(model, seed=0):
    g = GENERATOR().manual_seed(seed)
    return {n: torch.randn(p.shape, generator=g, dtype=torch.float64).to(p.dtype) for n, p in model.named_parameters()}


def inputs(batch=7, features=64, dtype=torch.float64):
    return torch.rand(batch, features, generator=GENERATOR().manual_seed(1), dtype=dtype)


def test_linear_closed_form():
    model = nn.Linear(4, 3).double()
    v = random_direction(model)
    x = inputs(5, 4)
    found = steps.logits_and_slopes(model, x, v)
    torch.testing.assert_close(found.slopes, x @ v["weight"].T + v["bias"])
    torch.testing.assert_close(found.logits, model(x).detach())


def test_threads_take_turns_in_the_one_forward_mode_of_a_process():
    """Two visitors of one server, each in a thread: torch refuses a second level of dual numbers, wherever it is."""
    inside, go = threading.Event(), threading.Event()

    class Waits(nn.Linear):
        def forward(self, x):
            inside.set()
            assert go.wait(30)
            return super().forward(x)

    first, second = Waits(4, 3).double(), nn.Linear(4, 3).double()
    x = inputs(5, 4)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(steps.logits_and_slopes, first, x, random_direction(first), verify=False)
        assert inside.wait(30)
        quick = pool.submit(steps.logits_and_slopes, second, x, random_direction(second), verify=False)
        assert not wait([quick], timeout=0.2).done, "it waits for the level"
        go.set()
        for found, model in ((slow, first), (quick, second)):
            v = random_direction(model)
            torch.testing.assert_close(found.result(30).slopes, x @ v["weight"].T + v["bias"])


def test_a_level_of_somebody_else_is_told():
    model = nn.Linear(4, 3)
    with torch.autograd.forward_ad.dual_level(), pytest.raises(steps.ForwardModeError, match="forward mode, which"):
        steps.logits_and_slopes(model, inputs(5, 4).float(), random_direction(model))


@pytest.mark.parametrize("network", list(steps.NETWORKS))
def test_exact_against_reverse_mode_and_differences(network):
    model = steps.build(network, seed=1).double().eval()
    x, v = inputs(), random_direction(model)
    exact = steps.logits_and_slopes(model, x, v)
    names = [n for n, _ in model.named_parameters()]

    def forward(*values):
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            return torch.func.functional_call(model, dict(zip(names, values, strict=True)), (x,))

    _, reference = torch.autograd.functional.jvp(forward, tuple(model.parameters()), tuple(v[n] for n in names))
    torch.testing.assert_close(exact.slopes, reference, rtol=1e-9, atol=1e-9)
    difference = steps.logits_and_slopes(model, x, v, method="finite-difference", step=1e-8)
    torch.testing.assert_close(difference.slopes, exact.slopes, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("network", ["mlp-relu", "mlp-tanh", "transformer"])
def test_finite_differences_in_single_precision(network):
    model = steps.at_stage(network, "middle")
    data = steps.digits()
    v = steps.unit_direction("-gradient", model, data.train_inputs[:64], data.train_targets[:64])
    wide = steps.logits_and_slopes(model.double(), data.train_inputs[:64].double(), v)
    narrow = steps.logits_and_slopes(model.float(), data.train_inputs[:64], v, method="finite-difference")
    expected, got = steps.bound_radius(wide.slopes.numpy()), steps.bound_radius(narrow.slopes.numpy())
    np.testing.assert_allclose(got, expected, rtol=0.02)


class Awkward(nn.Module):
    """BatchNorm, dropout, a counting buffer, a frozen part in eval mode."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))
        self.register_buffer("calls", torch.zeros(()))
        self.layers[1].eval()

    def forward(self, x):
        self.calls += 1
        return self.layers(nn.functional.dropout(x, 0.1))


@pytest.mark.parametrize("method", ["exact", "finite-difference"])
def test_the_model_is_left_as_it_was(method):
    model = Awkward().train()
    model.layers[1].eval()
    state = {k: v.clone() for k, v in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    random = torch.get_rng_state()
    steps.logits_and_slopes(model, inputs(4, 8, torch.float32), random_direction(model), method=method)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, state[key], rtol=0, atol=0)
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_batch_norm_uses_running_statistics():
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 2)).double().train()
    x = inputs(9, 4)
    v = random_direction(model)
    alone = steps.logits_and_slopes(model, x[:1], v).slopes
    together = steps.logits_and_slopes(model, x, v).slopes[:1]
    torch.testing.assert_close(alone, together)


@pytest.mark.parametrize(("shape", "options"), [((), {"outputs": "binary"}), ((1,), {})])
def test_binary_one_logit(shape, options):
    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))

        def forward(self, x):
            return (x @ self.w).reshape(len(x), *shape)

    x = inputs(5, 2)
    found = steps.logits_and_slopes(One(), x, {"w": torch.tensor([3.0, 0.0])}, **options)
    torch.testing.assert_close(found.slopes, torch.stack([torch.zeros(5), 3 * x[:, 0]], dim=1).double())
    expected = steps.binary_radius((x @ torch.tensor([1.0, 2.0]).double()).numpy(), 3 * x[:, 0].numpy())
    np.testing.assert_allclose(
        steps.exact_radius(found.logits.numpy(), found.slopes.numpy()).radius, expected, rtol=1e-10
    )


def test_sequences_and_ignored_positions():
    model = nn.Linear(4, 3).double()
    x = torch.rand(2, 5, 4, generator=GENERATOR().manual_seed(0), dtype=torch.float64)
    targets = torch.tensor([[0, 1, -100, 2, 0], [-100, -100, 1, 1, 1]])
    found = steps.logits_and_slopes(model, x, random_direction(model), targets=targets)
    assert found.slopes.shape == (7, 3)
    assert found.sample.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert found.position.tolist() == [0, 1, 3, 4, 2, 3, 4]
    whole = steps.logits_and_slopes(model, x, random_direction(model))
    torch.testing.assert_close(found.slopes, whole.slopes[(targets != -100).reshape(-1)])


def test_class_axis_in_the_middle():
    model = nn.Conv1d(2, 3, 1).double()
    x = torch.rand(4, 2, 6, generator=GENERATOR().manual_seed(0), dtype=torch.float64)
    found = steps.logits_and_slopes(model, x, random_direction(model), class_axis=1)
    torch.testing.assert_close(found.logits, model(x).detach().movedim(1, -1).reshape(24, 3))


def test_tuple_dict_and_structured_outputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x, scale=1.0):
            return {"scores": scale * self.layer(x)}

    model, x = Two(), inputs(4, 3, torch.float32)
    v = random_direction(model)
    read = {"logits": lambda out: out["scores"]}
    one = steps.logits_and_slopes(model, (x, 2.0), v, **read)
    two = steps.logits_and_slopes(model, {"x": x, "scale": 2.0}, v, **read)
    torch.testing.assert_close(one.slopes, two.slopes)
    with pytest.raises(ValueError, match="pick it out"):
        steps.logits_and_slopes(model, x, v)


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        (lambda z: z.sum(), {}, "no class axis"),
        (lambda z: z[:, 0], {}, "no class axis"),
        (lambda z: z.sum(), {"outputs": "binary"}, "single number"),
        (lambda z: z[:, :1], {"outputs": "classes"}, "length 1"),
        (lambda z: z, {"class_axis": 3}, "no class axis 3"),
        (lambda z: z.argmax(1), {}, "tensor of logits is needed"),
        (lambda z: z / 0, {}, "NaN or infinity"),
        (lambda z: z, {"method": "guess"}, "unknown method"),
    ],
)
def test_bad_outputs(output, options, message):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            return output(self.layer(x))

    model = Model()
    with pytest.raises(ValueError, match=message):
        steps.logits_and_slopes(model, inputs(4, 3, torch.float32), random_direction(model), **options)


def test_bad_directions():
    model, x = nn.Linear(3, 2), inputs(4, 3, torch.float32)
    for direction, message in (
        ({"nobody": torch.ones(1)}, "no parameters of the model"),
        ({}, "empty"),
        ({"bias": torch.ones(3)}, "has shape"),
        ({"bias": torch.tensor([1.0, float("nan")])}, "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            steps.logits_and_slopes(model, x, direction)


def test_an_operation_without_forward_derivative_is_named():
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, grad):
            return grad

    class Model(nn.Linear):
        def forward(self, x):
            return Square.apply(super().forward(x))

    model, x = Model(3, 2), inputs(4, 3, torch.float32)
    with pytest.raises(RuntimeError, match="finite-difference"):
        steps.logits_and_slopes(model, x, random_direction(model))
    assert steps.logits_and_slopes(model, x, random_direction(model), method="finite-difference").slopes.shape == (4, 2)
