"""SafeStep around real optimisers: the cap, its modes, and what it leaves behind."""

import io
import json
import math

import numpy as np
import pytest
import torch
from guarded import OPTIMISERS, backward, flat, problem, same_state
from torch import nn
from torch.nn.functional import cross_entropy

from workbench import results, steps
from workbench.steps.threads import one_thread


@pytest.mark.parametrize("name", list(OPTIMISERS))
@pytest.mark.parametrize("jvp", ["exact", "finite-difference"])
def test_the_step_is_the_optimisers_own_cut_to_r_max(name, jvp):
    """Two copies: one bare, one guarded. The guarded update is parallel and has exactly r = r_max along itself."""
    model, x, y = problem()
    twin, _, _ = problem()
    bare = OPTIMISERS[name](twin.parameters())
    guard = steps.SafeStep(OPTIMISERS[name](model.parameters()), model, r_max=0.7, jvp=jvp)
    for _ in range(3):
        twin.load_state_dict(model.state_dict())
        before = flat(model)
        backward(model, x, y)
        backward(twin, x, y)
        old = {n: p.detach().clone() for n, p in model.named_parameters()}
        guard.step(x)
        bare.step()
        taken, proposed = flat(model) - before, flat(twin) - before
        assert guard.engaged
        assert float(torch.nn.functional.cosine_similarity(taken, proposed, dim=0)) > 1 - 1e-6
        direction = {n: (p.detach() - old[n]) / taken.norm() for n, p in model.named_parameters()}
        slopes = steps.logits_and_slopes(model, x, direction, parameters=old).slopes
        r = float(taken.norm()) / steps.bound_radius(slopes.double().numpy()).min()
        assert r == pytest.approx(0.7, rel=1e-3 if jvp == "exact" else 0.02)
    log = guard.log
    assert log.r_taken.values == pytest.approx(0.7)
    np.testing.assert_allclose(log.r_proposed, log.update_norm / log.radius)


def test_a_small_step_is_left_bit_for_bit():
    model, x, y = problem()
    twin, _, _ = problem()
    guard = steps.SafeStep(torch.optim.Adam(model.parameters(), lr=1e-4), model)
    bare = torch.optim.Adam(twin.parameters(), lr=1e-4)
    for _ in range(5):
        backward(model, x, y)
        backward(twin, x, y)
        guard.step(x)
        bare.step()
    assert same_state(model, twin.state_dict())
    assert not guard.log.engaged.any()
    assert set(guard.log.outcome.values) == {"kept"}


def test_linear_logits_obey_the_promise():
    """No sample's loss moves by more than π r in a guarded step of a linear model."""
    model = nn.Linear(6, 4)
    _, x, y = problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1e4), model, r_max=0.5)
    before = cross_entropy(model(x), y, reduction="none")
    backward(model, x, y)
    guard.step(x)
    after = cross_entropy(model(x), y, reduction="none")
    assert guard.engaged
    assert float((after - before).detach().abs().max()) <= 0.5 * math.pi * (1 + 1e-5)


def test_set_mode_needs_no_learning_rate():
    for rate in (1e-6, 1.0, 1e3):
        model, x, y = problem()
        guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=rate), model, r_max=0.3, mode="set")
        for _ in range(40):
            backward(model, x, y)
            guard.step(x)
        assert guard.log.r_taken.values == pytest.approx(0.3, rel=1e-6)
        assert float(cross_entropy(model(x), y).detach()) < 0.9


def test_quantile_lets_an_outlier_pass():
    model, x, y = problem(batch=100)
    x[7] *= 50
    radii = {}
    for quantile in (1.0, 0.95):
        model, _, _ = problem(batch=100)
        guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=10.0), model, quantile=quantile)
        backward(model, x, y)
        guard.step(x, sample_ids=np.arange(100) + 1000)
        radii[quantile] = float(guard.log.radius[-1])
        assert int(guard.log.sample[-1]) == 1007
    assert radii[0.95] > radii[1.0]


def test_every_k_steps():
    model, x, y = problem()
    guard = steps.SafeStep(torch.optim.Adam(model.parameters(), lr=5.0), model, every=3)
    for _ in range(7):
        backward(model, x, y)
        guard.step(x)
    assert guard.log.measured.values.tolist() == [True, False, False, True, False, False, True]
    assert guard.log.engaged.all()


@pytest.mark.parametrize("name", ["sgd", "lbfgs", "adahessian"])
def test_closures(name):
    model, x, y = problem()
    optimizer = {
        "sgd": lambda p: torch.optim.SGD(p, lr=20.0),
        "lbfgs": lambda p: torch.optim.LBFGS(p, lr=20.0, max_iter=3),
        "adahessian": lambda p: steps.AdaHessian(p, lr=50.0),
    }[name](model.parameters())
    guard = steps.SafeStep(optimizer, model, r_max=0.5)

    def closure():
        if name == "adahessian":
            return cross_entropy(model(x), y)
        return backward(model, x, y)

    first = float(cross_entropy(model(x), y).detach())
    losses = [float(guard.step(x, closure=closure).detach()) for _ in range(4)]
    assert losses[0] == pytest.approx(first, rel=1e-6)
    assert guard.engaged
    assert torch.isfinite(flat(model)).all()
    if name != "sgd":
        with pytest.raises(ValueError, match="needs a closure"):
            guard.step(x)


def test_parameter_groups_and_frozen_parts():
    model, x, y = problem()
    optimizer = torch.optim.Adam([{"params": model[0].parameters(), "lr": 5.0}])
    guard = steps.SafeStep(optimizer, model)
    guard.add_param_group({"params": [model[2].weight], "lr": 0.5})
    model[2].bias.requires_grad_(False)
    bias = model[2].bias.clone()
    backward(model, x, y)
    guard.step(x)
    assert guard.engaged
    assert torch.equal(model[2].bias, bias)
    assert len(guard.param_groups) == 2
    with pytest.raises(ValueError, match="do not belong to the model"):
        guard.add_param_group({"params": [nn.Parameter(torch.zeros(2))]})


def test_gradient_accumulation_measures_all_micro_batches():
    model, x, y = problem(batch=32)
    twin, _, _ = problem(batch=32)
    whole = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=50.0), model)
    parts = steps.SafeStep(torch.optim.SGD(twin.parameters(), lr=50.0), twin)
    backward(model, x, y)
    whole.step(x, y)
    parts.zero_grad()
    for i in range(4):
        (cross_entropy(twin(x[8 * i : 8 * i + 8]), y[8 * i : 8 * i + 8]) / 4).backward()
    parts.step(list(x.split(8)), list(y.split(8)))
    assert float(parts.log.radius[0]) == pytest.approx(float(whole.log.radius[0]), rel=1e-4)
    assert int(parts.log.sample[0]) == int(whole.log.sample[0])
    backward(twin, x, y)
    with pytest.raises(ValueError, match="4 micro-batches but 2 targets"):
        parts.step(list(x.split(8)), list(y.split(16)))


def test_state_dict_round_trip():
    def run(model, guard, x, y, count):
        for _ in range(count):
            backward(model, x, y)
            guard.step(x)

    model, x, y = problem()
    guard = steps.SafeStep(torch.optim.AdamW(model.parameters(), lr=1.0), model, every=2)
    run(model, guard, x, y, 3)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "guard": guard.state_dict()}, file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    other, _, _ = problem(seed=5)
    other.load_state_dict(state["model"])
    resumed = steps.SafeStep(torch.optim.AdamW(other.parameters(), lr=1.0), other, every=2)
    resumed.load_state_dict(state["guard"])
    run(model, guard, x, y, 4)
    run(other, resumed, x, y, 4)
    assert same_state(other, model.state_dict())
    assert resumed.log.equals(guard.log)
    with pytest.raises(ValueError, match="no state of a SafeStep"):
        guard.load_state_dict({"optimizer": {}})


def test_batch_norm_and_dropout_are_not_touched():
    model = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 4)).train()
    _, x, y = problem()
    guard = steps.SafeStep(torch.optim.Adam(model.parameters(), lr=5.0), model)
    backward(model, x, y)
    buffers = {n: b.clone() for n, b in model.named_buffers()}
    random = torch.get_rng_state()
    guard.step(x)
    assert guard.engaged
    assert all(torch.equal(b, buffers[n]) for n, b in model.named_buffers())
    assert all(m.training for m in model.modules())
    assert torch.equal(torch.get_rng_state(), random)


def test_binary_output():
    g = torch.Generator().manual_seed(0)
    model, x = nn.Linear(3, 1), torch.randn(8, 3, generator=g)
    y = (x[:, 0] > 0).float()[:, None]
    loss = nn.BCEWithLogitsLoss()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1e3), model, r_max=1.0, criterion=loss)
    before = nn.functional.binary_cross_entropy_with_logits(model(x), y, reduction="none")
    backward(model, x, y, loss)
    guard.step(x)
    after = nn.functional.binary_cross_entropy_with_logits(model(x), y, reduction="none")
    assert guard.engaged
    assert float((after - before).detach().abs().max()) <= math.pi * (1 + 1e-5)


def test_sequence_output_with_ignored_positions():
    g = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Embedding(11, 8), nn.Linear(8, 11))
    tokens = torch.randint(0, 11, (4, 6), generator=g)
    targets = torch.randint(0, 11, (4, 6), generator=g)
    targets[:, 4:] = -1
    targets[2] = -1
    criterion = nn.CrossEntropyLoss(ignore_index=-1)
    guard = steps.SafeStep(torch.optim.Adam(model.parameters(), lr=3.0), model, criterion=criterion)
    model.zero_grad()
    criterion(model(tokens).movedim(-1, 1), targets).backward()
    guard.step(tokens, targets)
    assert guard.engaged
    assert int(guard.log.position[0]) < 4
    assert int(guard.log.sample[0]) != 2
    targets[:] = -1
    with pytest.raises(ValueError, match="every position"):
        guard.step(tokens, targets)


def test_no_gradient_and_no_update():
    model, x, y = problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=0.0), model)
    with pytest.raises(ValueError, match=r"call loss\.backward"):
        guard.step(x)
    backward(model, x, y)
    guard.step(x)
    assert guard.log.outcome.values[-1] == "no update"


def test_constant_slopes_limit_nothing():
    model, x, y = problem()
    with torch.no_grad():
        model[2].weight.zero_()
    optimizer = torch.optim.SGD([model[0].weight], lr=1.0)
    for mode in ("cap", "set"):
        guard = steps.SafeStep(optimizer, model, mode=mode)
        model[0].weight.grad = torch.ones_like(model[0].weight)
        guard.step(x)
        assert float(guard.log.radius[-1]) == np.inf
        assert guard.log.outcome.values[-1] == "kept"
    assert y is not None


def test_the_log_is_a_result(tmp_path):
    model, x, y = problem()
    guard = steps.SafeStep(torch.optim.Adam(model.parameters(), lr=5.0), model)
    assert guard.log.sizes["step"] == 0
    backward(model, x, y)
    guard.step(x)
    again = results.open(results.save(guard.log, tmp_path / "log.nc"))
    assert again.equals(guard.log)
    assert json.loads(again.attrs["parameters"])["optimizer"] == "Adam"


def test_learning_rate_schedulers_see_the_steps():
    model, x, y = problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model)
    schedule = torch.optim.lr_scheduler.StepLR(guard.optimizer, 1, gamma=0.1)
    backward(model, x, y)
    guard.step(x)
    schedule.step()
    assert guard.param_groups[0]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize("seed", range(3))
def test_a_whole_training_survives_a_thousandfold_learning_rate(seed):
    data = steps.digits()
    model = steps.build("mlp-relu", seed=seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    guard = steps.SafeStep(optimizer, model, r_max=1.0)
    with one_thread():
        for n, (x, y) in enumerate(steps.training.batches(data, 120, seed)):
            optimizer.param_groups[0]["lr"] = 1e-3 if n < 60 else 1.0
            backward(model, x, y)
            guard.step(x)
    assert steps.training.accuracy(model, data.test_inputs, data.test_targets) > 0.9
    assert guard.log.r_taken.max() <= 1 + 1e-6
    assert guard.log.engaged.values[60:].all()
