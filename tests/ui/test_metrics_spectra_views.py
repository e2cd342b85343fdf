"""The tab "Spectra" without a browser: default, drag, click, own networks, refusals, saved results."""

import io
import re

import numpy as np
import pytest
import torch

from workbench import metrics
from workbench.progress import Progress
from workbench.ui.metrics.spectra import FILE, FIRST, DraggedTail, NetworkFile, SpectraView, TappedLayers, layer_rows


def computed(view):
    inputs = view.values()
    view.check(inputs)
    return view.compute(inputs, Progress())


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def picture_of(view, kind):
    return next(one for one in view._shown if isinstance(one, kind))


def test_the_default_is_quick_and_tells_all():
    view = SpectraView()
    assert view.values() == FIRST
    assert view.cost(view.values()).is_quick
    ds = computed(view)
    shipped = view.precomputed(view.values())
    assert view.sentence(shipped) == view.sentence(ds)
    for name in ("alpha", "low", "high", "matrix_low", "refit_low"):
        np.testing.assert_allclose(shipped[name].values, ds[name].values, rtol=1e-6)
    assert view.precomputed(view.values() | {"seed": 1}) is None
    view.show(ds)
    sentence = view.sentence(ds)
    assert re.search(
        r"layer1\.weight: α = \d\.\d\d \(exact [\d.]+–[\d.]+ at this threshold; [\d.]+–[\d.]+ if the threshold is "
        r"chosen again; [\d.]+–[\d.]+ for other rows of the matrix\)\. Its entries shuffled give \d",
        sentence,
    )
    assert re.search(r"A power law is (not )?rejected \(p = \d\.\d\d\)", sentence)
    assert re.search(r"Its ERG threshold lies [\d.]+ times (low|high)er", sentence)
    assert "nan" not in sentence
    for picture in view.figures:
        assert "nan" not in picture.summary(ds)


@pytest.mark.parametrize("source", ["fresh", "gaussian", "heavy"])
def test_every_example_answers(source):
    view = SpectraView(source=source)
    ds = computed(view)
    view.show(ds)
    assert "nan" not in view.sentence(ds)


def test_a_dragged_point_sets_the_threshold():
    view = SpectraView()
    view.show(computed(view))
    dragged = picture_of(view, DraggedTail)
    values = view.result.eigenvalue.values
    (here,) = dragged._drawn["threshold"]
    assert here[0] == float(view.result.threshold)
    at = {"eigenvalue": [np.sqrt(values[-31] * values[-30])], "share": [0.3], "item": [-1]}
    dragged.dropped("threshold", at)
    assert view.k == 30
    ds = computed(view)
    assert int(ds.tail_size) == 31
    view.show(ds)
    assert "chosen again" not in view.sentence(ds)
    dragged.dropped("threshold", {**at, "eigenvalue": [1e9]})
    assert view.k == 2
    assert view.runner.wait(60)  # what draws in the worker's thread would move the marks under this hand
    here = dragged._drawn["threshold"][0][0]
    for nothing in ({}, {"eigenvalue": [np.nan]}, {"eigenvalue": [None]}, {"eigenvalue": [here], "share": [1.0]}):
        dragged.dropped("threshold", {**at, **nothing} if nothing else {})
        assert view.k == 2


def test_a_clicked_layer_is_shown():
    view = SpectraView(k=40)
    view.show(computed(view))
    taps = picture_of(view, TappedLayers)
    taps._tapped(0.2)
    assert (view.layer, view.k) == (0, 0)
    assert "layer0.weight" in view.sentence(computed(view))
    taps._tapped(50.0)
    assert view.layer == 1
    taps._tapped(None)
    assert view.layer == 1


def test_own_networks():
    view = SpectraView(source=FILE)
    with pytest.raises(ValueError, match="Choose a file"):
        view.check(view.values())
    rng = np.random.default_rng(0)
    view.take_file("mine.npz", npz(a=rng.normal(size=(80, 40)), b=rng.normal(size=(50, 60)), c=np.ones((3, 3))))
    assert view.file.sentence() == "2 layers; 1 left out (c: 3 eigenvalue(s), and a tail needs 20…)"
    ds = computed(view)
    assert ds.layer_name.values.tolist() == ["a", "b"]
    assert ds.attrs["layer_told"] == "b"
    assert "1 left out" in picture_of(view, TappedLayers).summary(ds)
    made = io.BytesIO()
    torch.save(torch.nn.Linear(30, 50).state_dict(), made)
    view.take_file("net.pt", made.getvalue())
    assert computed(view).attrs["layer_told"] == "weight"
    assert view.cost(view.values()).seconds < 2  # known now
    view.take_file("bad.safetensors", b"\xff" * 100)
    with pytest.raises(ValueError, match="announces a header"):
        computed(view)
    view.take_file("big.npz", bytes(64 * 2**20 + 1))
    assert "up to 64 MiB" in view.complaint


def test_long_work_on_a_large_network_is_announced():
    view = SpectraView(source=FILE)
    file = NetworkFile("large.npz", npz(a=np.random.default_rng(0).normal(size=(2500, 2500)).astype(np.float16)))
    view.file = file
    assert view.cost(view.values()).is_quick
    file.sentence()  # a worker has read it
    assert not view.cost(view.values()).is_quick


def test_a_saved_result_sets_the_controls():
    view = SpectraView()
    view.show(metrics.spectrum_report(source="heavy", layer=0, k=25, bootstrap=20, repeats=3, splits=2))
    assert (view.source, view.layer, view.k) == ("heavy", 0, 25)
    view.show(
        metrics.spectrum_report(np.random.default_rng(0).normal(size=(40, 30)), bootstrap=20, repeats=3, splits=2)
    )
    assert view.source == "heavy"  # a matrix of one's own is none of the examples


def test_the_table_of_layers_is_cut_where_nobody_reads_on():
    rng = np.random.default_rng(0)
    nets = {f"l{k}": rng.normal(size=(22, 21)) for k in range(120)}
    ds = metrics.spectrum_report(nets, layer=110, bootstrap=5, repeats=2, splits=2)
    heads, cells = layer_rows(ds)
    assert len(cells) == 100
    assert len(heads) == len(cells[0])
    assert ds.attrs["layer_told"] == "l110"
