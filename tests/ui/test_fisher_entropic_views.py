"""The tabs of densities and their curvature, without a browser."""

import io

import numpy as np
import pytest

from workbench import fisher
from workbench.progress import Progress
from workbench.ui.fisher import pairs, transport, web


def shown(view, **changes):
    inputs = view.values() | changes
    view.check(inputs)
    ds = view.compute(inputs, Progress())
    view.show(ds)
    for picture in view.figures:
        assert picture.summary(ds)
    return view.sentence(ds)


def cube():
    stream = io.BytesIO()
    np.save(stream, fisher.field(shape=(16, 16, 16), sigma=0.5, smoothing=0.1).density.values)
    return stream.getvalue()


def test_the_web_tells_what_the_dimension_changes():
    view = web.WebView()
    assert view.cost(view.values()).is_quick
    assert " 0% of the cells get another class" in shown(view, size="64²", smoothing=0.04, mix=1.0, slope=-1.0)
    assert (view.size, view.smoothing, view.mix, view.slope) == ("64²", 0.04, 1.0, -1.0)
    text = shown(view, size="64²", smoothing=0.04, probe=0.03, width=0.01, mix=0.0)
    assert "standard errors away" in text
    with pytest.raises(ValueError, match="less than a cell of 64²"):
        view.check(view.values() | {"size": "64²", "smoothing": 0.01})


def test_own_cubes_and_positions_are_read_or_refused():
    view = web.WebView()
    with pytest.raises(ValueError, match="Choose a file"):
        view.check(view.values() | {"kind": "file"})
    text = shown(view, kind="file", file=web.FieldFile("a.npy", cube()), smoothing=0.1, box=50.0)
    assert text.startswith("Knots ")
    assert "sheets" in text
    assert view.kind == "lognormal"
    places = np.random.default_rng(0).random((4000, 2)) * 50
    table = "\n".join(f"{x:.4f},{y:.4f}" for x, y in places).encode()
    assert "saddles" in shown(view, kind="file", file=web.FieldFile("a.csv", table), smoothing=0.04, box=50.0)
    with pytest.raises(ValueError, match="lie outside the box from 0 to 10"):
        shown(view, kind="file", file=web.FieldFile("a.csv", table), smoothing=0.04, box=10.0)
    view.kind = "file"
    view.file = None
    keep = view.controls()
    assert len(keep) == len(view.inputs)


def test_pairs_follow_the_hand():
    view = pairs.PairsView()
    view.start()
    assert view.runner.wait(60)
    dragged = view.figures[0]
    dragged.move(1, 2.04, 9.0)
    assert (view.mean_1, view.deviation_1) == (2.04, 3.0)
    dragged.move(0, float("nan"), 1.0)
    assert view.mean_0 == -1.2
    for reference in (pairs.NONE, pairs.GAUSSIAN, pairs.BUMPS):
        assert "; at N = 2 it has K = " in shown(view, reference=reference, inverse=0.5, mean_0=-2.0)
        assert (view.inverse, view.mean_0) == (0.5, -2.0)
    skewer = "\n".join(f"{x:g},{np.exp(-x * x / 8):g}" for x in np.linspace(-26, 26, 1041)).encode()
    assert "0.25" in shown(view, reference=pairs.FILE, file=pairs.SkewerFile("a.csv", skewer))
    with pytest.raises(ValueError, match="same"):
        view.check(view.values() | {"mean_0": 1, "mean_1": 1, "deviation_0": 1, "deviation_1": 1})
    with pytest.raises(ValueError, match="two columns"):
        view.check(view.values() | {"reference": pairs.FILE, "file": None})


def test_transport_is_certified_or_refused():
    view = transport.TransportView()
    assert "Newton steps" in shown(view)
    assert "Refused" in shown(view, kind="lognormal", sigma=2.0, smoothing=0.02)
    with pytest.raises(ValueError, match="Choose a file"):
        view.check(view.values() | {"kind": "file"})
    file = web.FieldFile("a.npy", cube())
    assert "W = " in shown(view, kind="file", file=file, smoothing=0.1, box=10.0)
