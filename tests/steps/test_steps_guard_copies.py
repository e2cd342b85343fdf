"""What a guard copies before a step, and what it does without."""

import copy
import math

import numpy as np
import pytest
import torch
from guarded import backward, problem, same_state, step
from test_steps_head import Language, tokens_of
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import cross_entropy

from workbench import steps
from workbench.steps.snapshot import Room, Snapshot


def text(seed=0):
    tokens = tokens_of(seed)
    return tokens, tokens.roll(1)


# --- what is copied


def numbers_copied(monkeypatch):
    """A list that gets how many numbers each snapshot copies."""
    counts, real = [], Room.copies

    def copies(self, slot, tensors):
        counts.append(sum(t.numel() for t in tensors))
        return real(self, slot, tensors)

    monkeypatch.setattr(Room, "copies", copies)
    return counts


def test_protect_none_copies_the_last_layer_at_most(monkeypatch):
    model, twin = Language(tied=False), Language(tied=False)
    logs, whole, head = [], sum(p.numel() for p in model.parameters()), model.head.weight.numel()
    counts = numbers_copied(monkeypatch)
    for m, protect in ((model, "none"), (twin, "params")):
        counts.clear()
        optimizer = torch.optim.SGD(m.parameters(), lr=3.0)
        guarded = steps.guard(optimizer, m, measure="replay", every=2, protect=protect)
        for k in range(8):
            step(m, optimizer, *text(k))
        logs.append(guarded.log)
        # the first step looks for the layer, the second check of what was kept needs the old parameters as well
        assert [c for c in counts if c] == ([whole, whole, head, head] if protect == "none" else [whole] * 8)
    lean, full = logs
    assert same_state(model, twin.state_dict())
    np.testing.assert_allclose(lean.r_proposed[::2], full.r_proposed[::2], rtol=1e-4)
    np.testing.assert_array_equal(lean.rising[::2], full.rising[::2])
    assert lean.outcome.values[1::2].tolist() == ["not measured"] * 4
    assert np.isnan(lean.update_norm.values[4:]).all()
    assert lean.outcome.values[4] == full.outcome.values[4] == "would be capped"


def test_protect_none_goes_back_to_copies_where_they_are_needed():
    model = Language(dropout=0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=3.0)
    guarded = steps.guard(optimizer, model, measure="replay", protect="none")
    step(model, optimizer, *text())
    with pytest.warns(UserWarning, match="runs the model twice"):
        step(model, optimizer, *text(1))
    step(model, optimizer, *text(2))
    assert guarded.counts == {"would be capped": 3}
    assert np.isfinite(guarded.log.radius).all()


def test_a_lean_guard_that_loses_what_it_lived_on_says_so():
    model = Language()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    guarded = steps.guard(optimizer, model, measure="replay", protect="none")
    for k in range(4):
        step(model, optimizer, *text(k))
    optimizer.zero_grad()
    tokens, goals = text(9)
    cross_entropy(model(tokens).flatten(0, -2), goals.flatten()).backward()
    with torch.no_grad():
        model.layer.weight.mul_(1.5)  # what the forward gave to the last layer is of other weights
    optimizer.step()
    step(model, optimizer, *text(10))
    assert guarded.log.outcome.values[4] == "not measured"
    assert math.isnan(guarded.log.r_proposed[4])
    assert math.isfinite(guarded.log.radius[5])
    assert guarded._engine.log.worst.outcome != "not measured"


def test_auto_copies_the_state_only_where_taking_back_is_to_be_expected(monkeypatch):
    counts = numbers_copied(monkeypatch)
    for mode, closure, poison, expected in (
        ("cap", False, False, 1),
        ("cap", True, False, 3),
        ("cap", False, True, 3),
        ("refuse", False, False, 3),
        ("warn", True, True, 1),
    ):
        model, x, y = problem()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        backward(model, x, y)
        optimizer.step()  # so that there is a state
        guarded = steps.guard(optimizer, model, mode=mode)
        counts.clear()
        backward(model, x, y)
        if poison:
            model[0].weight.grad[0, 0] = math.nan
        memory = copy.deepcopy(optimizer.state_dict()["state"])
        optimizer.step(lambda m=model, x=x, y=y: backward(m, x, y)) if closure else optimizer.step()
        parameters = sum(p.numel() for p in model.parameters())
        assert sum(counts) // parameters == expected
        if poison and mode != "warn":
            assert guarded.refused
            now = optimizer.state_dict()["state"]
            assert all(torch.equal(now[k][n], v) for k, entry in memory.items() for n, v in entry.items())


def test_the_memory_of_a_snapshot_is_used_again_and_never_shared_with_the_optimiser():
    model, x, y = problem()
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
    room, parameters = Room(), list(model.parameters())
    backward(model, x, y)
    optimizer.step()
    first = Snapshot(optimizer, parameters, with_state=True, room=room)
    memory = copy.deepcopy(optimizer.state_dict()["state"])
    optimizer.step()
    first.restore()
    again = Snapshot(optimizer, parameters, with_state=True, room=room)
    assert [a.data_ptr() for a in again.values] == [a.data_ptr() for a in first.values]
    optimizer.step()
    again.restore()
    now = optimizer.state_dict()["state"]
    assert all(torch.equal(now[k][n], v) for k, entry in memory.items() for n, v in entry.items())


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e25])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_length_of_an_update_is_that_of_float64(scale, dtype):
    g = torch.Generator().manual_seed(0)
    layer = nn.Linear(700, 1000).to(dtype)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    with torch.no_grad():
        for p in layer.parameters():
            p.zero_()
    before = Snapshot(optimizer, list(layer.parameters()), with_state=False)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(scale * torch.randn(p.shape, generator=g))
    expected = float(torch.cat([p.detach().double().reshape(-1) for p in layer.parameters()]).norm())
    assert before.lengths() == (pytest.approx(expected, rel=1e-6), 0.0)


def test_functional_dropout_needs_two_passes_of_a_replay():
    """Dice that eval mode does not stop: what the training kept was drawn with other numbers."""

    class Dicing(Language):
        def forward(self, tokens):
            return self.head(F.dropout(self.embed(tokens) + torch.tanh(self.layer(self.embed(tokens))), 0.3))

    model, (x, y) = Dicing(), text()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    steps.guard(optimizer, model, measure="replay")
    step(model, optimizer, x, y)
    with pytest.warns(UserWarning, match="runs the model twice"):
        step(model, optimizer, x, y)
