"""The tab of saddle searches without a browser: its default, its refusals, the drag."""

import holoviews as hv
import pytest
from bokeh.models import PointDrawTool

from workbench import data, steps
from workbench.progress import Progress
from workbench.ui.home import room_classes
from workbench.ui.steps.molecules import MoleculeView
from workbench.ui.steps.saddle_study import SaddleStudy
from workbench.ui.steps.saddles import SaddleView


@pytest.fixture
def view():
    made = SaddleView()
    yield made
    made.close()


def test_the_default_is_what_the_experiment_gives(view):
    shipped = view.precomputed(view.values())
    fresh = steps.saddle_search(**view.arguments(view.values()))
    assert shipped.x.values == pytest.approx(fresh.x.values, abs=1e-6)
    assert int(shipped.calls) == int(fresh.calls)
    assert "proved to be one of the 2" in view.sentence(fresh)


def test_a_dropped_start_moves_the_controls_within_their_bounds(view):
    view.move_to(-0.61234, 9.0)
    assert (view.x, view.y) == (-0.612, view.param.y.bounds[1])


def test_the_page_moving_its_own_mark_moves_nothing(view):
    picture = view.figures[0]
    picture._drawn["start"] = picture._drawn["first axis"] = (0.25, 0.5)
    picture._moved("start", "data", None, {"x": [0.25], "y": [0.5]})
    picture._moved("first axis", "data", None, {"x": [0.25], "y": [0.5]})
    picture._moved("first axis", "data", None, {"x": [float("nan")], "y": [float("nan")]})
    assert (view.x, view.y, view.angle) == (-0.4, 1.2, 90)
    picture._moved("start", "data", None, {"x": [0.1], "y": [0.5]})
    assert (view.x, view.y) == (0.1, 0.5)


@pytest.mark.parametrize(("where", "angle"), [((0.6, 1.2), 0), ((-0.4, 0.2), 270), ((-1.4, 2.2), 135)])
def test_a_dropped_knob_turns_the_first_axis(view, where, angle):
    view.turn_to(*where)
    assert view.angle == angle
    assert view.arguments(view.values())["angle"] == angle


def test_the_start_can_be_dragged_and_a_redraw_is_no_drag(view):
    picture, ds = view.figures[0], data.result("steps/saddle_search.nc")
    picture.update(ds)
    plot = hv.renderer("bokeh").get_plot(picture._plot.object).state
    assert isinstance(plot.toolbar.active_drag, PointDrawTool)
    picture.update(ds.assign(x=ds.x + 0.01))
    assert (view.x, view.y) == (-0.4, 1.2)
    assert view.angle == 90
    start, knob = (renderer.data_source for renderer in plot.toolbar.active_drag.renderers)
    start.data = {**start.data, "x": [0.3], "y": [0.6]}
    assert (view.x, view.y) == (0.3, 0.6)
    knob.data = {**knob.data, "x": [1.3], "y": [1.6]}
    assert (view.x, view.y, view.angle) == (0.3, 0.6, 45)


def test_a_start_outside_the_surface_is_refused(view):
    with pytest.raises(ValueError, match="outside the surface"):
        view.check({**view.values(), "surface": "leps", "x": -1.0})
    view.check({**view.values(), "surface": "lennard-jones"})


def test_clusters_are_announced_and_planes_start_by_themselves(view):
    assert view.cost(view.values()).is_quick
    assert not view.cost({**view.values(), "surface": "lennard-jones-13"}).is_quick


def test_a_failed_search_says_why(view):
    ds = steps.saddle_search(start=[0.9, 1.9], method="dimer", rival="dimer")
    assert "no first-order saddle: it left the surface's box" in view.sentence(ds)
    assert "reached none" in view.sentence(ds)


def test_a_reopened_result_sets_the_start(view):
    ds = data.result("steps/saddle_search.nc")
    view.show(ds.assign_attrs(parameters='{"start": [0.1, 0.45], "threshold": 0.3, "method": "gp-all"}'))
    assert (view.x, view.y, view.threshold, view.adaptive, view.method) == (0.1, 0.45, 0.3, False, "gp-all")


# ---- molecules and studies -----------------------------------------------------------------------------------------

ARGON = b"4\nargon\nAr 0 0 0\nAr 3.8 0 0\nAr 3.8 3.8 0.3\nAr 0 3.8 0\n"


@pytest.fixture
def molecules():
    made = MoleculeView()
    yield made
    made.close()


def test_an_own_molecule_is_searched_with_the_energy_that_is_said(molecules):
    molecules.take("argon.xyz", ARGON)
    molecules.param.update(
        source="own", energy="lennard-jones", method="eigenvector-following", starts=2, kick=0.8, charge=0
    )
    assert molecules.complaint == ""
    molecules.check(molecules.values())
    ds = molecules.compute(molecules.values(), Progress())
    assert "Energy: Lennard-Jones (no chemistry); 4 atoms, Ar4." in molecules.sentence(ds)
    for picture in molecules.figures:
        assert len(picture.summary(ds)) > 10


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"4\n\nAr 0 0 0\n", "holds 1; it is cut off"),
        (b"not a molecule", "must be the number of atoms"),
        (b"2\n\nQq 0 0 0\nH 0 0 1\n", "no element"),
        (b"1" * 2**19, "takes files up to"),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence_and_changes_nothing(molecules, data, words):
    molecules.take("bad.xyz", data)
    assert words in molecules.complaint
    assert molecules.file is None


def test_a_missing_file_is_asked_for_and_an_impossible_charge_refused(molecules):
    with pytest.raises(ValueError, match=r"Choose an \.xyz file"):
        molecules.check({**molecules.values(), "source": "own"})
    molecules.check(molecules.values())
    if "gfn2-xtb" in steps.available_energies():
        hydrogen = steps.read_xyz(b"2\n\nH 0 0 0\nH 0 0 0.74\n")
        with pytest.raises(ValueError, match="no electron"):
            molecules.check(
                {**molecules.values(), "source": "own", "file": hydrogen, "energy": "gfn2-xtb", "charge": 2}
            )


def test_an_address_may_ask_for_a_file_that_is_not_there_yet():
    room = room_classes()["steps"]()
    room.read_address("?tab=molecules&source=own&energy=lennard-jones&starts=2")
    assert room.view.source == "own"
    assert "Choose an .xyz file" in room.view.complaint
    room.close()


def test_only_energies_that_work_here_are_offered(molecules):
    assert set(molecules.param.energy.objects) == set(steps.available_energies())


def test_the_shipped_survey_is_the_default_and_long_work_waits(molecules):
    ds = molecules.precomputed(molecules.values())
    assert ds.sizes["search"] == molecules.starts
    assert not molecules.cost(molecules.values()).is_quick
    assert molecules.precomputed({**molecules.values(), "seed": 5}) is None
    assert "reached a first-order saddle" in molecules.sentence(ds)


def test_a_survey_without_saddles_is_told_and_drawn(molecules):
    ds = steps.saddle_survey("lennard-jones", starts=2, method="dimer", most_calls=3)
    assert molecules.sentence(ds).startswith("0 of 2 searches")
    for picture in molecules._shown:
        picture.update(ds)


@pytest.mark.parametrize("study", SaddleStudy.param.shown.objects)
def test_every_study_is_told_drawn_and_tabled(study):
    view = SaddleStudy(shown=study)
    ds = view.precomputed(view.values())
    assert len(view.sentence(ds)) > 40
    for picture in view._shown:
        picture.update(ds)
    if "rate" in ds:
        one = ds.isel(surface=0)
        for method in one.method.values:
            count = int(one.sel({"method": method}).success.sum())
            assert f"{method} {count} of {one.sizes['start']}" in view.sentence(ds)
    view.close()
