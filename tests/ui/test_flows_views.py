"""The flows room without a browser: defaults, costs, refusals, uploads, sentences."""

import io
import time

import numpy as np
import panel as pn
import pytest

from workbench import data, flows, results
from workbench.progress import Progress
from workbench.ui.flows import FlowsRoom
from workbench.ui.flows.colour import ColourView, PictureFile
from workbench.ui.flows.compare import CompareView
from workbench.ui.flows.directions import DirectionsView
from workbench.ui.flows.flow import FlowView, arguments
from workbench.ui.flows.paper import PaperView
from workbench.ui.kit.choices.clouds import CHOICES, CloudFile

VIEWS = (FlowView, CompareView, DirectionsView, ColourView)


def npy(points):
    stream = io.BytesIO()
    np.save(stream, points)
    return stream.getvalue()


def small(view):
    """The inputs of a view, made small."""
    inputs = view.values()
    for name, value in (("n", 60), ("repeats", 5), ("steps", 3), ("n_directions", 20)):
        if name in inputs:
            inputs[name] = value
    return inputs


@pytest.mark.parametrize("view_class", VIEWS)
def test_every_view_computes_draws_and_tells(view_class):
    view = view_class()
    inputs = small(view)
    view.check(inputs)
    ds = view.compute(inputs, Progress())
    assert ds.attrs["function"] == view.experiment_name()
    view.show(ds)
    assert view.sentence(ds)
    assert view.cost(view.values()).is_quick  # every tab opens on a picture that is there at once
    for picture in view.figures:
        assert picture.summary(ds)


def test_the_first_flow_is_shipped_and_is_what_the_defaults_ask_for():
    view = FlowView()
    assert data.result_for("flows/first_flow.nc", **arguments(view.values())) is not None
    view.start()
    assert view.result.attrs["function"] == "workbench.flows.gradient_flow"
    computed = flows.gradient_flow(**{**arguments(view.values()), "checkpoints": ()})
    # processors round differently and so may match points closer than one key of the sort in another order: what that
    # changes is small beside the clouds, not beside the 2 % of SW₂² that are left at the end
    np.testing.assert_allclose(view.result.sw2, computed.sw2, rtol=1e-4, atol=1e-5 * float(computed.sw2[0]))


def test_the_papers_table_is_shipped_at_full_length():
    shipped = results.open(data.path("flows/paper.nc"))
    assert shipped.checkpoint.values.tolist() == [3000, 4000, 5000, 6000, 7000, 8000]
    assert shipped.sizes["seed"] == 3
    at_3000 = shipped.w2.sel(checkpoint=3000).mean("seed")
    floor = float(at_3000.sel(estimator="orthogonal"))  # no noise: 300 for the translation, the rest for the shapes
    assert 300 < floor < 303
    assert float(at_3000.sel(estimator="design")) == pytest.approx(floor, abs=0.05)
    assert 3 < at_3000.sel(estimator="monte-carlo") - floor < 10
    for name in ("lower-cv", "upper-cv"):
        assert 1.5 < at_3000.sel(estimator=name) - floor < at_3000.sel(estimator="monte-carlo") - floor
    view = PaperView()
    view.start()
    assert "step 3000" in view.sentence(view.result)
    assert not view.cost(view.values()).is_quick


def test_clouds_of_different_dimension_are_refused_and_the_picture_stays():
    view = FlowView()
    view.start()
    kept = view.result
    view.target = "disc"
    assert "3 and 2 dimensions" in view.complaint
    assert view.result is kept
    view.target = "cube"
    assert view.complaint == ""
    view.method = "equispaced"
    assert "2 dimensions, got 3" in view.complaint


def test_uploads_are_read_and_bad_ones_refused():
    view = CompareView()
    inputs = small(view) | {"origin": "file", "origin_file": None}
    with pytest.raises(ValueError, match="Choose a file"):
        view.check(inputs)
    points = np.random.default_rng(0).normal(size=(500, 3)) * 40 + 7
    inputs["origin_file"] = CloudFile("mine.npy", npy(points))
    view.check(inputs)
    ds = view.compute(inputs, Progress())
    assert '"sha256"' in ds.attrs["parameters"] or "[[" in ds.attrs["parameters"]
    inputs["origin_file"] = CloudFile("mine.npy", b"not an array")
    with pytest.raises(ValueError, match=r"mine\.npy is not a NumPy file"):
        view.compute(inputs, Progress())
    same, other = CloudFile("a.csv", b"1,2"), CloudFile("a.csv", b"1,3")
    assert view.cache.key("v", {"f": same}) != view.cache.key("v", {"f": other})
    view.take_file("origin", "big.ply", b"0" * (64 * 2**20 + 1))
    assert "up to 64 MiB" in view.complaint


def test_the_page_says_how_a_file_was_read():
    view = CompareView()
    lines = [pane for pane in pn.Column(*view.controls()).select(pn.pane.HTML) if pane.object == ""]
    assert len(lines) == 2
    view.take_file("origin", "<b>.csv", b"id;x;y;<i>\n1;1,5;2;3\n2;3;4;5\n")
    assert "&lt;b&gt;.csv: is being read …" in lines[0].object
    wait_for(lambda: "…" not in lines[0].object)
    assert "&lt;b&gt;.csv: 2 rows; columns x, y of 4 (left out: id, &lt;i&gt;)" in lines[0].object
    assert "decimal comma" in lines[0].object
    assert lines[1].object == ""
    view.take_file("origin", "false.csv", b"1,2,dog")
    wait_for(lambda: lines[0].object == "")
    file = CloudFile("a.csv", b"1,2\n3,5\n")
    assert file.cloud(10, 0).shape == (2, 2)
    assert file.sentence().startswith("2 rows")


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_texts_and_high_dimensions_flow():
    view = FlowView()
    inputs = small(view) | {"origin": "text", "target": "digit-3", "origin_text": "Hi"}
    view.check(inputs)
    view.show(view.compute(inputs, Progress()))
    wide = small(view) | {"origin": "digits-64", "target": "digits-64"}
    view.check(wide)
    view.show(view.compute(wide, Progress()))
    assert "colours-china" in CHOICES.values()


def test_at_most_four_estimators():
    view = CompareView()
    with pytest.raises(ValueError, match="one to four"):
        view.check(view.values() | {"methods": list(flows.ESTIMATORS)[:5]})
    with pytest.raises(ValueError, match="one to four"):
        view.check(view.values() | {"methods": []})
    with pytest.raises(ValueError, match="at least 15"):
        view.check(view.values() | {"methods": ["harmonic-cv"], "n_directions": 10})


def test_pictures_of_ones_own():
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (900, 300), (255, 0, 0)).save(stream, "PNG")
    pixels = PictureFile("red.png", stream.getvalue()).pixels()
    assert pixels.shape == (160, 480, 3)
    np.testing.assert_allclose(pixels[0, 0], [1, 0, 0])
    assert PictureFile("red.png", stream.getvalue()).sentence() == "PNG of 900 × 300 pixels; shrunk to 480 × 160"
    with pytest.raises(ValueError, match="no readable"):
        PictureFile("false.png", b"\x89PNG but not").pixels()
    view = ColourView()
    with pytest.raises(ValueError, match="Choose a file"):
        view.check(view.values() | {"source": "file"})


def test_the_address_holds_the_choice():
    room = FlowsRoom()
    room.read_address("?tab=compare&origin=sphere&methods=spiral,design&n=300")
    assert room.view.slug == "compare"
    assert (room.view.origin, room.view.methods, room.view.n) == ("sphere", ["spiral", "design"], 300)
    room.read_address("?tab=flow&origin=teapot&n=1e9")
    assert "From = 'teapot'" in room.notice
    assert "50 to 5000" in room.notice
    room.close()
