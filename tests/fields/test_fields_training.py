"""Networks against torch's own differentiation, training that repeats, can be cancelled, and is judged rightly."""

import math

import numpy as np
import pytest
import torch

from workbench import fields, results
from workbench.fields import FieldNetwork, exact_field, read_network, standard_gaussian, train_field, trained_network
from workbench.fields.core.network import backward, split
from workbench.fields.core.shipped import SHIPPED_POINTS, SHIPPED_STEPS, file_name, shipped_sample
from workbench.progress import Cancelled, Progress

SMALL = {"points": 40, "width": 16, "depth": 2, "steps": 40, "batch": 64, "looks": 4}


def in_torch(network):
    """The same network as torch has it, in double precision."""
    layers = []
    for w, b in zip(network.weights, network.biases, strict=True):
        layer = torch.nn.Linear(w.shape[1], w.shape[0], dtype=torch.float64)
        layer.weight.data, layer.bias.data = torch.tensor(w).double(), torch.tensor(b).double()
        layers += [layer, torch.nn.SiLU()]
    return torch.nn.Sequential(*layers[:-1])


@pytest.fixture(scope="module")
def small():
    return train_field("two-blobs", keep=[20], **SMALL)


def test_values_slopes_and_gradients_are_torchs():
    network = FieldNetwork.fresh(3, width=12, depth=2, seed=1)
    twin = in_torch(network)
    rng = np.random.default_rng(0)
    x, u, t = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.random(20)
    entering = torch.tensor(np.c_[x, t])
    values = twin(entering)
    np.testing.assert_allclose(network(x, t), values.detach().numpy(), atol=2e-6)
    slopes = torch.func.vmap(torch.func.jacrev(twin))(entering)[:, :, :3].detach().numpy()
    np.testing.assert_allclose(network.jacobian(x, t), slopes, atol=2e-6)
    loss = ((values - torch.tensor(u)) ** 2).sum(1).mean()
    loss.backward()
    row = network.parameters
    found = np.zeros_like(row)
    weights, biases = split(row, [w.shape for w in network.weights])
    made = backward(weights, biases, np.c_[x, t].astype(np.float32), u.astype(np.float32), found)
    assert made == pytest.approx(float(loss.detach()), rel=1e-5)
    wanted = np.concatenate([p.grad.numpy().ravel() for p in twin.parameters()])
    np.testing.assert_allclose(found, wanted, atol=3e-6 * np.abs(wanted).max() + 1e-6)


def test_the_proved_constant_lies_above_every_slope():
    network = FieldNetwork.fresh(2, width=32, depth=3, seed=0)
    x = 4 * np.random.default_rng(0).normal(size=(500, 2))
    steepest = np.linalg.norm(network.jacobian(x, 0.5), 2, axis=(1, 2)).max()
    assert 0 < steepest < network.lipschitz()
    linear = FieldNetwork([np.eye(3)[:2] * 2, np.eye(2) * 3], [np.zeros(2), np.zeros(2)])
    assert linear.lipschitz() == pytest.approx(6 * 1.09984, rel=1e-9)
    z = np.linspace(-20, 20, 400_001)
    s = 1 / (1 + np.exp(-z))
    assert (s * (1 + z * (1 - s))).max() < 1.09984


def test_a_network_comes_back_from_its_file_and_nothing_else_does(tmp_path):
    network = FieldNetwork.fresh(2, width=8, depth=1, seed=0)
    network.save(tmp_path / "net.safetensors", law="none")
    np.testing.assert_array_equal(read_network(tmp_path / "net.safetensors").parameters, network.parameters)
    (tmp_path / "no.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(ValueError, match="no safetensors file"):
        read_network(tmp_path / "no.safetensors")
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, str(tmp_path / "a.safetensors"))
    with pytest.raises(ValueError, match="no field network"):
        read_network(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="layer 1 has weights"):
        FieldNetwork([np.zeros((4, 3)), np.zeros((2, 5))], [np.zeros(4), np.zeros(2)])
    with pytest.raises(ValueError, match="parameters"):
        network.with_parameters(np.zeros(3))


def test_training_repeats_and_is_told_apart_by_its_seed(small):
    again = train_field("two-blobs", keep=[20], **SMALL)
    np.testing.assert_array_equal(small.parameters, again.parameters)
    other = train_field("two-blobs", seed=1, **SMALL)
    assert not np.array_equal(small.parameters[-1], other.parameters[-1])
    assert small.kept.values.tolist() == [20, 40]
    assert not np.array_equal(trained_network(small, 20).parameters, trained_network(small).parameters)


def test_loss_on_fresh_pairs_is_the_least_loss_and_the_distance(small):
    gap = small.held_out - small.irreducible - small.truth
    assert np.abs(gap / small.held_out_error).max() < 4
    assert float(small.irreducible_n) < float(small.irreducible)
    assert float(small.apart) > 5 * float(small.apart_error)


def test_the_distance_of_a_result_can_be_measured_anew(small):
    law = fields.LAWS["two-blobs"]()
    exact = exact_field(standard_gaussian(2), law)
    found, error = fields.field_distance(trained_network(small), exact, exact, samples=9600, seed=5)
    assert abs(found - float(small.truth[-1])) < 4 * math.hypot(error, float(small.truth_error[-1]))


def test_a_training_can_be_cancelled_between_looks_and_publishes():
    class Stopper(Progress):
        seen = 0
        parts = ()

        def publish(self, result):
            self.parts = (*self.parts, result)

        def show(self, done, total, message):
            if done >= 20:
                self.cancel()

    progress = Stopper()
    with pytest.raises(Cancelled):
        train_field("two-blobs", progress=progress, **SMALL)
    assert len(progress.parts) >= 2
    assert "more steps" in results.missing(progress.parts[-1])
    assert np.isfinite(progress.parts[-1].truth.values[:2]).all()
    assert np.isnan(progress.parts[-1].truth.values[-1])


def test_optimal_batches_and_fresh_points_know_what_they_know():
    gaussians = train_field("gaussian", coupling="optimal", **SMALL)
    assert np.isfinite(gaussians.truth).all()
    assert float(gaussians.irreducible) == 0.0
    assert np.isnan(gaussians.memoriser).all()
    fresh = train_field("two-blobs", **{**SMALL, "points": 0})
    assert np.isfinite(fresh.truth).all()
    assert np.isnan(float(fresh.apart))
    assert "point" not in fresh
    unknown = train_field("two-blobs", coupling="optimal", **SMALL)
    assert np.isnan(unknown.truth).all()
    assert np.isfinite(unknown.held_out).all()


@pytest.mark.parametrize("dimension", [1, 3])
def test_own_points_are_split_and_judged_by_what_was_kept_out(dimension):
    points = np.random.default_rng(0).normal(2.0, 0.5, size=(100, dimension))
    ds = train_field(points, **SMALL)
    assert np.isnan(ds.truth).all()
    assert np.isfinite(ds.memoriser).all()
    assert ds.sizes["number"] == 80
    assert float(ds.held_out[-1]) < float(ds.held_out[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"target": np.zeros((5, 2))}, "5 points are too few"),
        ({"points": 3}, "points must be 0"),
        ({"until": 1.0}, "until must be at most 0.999"),
        ({"coupling": "optimal", "batch": 4096}, "batch, where pairs are matched"),
        ({"keep": [7]}, "multiples of"),
        ({"keep": [99_999]}, "at most 2000"),
        ({"rate": 0.0}, "greater than 0"),
        ({"width": 4096}, "width must be at most 512"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_work(arguments, words):
    with pytest.raises(ValueError, match=words):
        train_field(**{"target": "two-blobs", **arguments})


def test_a_diverging_rate_is_told():
    with pytest.raises(ValueError, match="smaller rate"), np.errstate(all="ignore"):
        train_field("two-blobs", **{**SMALL, "rate": 1e30})


@pytest.mark.parametrize("points", SHIPPED_POINTS)
def test_networks_ship_small_and_near_the_truth(points):
    from workbench import data

    exact = exact_field(standard_gaussian(2), fields.LAWS["five-blobs"]())
    study = data.result("fields/training.nc").sel(points=points, seed=0)
    for step in SHIPPED_STEPS:
        assert data.path(file_name(points, step)).stat().st_size < 300_000
        network = fields.shipped_network(points, step)
        found, error = fields.field_distance(network, exact, exact, samples=4800, seed=9)
        told = study.sel(step=step)
        assert abs(found - float(told.truth)) < 5 * math.hypot(error, float(told.truth_error))
    with pytest.raises(ValueError, match="no network ships"):
        fields.shipped_network(points, 5)


def test_the_report_shows_the_points_that_the_network_was_trained_on():
    ds = fields.field_report(points=32, step=6000, time=0.0)
    np.testing.assert_array_equal(ds.point.values, shipped_sample(32))
    assert float(ds.memoriser) < 0.7 * float(fields.field_report(points=32, step=200).memoriser)  # it memorises
    moved = fields.field_report(points=32, step=6000, centres=np.zeros((5, 2)))
    assert float(moved.truth) > 2 * float(ds.truth)
    plain = fields.field_report("moons", points=50, step=6000)
    assert np.isnan(plain.arrow_learned).all()
    with pytest.raises(ValueError, match="centres of shape"):
        fields.field_report(centres=[[0.0, 0.0]])
    with pytest.raises(ValueError, match=r"at most 0\.95"):
        fields.field_report(time=0.99)
