"""The guard where numbers are coarse, dice are thrown, forwards run twice or are compiled: the right value in each."""

import copy
import shutil

import pytest
import torch
from guarded import backward, flat, problem, step, true_r, wide_logits, widest
from test_steps_head import Language, tokens_of
from torch import nn

from workbench import steps


def text(seed=0):
    tokens = tokens_of(seed)
    return tokens, tokens.roll(1)


# --- precision


@pytest.mark.parametrize("how", ["exact", "replay", "finite-difference"])
def test_bfloat16_parameters_at_the_last_layer(how):
    model, (x, y) = Language().bfloat16(), text()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    guarded = steps.guard(optimizer, model, measure=how)
    for k in range(3):
        start = copy.deepcopy(model)
        step(model, optimizer, x, y)
        # forward mode runs in the model's 16 bits; the others in wider copies
        r = true_r(how, start, model, x)
        assert float(guarded.log.r_proposed[k]) == pytest.approx(r, rel=0.05 if how == "exact" else 2e-3)


@pytest.mark.parametrize("how", ["exact", "replay", "finite-difference"])
def test_training_under_autocast(how):
    model, (x, y) = Language(), text()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    guarded = steps.guard(optimizer, model, measure=how)
    for k in range(3):
        start = copy.deepcopy(model)
        step(model, optimizer, x, y, enabled=True)
        assert float(guarded.log.r_proposed[k]) == pytest.approx(true_r(how, start, model, x), rel=2e-3)


# --- dice, recurrences, checkpoints, compilers


@pytest.mark.parametrize("how", ["exact", "finite-difference"])
def test_dropout_is_off_in_a_measurement_at_the_last_layer(how):
    model, (x, y) = Language(dropout=0.5), text()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    guarded = steps.guard(optimizer, model, measure=how)
    for k in range(3):
        start = copy.deepcopy(model)
        step(model, optimizer, x, y)
        r = true_r("exact", start, model, x)  # the slope, as both measure it: what dropout makes of a step curves
        assert float(guarded.log.r_proposed[k]) == pytest.approx(r, rel=1e-3)
        assert model.training


@pytest.mark.filterwarnings("ignore:the guard measures by finite differences from now on")
@pytest.mark.parametrize("how", ["auto", "replay"])
def test_a_recurrent_network(how):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.head = nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 4)

        def forward(self, x):
            return self.head(self.layers(x)[0])

    torch.manual_seed(0)
    model, x = Recurrent(), torch.randn(3, 5, 6)
    y = torch.arange(15).reshape(3, 5) % 4
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    guarded = steps.guard(optimizer, model, measure=how)
    for k in range(3):
        before = wide_logits(model, x)
        step(model, optimizer, x, y)
        r = widest(wide_logits(model, x) - before)
        assert float(guarded.log.r_proposed[k]) == pytest.approx(r, rel=1e-3 if how == "replay" else 0.02)


WITHOUT_FORWARD_MODE = hasattr(torch.utils.checkpoint, "_NoopSaveInputs")  # up to torch 2.11


@pytest.mark.filterwarnings("ignore:the guard measures by finite differences from now on")
@pytest.mark.parametrize("how", ["auto" if WITHOUT_FORWARD_MODE else "exact", "finite-difference"])
@pytest.mark.parametrize("reentrant", [False, True])
def test_both_kinds_of_checkpoints(how, reentrant):
    """The other two measures have this in test_steps_head."""
    model, (x, y) = Language(reentrant=reentrant), text()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    guarded = steps.guard(optimizer, model, measure=how)
    for k in range(2):
        before = wide_logits(model, x)
        step(model, optimizer, x, y)
        r = widest(wide_logits(model, x) - before)
        assert float(guarded.log.r_proposed[k]) == pytest.approx(r, rel=0.05)


class OldSaver(torch.autograd.Function):
    """How checkpoints without reentrance saved their inputs up to torch 2.11: without a forward derivative."""

    @staticmethod
    def forward(*_tensors):
        return torch.empty((0,))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*(v for v in inputs if isinstance(v, torch.Tensor)))

    @staticmethod
    def backward(ctx, *_gradients):
        raise AssertionError


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 12), nn.Linear(12, 4)
        steps.networks.initialise(self, 0)

    def forward(self, x):
        return self.last(torch.utils.checkpoint.checkpoint(torch.tanh, self.first(x), use_reentrant=False))


def test_checkpoints_of_an_older_torch_are_measured_by_differences_and_named(monkeypatch):
    real = torch.utils.checkpoint._checkpoint_without_reentrant_generator

    def old(function, *arguments, **keywords):
        inputs = (v for v in arguments if isinstance(v, torch.Tensor))
        OldSaver.apply(torch.empty((0,), requires_grad=True), *inputs)
        yield from real(function, *arguments, **keywords)

    monkeypatch.setattr(torch.utils.checkpoint, "_checkpoint_without_reentrant_generator", old)
    model, (_, x, y) = Checkpointed(), problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    guarded = steps.guard(optimizer, model, measure="auto")
    for k in range(3):
        start = copy.deepcopy(model)
        if k == 0:
            with pytest.warns(UserWarning, match=r"finite differences from now on: gradient checkpointing \(of torch"):
                step(model, optimizer, x, y)
        else:
            step(model, optimizer, x, y)
        r = true_r("exact", start, model, x.double())
        assert float(guarded.log.r_proposed[k]) == pytest.approx(r, rel=1e-3)
    assert '"measure": "finite-difference"' in guarded.log.attrs["parameters"]
    forced = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=0.05), model, jvp="exact")
    backward(model, x, y)
    before = flat(model)
    with pytest.raises(steps.ForwardModeError, match="gradient checkpointing"):
        forced.step(x)
    assert torch.equal(flat(model), before)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a compiler")
@pytest.mark.parametrize("how", ["exact", "replay"])
@pytest.mark.parametrize("where", ["outer", "inner"])
def test_inductor_at_the_last_layer(how, where):
    torch._dynamo.reset()
    model = Language()
    called, (x, y) = torch.compile(model), text()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    guarded = steps.guard(optimizer, called if where == "outer" else model, mode="cap", measure=how)
    for k in range(4):
        before = wide_logits(model, x)
        step(called, optimizer, x, y)
        r = widest(wide_logits(model, x) - before)
        assert float(guarded.log.r_proposed[k]) == pytest.approx(r, rel=1e-3 if how == "replay" else 0.05)
    assert isinstance(guarded._engine.measure.head, nn.Linear)
