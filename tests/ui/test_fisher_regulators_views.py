"""The tab on regulators without a browser: it answers, takes files and the hand, refuses, and tells."""

import io

import numpy as np
import pytest

from workbench import fisher
from workbench.progress import Progress
from workbench.ui.fisher.regulators import RegulatorFile, RegulatorsView, learner_rows, parse_eigenvalues


@pytest.fixture
def view():
    made = RegulatorsView()
    made.start()
    assert made.runner.wait(60)
    assert made.complaint == ""
    yield made
    made.close()


def answered(view):
    assert view.runner.wait(60)
    assert view.complaint == ""
    return view.result


def test_the_default_answer(view):
    assert view.sentence(view.result) == (
        "Model A says α = 0.60 (c* = 0.903, κ = 9.73); the learner with the best step wants c = ∞ (isotropic, H = "
        "1); 0 of 4 natural learners agree with model A."
    )


def test_below_the_threshold(view):
    view.param.update(source="ring", L=5)
    text = view.sentence(answered(view))
    assert "no damping (α = 0: κ = 1.42 is at most 2)" in text
    assert "2 of 4 natural learners agree" in text


def test_a_hand_moves_an_eigenvalue_and_keeps_multiplicities(view):
    before = view.result
    view.move(2, 4.0)
    ds = answered(view)
    assert view.source == "spectrum"
    np.testing.assert_allclose(ds.eigenvalue, [*before.eigenvalue.values[:2], 4.0], rtol=1e-4)
    np.testing.assert_array_equal(ds.multiplicity, before.multiplicity)
    view.move(0, -3.0)  # off the axis: kept in bounds
    assert float(answered(view).eigenvalue.min()) == pytest.approx(1e-4)
    view.move(9, 1.0)
    view.move(0, float("nan"))
    assert float(answered(view).eigenvalue.min()) == pytest.approx(1e-4)


def test_what_is_dropped_reaches_the_view(view):
    picture = view.figures[0]
    drawn = picture._drawn["eigenvalues"]
    moved = [*drawn[:-1], (3.0, drawn[-1][1])]
    xs, ys = zip(*moved, strict=True)
    picture.dropped("eigenvalues", {"eigenvalue": xs, "alpha": ys, "item": range(len(xs))})
    assert float(answered(view).eigenvalue.max()) == pytest.approx(3.0)


def test_a_file_of_ones_own(view):
    out = io.BytesIO()
    np.save(out, np.diag([1.0, 3.0, 10.0]))
    view.file = RegulatorFile("mine.npy", out.getvalue())
    view.source = "file"
    assert float(answered(view).c_star) == 8.0
    assert view.cost(view.values()).is_quick
    view.file = RegulatorFile("edges.csv", b"0,1\n1,2\n2,0\n")
    ds = answered(view)
    assert float(ds.kappa) == pytest.approx(2.844938376910374)
    view.J = 0.2  # edges without couplings follow the slider
    assert float(answered(view).kappa) < 2


def test_a_bad_file_is_refused_in_words(view):
    view.file = RegulatorFile("mine.csv", b"1,1\n1,1\n")
    view.source = "file"
    assert view.runner.wait(60)
    assert "mine.csv: F is singular" in view.complaint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "file"}, "Choose a file"),
        ({"source": "complete", "L": 11}, "has L = 3 to 10, got 11"),
        ({"source": "open grid", "L": 5}, "has L = 2 to 4, got 5"),
        ({"source": "spectrum", "eigenvalues": "1, x"}, "'x' is no number"),
        ({"source": "spectrum", "eigenvalues": "1"}, "give 2 to 24"),
        ({"source": "spectrum", "eigenvalues": "1, -2"}, "lie between"),
        ({"a": 0.0, "b": 0.0}, "a = b = 0"),
    ],
)
def test_what_cannot_be_computed_is_refused(change, words):
    view = RegulatorsView()
    with pytest.raises(ValueError, match=words):
        view.check(view.values() | change)


def test_eigenvalues_are_read_as_people_write_them():
    assert parse_eigenvalues("1; 3,10 2e1") == [1.0, 3.0, 10.0, 20.0]


def test_every_source_and_loss_answers():
    view = RegulatorsView()
    for source in fisher.REGULATOR_SOURCES:
        inputs = view.values() | {"source": source, "L": 4, "loss": "likelihood"}
        view.check(inputs)
        ds = view.compute(inputs, Progress())
        assert "natural learners agree" in view.sentence(ds)
        for picture in view.figures:
            assert len(picture.summary(ds)) > 10


def test_the_table_has_every_learner(view):
    rows = learner_rows(view.result)
    cells = list(rows.cells)
    assert len(cells) == 15
    assert all("nan" not in " ".join(row) for row in cells)
    assert cells[0][2] == "∞"


def test_a_saved_result_opens_with_its_parameters(view):
    ds = fisher.regulator_report("spectrum", eigenvalues=(1.0, 3.0, 10.0), loss="squared", beta=0.5)
    view.show(ds)
    assert (view.source, view.eigenvalues, view.loss, view.beta) == ("spectrum", "1, 3, 10", "squared", 0.5)
