"""Pictures of sweeps: the studies' own, the plain ones, and which is taken."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import results
from workbench.figures import choose, fisher, flows, generic, steps
from workbench.figures import games as games_figures
from workbench.rooms import ROOMS, RoomEntry

BACKENDS = ("bokeh", "matplotlib")


def swept(function, variables, coordinates):
    ds = results.dataset(variables, coordinates)
    return ds.assign_attrs(
        function="workbench.sweeps.sweep", swept_function=function, parameters="{}", seed=0, version="0", seconds=0.0
    )


def axis(name, values):
    return {name: ((name,), np.asarray(values), name)}


@pytest.fixture
def errors():
    values = np.random.default_rng(0).random((3, 2, 2)) + 0.1
    values[0, :, 1] = np.nan
    return swept(
        "workbench.flows.compare_estimators",
        {"relative_rmse": (("n_directions", "pair", "estimator"), values, "relative RMSE")},
        axis("n_directions", [10, 30, 100]) | axis("pair", ["a", "b"]) | axis("estimator", ["monte-carlo", "design"]),
    )


@pytest.fixture
def curvature():
    sizes, couplings = np.array([3, 4, 8, 16]), np.array([0.4, 0.44, 0.48])
    growth = np.outer(sizes**2.0, 1 + couplings)
    names = {"scalar_curvature": -growth, "trace_norm": 5 * growth, "cumulant_norm": growth}
    return swept(
        "workbench.fisher.ising_curvature",
        {name: (("L", "J"), values, name) for name, values in names.items()},
        axis("L", sizes) | axis("J", couplings),
    )


@pytest.fixture
def spikes():
    survived = np.zeros((2, 3, 4, 2), dtype=bool)
    survived[..., 1] = True
    return swept(
        "workbench.studies:spike_survival",
        {"survived": (("network", "multiplier", "repeat", "rule"), survived, "survived")},
        axis("network", ["linear", "mlp"])
        | axis("multiplier", [10.0, 100.0, 1000.0])
        | axis("repeat", range(4))
        | axis("rule", ["none", "safe"]),
    )


@pytest.fixture
def games():
    share = np.linspace(1, 0, 12).reshape(2, 3, 2)
    return swept(
        "workbench.studies:random_games",
        {"share": (("players", "coupling", "rung"), share, "share")},
        axis("players", [2, 10]) | axis("coupling", [0.2, 0.6, 1.0]) | axis("rung", ["sgn", "hurwitz"]),
    )


def curves(figure):
    return {curve.label: curve for curve in figure.traverse(lambda e: e, [hv.Curve])}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["errors", "curvature", "spikes", "games"])
def test_every_study_draws_on_both_backends(request, name, backend):
    draw(choose.figure_for(request.getfixturevalue(name)), backend)


def test_estimator_error_draws_what_there_is(errors):
    drawn = curves(flows.estimator_error(errors, pair="b"))
    assert list(drawn) == ["monte-carlo", "design"]
    np.testing.assert_array_equal(
        drawn["monte-carlo"]["relative_rmse"], errors.relative_rmse.sel(pair="b").values[:, 0]
    )
    np.testing.assert_array_equal(drawn["design"]["n_directions"], [30, 100])
    options = hv.Store.lookup_options("bokeh", flows.estimator_error(errors), "plot").kwargs
    assert options["logx"]
    assert options["logy"]
    assert options["title"].endswith("a")


def test_curvature_growth_and_across(curvature):
    drawn = curves(fisher.curvature_growth(curvature, J=0.441))
    np.testing.assert_allclose(drawn["−R/n"]["per_site"], 1.44)
    np.testing.assert_allclose(drawn["‖tr T‖²/4n"]["per_site"], 5 * 1.44 / 4)
    across = curves(fisher.curvature_across(curvature))
    assert list(across) == ["L = 3", "L = 4", "L = 8", "L = 16"]
    np.testing.assert_allclose(across["L = 8"]["R/n"], [-1.4, -1.44, -1.48])
    one = curvature.isel(J=1)
    assert list(curves(choose.figure_for(one))) == ["−R/n", "‖tr T‖²/4n", "‖T‖²/4n"]


def test_survival_averages_only_what_is_left_open(spikes):
    spikes["survived"].values[0, 0, :2, 0] = True
    np.testing.assert_allclose(curves(steps.spike_survival(spikes))["none"]["share"], [0.25, 0, 0])
    linear = steps.spike_survival(spikes, network="linear")
    np.testing.assert_allclose(curves(linear)["none"]["share"], [0.5, 0, 0])
    title = hv.Store.lookup_options("bokeh", linear, "plot").kwargs["title"]
    assert title == "Runs that survive a spike, network linear, mean over repeat"


def test_certified_share(games):
    figure = games_figures.certified_share(games, players=10)
    np.testing.assert_allclose(curves(figure)["hurwitz"]["share"], games.share.values[1, :, 1])
    assert "players 10" in hv.Store.lookup_options("bokeh", figure, "plot").kwargs["title"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("shape", "labels", "kind"),
    [
        ((5,), "numbers", hv.Overlay),
        ((3,), "words", hv.Bars),
        ((9, 4), "numbers", hv.Overlay),
        ((9, 8), "numbers", hv.QuadMesh),
        ((2, 9, 8), "numbers", hv.QuadMesh),
        ((3, 5), "words", hv.Bars),
        ((), "numbers", hv.Table),
    ],
)
def test_the_plain_picture_suits_the_shape(shape, labels, kind, backend):
    dims = tuple("abc"[: len(shape)])
    values = np.random.default_rng(0).normal(size=shape)
    marks = {
        d: np.arange(n) if labels == "numbers" else np.array([f"{d}{k}" for k in range(n)])
        for d, n in zip(dims, shape, strict=True)
    }
    coordinates = {}
    for d in dims:
        coordinates |= axis(d, marks[d])
    ds = results.dataset({"v": (dims, values, "value", "m")}, coordinates)
    figure = generic.overview(ds)
    assert isinstance(figure, kind)
    draw(figure, backend)


def test_the_plain_picture_says_what_it_left_out():
    ds = results.dataset(
        {"v": (("a", "x", "y", "repeat"), np.zeros((2, 9, 8, 3)), "value")},
        axis("a", [0.5, 1.5]) | axis("x", range(9)) | axis("y", range(8)) | axis("repeat", range(3)),
    )
    title = hv.Store.lookup_options("bokeh", generic.overview(ds), "plot").kwargs["title"]
    assert title == "value, mean of the repeats, a = 0.5"


def test_failed_and_empty_things_are_not_drawn():
    ds = results.dataset(
        {"cell_failed": (("x",), np.zeros(3, bool), "failed"), "name": (("x",), np.array(list("abc")), "name")},
        axis("x", range(3)),
    )
    assert isinstance(generic.overview(ds), hv.Table)
    holes = results.dataset(
        {"v": (("x", "y"), np.full((9, 9), np.nan), "value")}, axis("x", range(9)) | axis("y", range(9))
    )
    assert isinstance(generic.overview(holes), hv.Table)


def test_rooms_name_their_own_figures(monkeypatch):
    import sys
    import types

    def own(ds):
        return hv.Curve([])

    def needs_more(ds, something):
        return None

    room = types.ModuleType("workbench.figures.attic")
    room.FIGURES = {"sweep_floor": own}
    room.by_name, room.needs_more, room.number = own, needs_more, 3
    monkeypatch.setitem(sys.modules, "workbench.figures.attic", room)
    monkeypatch.setitem(ROOMS, "attic", RoomEntry("Attic", "Nothing."))
    assert choose.room_figure("workbench.attic.sweep_floor") is own
    assert choose.room_figure("workbench.attic.by_name") is own
    assert choose.room_figure("workbench.attic.number") is None
    assert choose.room_figure("workbench.attic.needs_more") is None
    assert choose.room_figure("workbench.cellar.anything") is None
    assert choose.room_figure("elsewhere") is None


def test_save_writes_all_kinds(tmp_path, games):
    for kind, head in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        assert choose.save(choose.figure_for(games), tmp_path / f"p.{kind}").read_bytes().startswith(head)
    with pytest.raises(ValueError, match="must end in"):
        choose.save(choose.figure_for(games), tmp_path / "p.gif")


def test_unknown_sweeps_are_drawn_plainly(curvature):
    other = curvature.assign_attrs(swept_function="mine:function")
    assert isinstance(choose.figure_for(other), hv.Layout)
