"""The tab of fits without a browser: signals of one's own, boxes under the hand, and what it refuses."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from workbench import shapes
from workbench.ui.shapes.fits import FILE, TYPED, FitsView, _document, _quality_in_words

PATIENCE = 120


@pytest.fixture
def view():
    made = FitsView(signal="sine", method="linear", parameters=48)
    made._started = True  # each test computes what it asks for, and not the first answer too
    yield made
    made.close()


def settled(view):
    assert view.runner.wait(PATIENCE)
    return view.result


def test_the_first_answer_ships():
    view = FitsView()
    assert view.precomputed(view.values()) is not None
    view.parameters = 600
    assert view.precomputed(view.values()) is None


def test_a_typed_formula_is_fitted_or_refused_with_its_place(view):
    view.param.update(signal=TYPED, formula="cos(3*x)")
    assert settled(view).attrs["signal"] == "cos(3*x)"
    assert view.complaint == ""
    view.formula = "__import__(1)"
    assert "'__import__'" in view.complaint
    assert "for the values before" in view._sentence.object
    view.formula = "log(x)"
    settled(view)
    assert "not a finite number at x" in view.complaint


def test_a_picture_of_ones_own_is_fitted(view):
    view.signal = FILE
    assert "Choose a picture" in view.complaint
    pixels = (np.add.outer(np.arange(80), np.arange(100)) % 32 * 8).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    view.take_file("mine.png", stream.getvalue())
    ds = settled(view)
    assert view.complaint == ""
    assert ds.signal_value.shape == (64, 64, 3)
    view.take_file("mine.png", b"no picture")
    settled(view)
    assert "no readable" in view.complaint


def test_a_box_is_dragged_and_its_proof_is_a_file(view):
    view.param.update(signal="torus", parameters=343)
    view.run()
    ds = settled(view)
    assert int(ds.box_sign) == 1
    assert "proved" in view.sentence(ds)
    assert shapes.check_empty(_document(ds)).sign == 1
    view.move(1, 0.8, 0.05)
    view.run()
    ds = settled(view)
    assert ds.box.values[3:5].tolist() == [0.8, 0.05]
    assert _document(ds) == ""
    assert "has zeros in the box" in view.sentence(ds)
    view.move(1, -0.3, -0.3)  # across the other corner: they change places
    assert view.box == (-0.3, -0.3, -0.15, -0.15)
    view.move(0, -0.15, 0.2)
    assert "at one place" in view.complaint


def test_a_training_waits_to_be_asked_for_and_tells_both_qualities(view):
    view.param.update(signal="ripples", method="hash", parameters=700, steps=5000, stopping="best")
    assert not view.runner.busy
    assert view.result is None
    view.steps = 10
    view.run()
    assert "Hash grid" in (sentence := view.sentence(settled(view)))
    assert "on those it has" in sentence
    assert f"Step {int(view.result.kept_step)} of 10 counts" in _quality_in_words(view.result)


def test_a_saved_result_sets_the_controls(view):
    ds = shapes.fits_report("x*y", "bspline", 100, size=16, seed=5)
    view.show(ds)
    assert (view.signal, view.formula, view.method, view.seed) == (TYPED, "x*y", "bspline", 5)
    assert json.loads(ds.attrs["parameters"])["signal"] == "x*y"
