"""Directed slices in the room: the landscape, searches against the proof, rules, flows at equal slices, networks."""

import numpy as np
import pytest

from workbench import costs, data, flows, results, transport
from workbench.flows import directed
from workbench.flows.directed.searches import adam
from workbench.progress import Cancelled, Progress
from workbench.transport.estimators.base import random_rotations
from workbench.transport.measures import prepare


@pytest.fixture(scope="module")
def landscape():
    return flows.directed_slices("torus", "cube", n=200)


def test_the_profile_rises_between_its_ends(landscape):
    ds = landscape
    assert (np.diff(ds.value) > -4 * ds.standard_error.values[1:] - 1e-3 * float(ds.sw2)).all()
    assert float(ds.value[0]) == pytest.approx(float(ds.sw2), rel=2e-3)
    assert float(ds.value[-1]) == pytest.approx(float(ds.max_sw2), rel=0.01)
    assert (ds.value >= ds.lower_bound * (1 - 1e-3)).all()
    assert (ds.value <= ds.upper_bound * (1 + 1e-3)).all()
    assert bool(ds.certified)
    np.testing.assert_allclose(np.linalg.norm(ds.location, axis=1), 1, rtol=1e-12)
    x, y = flows.cloud("torus", 200), flows.cloud("cube", 200, seed=1)
    top = flows.max_sliced_wasserstein(x, y)
    assert float(ds.max_sw2) == top.value
    for kappa in (1.0, 10.0):
        k = int(np.argmin(np.abs(ds.kappa.values - kappa)))
        other = flows.directed_sliced_wasserstein(x, y, float(ds.kappa[k]), n_directions=500, repeats=8)
        assert float(ds.value[k]) == pytest.approx(other.value, rel=2e-3)


def test_the_map_and_the_axes_belong_to_the_clouds(landscape):
    ds = landscape
    assert float(ds.cost_map.mean()) == pytest.approx(float(ds.sw2), rel=5e-3)
    assert float(ds.cost_map.max()) <= float(ds.max_sw2_bound) * (1 + 1e-5)
    axes = flows.best_axis(flows.cloud("torus", 200), flows.cloud("cube", 200, seed=1), n_directions=500)
    np.testing.assert_allclose(ds.axis_values, axes.values, atol=0.01 * float(ds.sw2))
    assert abs(ds.axes.values[0] @ axes.best) > 0.99
    assert float(ds.adam_turned) < 0.6


@pytest.mark.parametrize("kappa", [0.0, 0.5, 3.0, 20.0, 50.0])
def test_values_read_from_the_result_are_those_of_the_clouds(landscape, kappa):
    x, y = flows.cloud("torus", 200), flows.cloud("cube", 200, seed=1)
    axis = np.array([0.2, -0.5, 0.9])
    read, where = flows.directed_at(landscape, kappa, axis)
    direct = flows.directed_sliced_wasserstein(x, y, kappa, axis, n_directions=1000)
    assert read == pytest.approx(direct.value, rel=0.01)
    np.testing.assert_allclose(where, axis / np.linalg.norm(axis))
    best, _ = flows.directed_at(landscape, kappa)
    assert best >= read * (1 - 1e-9)


def test_large_kappas_are_read_from_the_profile(landscape):
    value, axis = flows.directed_at(landscape, 1e4)
    assert value == pytest.approx(float(landscape.value[-1]))
    np.testing.assert_array_equal(axis, landscape.location.values[-1])
    with pytest.raises(ValueError, match="points nowhere"):
        flows.directed_at(landscape, 1.0, [0, 0, 0])


def test_flat_clouds_have_a_profile_but_no_sphere():
    with pytest.raises(ValueError, match="lie in 2 dimensions; the sphere of directions is drawn for 3"):
        flows.directed_slices("disc", "square")
    flat = flows.kappa_profile("disc", "square", [0.5, 20.0, 2000.0], n=100)
    assert float(flat.value[0]) <= float(flat.value[1]) * (1 + 1e-3)
    assert float(flat.value[-1]) <= float(flat.upper_bound[-1]) * (1 + 1e-3)
    with pytest.raises(ValueError, match="kappas is empty"):
        flows.kappa_profile("disc", "square", [])
    with pytest.raises(ValueError, match="kappa must be at least 0"):
        flows.kappa_profile("disc", "square", [-1.0])


def test_equal_clouds_see_nothing_anywhere(rng):
    x = rng.normal(size=(30, 3))
    ds = flows.directed_slices(x, x[::-1], resolution=5)
    assert float(ds.max_sw2_bound) < 1e-10
    assert np.isfinite(ds.value).all()


def test_no_search_exceeds_the_proof_and_the_released_one_hardly_moves():
    ds = flows.slice_searches([("torus", "cube"), ("sphere", "two-blobs")], n=100, starts=4)
    assert (ds.share <= 1 + 2e-6).all()
    assert float(ds.turned.sel(search="adam-published").max()) < 0.6
    assert float(ds.share.sel(search="adam").mean()) > float(ds.share.sel(search="adam-published").mean())
    assert (ds.share.sel(search="branch-and-bound-50").std("start") == 0).all()
    again = flows.slice_searches([("torus", "cube"), ("sphere", "two-blobs")], n=100, starts=4)
    np.testing.assert_array_equal(ds.share, again.share)
    for change, message in (
        ({"pairs": [("torus", "disc")]}, "'disc' has 2 dimensions"),
        ({"pairs": [("torus",)]}, "a pair names two shapes"),
        ({"methods": ["newton"]}, "unknown search"),
    ):
        with pytest.raises(ValueError, match=message):
            flows.slice_searches(**change)


def test_adam_is_torchs(rng):
    """The released search, against torch's own optimiser and gradient."""
    import torch

    points = rng.normal(size=(2, 20, 3)) + np.array([[[0, 0, 0]], [[1, 0, 0]]])
    x, y = (prepare("x", cloud, None, np.float64) for cloud in points)
    found = adam(x, y, np.random.default_rng(5), 20, 0.01)
    theta = torch.tensor(found.start.copy(), requires_grad=True)
    ascent = torch.optim.Adam([theta], lr=0.01)
    for _ in range(20):
        ascent.zero_grad()
        sides = [torch.sort(torch.tensor(cloud) @ theta)[0] for cloud in points]
        (-((sides[0] - sides[1]) ** 2).sum()).backward()
        ascent.step()
        with torch.no_grad():
            theta /= theta.norm()
    assert found.turned > 1
    np.testing.assert_allclose(found.end, theta.detach().numpy(), atol=1e-6)


def test_weighted_designs_err_less_than_sampling():
    ds = flows.directed_quadratures(["torus-cube"], kappas=(1.0,), n=100, repeats=30)
    errors = ds.relative_rmse.sel(pair="torus-cube", kappa=1.0)
    assert float(errors.sel(rule="design-cosh")) < 0.05 * float(errors.sel(rule="vmf-sampling"))
    assert float(errors.sel(rule="vmf-spiral")) < 0.2 * float(errors.sel(rule="vmf-sampling"))
    with pytest.raises(ValueError, match="unknown vMF rule"):
        flows.directed_quadratures(rules=["gauss"])


def test_the_triangle_breaks_for_an_axis_chosen_pair_by_pair():
    for kappa in (0.1, 1.0, 30.0):
        left, right = flows.triangle_counterexample(kappa)
        assert left > right
    assert flows.triangle_counterexample(0.0)[0] == pytest.approx(flows.triangle_counterexample(0.0)[1])
    # the same two sides, measured on three points with the axes of the example
    points = [np.array([[0.0, 0, t]]) for t in (0.0, 0.5, 1.0)]
    settings = {"kappa": 1.0, "n_directions": 1000, "precision": "double"}
    halves = [
        transport.directed_sliced_wasserstein(a, b, location=[1, 0, 0], **settings).value ** 0.5
        for a, b in ((points[0], points[1]), (points[1], points[2]))
    ]
    whole = transport.directed_sliced_wasserstein(points[0], points[2], location=[0, 0, 1], **settings).value ** 0.5
    assert (whole, sum(halves)) == pytest.approx(flows.triangle_counterexample(1.0), rel=1e-3)


def test_flows_fall_and_use_no_more_slices_than_they_may():
    ds = flows.directed_flows(n=60, steps=8, n_directions=20, every=4, seeds=(0,))
    assert ds.frame.values.tolist() == [0, 4, 8]
    assert (ds.slices <= 20 + 2).all()
    fallen = ds.w2.isel(frame=-1) / ds.w2.isel(frame=0)
    assert (fallen.sel(slicing=["uniform", "directed", "largest"]) < 0.5).all()
    np.testing.assert_allclose(ds.sw2.isel(frame=0).values.std(axis=0), 0, atol=1e-12)
    with pytest.raises(ValueError, match="unknown slicing"):
        flows.directed_flows(slicings=["sideways"])
    with pytest.raises(ValueError, match="works in 3"):
        flows.directed_flows("disc", "square", n=30, steps=1, every=1)


@pytest.mark.parametrize("name", list(directed.SLICINGS))
def test_every_slicing_removes_a_translation(name, rng):
    x = rng.normal(size=(40, 3))
    ds = flows.directed_flows(
        x, x + np.array([0.0, 0.0, 2.0]), [name], steps=1, every=1, eta=1.0, seeds=(0,), kappa=3.0
    )
    share = float(ds.w2[0, 0, 1] / ds.w2[0, 0, 0])
    assert share < (0.02 if "published" not in name else 1.0)


def test_the_study_of_networks_is_repeatable_and_its_references_are_right():
    settings = {"n": 32, "steps": 2, "batch": 4, "held_out": 12, "seeds": (0,)}
    ds, again = (flows.amortisation_study(**settings) for _ in range(2))
    np.testing.assert_array_equal(ds.gain, again.gain)
    assert (ds.gain.sel(finder="eigenvector") > 0.99).all()
    assert (ds.gain <= 1 + 1e-9).all()
    assert (ds.turning.sel(finder="eigenvector") > 0.98).all()
    assert (abs(ds.gain.sel(finder="random")) < 0.8).all()
    # a set is read as a set by attention, and not by one weight a point
    np.testing.assert_allclose(ds.shuffling.sel(finder=["attention", "attention-efficient"]), 1, atol=1e-3)
    assert (ds.shuffling.sel(finder="linear") < 0.95).all()
    for change, message in (({"networks": ["mlp"]}, "unknown network"), ({"arrangements": ["up"]}, "arrangement")):
        with pytest.raises(ValueError, match=message):
            flows.amortisation_study(**change)


def test_training_learns_where_clouds_stand_alike():
    """A sanity check of the training itself: one fixed pair, moved apart along an axis, is learnt."""
    import torch

    from workbench.flows.directed.amortised import NETWORKS, _objective, costs_along

    x = flows.cloud("sphere", 32)[None]
    y = x + np.array([0.0, 0.0, 3.0])
    directions = transport.design_table(100)
    costs_seen = torch.tensor(costs_along(x, y, directions), dtype=torch.float32)
    torch.manual_seed(0)
    net = NETWORKS["attention-efficient"](32)
    ascent = torch.optim.Adam(net.parameters(), lr=1e-2, betas=(0.0, 0.9))
    clouds = [torch.tensor(c, dtype=torch.float32) for c in (x, y)]
    for _ in range(150):
        ascent.zero_grad()
        (
            -_objective(net(*clouds), torch.tensor(directions.copy(), dtype=torch.float32), costs_seen, 5.0).mean()
        ).backward()
        ascent.step()
    assert abs(float(net(*clouds).detach()[0, 2])) > 0.99


def test_long_work_reports_and_stops():
    for run in (
        lambda p: flows.directed_slices("torus", "cube", n=50, progress=p),
        lambda p: flows.slice_searches(n=30, starts=1, progress=p),
        lambda p: flows.directed_flows(n=30, steps=2, every=1, progress=p),
        lambda p: flows.directed_quadratures(n=30, repeats=2, progress=p),
        lambda p: flows.amortisation_study(n=16, steps=2, batch=2, held_out=4, progress=p),
    ):
        progress = Progress()
        progress.cancel()
        with pytest.raises(Cancelled):
            run(progress)


def test_costs_grow_with_the_work():
    small, large = (costs.of(flows.directed_slices, "torus", "cube", n=n).seconds for n in (500, 5000))
    assert small < 1 < large
    assert costs.of(flows.amortisation_study).seconds > 100
    assert costs.of(flows.directed_flows).seconds > costs.of(flows.directed_flows, steps=10).seconds


def test_shipped_results_open_and_are_what_the_functions_give():
    shipped = data.result("flows/directed_slices.nc")
    assert results.problems(shipped) == []
    computed = flows.directed_slices("torus", "cube")
    assert float(shipped.max_sw2) == pytest.approx(float(computed.max_sw2), rel=1e-6)
    np.testing.assert_allclose(shipped.value, computed.value, rtol=2e-3)


def test_an_axis_turns_with_the_clouds(rng):
    x, y = flows.cloud("sphere", 200), flows.cloud("two-blobs", 200, seed=1)
    turn = random_rotations(1, 3, rng)[0]
    plain, turned = (flows.directed_sliced_wasserstein(a, b, 5.0) for a, b in ((x, y), (x @ turn.T, y @ turn.T)))
    assert abs(turned.location @ turn @ plain.location) > 0.999
    assert turned.value == pytest.approx(plain.value, rel=2e-3)
