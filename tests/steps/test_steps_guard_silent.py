"""Compilation, dice and 16 bits, which used to switch SafeStep off, or make it wrong, without a word."""

import math
import random
import shutil

import numpy as np
import pytest
import torch
from guarded import METHODS, Layered, backward, direction_of, flat, problem, same_state, snapshot
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import cross_entropy

from workbench import steps


def radius(model, x, direction, **options):
    slopes = steps.logits_and_slopes(model, x, direction, **options).slopes
    return float(steps.bound_radius(slopes.double().numpy()).min())


def reference(model, x, direction):
    """The radius in float64 by reverse mode, a second engine."""
    names = list(direction)
    values = tuple(p.detach().double() for p in model.parameters())
    wide = tuple(direction[n].double() for n in names)

    def forward(*parameters):
        return torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), (x.double(),))

    _, slopes = torch.autograd.functional.jvp(forward, values, wide)
    return float(steps.bound_radius(slopes.numpy()).min())


# --- 1: tangents that do not arrive


def dropping(graph, _inputs):
    """A backend whose compiled code forward mode cannot see, as inductor's."""

    def run(*arguments):
        out = graph(*arguments)
        return tuple(t.detach().clone() for t in out) if isinstance(out, tuple | list) else out.detach().clone()

    return run


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("backend", ["eager", "aot_eager", dropping])
@pytest.mark.parametrize("where", ["whole", "activation", "in place"])
def test_compiled_models_are_measured_as_if_they_were_not(method, backend, where):
    torch._dynamo.reset()
    _, x, _ = problem()
    plain = Layered(torch.tanh)
    model = Layered(torch.compile(torch.tanh, backend=backend) if where == "activation" else torch.tanh)
    if where == "in place":
        model.compile(backend=backend)
    wrapped = torch.compile(model, backend=backend) if where == "whole" else model
    with torch.no_grad():
        wrapped(x)
    direction = dict(zip(dict(wrapped.named_parameters()), direction_of(plain).values(), strict=True))
    found = radius(wrapped, x, direction, method=method, verify=True)
    assert found == pytest.approx(reference(plain, x, direction_of(plain)), rel=1e-3 if method == "exact" else 5e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a compiler")
@pytest.mark.parametrize("method", METHODS)
def test_inductor_around_a_pointwise_model(method):
    """The radius was infinite and every step kept; with a compiled activation it was 2.66 instead of 1.98."""

    class Pointwise(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.linspace(-1, 1, 4))

        def forward(self, x):
            return torch.tanh(x[:, :4]) * self.scale

    _, x, y = problem()
    radii = []
    for compiled in (False, True):
        model = Pointwise()
        model = torch.compile(model) if compiled else model
        guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1e4), model, jvp=method)
        backward(model, x, y)
        guard.step(x)
        assert guard.log.outcome.values[-1] == "capped"
        radii.append(float(guard.log.radius[-1]))
    assert radii[1] == pytest.approx(radii[0], rel=1e-3)
    act = torch.compile(lambda h: torch.tanh(h) * torch.sigmoid(h))
    model = Layered(act)
    model(x).sum().backward()
    plain = Layered(lambda h: torch.tanh(h) * torch.sigmoid(h))
    expected = reference(plain, x, direction_of(plain))
    assert radius(model, x, direction_of(model), method=method) == pytest.approx(expected, rel=5e-3)


LOSSES = {
    "detach": lambda h: torch.tanh(h.detach()),
    "data": lambda h: torch.tanh(h.data),
    "numpy": lambda h: torch.from_numpy(np.tanh(h.detach().numpy())),
    "list": lambda h: torch.tanh(torch.tensor(h.tolist())),
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_tangent_lost_on_the_way_is_an_error_that_names_the_other_method(name):
    """The last layer moves as well, so that some tangent arrives: only a second measurement can tell."""
    model, (_, x, y) = Layered(LOSSES[name]), problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model)
    backward(model, x, y)
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    state = snapshot(model)
    with pytest.raises(steps.TangentError, match="finite-difference"):
        guard.step(x)
    assert same_state(model, state)
    direction = direction_of(model)
    found = radius(model, x, direction, method="finite-difference", verify=True)
    assert found == pytest.approx(reference(Layered(torch.tanh), x, direction), rel=5e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_parameter_that_moves_and_a_logit_that_stands_still_is_an_error(method):
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(6, 4))

        def forward(self, x):
            return x @ torch.ones(6, 4)

    with pytest.raises(steps.TangentError, match="takes"):
        steps.logits_and_slopes(Frozen(), problem()[1], {"weight": torch.ones(6, 4)}, method=method)


def test_verify_can_be_switched_off():
    model, (_, x, y) = Layered(LOSSES["detach"]), problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1e3), model, verify=False)
    backward(model, x, y)
    guard.step(x)
    assert guard.engaged


def test_gradient_checkpointing_inside():
    _, x, _ = problem()
    model = Layered(lambda h: torch.utils.checkpoint.checkpoint(torch.tanh, h, use_reentrant=False))
    expected = reference(Layered(torch.tanh), x, direction_of(model))
    for method in METHODS[hasattr(torch.utils.checkpoint, "_NoopSaveInputs") :]:  # torch 2.11 differentiates no forward
        assert radius(model, x, direction_of(model), method=method, verify=True) == pytest.approx(expected, rel=5e-3)


# --- 2: randomness that eval mode does not stop

DICE = {
    "dropout": lambda _, h: F.dropout(h, 0.3),
    "noise": lambda _, h: h + 0.1 * torch.randn_like(h),
    "numpy": lambda _, h: h * float(np.random.random()),  # noqa: NPY002
    "python": lambda _, h: h * random.random(),
    "held torch": lambda m, h: h * torch.rand((), generator=m.torch),
    "held numpy": lambda m, h: h * float(m.numpy.random()),
    "held python": lambda m, h: h * m.python.random(),
}


class Dicing(Layered):
    def __init__(self, name):
        super().__init__(lambda h: DICE[name](self, torch.tanh(h)))
        self.torch, self.numpy, self.python = (
            torch.Generator().manual_seed(1),
            np.random.default_rng(1),
            random.Random(1),
        )


@pytest.mark.parametrize("name", list(DICE))
def test_both_passes_of_a_difference_draw_the_same_numbers(name):
    """With two different draws the radius was 3e-22 and training stood still."""
    model, (_, x, _) = Dicing(name), problem()
    direction = direction_of(model)

    def streams():
        held = model.torch.get_state().tolist(), model.numpy.bit_generator.state, model.python.getstate()
        return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate(), held  # noqa: NPY002

    before = streams()
    exact = radius(model, x, direction, verify=True)
    assert streams() == before
    difference = radius(model, x, direction, method="finite-difference", verify=True)
    assert streams() == before
    assert difference == pytest.approx(exact, rel=0.01)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_random_stream_of_every_cuda_device_is_put_back():
    model, (_, x, _) = Dicing("dropout").cuda(), problem()
    states = [torch.cuda.get_rng_state(k) for k in range(torch.cuda.device_count())]
    direction = {n: v.cuda() for n, v in direction_of(model).items()}
    found = [
        float(steps.logits_and_slopes(model, x.cuda(), direction, method=m, verify=True).spread.max()) for m in METHODS
    ]
    assert found[0] == pytest.approx(found[1], rel=0.01)
    assert all(torch.equal(torch.cuda.get_rng_state(k), s) for k, s in enumerate(states))


def test_a_stream_that_nobody_can_reach_is_an_error_with_differences():
    generator = torch.Generator().manual_seed(0)
    model, (_, x, y) = Layered(lambda h: h * (torch.rand(h.shape, generator=generator) > 0.3)), problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model, jvp="finite-difference")
    backward(model, x, y)
    state = snapshot(model)
    with pytest.raises(steps.TangentError, match="random numbers"):
        guard.step(x)
    assert same_state(model, state)


def test_training_with_functional_dropout_goes_on():
    model, (_, x, y) = Layered(lambda h: F.dropout(torch.tanh(h), 0.1)), problem()
    guard = steps.SafeStep(torch.optim.Adam(model.parameters(), lr=0.05), model, jvp="finite-difference")
    torch.manual_seed(0)
    for _ in range(40):
        backward(model, x, y)
        guard.step(x)
    assert float(cross_entropy(model(x), y).detach()) < 0.5
    assert float(guard.log.radius.min()) > 1e-3


# --- 3: 16-bit weights


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("seed", range(3))
def test_differences_of_16_bit_weights_are_taken_in_single_precision(dtype, seed):
    """They were up to 42 % off: a 16-bit difference keeps two digits of what it subtracts."""
    model, x, _ = problem(seed=seed, batch=64)
    model = model.to(dtype)
    x, direction = x.to(dtype), direction_of(model, seed)
    direction = {n: v.float() for n, v in direction.items()}
    found = radius(model, x, direction, method="finite-difference", verify=True)
    assert found == pytest.approx(reference(model, x, direction), rel=5e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("method", METHODS)
def test_a_16_bit_step_is_logged_as_it_was_taken(dtype, method):
    model, x, y = problem()
    model, x = model.to(dtype), x.to(dtype)
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=50.0), model, r_max=0.5, jvp=method)
    before = flat(model)
    backward(model, x, y)
    guard.step(x)
    taken = float((flat(model) - before).norm()) / float(guard.log.radius[-1])
    assert guard.log.r_taken.values[-1] == pytest.approx(taken, rel=1e-5)
    assert taken == pytest.approx(0.5, rel=0.05)


def test_a_forward_that_casts_by_itself_is_no_place_for_differences():
    class Casting(Layered):
        def forward(self, x):
            return F.linear(x.bfloat16(), self.first.weight.bfloat16())

    model, (_, x, _) = Casting(torch.tanh), problem()
    with pytest.raises(steps.TangentError, match=r"come out in torch\.bfloat16"):
        steps.logits_and_slopes(model, x, direction_of(model), method="finite-difference")
    assert math.isfinite(radius(model, x, direction_of(model), verify=True))  # the exact way is good to a hundredth


def test_autocast_around_the_measurement_is_left_for_differences():
    model, x, _ = problem(batch=64)
    expected = reference(model, x, direction_of(model))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = radius(model, x, direction_of(model), method="finite-difference")
        exact = radius(model, x, direction_of(model), verify=True)
    assert found == pytest.approx(expected, rel=5e-3)
    assert exact == pytest.approx(expected, rel=0.03)


def test_large_logits_get_double_precision():
    """Logits of 10⁶ in float32 hide a gap of 0.06 in their rounding."""
    model, (_, x, _) = Layered(torch.tanh), problem()
    with torch.no_grad():
        model.last.bias += torch.tensor([1e6, 1e6, 1e6, 1e6])
    found = radius(model, x, direction_of(model), method="finite-difference", verify=True)
    assert found == pytest.approx(reference(model, x, direction_of(model)), rel=5e-3)
