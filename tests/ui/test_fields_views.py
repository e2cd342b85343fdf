"""The tabs of the fields room without a browser: centres under the hand, training on own points, and the budget."""

import numpy as np
import pytest

from workbench import data, fields
from workbench.ui.fields.budget import BudgetView
from workbench.ui.fields.canvas import FieldsView
from workbench.ui.fields.sliced import SlicedLossView
from workbench.ui.fields.training import FILE, TrainingView

PATIENCE = 120


def opened(kind, **values):
    view = kind(**values)
    view.start()
    return settled(view)


def settled(view):
    assert view.runner.wait(PATIENCE)
    return view


def test_the_first_canvas_ships_and_a_hand_moves_the_exact_field():
    view = opened(FieldsView)
    assert view.result.identical(data.result("fields/first_fields.nc"))
    before = view.result
    view.move(0, 0.5, 0.25)
    after = settled(view).result
    assert after.centre.values[0].tolist() == [0.5, 0.25]
    assert np.array_equal(after.centre.values[1:], before.centre.values[1:])
    assert not np.array_equal(after.arrow_exact, before.arrow_exact)
    assert np.array_equal(after.arrow_learned.shape, before.arrow_learned.shape)
    view.move(0, 500.0, 0.0)
    assert "up to 20" in view.complaint
    view.move(0, float("nan"), 0.0)
    view.reset()
    assert settled(view).result.identical(before)
    view.close()


def test_a_law_without_a_network_says_so_and_a_shown_result_is_taken():
    view = opened(FieldsView, target="cross")
    assert "no network ships" in view.sentence(view.result)
    view.show(fields.field_report(points=32, step=200, time=0.2, centres=np.zeros((5, 2))))
    assert (view.points, view.step, view.time) == (32, 200, 0.2)
    assert view.centres[1][0] == (0.0, 0.0)
    view.close()


def test_training_waits_for_run_and_takes_own_points():
    view = opened(TrainingView)
    assert view.result.identical(data.result("fields/first_training.nc"))
    assert view.cost(view.values()).is_quick
    view.steps = 6000
    assert not view.runner.busy
    view.param.update(steps=100, width=32, depth=1, batch=64, target=FILE)
    assert "Choose a table" in view.complaint
    rows = np.random.default_rng(0).normal(size=(60, 2))
    view.take_file("mine.csv", "\n".join(f"{a:.4f},{b:.4f}" for a, b in rows).encode())
    view.run()
    assert settled(view).complaint == ""
    assert view.result.sizes["number"] == 48
    assert "held-out points" in view.sentence(view.result)
    view.take_file("few.csv", b"0,1\n1,0\n")
    view.run()
    settled(view)
    assert "too few" in view.complaint
    view.close()


def test_the_sentence_tells_when_to_have_stopped():
    view = TrainingView()
    study = data.result("fields/first_training.nc").copy(deep=True)
    study["truth"][5] = 0.001
    assert "should have stopped there" in view.sentence(study)
    study["truth"][-1] = 0.0005
    assert "the best so far" in view.sentence(study)
    view.close()


def test_the_budget_splits_and_finer_steps_add_less():
    view = opened(BudgetView, paths=200)
    coarse = view.result
    view.steps = 100
    fine = settled(view).result
    assert float(fine.integration) < 0.5 * float(coarse.integration)
    assert "10^" in view.sentence(fine)
    assert float(fine.coupled) == pytest.approx(float(coarse.coupled))
    view.close()


def test_the_study_of_generators_ships_and_another_waits_for_run():
    view = opened(SlicedLossView)
    study = data.result("fields/generators.nc")
    assert view.result.identical(study)
    assert view.cost(view.values()).is_quick
    view.shown = "orthogonal"
    view.seeds = 3
    assert not view.runner.busy
    assert "press Run" in view._sentence.object
    small = fields.generator_study(("monte-carlo", "orthogonal"), (0, 1), 10, steps=4, looks=1)
    view.show(small)
    assert view.seeds == 2
    assert view.methods == ["monte-carlo", "orthogonal"]
    assert "over 2 seeds: orthogonal" in view.sentence(small)
    view.close()


def test_trainings_of_a_server_go_apart_and_can(monkeypatch):
    """What such a tab asks for travels as plain data, and long work goes the other way only on a server."""
    from workbench.isolated.experiments import importable_name
    from workbench.isolated.plain_data import check
    from workbench.ui.fields.room import FieldsRoom
    from workbench.ui.kit import view as kit

    training = [view for view in FieldsRoom.view_classes if view.apart]
    assert {"training", "own-populations"} < {view.slug for view in training}
    for view in training:
        one = view()
        check(one.arguments(one.values()))
        assert importable_name(view.experiment)
        one.close()
    asked, shipped = [], data.result("fields/first_training.nc")
    monkeypatch.setattr(kit, "compute_apart", lambda experiment, arguments, **_: asked.append(arguments) or shipped)
    served = TrainingView()
    served.param.update(steps=9900, seed=5)
    assert not served.cost(served.values()).is_quick
    monkeypatch.setattr(kit, "in_session", lambda: True)
    monkeypatch.setattr(served, "_show_new", lambda ds: None)
    served.run()
    assert served.runner.wait(PATIENCE)
    assert asked[0]["steps"] == 9900
    served.close()
