"""The guard on schedule-free optimisers, Muon, groups, wrappers: the right value, or a refusal."""

import copy

import pytest
import torch
from guarded import backward, flat, problem, same_state, snapshot, step, wide_logits, widest
from test_steps_head import Language, tokens_of
from torch.nn.functional import cross_entropy

from workbench import steps


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
