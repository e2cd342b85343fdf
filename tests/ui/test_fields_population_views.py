"""The tab of populations without a browser: what ships is there at once, a swarm is placed by hand, and told."""

import numpy as np
import pytest

from workbench import data, fields
from workbench.fields.population.shipped import FIRST, FIRST_OWN
from workbench.ui.fields.own_populations import OwnPopulationsView
from workbench.ui.fields.population import HAND, PLACES, PopulationsView, _from_letters
from workbench.ui.kit.written import in_letters

PATIENCE = 120


@pytest.fixture
def view():
    made = PopulationsView()
    made.start()
    assert made.runner.wait(PATIENCE)
    yield made
    made.close()


def settled(view):
    assert view.runner.wait(PATIENCE)
    return view


def test_a_letter_ships_and_its_distances_are_told(view):
    assert view.result.identical(data.result(FIRST))
    assert view.cost(view.values()).is_quick
    told = view.sentence(view.result)
    assert f"{float(view.result.distance.sel(field='meta-flow-matching')):.3f} with meta flow matching" in told
    assert "unseen populations" in told
    view.method = "interaction-kernel"
    assert "has nothing to say here" in view._path_in_words(view.result)


def test_a_swarm_is_placed_by_hand_and_moved(view):
    view.param.update(kind=HAND, points=60)
    before = settled(view).result
    assert before.centre.values.tolist() == [list(place) for place in PLACES]
    assert float(before.distance.sel(field="exact")) < 1e-6
    view.move(1, 0.25, -0.5)
    after = settled(view).result
    assert after.centre.values[1].tolist() == [0.25, -0.5]
    assert not after.target.identical(before.target)
    assert float(after.distance.sel(field="interaction-kernel")) < 0.05
    view.move(0, 60.0, 0.0)
    assert "within 6" in view.complaint
    view.move(0, float("nan"), 0.0)
    view.reset()
    assert settled(view).result.identical(before)


def test_a_shown_result_is_taken_and_an_address_is_checked(view):
    places = ((1.0, 1.0), (-1.0, 0.5), (0.0, -2.0))
    view.show(fields.population_report("swarm", points=60, centres=places))
    assert view.kind == HAND
    assert view.places == places
    assert _from_letters(in_letters(*places)) == places
    for wrong in ("1_2", "1_2~3_4~99_1", "1_2~3_4~5"):
        with pytest.raises(ValueError, match="blobs"):
            _from_letters(wrong)


def table(count):
    rng = np.random.default_rng(0)
    lines = (f"d{p},{t},{x:.4f},{y:.4f}" for p in range(count) for t in (0, 1) for x, y in rng.normal(size=(12, 2)) + t)
    return "\n".join(["donor,time,x,y", *lines]).encode()


def test_own_populations_come_by_upload_wait_for_run_and_claim_nothing_when_few():
    view = OwnPopulationsView()
    settled(view).start()
    settled(view)
    assert view.result.identical(data.result(FIRST_OWN))
    assert "being told the population helps" in view.sentence(view.result)
    view.param.update(steps=100, width=32, folds=3)
    assert "press Run" in view._sentence.object
    view.take_file("mine.csv", table(4))
    view.run()
    assert settled(view).result.sizes["population"] == 4
    assert "4 populations carry no claim" in view.sentence(view.result)
    view.method = "no-change"
    assert "no-change ends" in view._path_in_words(view.result)
    view.take_file("few.csv", table(2))
    view.run()
    settled(view)
    assert "leave one to train on" in view.complaint
    view.take_file("bad.csv", b"donor,time,x\na,then,1\n")
    view.run()
    settled(view)
    assert "times as numbers" in view.complaint
    view.close()
