"""The tab "Exact transport" without a browser: default, own costs, refusals, sentence."""

import io

import numpy as np
import pytest

from workbench.progress import Progress
from workbench.transport import exact_transport
from workbench.ui.flows.exact import CLOUDS, MATRIX, ExactView, MatrixFile
from workbench.ui.kit.picture import plot_structure


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_the_default_is_quick_computes_draws_and_tells():
    view = ExactView()
    inputs = view.values() | {"n": 80}
    view.check(inputs)
    ds = view.compute(inputs, Progress())
    assert ds.attrs["function"] == view.experiment_name()
    view.show(ds)
    sentence = view.sentence(ds)
    assert f"{float(ds.optimum):.12g}" in sentence
    assert "no other plan" in sentence
    assert view.cost(view.values()).seconds < 1
    for picture in view.figures:
        assert picture.summary(ds)


class First(Progress):
    """Keeps what is handed over on the way."""

    def publish(self, partial):
        self.found = partial


def test_a_plot_of_the_first_answer_stands_when_the_others_arrive():
    view, meter = ExactView(), First()
    whole = view.compute(view.values() | {"n": 60}, meter)
    assert meter.found.solver.values.tolist() == ["newton"]
    for picture in view.figures:
        assert plot_structure(picture.figure(meter.found)) == plot_structure(picture.figure(whole))
        assert picture.summary(meter.found)
    assert view.sentence(meter.found) == view.sentence(whole)


def test_ones_own_cost_matrix(rng):
    cost = rng.random((40, 30))
    view = ExactView(problem=MATRIX)
    view.take_matrix("costs.npy", npy(cost))
    inputs = view.values()
    view.check(inputs)
    ds = view.compute(inputs, Progress())
    assert float(ds.optimum) == pytest.approx(exact_transport(cost=cost).value, rel=1e-14)
    assert "40 sources to 30 targets" in inputs["matrix_file"].sentence()
    view.show(ds)
    assert [picture.summary(ds) for picture in view.figures][2].startswith("A cost matrix has no places")


def test_refusals(rng):
    view = ExactView(problem=MATRIX)
    with pytest.raises(ValueError, match="Choose a file with your costs"):
        view.check(view.values())
    view.take_matrix("huge.npy", b"x" * (33 * 2**20))
    assert "33 MiB" in view.complaint
    bad = view.values() | {"matrix_file": MatrixFile("bad.npy", npy(np.array([[np.nan, 1.0]])))}
    with pytest.raises(ValueError, match="NaN"):
        view.compute(bad, Progress())
    with pytest.raises(ValueError, match="dimensions"):
        view.check(view.values() | {"problem": CLOUDS, "origin": "text"})


def test_long_work_waits_for_the_button():
    view = ExactView(n=1500, sinkhorn_limit=5000)
    assert not view.cost(view.values()).is_quick
