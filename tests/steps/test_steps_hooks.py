"""``steps.guard``: hooks that take the same steps as SafeStep and leave every other part of a training alone."""

import copy
import json
import math
import pickle
import warnings

import numpy as np
import pytest
import torch
from guarded import OPTIMISERS, backward, flat, problem, same_state, snapshot
from torch import nn
from torch.nn.functional import cross_entropy

from workbench import results, steps
from workbench.steps import guard_log, hooks

MEASURES = ("exact", "finite-difference", "replay")


@pytest.mark.parametrize("name", list(OPTIMISERS))
@pytest.mark.parametrize("mode", ["cap", "set"])
def test_the_same_steps_as_safe_step(name, mode):
    (model, x, y), (twin, _, _) = problem(), problem()
    explicit = steps.SafeStep(OPTIMISERS[name](twin.parameters()), twin, r_max=0.7, mode=mode)
    optimizer = OPTIMISERS[name](model.parameters())
    with steps.guard(optimizer, model, r_max=0.7, mode=mode) as guarded:
        for _ in range(4):
            backward(model, x, y)
            backward(twin, x, y)
            optimizer.step()
            explicit.step(x)
    assert same_state(model, twin.state_dict())
    for column in ("radius", "r_taken", "sample", "rising", "falling"):
        np.testing.assert_array_equal(guarded.log[column], explicit.log[column])


def test_warn_changes_nothing_and_says_what_cap_would_do():
    (model, x, y), (twin, _, _) = problem(), problem()
    optimizer, bare = (torch.optim.Adam(m.parameters(), lr=1.0) for m in (model, twin))
    guarded = steps.guard(optimizer, model)
    for k in range(6):
        backward(model, x, y)
        backward(twin, x, y)
        if k == 4:
            for m in (model, twin):
                m[0].weight.grad[0, 0] = math.nan
        optimizer.step()
        bare.step()
        if k == 4:
            break
    assert all(
        torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(model.parameters(), twin.parameters(), strict=True)
    )
    assert guarded.counts == {"would be capped": 4, "would be refused: gradient not finite": 1}
    assert not guarded.log.engaged.any()
    np.testing.assert_array_equal(guarded.log.r_taken[:4], guarded.log.r_proposed[:4])
    assert "would be refused: gradient not finite" in guarded.explain()


def test_refuse_takes_a_long_step_back_with_the_optimisers_memory():
    model, x, y = problem()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    guarded = steps.guard(optimizer, model, mode="refuse")
    backward(model, x, y)
    optimizer.step()
    state, memory = snapshot(model), copy.deepcopy(optimizer.state_dict()["state"])
    optimizer.param_groups[0]["lr"] = 10.0
    backward(model, x, y)
    optimizer.step()
    assert same_state(model, state)
    now = optimizer.state_dict()["state"]
    assert all(torch.equal(now[k][n], v) for k, entry in memory.items() for n, v in entry.items())
    assert guarded.log.outcome.values.tolist() == ["kept", "refused: r above r_max"]
    assert float(guarded.log.r_taken[1]) == 0.0


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_lost_gradient_is_taken_back(poison):
    model, x, y = problem()
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
    guarded = steps.guard(optimizer, model, mode="cap")
    state = snapshot(model)
    backward(model, x, y)
    model[0].weight.grad[0, 0] = poison
    optimizer.step()
    assert same_state(model, state)
    assert not optimizer.state
    assert guarded.counts == {"refused: gradient not finite": 1}


@pytest.mark.parametrize("measure", MEASURES)
def test_measures_agree_on_a_small_step(measure):
    """The replay holds curvature, which a step of r = 0.1 hardly has."""
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    guarded = steps.guard(optimizer, model, measure=measure)
    backward(model, x, y)
    optimizer.step()
    twin, _, _ = problem()
    reference = steps.SafeStep(torch.optim.SGD(twin.parameters(), lr=0.05), twin.double())
    backward(twin, x.double(), y)
    reference.step(x.double())
    found, expected = float(guarded.log.r_proposed[0]), float(reference.log.r_proposed[0])
    assert found == pytest.approx(expected, rel=0.05 if measure == "replay" else 5e-3)


def test_a_replay_is_the_change_of_the_logits():
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=20.0)
    guarded = steps.guard(optimizer, model, measure="replay")
    before = model(x).detach()
    backward(model, x, y)
    optimizer.step()
    change = model(x).detach() - before
    expected = float((change.amax(1) - change.amin(1)).max()) / math.pi
    assert float(guarded.log.r_proposed[0]) == pytest.approx(expected, rel=1e-4)


def test_replay_needs_no_forward_derivative():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.head = nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 4)

        def forward(self, x):
            return self.head(self.layers(x)[0])

    torch.manual_seed(0)
    model, x = Recurrent(), torch.randn(3, 5, 6)
    optimizer = torch.optim.SGD(model.parameters(), lr=100.0)
    guarded = steps.guard(optimizer, model, mode="cap", measure="replay")
    cross_entropy(model(x).reshape(-1, 4), torch.arange(15) % 4).backward()
    optimizer.step()
    assert guarded.engaged
    assert 0 <= int(guarded.log.position[0]) < 5


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        return 2 * ctx.saved_tensors[0] * grad


@pytest.mark.parametrize("between", [Square.apply, lambda h: torch.tanh(h.detach())])
def test_auto_falls_back_once_and_says_why(between):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 4)

        def forward(self, x):
            return self.last(between(self.first(x)))

    torch.manual_seed(0)
    model, (_, x, y) = Model(), problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=50.0)
    guarded = steps.guard(optimizer, model, mode="cap")
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    model(x)
    with pytest.warns(UserWarning, match="finite differences from now on: "):
        optimizer.step()
    assert guarded.engaged
    model(x)
    optimizer.step()
    assert json.loads(guarded.log.attrs["parameters"])["measure"] == "finite-difference"
    assert y is not None


@pytest.mark.parametrize("kind", ["sgd", "lbfgs"])
def test_closures_and_schedulers(kind):
    model, x, y = problem()
    make = {"sgd": torch.optim.SGD, "lbfgs": lambda p, lr: torch.optim.LBFGS(p, lr=lr, max_iter=3)}[kind]
    optimizer = make(model.parameters(), lr=20.0)
    guarded = steps.guard(optimizer, model, mode="cap", r_max=0.5)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    for _ in range(3):
        optimizer.step(lambda: backward(model, x, y))
        schedule.step()
    assert guarded.log.r_taken.max() <= 0.5 * (1 + 1e-6)
    assert guarded.engaged
    assert optimizer.param_groups[0]["lr"] == pytest.approx(2.5)


def test_accumulation_measures_every_micro_batch():
    (model, x, y), (twin, _, _) = problem(batch=32), problem(batch=32)
    optimizer, other = (torch.optim.SGD(m.parameters(), lr=50.0) for m in (model, twin))
    parts, whole = steps.guard(optimizer, model, mode="cap"), steps.guard(other, twin, mode="cap")
    for _ in range(2):
        optimizer.zero_grad()
        other.zero_grad()
        for i in range(4):
            (cross_entropy(model(x[8 * i : 8 * i + 8]), y[8 * i : 8 * i + 8]) / 4).backward()
        with torch.no_grad():
            model(x * 100)  # validation in between: not what the step is made of
        backward(twin, x, y)
        optimizer.step()
        other.step()
    np.testing.assert_allclose(parts.log.radius, whole.log.radius, rtol=1e-4)
    np.testing.assert_array_equal(parts.log.sample, whole.log.sample)


@pytest.mark.parametrize("fused", [False, True])
def test_gradient_scaler(fused):
    (model, x, y), (twin, _, _) = problem(), problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
    bare = torch.optim.SGD(twin.parameters(), lr=0.1)
    guarded = steps.guard(optimizer, model, mode="cap")
    scaler = torch.amp.GradScaler("cpu")
    for k in range(5):
        optimizer.zero_grad()
        # the batch of a step that the scaler leaves out must not be measured with the next one
        scaler.scale(cross_entropy(model(x * 1000 if k == 2 else x), y)).backward()
        if k == 2:
            model[0].weight.grad[0, 0] = math.inf
        else:
            backward(twin, x, y)
            bare.step()
        scaler.unscale_(optimizer) if k % 2 else None
        scaler.step(optimizer)
        scaler.update()
    torch.testing.assert_close(flat(model), flat(twin), rtol=1e-6, atol=1e-7)
    assert guarded.counts == {"kept": 4} | ({"skipped by the scaler": 1} if fused else {})
    radii = guarded.log.radius.values[guarded.log.outcome.values == "kept"]
    assert radii.min() > 0.5 * radii.max()


def test_rows_are_a_sample_of_the_batch():
    model, x, y = problem(batch=64)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    guarded = steps.guard(optimizer, model, rows=8, seed=3)
    whole = steps.guard(optimizer, model)
    for _ in range(10):
        backward(model, x, y)
        optimizer.step()
    assert (guarded.log.radius.values >= whole.log.radius.values * (1 - 1e-6)).all()
    assert (guarded.log.radius.values > whole.log.radius.values * (1 + 1e-6)).any()
    assert "of 8 samples measured" in guarded.explain()


def test_positional_and_named_inputs_together():
    class Scaled(nn.Linear):
        def forward(self, x, *, scale):
            return scale * super().forward(x)

    model, (_, x, y) = Scaled(6, 4), problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e3)
    guarded = steps.guard(optimizer, model, mode="cap", rows=4)
    cross_entropy(model(x, scale=torch.tensor(2.0)), y).backward()
    optimizer.step()
    assert guarded.engaged


@pytest.mark.parametrize("where", ["outer", "inner", "in place"])
def test_compiled_models(where):
    """The batch of every step is the one measured, whichever module is guarded and however often it was traced."""
    torch._dynamo.reset()
    logs = []
    for compiled in (False, True):
        model, x, y = problem()
        called = torch.compile(model, backend="aot_eager") if compiled and where != "in place" else model
        if compiled and where == "in place":
            model.compile(backend="aot_eager")
        optimizer = torch.optim.SGD(model.parameters(), lr=20.0)
        guarded = steps.guard(optimizer, called if where == "outer" else model, mode="cap")
        for k in range(4):
            optimizer.zero_grad()
            cross_entropy(called(x * 2**k), y).backward()
            optimizer.step()
        logs.append(guarded.log)
    np.testing.assert_allclose(logs[1].radius, logs[0].radius, rtol=1e-3)
    np.testing.assert_array_equal(logs[1].sample, logs[0].sample)


def test_on_step_and_explain():
    model, x, y = problem()
    optimizer, seen = torch.optim.SGD(model.parameters(), lr=1e-3), []
    guarded = steps.guard(optimizer, model, mode="cap", on_step=seen.append)
    assert guarded.explain() == "No step has been taken yet."
    for rate in (1e-3, 50.0, 1e-3):
        optimizer.param_groups[0]["lr"] = rate
        backward(model, x, y)
        optimizer.step()
    assert [r.step for r in seen] == [0, 1, 2]
    worst = seen[1]
    assert f"Step 1 was the worst: the update was {worst.r_proposed:.3g} safe radii" in guarded.explain()
    assert f"sample {worst.sample}, where class {worst.rising} rises against class {worst.falling}" in guarded.explain()
    assert "outcome: capped, r taken 1 (r_max 1)" in guarded.explain()


@pytest.mark.parametrize("mode", ["warn", "cap", "set"])
def test_a_rate_that_is_too_large_at_every_step_is_named_once(mode, caplog):
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    guarded = steps.guard(optimizer, model, mode=mode, r_max=1e-3)
    for _ in range(hooks.LONG_RUN + 5):
        backward(model, x, y)
        optimizer.step()
    said = [r.getMessage() for r in caplog.records if r.name == "workbench.steps.guard"]
    if mode == "set":  # there the rate says nothing
        assert not said
        return
    times = float(np.median(guarded.log.r_proposed[: hooks.LONG_RUN])) / 1e-3
    assert said == [
        f"the last 20 steps were all longer than r_max = 0.001 allows: the learning rate is about {times:.2g} times "
        "what it allows"
    ]


def test_long_logs_are_thinned_and_keep_the_worst(monkeypatch):
    monkeypatch.setattr(guard_log, "LONGEST", 100)
    log = guard_log.GuardLog()
    log.radius = 1.0
    for k in range(1000):
        log.add(5.0 if k == 17 else 0.1, 1.0 if k == 17 else 0.1, True, "capped" if k == 17 else "kept")
    kept = list(log)
    assert len(kept) <= 100
    assert len(log) == 1000
    assert [r.step for r in kept[-40:]] == list(range(960, 1000))
    assert 17 in [r.step for r in kept]
    assert log.worst.step == 17
    assert log.counts == {"kept": 999, "capped": 1}
    again = guard_log.GuardLog()
    again.restore(log.state())
    assert again.state() == log.state()


def test_the_log_is_a_result(tmp_path):
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    guarded = steps.guard(optimizer, model)
    backward(model, x, y)
    optimizer.step()
    assert results.open(results.save(guarded.log, tmp_path / "log.nc")).equals(guarded.log)
    other = steps.guard(torch.optim.SGD(model.parameters(), lr=1.0), model)
    other.load_state_dict(guarded.state_dict())
    assert other.log.equals(guarded.log)
    with pytest.raises(ValueError, match="no state of a guard"):
        other.load_state_dict({})


def test_remove_takes_every_hook_off():
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e3)
    guarded = steps.guard(optimizer, model, mode="cap")
    guarded.remove()
    before = flat(model)
    backward(model, x, y)
    optimizer.step()
    assert float((flat(model) - before).norm()) > 10
    assert guarded.log.sizes["step"] == 0
    assert not model._forward_pre_hooks
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_of_the_model_has_no_guard(how):
    """An average of weights is a deep copy; with the hooks it would carry the guard, the optimiser and their logs."""
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    guarded = steps.guard(optimizer, model, measure="replay")
    for _ in range(2):  # after the first step the last layer is watched too
        backward(model, x, y)
        optimizer.step()
    copied = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
    for module in copied.modules():
        for hooks_of in (module._forward_pre_hooks, module._forward_hooks):
            assert all(hook is hooks._nothing for hook in hooks_of.values())
    copied.train()(x * 100)
    assert len(guarded._batches) == 1
    backward(model, x, y)
    optimizer.step()
    assert guarded.counts == {"kept": 3}


def test_what_it_refuses():
    model, x, y = problem()
    other, _, _ = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for options, message in (
        ({"mode": "magic"}, "unknown mode"),
        ({"measure": "magic"}, "unknown measure"),
        ({"rows": 0}, "at least 1"),
        ({"protect": "none", "mode": "cap"}, "nothing to come back to"),
        ({"criterion": nn.MSELoss()}, "no cross-entropy"),
    ):
        with pytest.raises(ValueError, match=message):
            steps.guard(optimizer, model, **options)
    with pytest.raises(ValueError, match="do not belong"):
        steps.guard(optimizer, other)
    with pytest.raises(TypeError, match="on_step"):
        steps.guard(optimizer, model, on_step=3)
    steps.guard(optimizer, model)
    state = snapshot(model)
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    with pytest.raises(ValueError, match="has seen no forward"):
        optimizer.step()
    assert same_state(model, state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backward(model, x, y)
        optimizer.step()
