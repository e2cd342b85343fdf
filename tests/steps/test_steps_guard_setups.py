"""The guard in the set-ups that people train with: the right value in each, or a refusal in words."""

import copy
import math
import shutil

import numpy as np
import pytest
import torch
from guarded import backward, flat, problem, same_state, snapshot
from test_steps_head import Language, tokens_of
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import cross_entropy

from workbench import steps
from workbench.steps.snapshot import Room, Snapshot


def widest(change):
    """The widest spread of a change of logits, in units of π."""
    return float((change.amax(-1) - change.amin(-1)).max()) / math.pi


def wide_logits(model, *inputs):
    """What a float64 copy of the model says, without dropout."""
    copied = copy.deepcopy(model).double().eval()
    with torch.no_grad():
        return copied(*(v.double() if v.is_floating_point() else v for v in inputs))


def true_r(how, start, model, x):
    """r of the step from ``start`` to ``model`` in float64: the change of the logits, or their slope along it."""
    before, after = ({n: v.detach().double() for n, v in m.named_parameters()} for m in (start, model))
    copied = copy.deepcopy(model).double().eval()

    def logits(t):
        moved = {n: v + t * (after[n] - v) for n, v in before.items()}
        with torch.no_grad():
            return torch.func.functional_call(copied, moved, (x,))

    return widest(logits(1.0) - logits(0.0) if how == "replay" else (logits(1e-4) - logits(-1e-4)) / 2e-4)


def step(model, optimizer, x, y, **autocast):
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, **{"enabled": False, **autocast}):
        logits = model(x)
        loss = cross_entropy(logits.flatten(0, -2), y.flatten())
    loss.backward()
    optimizer.step()


def text(seed=0):
    tokens = tokens_of(seed)
    return tokens, tokens.roll(1)


# --- schedule-free: the parameters are a mean of a point that the gradients move


class Averaging(torch.optim.Optimizer):
    """Schedule-free SGD: y = (1−β)z + βx in train mode, the mean x in eval mode."""

    point = "z"

    def __init__(self, params, lr, beta=0.9):
        super().__init__(params, {"lr": lr, "beta": beta, "k": 0, "training": False})

    def _switch(self, training, weight):
        for group in self.param_groups:
            if group["training"] != training:
                for p in group["params"]:
                    if self.point in self.state[p]:
                        p.data.lerp_(self.state[p][self.point], weight(group["beta"]))
            group["training"] = training

    def train(self):
        self._switch(True, lambda beta: 1 - beta)

    def eval(self):
        self._switch(False, lambda beta: 1 - 1 / beta)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            assert group["training"]
            mix = 1 / (group["k"] + 1)
            for p in group["params"]:
                z = self.state[p].setdefault(self.point, p.clone())
                p.lerp_(z, mix)
                p.add_(p.grad, alpha=group["lr"] * (group["beta"] * (1 - mix) - 1))
                z.sub_(p.grad, alpha=group["lr"])
            group["k"] += 1


def schedule_free(name):
    if name == "own":
        return Averaging
    package = pytest.importorskip("schedulefree", reason="the package schedulefree is not installed")
    return {"sgd": package.SGDScheduleFree, "adamw": package.AdamWScheduleFree}[name]


@pytest.mark.parametrize("name", ["own", "sgd", "adamw"])
@pytest.mark.parametrize("protect", ["all", "params"])
def test_schedule_free_moves_its_point_with_the_parameters(name, protect):
    """Capping the parameters alone would leave z, and with it the weights of the eval mode, where the spike put it."""
    make = schedule_free(name)
    model, x, y = problem()
    twin, _, _ = problem()
    optimizer, bare = (make(m.parameters(), lr=0.1) for m in (model, twin))
    guarded = steps.guard(optimizer, model, mode="cap", r_max=0.5, measure="replay", protect=protect)
    for k in range(6):
        for m, o in ((model, optimizer), (twin, bare)):
            o.train()
            o.param_groups[0]["lr"] = 1e3 if k == 3 else 0.01
            backward(m, x, y)
        if k == 3:
            old = flat(model), torch.cat([bare.state[p]["z"].reshape(-1) for p in twin.parameters()]).double()
        optimizer.step()
        bare.step()
        if k == 3:
            break
    factor = float(guarded.log.r_taken[-1] / guarded.log.r_proposed[-1])
    assert guarded.log.outcome.values.tolist() == ["kept"] * 3 + ["capped"]
    z, spiked = (
        torch.cat([o.state[p]["z"].reshape(-1) for p in m.parameters()]).double()
        for m, o in ((model, optimizer), (twin, bare))
    )
    torch.testing.assert_close(flat(model) - old[0], factor * (flat(twin) - old[0]), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(z - old[1], factor * (spiked - old[1]), rtol=1e-4, atol=1e-6)
    optimizer.eval()
    bare.eval()
    assert float(flat(model).norm()) < 10 < float(flat(twin).norm())


@pytest.mark.parametrize("name", ["own", "sgd", "adamw"])
def test_schedule_free_is_measured_along_its_train_mode(name):
    model, x, y = problem()
    optimizer = schedule_free(name)(model.parameters(), lr=0.5)
    guarded = steps.guard(optimizer, model, measure="replay")
    for k in range(4):
        optimizer.train()
        before = wide_logits(model, x)
        backward(model, x, y)
        optimizer.step()
        assert float(guarded.log.r_proposed[k]) == pytest.approx(widest(wide_logits(model, x) - before), rel=1e-3)
        optimizer.eval()
        model(x)  # in training mode, between the steps: what it was given must not be measured with the next one
        optimizer.train()
        optimizer.zero_grad()


def test_a_refused_first_step_of_a_schedule_free_optimiser_leaves_nothing():
    model, x, y = problem()
    optimizer = Averaging(model.parameters(), lr=1e3)
    steps.guard(optimizer, model, mode="refuse")
    optimizer.train()
    state = snapshot(model)
    backward(model, x, y)
    optimizer.step()
    assert same_state(model, state)
    assert not any(optimizer.state.values())


def test_an_average_that_the_guard_does_not_know_is_refused():
    class Hidden(Averaging):
        point = "elsewhere"

    model, x, y = problem()
    optimizer = Hidden(model.parameters(), lr=1e3)
    steps.guard(optimizer, model, mode="cap")
    optimizer.train()
    state = snapshot(model)
    backward(model, x, y)
    with pytest.raises(ValueError, match="which point moves with the parameters"):
        optimizer.step()
    assert same_state(model, state)


# --- other optimisers, and wrappers of them


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
@pytest.mark.parametrize("how", ["exact", "replay"])
def test_muon_beside_adamw(how):
    """Muon takes matrices only, so two optimisers share a model: each guard caps the step of its own."""
    model, x, y = problem()
    twin, _, _ = problem()

    def optimisers(m):
        matrices = [p for p in m.parameters() if p.ndim == 2]
        others = [p for p in m.parameters() if p.ndim != 2]
        return torch.optim.Muon(matrices, lr=0.5), torch.optim.AdamW(others, lr=3.0)

    pair, bare = optimisers(model), optimisers(twin)
    guards = [steps.guard(o, model, mode="cap", r_max=0.5, measure=how) for o in pair]
    for optimizer, other, guarded in zip(pair, bare, guards, strict=True):
        for m in (model, twin):
            m.zero_grad()
            cross_entropy(m(x), y).backward()
        before, start = wide_logits(model, x), flat(model)
        optimizer.step()
        other.step()
        factor = float(guarded.log.r_taken[0] / guarded.log.r_proposed[0])
        assert guarded.counts == {"capped": 1}
        torch.testing.assert_close(flat(model) - start, factor * (flat(twin) - start), rtol=1e-4, atol=1e-6)
        if how == "replay":
            whole = wide_logits(twin, x) - before
            assert float(guarded.log.r_proposed[0]) == pytest.approx(widest(whole), rel=1e-3)
        twin.load_state_dict(model.state_dict())


def test_groups_with_rates_of_their_own_and_a_frozen_layer():
    model, twin = Language(tied=False, bias=True), Language(tied=False, bias=True)
    for m in (model, twin):
        m.layer.weight.requires_grad_(False)

    def groups(m):
        return torch.optim.AdamW(
            [{"params": [m.head.weight], "lr": 0.3}, {"params": [m.head.bias, m.layer.bias, m.embed.weight]}], lr=3.0
        )

    (optimizer, bare), (x, y) = (groups(model), groups(twin)), text()
    guarded = steps.guard(optimizer, model, mode="cap", measure="replay")
    for _ in range(3):
        before, start = wide_logits(model, x), flat(model)
        bare.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        twin.load_state_dict(model.state_dict())
        step(model, optimizer, x, y)
        step(twin, bare, x, y)
        r = widest(wide_logits(twin, x) - before)
        assert float(guarded.log.r_proposed[-1]) == pytest.approx(r, rel=1e-3)
        factor = 1.0 / float(guarded.log.r_proposed[-1])
        torch.testing.assert_close(flat(model) - start, factor * (flat(twin) - start), rtol=1e-4, atol=1e-5)
    assert torch.equal(model.layer.weight, Language(tied=False, bias=True).layer.weight)


@pytest.mark.parametrize("name", ["AcceleratedOptimizer", "LightningOptimizer"])
def test_wrappers_that_only_pass_on_are_looked_into(name):
    model, x, y = problem()
    inner = torch.optim.SGD(model.parameters(), lr=1e3)
    outer = type(name, (), {"optimizer": inner, "step": lambda self: self.optimizer.step()})()
    guarded = steps.guard(outer, model, mode="cap")
    backward(model, x, y)
    outer.step()
    assert guarded.engaged


def test_a_step_that_runs_no_hooks_is_refused():
    class Quiet(torch.optim.Optimizer):
        def __init__(self, base):
            self.base = base
            self.param_groups, self.state = base.param_groups, base.state

    model, _, _ = problem()
    with pytest.raises(TypeError, match=r"runs no hooks; wrap it in steps\.SafeStep"):
        steps.guard(Quiet(torch.optim.SGD(model.parameters(), lr=1.0)), model)
    with pytest.raises(TypeError, match=r"must be a torch\.optim\.Optimizer, got dict"):
        steps.guard({}, model)


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
        before = wide_logits(model, x)
        step(model, optimizer, x, y)
        r = widest(wide_logits(model, x) - before)
        assert float(guarded.log.r_proposed[k]) == pytest.approx(r, rel=0.05)
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


@pytest.mark.parametrize("how", ["exact", "finite-difference"])
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
