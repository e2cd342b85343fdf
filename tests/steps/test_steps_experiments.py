"""Experiments: shapes, what they must show, user's own data and models, bad input."""

import numpy as np
import pytest
import torch
from torch import nn

from workbench import results, steps
from workbench.progress import Cancelled, Progress


@pytest.fixture(scope="module")
def own():
    """A user's data (two spirals of points, three features) and a user's trained module."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(240, 3))
    data = steps.make_data(inputs, (inputs[:, 0] > 0).astype(int) + (inputs[:, 1] > 1), seed=1)
    model = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 3))
    steps.networks.initialise(model, 0)
    return data, steps.train(model, data, steps=60, learning_rate=1e-2)


def test_sweep_on_a_converged_net():
    ds = steps.sweep_radius("mlp-relu", directions=("-gradient", "random"), r=(0.5, 0.99, 4, 32), samples=128)
    assert ds.accuracy.dims == ("stage", "direction", "r")
    lost = ds.accuracy_start - ds.accuracy
    assert float(lost.sel(r=[0.5, 0.99]).max()) <= 0.05
    assert float(lost.sel(r=32, direction="-gradient").min()) > 0.3
    np.testing.assert_allclose(ds.tau, ds.radius * ds.r)
    assert (ds.flips >= 0).all()


def test_sweep_early_in_training_is_no_guarantee():
    ds = steps.sweep_radius("mlp-relu", stages=("initial", "early"), directions=("output-bias",), r=(0.99,))
    assert float((ds.accuracy_start - ds.accuracy).max()) > 0.05


def test_experiments_take_the_users_own(own):
    data, model = own
    before = {k: v.clone() for k, v in model.state_dict().items()}
    outcomes = [
        steps.sweep_radius(model, data=data, r=(0.5, 2.0)),
        steps.zeros_map(model, data=data),
        steps.limits(model, data=data, predictors=("bound", "replay")),
        steps.bottlenecks(model, data=data, count=5),
        steps.temperature_scaling(model, data=data, temperatures=(0.5, 1.0, 2.0)),
        steps.taylor_orders(model, data=data, orders=(1, 4), points=11),
        steps.spike(model, data=data, steps=4, at=2, rules=("none", "safe")),
        steps.spike("mlp-relu", data=data, steps=4, at=2, rules=("none",)),
        steps.sweep_radius(model, data=data, r=(0.5,), directions={"2.bias": torch.tensor([1.0, 0.0, -1.0])}),
    ]
    for ds in outcomes:
        assert results.is_experiment(getattr(steps, ds.attrs["function"].rsplit(".", 1)[1]))
        results.open_bytes(results.to_bytes(ds))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert outcomes[0].stage.values.tolist() == ["given"]
    assert outcomes[-1].direction.values.tolist() == ["given"]


def test_zeros_move_out_as_margins_grow():
    ds = steps.zeros_map("mlp-tanh", stages=("early", "converged"), samples=64)
    assert ds.certified.mean() > 0.98
    assert (ds.bound <= ds.dominance * (1 + 1e-12)).all()
    assert (ds.dominance <= ds.exact * (1 + 1e-9)).where(ds.certified, True).all()
    np.testing.assert_allclose(np.hypot(ds.zero_real, ds.zero_imaginary), ds.exact)
    in_bounds = (ds.exact / ds.bound).median("sample")
    assert float(in_bounds.sel(stage="converged")) > 1.3 * float(in_bounds.sel(stage="early"))


def test_taylor_diverges_at_the_exact_radius_not_at_the_bound():
    ds = steps.taylor_orders("linear", orders=(5, 40), linearised=True, samples=64, reach=1.1, points=221)
    assert ds.attrs["expansion"] == "linearised logits"
    assert float(ds.bound) < float(ds.exact)
    assert float(ds.convergence) == pytest.approx(float(ds.exact), rel=0.05)
    inside = ds.error.sel(tau=float(ds.bound), method="nearest")
    outside = ds.error.sel(tau=1.09 * float(ds.exact), method="nearest")
    assert float(inside.sel(order=40)) < 0.1 * float(inside.sel(order=5))
    assert float(outside.sel(order=40)) > float(outside.sel(order=5))


def test_one_binary_sample_has_the_known_divergence():
    """log(1 + e^t): error falls with the order inside |t| < π and rises outside."""
    data = steps.make_data([[1.0]] * 10 + [[-1.0]] * 10, [0] * 10 + [1] * 10)
    model = nn.Linear(1, 2)
    with torch.no_grad():
        model.weight.zero_()
        model.bias.zero_()
    ds = steps.taylor_orders(
        model,
        data=data,
        direction={"bias": torch.tensor([0.0, 1.0])},
        orders=(10, 20, 40),
        linearised=True,
        samples=1,
        reach=1.2,
        points=241,
    )
    assert float(ds.exact) == pytest.approx(np.pi)
    inside = ds.error.sel(tau=0.8 * np.pi, method="nearest").values
    outside = ds.error.sel(tau=1.19 * np.pi, method="nearest").values
    assert inside[0] > inside[1] > inside[2]
    assert outside[0] < outside[1] < outside[2]


def test_other_networks_are_expanded_on_a_circle():
    ds = steps.taylor_orders("transformer", orders=(3,), samples=3, points=5)
    assert ds.attrs["expansion"] == "values on a complex circle"
    assert float(ds.error.sel(order=3).isel(tau=2)) < 1e-12


def test_temperature_scales_the_onset():
    ds = steps.temperature_scaling("mlp-relu", samples=128)
    np.testing.assert_allclose(ds.bound, ds.temperature * float(ds.raw[0]), rtol=1e-9)
    assert (np.diff(ds.onset) > 0).all()
    spread = dict(zip(ds.predictor.values, ds.spread.values, strict=True))
    assert spread["quadratic"] < spread["raw"]


def test_limits_lists_all_predictors_and_the_onset():
    ds = steps.limits("mlp-relu", samples=64)
    assert list(ds.predictor.values) == list(steps.PREDICTORS)
    assert str(ds.predictor.values[0]) == "bound"
    onset = float(ds.onset.sel(damage="loss")[0])
    replay = float(ds.tau.sel(predictor="replay")[0])
    assert 0.3 < onset / replay < 3
    ray = steps.experiments.setting.make_ray("mlp-relu", "-gradient", samples=64)
    assert ray.loss_at(onset) == pytest.approx(2 * ray.loss, rel=1e-4)
    accuracy = float(ds.onset.sel(damage="accuracy")[0])
    assert ray.accuracy_at(accuracy) <= ray.accuracy - 0.05 + 1e-9


def test_prediction_spread_summarises_cases():
    ds = steps.prediction_spread(
        networks=("linear", "mlp-relu"),
        stages=("converged",),
        directions=("-gradient", "random"),
        predictors=("bound", "replay"),
        samples=64,
    )
    assert ds.tau.shape == (4, 2)
    ratio = np.log10(ds.onset.sel(damage="loss").values / ds.tau.sel(predictor="replay").values)
    assert float(ds.spread.sel(predictor="replay", damage="loss")) == pytest.approx(ratio.std(ddof=1))
    assert int(ds.cases.sel(predictor="bound", damage="loss")) == 4


def test_bottlenecks_are_the_smallest_radii():
    ds = steps.bottlenecks("mlp-relu", count=6, samples=100)
    assert (np.diff(ds.radius) >= 0).all()
    everything = steps.zeros_map("mlp-relu", stages=("converged",), samples=100)
    assert float(ds.radius[0]) == pytest.approx(float(everything.bound.min()))
    data = steps.digits()
    np.testing.assert_array_equal(ds.inputs[0], data.train_inputs[int(ds.sample[0])])


def test_persistent_spike_is_survived_by_the_guard_alone():
    ds = steps.spike("mlp-relu", persistent=True, steps=120, at=60, seeds=(0,), rules=("none", "gradient-clip", "safe"))
    final = dict(zip(ds.rule.values, ds.accuracy.values[:, 0, -1], strict=True))
    assert final["safe"] > 0.9
    assert final["none"] < 0.3
    assert final["gradient-clip"] < 0.3
    safe = ds.sel(rule="safe", seed=0)
    assert float(safe.r.max()) <= 1 + 1e-4
    assert bool((safe.engaged[60:] == 1).all())
    assert float(ds.sel(rule="none").r[0, 60]) > 10


@pytest.mark.parametrize("optimizer", list(steps.OPTIMISERS))
def test_every_optimiser_can_be_guarded(optimizer):
    ds = steps.spike(
        "mlp-tanh",
        optimizer=optimizer,
        learning_rate=1e-3,
        rules=("none", "armijo", "update-clip", "safe"),
        steps=14,
        at=8,
    )
    assert float(ds.r.sel(rule="safe").max()) <= 1 + 1e-4
    assert np.isfinite(ds.loss.sel(rule="safe")).all()
    assert np.isfinite(ds.loss.sel(rule="armijo")).all()


def test_spike_repeats_and_streams():
    options = {"steps": 12, "at": 6, "rules": ("safe",), "seeds": (3,)}
    first, second = steps.spike(**options), steps.spike(**options)
    assert first.equals(second)
    parts = []
    watcher = Progress()
    watcher.publish = parts.append
    steps.spike(**options, progress=watcher)
    assert [int(np.isfinite(p.loss).sum()) for p in parts] == [1, 5, 9]
    assert all(results.validate(p) is p for p in parts)


def test_counterexamples_are_computed():
    ds = steps.counterexamples(networks=("mlp-relu",))
    assert float(ds.linear_after) > float(ds.linear_before)
    assert float(ds.tanh_radius) < float(ds.tanh_bound)
    assert float(ds.points_lost.sel(stage="converged")[0]) <= 5


def test_work_can_be_cancelled():
    class After(Progress):
        def show(self, done, total, message):
            self.cancel()

    with pytest.raises(Cancelled):
        steps.sweep_radius("linear", directions=("-gradient", "random"), r=(1.0,), progress=After())
    with pytest.raises(Cancelled):
        steps.spike(steps=20, at=3, rules=("none",), progress=After())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: steps.sweep_radius("mlp"), "unknown network"),
        (lambda: steps.sweep_radius(stages=("late",)), "unknown stage"),
        (lambda: steps.sweep_radius(stages=()), "at least one stage"),
        (lambda: steps.sweep_radius(directions=("up",)), "unknown direction"),
        (lambda: steps.sweep_radius(directions=()), "at least one direction"),
        (lambda: steps.sweep_radius(directions=("sign", "sign")), "distinct"),
        (lambda: steps.sweep_radius(r=(0.0, 1.0)), "positive"),
        (lambda: steps.sweep_radius(samples=0), "at least 1"),
        (lambda: steps.temperature_scaling(temperatures=(0.0,)), "positive"),
        (lambda: steps.spike(rules=("prayer",)), "unknown rule"),
        (lambda: steps.spike(rules=()), "distinct rules"),
        (lambda: steps.spike(at=500, steps=100), "at most 99"),
        (lambda: steps.spike(optimizer="adamm"), "Did you mean"),
        (lambda: steps.spike(seeds=()), "at least one seed"),
        (lambda: steps.taylor_orders(orders=(99,)), "at most 60"),
        (lambda: steps.limits(predictors=("tea",)), "unknown predictor"),
        (lambda: steps.make_data([[1.0], [np.nan]], [0, 1]), "NaN"),
        (lambda: steps.make_data([[1.0], [2.0]], [0, 0]), "one class only"),
        (lambda: steps.make_data([[1.0], [2.0]], [0]), "equal lengths"),
        (lambda: steps.make_data([[1.0], [2.0]], [0, 1.5]), "class numbers"),
        (lambda: steps.build("linear", classes=1), "at least 2"),
    ],
)
def test_bad_requests(call, message):
    with pytest.raises(ValueError, match=message):
        call()
