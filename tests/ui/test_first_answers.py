"""What a visitor sees before all is computed: the quick part at once, what follows in words, never a stale number."""

import threading
import time

import numpy as np
import param
import pytest

from workbench import flows, results, steps
from workbench.progress import Progress
from workbench.ui.flows.flow import FlowView
from workbench.ui.kit.cache import ResultCache
from workbench.ui.kit.downloads import Downloads
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View
from workbench.ui.steps.limits import LimitsView
from workbench.ui.steps.sweep import SweepView
from workbench.ui.steps.zeros import ZerosView


class Kept(Progress):
    """Keeps what is published."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def publish(self, result):
        self.parts.append(result)


def two_numbers(quick, slow):
    """Return a result of a quick and a slow number."""
    return results.dataset({"quick": ((), quick, "quick number"), "slow": ((), slow, "slow number")}, {})


class TwoParts(View):
    """Answers its quick part at once and its slow part when the gate opens."""

    title, slug, inputs = "Two parts", "two-parts", ("x",)
    x = param.Number(1.0, bounds=(0, 100))

    def __init__(self, **params):
        self.gate, self.seen, self.fails = threading.Event(), [], False
        self.kept = ResultCache()  # of its own: the work of another test may end later
        super().__init__(**params)

    @property
    def cache(self):
        return self.kept

    def compute(self, inputs, progress):
        self.seen.append(inputs["x"])
        progress.publish(results.unfinished(two_numbers(inputs["x"], np.nan), "the slow number"))
        while not self.gate.wait(0.01):
            progress.update(0, 1)
        if self.fails:
            raise ValueError("no slow number today")
        made = two_numbers(inputs["x"], -inputs["x"])
        return made.assign_attrs(function="workbench.tests.two", parameters="{}", seed="none", version="0", seconds=0.0)

    def pictures(self):
        return [Shown()]

    def sentence(self, ds):
        return f"Quick {float(ds.quick):g}, slow {float(ds.slow):g}."


class Shown:
    """A picture that notes what it was shown."""

    def __init__(self):
        self.quick = []

    def update(self, ds):
        self.quick.append(float(ds.quick))

    def __panel__(self):
        raise NotImplementedError


def until(condition, seconds=5.0):
    """Wait until ``condition()`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def view():
    made = TwoParts()
    made.start()
    until(lambda: made.result is not None)
    yield made
    made.gate.set()
    made.close()


def test_the_first_part_is_shown_and_the_rest_announced(view):
    assert (
        view._sentence.object
        == '<p class="sentence" aria-live="polite">Quick 1, slow nan. The slow number to follow …</p>'
    )
    assert view._shown[0].quick == [1.0]
    assert all(button.disabled for button in Downloads(view)._buttons)
    view.gate.set()
    assert view.runner.wait(5)
    assert "Quick 1, slow -1.</p>" in view._sentence.object
    assert not results.missing(view.result)


def test_what_was_stopped_is_said_to_be_missing(view):
    view.cancel()
    assert "The slow number not computed." in view._sentence.object


def test_what_failed_is_said_to_be_missing(view):
    view.fails = True
    view.gate.set()
    assert view.runner.wait(5)
    assert view.complaint == "no slow number today"
    assert "not computed" in view._sentence.object


def test_a_new_value_drops_the_slow_part_of_the_one_before(view):
    view.x = 2.0
    until(lambda: float(view.result.quick) == 2.0)
    assert "slow nan" in view._sentence.object  # not the slow number of 1
    view.gate.set()
    assert view.runner.wait(5)
    assert float(view.result.slow) == -2.0
    assert view.seen == [1.0, 2.0]


def test_a_value_on_the_way_is_let_through_to_its_first_answer(view, monkeypatch):
    view._first_answer = 0.01
    monkeypatch.setattr(type(view.runner), "busy", True, raising=False)
    view._answered, view._submitted = False, time.monotonic()
    assert view._lets_through()
    view._answered = True
    assert not view._lets_through()  # it has answered: the newest value may begin
    view._answered, view._first_answer = False, 0.5
    assert not view._lets_through()  # slow work is dropped for the newest value
    view._first_answer, view._submitted = 0.01, time.monotonic() - 1
    assert not view._lets_through()  # it should have answered long ago


def test_the_picture_follows_a_hand_that_moves_and_ends_where_it_stops(view):
    view.gate.set()
    for x in np.linspace(3, 60, 40):
        view.x = float(x)
        time.sleep(0.002)
    until(lambda: float(view.result.quick) == 60.0 and not view.runner.busy)
    shown = view._shown[0].quick
    assert shown[-1] == 60.0
    assert len(shown) > 5  # it moved with the hand
    assert shown[1:] == sorted(shown[1:])  # and never back


def test_a_flow_is_there_before_its_distances_and_the_same_afterwards():
    progress = Kept()
    whole = flows.gradient_flow("torus", "cube", n=60, steps=6, checkpoints=(0, 6), progress=progress)
    first, read = progress.parts
    np.testing.assert_array_equal(first.positions, whole.positions)
    assert np.isnan(first.sw2).all()
    assert "w2" not in first
    np.testing.assert_array_equal(read.sw2, whole.sw2)
    assert "w2" not in read
    view = FlowView()
    assert "±" not in view.sentence(first)
    assert "nan" not in view.sentence(first)
    assert "Exact" not in view.sentence(read)
    for picture in view._shown:
        for part in (first, read, whole):
            picture.update(part)


def test_a_flow_that_may_stop_early_reads_on_the_way():
    progress = Kept()
    ds = flows.gradient_flow("torus", "cube", n=60, steps=200, eta=0.3, frames=21, stop_below=0.01, progress=progress)
    assert int(ds.frame[-1]) < 200
    assert float(ds.sw2[-1]) <= 0.01
    assert np.isfinite(ds.sw2).all()
    assert not [part for part in progress.parts if np.isnan(part.sw2).any()]


def test_a_comparison_answers_with_its_first_draws():
    progress = Kept()
    whole = flows.compare_on("torus", "cube", ["design"], n=60, repeats=12, n_directions=20, progress=progress)
    (first,) = progress.parts
    assert first.estimator.values.tolist() == whole.estimator.values.tolist()
    assert "7 draws" in results.missing(first)
    assert not results.missing(whole)
    alone = flows.compare_on("torus", "cube", ["design"], n=60, repeats=5, n_directions=20)
    assert float(first.variance[0, 0]) == float(alone.variance[0, 0])  # the same five draws of Monte Carlo


@pytest.mark.parametrize(
    ("experiment", "arguments", "view_class"),
    [
        (steps.limits, {"samples": 32}, LimitsView),
        (steps.zeros_map, {"samples": 32}, ZerosView),
        (steps.sweep_radius, {"samples": 32, "stages": ("early", "converged")}, SweepView),
    ],
)
def test_the_views_of_the_steps_room_tell_and_draw_what_is_there(experiment, arguments, view_class):
    progress = Kept()
    whole = experiment(**arguments, progress=progress)
    assert progress.parts
    view = view_class()
    for part in (*progress.parts, whole):
        assert view.sentence(part)
        for picture in view._shown:
            picture.update(part)
            if isinstance(picture, Picture):
                assert "nan" not in picture.summary(part)
