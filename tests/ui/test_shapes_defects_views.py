"""The tabs of crystals without a browser: the first answer, the hand on the loop, own files, refusals."""

import numpy as np
import pytest

from workbench import shapes
from workbench.progress import Progress
from workbench.results import open_bytes, to_bytes
from workbench.ui.kit.proof import CertificateFile
from workbench.ui.shapes.circuit_check import CircuitCheckView
from workbench.ui.shapes.crystals import (
    FILE,
    FIRST_LOOP,
    SCENES,
    CrystalView,
    corners_of,
    dictionary_rows,
    in_words,
)
from workbench.ui.shapes.dictionaries import DictionariesView


def computed(view):
    inputs = view.values()
    view.check(inputs)
    return view.compute(inputs, Progress())


def answered(view):
    view.show(computed(view))
    return view.sentence(view.result)


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        ("One edge dislocation", r"b = (1, 0), Ω = 0; exact"),
        ("Two that cancel", "the charges cancel"),
        ("Wedge of 60° cut out", "a rotation, Ω = +60°; exact"),
        ("Wedge of 60° put in", "a rotation, Ω = -60°; exact"),
        ("Low-angle boundary", "b = (1, 0)"),
        ("Perfect crystal", "b = (0, 0)"),
    ],
)
def test_every_scene_says_what_the_loop_encloses(scene, words):
    view = CrystalView()
    view.open_scene(SCENES[scene])
    assert words in answered(view)
    for picture in view.figures:
        assert picture.summary(view.result)


def test_the_hand_moves_corners_and_the_whole_loop():
    view = CrystalView()
    answered(view)
    picture = view.figures[0]
    picture.update(view.result)
    before = np.array(corners_of(view.loop))
    xs, ys = [*before[:, 0], before[:, 0].mean()], [*before[:, 1], before[:, 1].mean()]
    picture.dropped({"x": xs, "y": ys})
    assert view.loop == FIRST_LOOP  # nobody moved anything
    picture.dropped({"x": [*xs[:-1], xs[-1] + 7], "y": ys})
    np.testing.assert_allclose(corners_of(view.loop), before + np.array([7, 0]), atol=0.011)
    assert "b = (0, 0)" in answered(view)
    picture.drawn([-3, 3, 3, -3], [-3, -3, 3, 3])
    assert len(corners_of(view.loop)) == 12
    assert "b = (1, 0)" in answered(view)
    picture.drawn([1, 1, 1], [0, 0, 0])
    picture.drawn([np.nan] * 4, [0] * 4)
    assert len(corners_of(view.loop)) == 12


def test_a_press_places_a_defect():
    view = CrystalView()
    view.tap(0.3, 4.0)
    assert view.placed == "edge 0 0 1 0; edge 0.3 4.0 1 0"
    view.tap(99.0, 0.0)
    view.tap(*corners_of(view.loop)[0])  # a handle, not the crystal
    assert view.placed.count(";") == 1
    assert "b = (2, 0)" in answered(view)


def test_a_loop_without_an_answer_says_why_and_the_atoms_stay():
    view = CrystalView(loop="0,0 30,0 0,30")
    assert "no answer: the loop leaves the crystal" in answered(view)
    assert view.result.sizes["atom"] > 500
    for text, words in (("1,2", "1 corners"), ("a,b c,d e,f", "is no corner"), ("1,2 3,4 1e9,0", "too far")):
        with pytest.raises(ValueError, match=words):
            corners_of(text)
    view.placed = "dent 0 0"
    with pytest.raises(ValueError, match="unknown defect 'dent'"):
        view.check(view.values())


def test_own_atoms_in_the_plane_and_in_space():
    view = CrystalView(source=FILE)
    with pytest.raises(ValueError, match="Choose a file"):
        view.check(view.values())
    made = shapes.insert(shapes.crystal("triangular", 14, spacing=2.5), "edge", burgers=[0, 1])
    rows = "\n".join(f"{x:.8f},{y:.8f}" for x, y in made.positions)
    view.take_file("mine.csv", f"x,y\n{rows}".encode())
    assert "Ω = 0; exact" in answered(view)
    assert float(view.result.spacing) == pytest.approx(2.5, rel=0.05)
    length = float(np.linalg.norm(view.result.vector))
    assert length == pytest.approx(2.5, rel=0.05)
    screw = shapes.insert(shapes.crystal("sc", 10, repeat=6), "screw")
    rows = "\n".join(f"{x:.8f},{y:.8f},{z:.8f}" for x, y, z in screw.positions)
    view.take_file("screw.csv", f"x,y,z\n{rows}".encode())
    sentence = answered(view)
    assert "axial 33%" in sentence
    assert "torsion carries 0%" in sentence
    assert all(picture.summary(view.result) for picture in view.figures)
    view.take_file("large.csv", b"0" * (17 * 2**20))
    assert "MiB" in view.complaint


def test_three_dictionaries_stand_side_by_side():
    rows = dictionary_rows(computed(CrystalView())).cells
    assert [row[0] for row in rows] == ["dislocation", "disclination", "point defect"]
    assert float(rows[0][1].removeprefix("torsion: |∮E| = ")) == pytest.approx(1, abs=0.01)
    assert rows[0][2:] == ["trace of torsion: 50% of it", "b = (1, 0)"]
    wedge = dictionary_rows(computed(CrystalView(placed="wedge 0 0 60"))).cells
    assert (wedge[0][1], wedge[1][3]) == ("not defined", "Ω = +60°")


def test_the_certificate_of_the_loop_can_be_taken_home():
    view = CrystalView()
    answered(view)
    kept = next(part for part in view._shown if isinstance(part, CertificateFile))
    kept.update(view.result)
    assert shapes.check_circuit(kept.text).burgers == (1, 0)
    view.loop = "0,0 30,0 0,30"
    kept.update(computed(view))
    assert kept.text == ""


def test_a_saved_result_comes_back():
    view = CrystalView(placed="wedge 0 0 60", noise=0.03, loop=in_words([(5, 0), (0, 5), (-5, -1)]))
    ds = open_bytes(to_bytes(computed(view)), name="mine.nc")
    other = CrystalView()
    other.show(ds)
    assert (other.placed, other.noise, other.loop) == (view.placed, 0.03, view.loop)


def test_dictionaries_tell_both_frames():
    view = DictionariesView(largest=60.0)
    assert "0.000 Ω and −1.320 Ω in the polar frame but 2.000 Ω and 1.000 Ω" in answered(view)
    other = DictionariesView()
    other.show(computed(DictionariesView(largest=90.0)))
    assert other.largest == 90.0


def test_a_circuit_of_somebody_else_is_checked():
    view = CircuitCheckView()
    ds = computed(view)
    assert "is proved to enclose b = (1, 0), Ω = 0" in view.sentence(ds)
    assert "The proof holds" in view.report(ds)
    assert "in spacings" in view.figures[0].summary(ds)
    wedge = computed(CrystalView(placed=SCENES["Wedge of 60° cut out"]))
    view.take("wedge.json", wedge.attrs["document"].encode())
    assert "a rotation, Ω = +60°" in view.sentence(computed(view))
    view.take("forged.json", wedge.attrs["document"].replace('"rotation": 5', '"rotation": 0').encode())
    ds = computed(view)
    assert "Not a proof: the walk turns by 5 sixths, not by 0" in view.sentence(ds)
    assert view.figures[0].summary(ds) == "What proves nothing is not drawn."
    view.take("evil.json", b'{"format": "<script>"}')
    assert "<script>" not in view.report(computed(view))
    view.take("large.json", b" " * (9 * 2**20))
    assert "MiB" in view.complaint
