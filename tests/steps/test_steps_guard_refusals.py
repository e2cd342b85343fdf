"""What SafeStep refuses, and that a refused step leaves parameters, memory and modes as they were."""

import json

import pytest
import torch
from guarded import OPTIMISERS, backward, flat, problem, same_state, snapshot
from torch import nn
from torch.nn.functional import cross_entropy

from workbench import steps


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", list(OPTIMISERS))
def test_a_non_finite_gradient_is_refused(name, poison):
    model, x, y = problem()
    guard = steps.SafeStep(OPTIMISERS[name](model.parameters()), model)
    backward(model, x, y)
    guard.step(x)
    state, memory = snapshot(model), _memory(guard.optimizer)
    backward(model, x, y)
    model[0].weight.grad[0, 0] = poison
    guard.step(x)
    assert same_state(model, state)
    assert _memory(guard.optimizer) == memory
    assert guard.log.outcome.values[-1] == "refused: gradient not finite"
    backward(model, x, y)
    guard.step(x)
    assert guard.log.outcome.values[-1] == "capped"
    assert torch.isfinite(flat(model)).all()


def _memory(optimizer):
    return json.dumps(optimizer.state_dict(), default=lambda t: t.tolist())


def test_an_update_that_overflows_is_refused():
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=3e38, momentum=0.9)
    guard = steps.SafeStep(optimizer, model)
    state = snapshot(model)
    backward(model, x, y, lambda z, t: 1e3 * cross_entropy(z, t))
    guard.step(x)
    assert same_state(model, state)
    assert not optimizer.state_dict()["state"]
    assert guard.log.outcome.values[-1] == "refused: update not finite"


def test_logits_that_overflow_are_refused():
    model, x, y = problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model)
    backward(model, x, y)
    state = snapshot(model)
    guard.step(torch.full_like(x, float("inf")))
    assert same_state(model, state)
    assert guard.log.outcome.values[-1] == "refused: logits not finite"


class Breaks(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 4)
        self.broken = False

    def forward(self, x):
        if self.broken:
            raise RuntimeError("out of memory")
        return self.layer(x)


@pytest.mark.parametrize("name", list(OPTIMISERS))
def test_a_failing_measurement_leaves_everything_as_it_was(name):
    model = Breaks().train()
    _, x, y = problem()
    guard = steps.SafeStep(OPTIMISERS[name](model.parameters()), model)
    backward(model, x, y)
    guard.step(x)
    backward(model, x, y)
    state, memory = snapshot(model), _memory(guard.optimizer)
    model.broken = True
    with pytest.raises(RuntimeError, match="out of memory"):
        guard.step(x)
    assert same_state(model, state)
    assert _memory(guard.optimizer) == memory
    assert model.training
    model.broken = False
    guard.step(x)
    assert guard.engaged


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"r_max": 0}, "greater than 0"),
        ({"quantile": 0}, "greater than 0"),
        ({"every": 0}, "at least 1"),
        ({"jvp": "magic"}, "unknown jvp"),
        ({"mode": "magic"}, "unknown mode"),
        ({"temperature": -1}, "greater than 0"),
        ({"criterion": nn.MSELoss()}, "MSELoss is no cross-entropy"),
        ({"criterion": nn.functional.l1_loss}, "l1_loss is no cross-entropy"),
    ],
)
def test_bad_options(options, message):
    model, _, _ = problem()
    with pytest.raises(ValueError, match=message):
        steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model, **options)


def test_bad_types():
    model, _, _ = problem()
    other, _, _ = problem()
    with pytest.raises(TypeError, match="Optimizer"):
        steps.SafeStep(model, model)
    with pytest.raises(TypeError, match="Module"):
        steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), "model")
    with pytest.raises(ValueError, match="do not belong"):
        steps.SafeStep(torch.optim.SGD(other.parameters(), lr=1.0), model)


def test_a_model_without_class_axis_is_refused_and_unchanged():
    model, x, y = problem()

    class Summed(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            return self.inner(x).sum(dim=1)

    summed = Summed()
    guard = steps.SafeStep(torch.optim.SGD(summed.parameters(), lr=1.0), summed)
    backward(model, x, y)
    state = snapshot(summed)
    with pytest.raises(ValueError, match="no class axis"):
        guard.step(x)
    assert same_state(summed, state)
