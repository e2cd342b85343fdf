"""The flow: closed-form trajectories, both losses, frames and checkpoints, early stop, minibatches, cancelling."""

import json

import numpy as np
import pytest

from workbench import flows, results
from workbench.progress import Cancelled, Progress

QUIET = {"checkpoints": (), "frames": 2}


@pytest.mark.parametrize("eta", [1.0, 0.4])
def test_a_homothety_flows_in_closed_form(rng, eta):
    """X0 = cY + t moves as X_k = (1 + (c−1)ρ^k) Y + ρ^k t with ρ = 1 − 2τ/d = 1 − eta, exactly."""
    y, c, t = rng.normal(size=(60, 3)), 2.5, np.array([1.0, -2.0, 0.5])
    y -= y.mean(axis=0)
    flow = flows.gradient_flow(
        c * y + t,
        y,
        steps=7,
        method="orthogonal",
        n_directions=3,
        eta=eta,
        frames=8,
        checkpoints=(0, 3),
        precision="double",
    )
    rho = 1 - eta
    for step in range(8):
        expected = (1 + (c - 1) * rho**step) * y + rho**step * t
        np.testing.assert_allclose(flow.positions.sel(frame=step), expected, rtol=2e-7, atol=5e-7)  # stored as float32
    k = np.arange(8)
    exact = np.mean(np.sum(((c - 1) * rho ** k[:, None, None] * y + rho ** k[:, None, None] * t) ** 2, axis=2), axis=1)
    np.testing.assert_allclose(flow.sw2, exact / 3, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(flow.w2, exact[[0, 3]], rtol=1e-12, atol=1e-14)


def test_homothety_step_to_fourteen_digits(rng):
    y = rng.normal(size=(40, 3))
    x = 3.0 * y + np.array([1.0, 2.0, 3.0])
    value, gradient = flows.sliced_wasserstein_gradient(
        x, y, method="orthogonal", n_directions=3, precision="double", seed=1
    )
    stepped = x - 0.3 * 1.5 * 40 * gradient
    np.testing.assert_allclose(stepped, x - 0.3 * (x - y), atol=1e-14 * 40)
    assert value == pytest.approx(np.mean(np.sum((x - y) ** 2, axis=1)) / 3, rel=1e-13)


def test_the_default_flow_falls_monotonically_and_arrives():
    x, y = flows.cloud("torus", 600), flows.cloud("cube", 600, seed=1)
    flow = flows.gradient_flow(x, y, steps=60, frames=31)
    sw2 = flow.sw2.values
    assert (np.diff(sw2) < 4 * flow.sw2_standard_error.values[1:]).all()
    assert sw2[-1] < 5e-3 * sw2[0]
    assert flow.w2[-1] < 0.1 * flow.w2[0]
    assert (flow.sw2.sel(frame=[0, 60]) <= flow.w2.values / 3 + 1e-9).all()
    assert flow.positions.dtype == np.float32
    np.testing.assert_array_equal(flow.frame.values, np.arange(0, 61, 2))
    assert (flow.seconds_per_step[1:] > 0).all()


def test_fresh_directions_do_not_stall_where_a_fixed_set_does(rng):
    """A fixed set of six directions is no metric: its own loss vanishes while exact W_2² stays."""
    x, y = flows.cloud("torus", 300), flows.cloud("cube", 300, seed=1)
    fixed = x.copy()
    for _ in range(150):
        _, gradient = flows.sliced_wasserstein_gradient(fixed, y, n_directions=6, seed=0)
        fixed -= 1.5 * 300 * gradient
    rotating = flows.gradient_flow(x, y, steps=150, n_directions=6, checkpoints=(150,), frames=2)
    stalled = flows.wasserstein(fixed, y)
    assert flows.sliced_wasserstein(fixed, y, n_directions=6, repeats=1, seed=0).value < 2e-3
    assert rotating.w2[-1] < 0.7 * stalled


def test_the_unsquared_loss_ends_in_the_limit_cycle():
    """Constant speed to the end, then a cycle of height at least learning_rate²/(4d), whatever the estimator."""
    rate = 0.02
    flow = flows.gradient_flow(
        [[0.413, 0.0, 0.0]], [[0.0, 0.0, 0.0]], steps=200, loss="unsquared", learning_rate=rate,
        method="orthogonal", n_directions=3, precision="double", frames=201, checkpoints=(),
    )  # fmt: skip
    speed = -np.diff(np.sqrt(3 * flow.sw2.values))[:20]
    np.testing.assert_allclose(speed, rate / np.sqrt(3), rtol=1e-6)
    # one point steps back and forth over the target by rate/√d: the larger W_2² of the two lies in this band
    highest = 3 * flow.sw2_seen.values[-50:].max()
    assert rate**2 / (4 * 3) <= highest <= rate**2 / 3


def test_weights_and_unequal_sizes_flow(rng):
    x, y = rng.normal(size=(80, 2)), rng.normal(size=(50, 2)) * 0.5 + 2
    a, b = rng.random(80), rng.random(50)
    a[5] = 0
    flow = flows.gradient_flow(x, y, steps=80, n_directions=20, x_weights=a, y_weights=b)
    assert flow.sw2[-1] < 2e-3 * flow.sw2[0]
    np.testing.assert_array_equal(flow.positions[-1, 5], x[5].astype(np.float32))
    assert flow.x_weights.sum() == pytest.approx(1)


def test_minibatches_move_the_cloud_too():
    x, y = flows.cloud("sphere", 800) + 3, flows.cloud("cube", 800, seed=1)
    flow = flows.gradient_flow(x, y, steps=150, batch_size=100, eta=0.3, **QUIET)
    assert flow.sw2[-1] < 1e-2 * flow.sw2[0]


def test_early_stop():
    x, y = flows.cloud("sphere", 300), flows.cloud("cube", 300, seed=1)
    flow = flows.gradient_flow(x, y, steps=400, frames=401, stop_below=1e-3, checkpoints=())
    assert flow.sw2[-1] <= 1e-3 < flow.sw2[-2]
    assert flow.sizes["step"] == flow.frame.values[-1] < 400


def test_same_seed_same_flow_whatever_the_threads():
    x, y = flows.cloud("torus", 3000), flows.cloud("cube", 3000, seed=1)
    runs = [flows.gradient_flow(x, y, steps=4, threads=k, **QUIET) for k in (1, 2)]
    np.testing.assert_array_equal(runs[0].positions, runs[1].positions)
    other = flows.gradient_flow(x, y, steps=4, seed=1, **QUIET)
    assert not np.array_equal(other.positions, runs[0].positions)


@pytest.mark.parametrize("method", [name for name, entry in flows.ESTIMATORS.items() if entry.facts.get("dim", 3) == 3])
def test_every_estimator_drives_a_flow(method):
    x, y = flows.cloud("sphere", 200) + 1, flows.cloud("two-blobs", 200, seed=1)
    flow = flows.gradient_flow(x, y, steps=40, method=method, n_directions=30, eta=0.5, **QUIET)
    assert flow.sw2[-1] < 0.02 * flow.sw2[0]


def test_many_dimensions_and_no_steps(rng):
    x, y = rng.normal(size=(100, 12)), rng.normal(size=(100, 12)) + 1
    flow = flows.gradient_flow(x, y, steps=60, n_directions=48, **QUIET)
    assert flow.sw2[-1] < 0.05 * flow.sw2[0]
    still = flows.gradient_flow(x, y, steps=0)
    assert still.sizes["frame"] == 1
    assert "sw2_seen" not in still


def test_the_input_is_left_alone_and_the_result_survives_a_file(rng, tmp_path):
    x, y = rng.normal(size=(2, 30, 3))
    kept = x.copy()
    flow = flows.gradient_flow(x, y, steps=3)
    np.testing.assert_array_equal(x, kept)
    again = results.open(results.save(flow, tmp_path / "flow.nc"))
    np.testing.assert_array_equal(again.positions, flow.positions)
    assert json.loads(flow.attrs["parameters"])["method"] == "design"


def test_clouds_in_map_coordinates_keep_their_millimetres(rng):
    """500 km east, 4500 km north: single precision would round to a quarter of a metre."""
    place = np.array([500_000.0, 4_500_000.0])
    x, y = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    options = {"steps": 5, "precision": "double", "frames": 6, "checkpoints": (0, 5), "method": "equispaced"}
    near, far = flows.gradient_flow(x, y, **options), flows.gradient_flow(x + place, y + place, **options)
    assert near.positions.dtype == np.float32
    assert far.positions.dtype == far.target.dtype == np.float64
    np.testing.assert_array_equal(far.positions[0], x + place)
    np.testing.assert_array_equal(far.target, y + place)
    np.testing.assert_allclose(far.positions - place, near.positions, atol=1e-6)
    np.testing.assert_allclose(far.sw2, near.sw2, rtol=1e-7)
    np.testing.assert_allclose(far.w2, near.w2, rtol=1e-7)


@pytest.mark.parametrize("size", [1e-150, 1e-60, 1e60, 1e150])
def test_a_flow_scales_with_its_clouds(rng, size):
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 1
    plain = flows.gradient_flow(x, y, steps=3, frames=4, precision="double")
    scaled = flows.gradient_flow(size * x, size * y, steps=3, frames=4, precision="double")
    np.testing.assert_allclose(scaled.positions / size, plain.positions, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(scaled.sw2 / size / size, plain.sw2, rtol=1e-9)
    np.testing.assert_allclose(scaled.w2 / size / size, plain.w2, rtol=1e-9)


def test_names_stand_for_shapes():
    by_name = flows.gradient_flow("torus", "cube", n=50, steps=3, seed=4)
    by_hand = flows.gradient_flow(flows.cloud("torus", 50, 4), flows.cloud("cube", 50, 5), steps=3, seed=4)
    np.testing.assert_array_equal(by_name.positions, by_hand.positions)
    assert "x='torus', y='cube', n=50, steps=3" in results.python_lines(by_name)
    with pytest.raises(ValueError, match="3 dimensions and y in 2"):
        flows.gradient_flow("torus", "text:Hi", n=50)


def test_cancel_stops_at_the_next_step():
    class StopAtThree(Progress):
        def show(self, done, total, message):
            if done == 3:
                self.cancel()

    with pytest.raises(Cancelled):
        flows.gradient_flow(np.eye(3), -np.eye(3), steps=10**6, checkpoints=(), frames=2, progress=StopAtThree())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": -1}, "steps must be at least 0"),
        ({"eta": 0}, "greater than 0"),
        ({"eta": 1.5}, "at most 1"),
        ({"loss": "cubed"}, "squared, unsquared"),
        ({"checkpoints": (11,)}, "at most 10"),
        ({"batch_size": 0}, "at least 1"),
        ({"frames": 1}, "at least 2"),
        ({"stop_below": -1.0}, "at least 0"),
        ({"learning_rate": float("nan")}, "finite"),
        ({"method": "nonsense"}, "unknown estimator"),
        ({"method": "equispaced"}, "2 dimensions"),
        ({"x_weights": [1, 2]}, "2 entries for 3"),
        ({"read_repeats": 1}, "at least 2"),
        ({"threads": 0}, "at least 1"),
    ],
)
def test_bad_numbers_are_refused_before_the_first_step(change, message):
    class NoStep(Progress):
        def show(self, done, total, message):
            raise AssertionError("work began")

    with pytest.raises(ValueError, match=message):
        flows.gradient_flow(np.eye(3), -np.eye(3), **({"steps": 10, "progress": NoStep()} | change))


def test_a_film_that_does_not_fit_is_refused(monkeypatch):
    import psutil

    class Little:
        available = 50_000

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Little)
    with pytest.raises(ValueError, match="a film of 101 frames"):
        flows.gradient_flow(np.ones((100, 3)), np.ones((100, 3)), steps=100, frames=101, checkpoints=())
