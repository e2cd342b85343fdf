"""The tab "Rewards" without a browser: the first answer, the brush, the pair that fools, files, refusals."""

import io
import json
import re

import numpy as np
import pytest

from workbench import data, metrics
from workbench.metrics.rewards import checker
from workbench.progress import Progress
from workbench.results import open_bytes, to_bytes
from workbench.ui.kit.proof import CertificateFile
from workbench.ui.metrics import rewards as tab
from workbench.ui.metrics.painter import PaintedMaps
from workbench.ui.metrics.regret_proof import RegretCheckView, report_html
from workbench.ui.metrics.rewards import FILE, FIRST, RewardsView, in_letters, painted, rows_of


def computed(view):
    inputs = view.values()
    view.check(inputs)
    return view.compute(inputs, Progress())


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def test_the_first_answer_is_shipped_and_is_the_computed_one():
    view = RewardsView()
    assert view.values() == FIRST
    shipped, fresh = view.precomputed(view.values()), computed(view)
    np.testing.assert_allclose(shipped.distance.values, fresh.distance.values, rtol=1e-9)
    assert view.cost(view.values()).is_quick
    sentence = view.sentence(fresh)
    assert "may be the worst of all under reward 1 (W = 1)" in sentence
    assert "EPIC calls the two 0.0829 apart, Minimal 0.076, the range metric 0.714" in sentence
    assert "earns 0.0369 under reward 1, where 0 to 0.18 is possible" in sentence
    view.show(fresh)
    assert view.values() == FIRST
    for picture in view.figures:
        assert picture.summary(fresh)


def test_the_brush_paints_one_side_and_tiles_both():
    view = RewardsView()
    view.paint([(0, 0, 1), (0, 0, 2)])
    assert view.paint_1 == "kuuk/kkkk/kkkk/kkku"
    assert view.paint_2 == ""
    view.value = -0.5
    view.paint([(1, 3, 3)])
    assert view.paint_2 == "kkkk/kkkk/kkkk/kkkf"
    view.brush = "#"
    view.paint([(0, 1, 0), (1, 0, 1)])
    assert view.tiles == "S#FF/#HFH/FFFH/HFFG"
    view.brush = "F"
    view.paint([(0, 0, 0)])
    assert "needs a start" in view.complaint
    assert view.tiles[0] == "S"
    ds = computed(view)
    assert ds.painted_1.values[0, 1] == 1
    assert ds.painted_2.values[3, 3] == -0.5


def test_a_stroke_is_one_change():
    view = RewardsView()
    view.show(computed(view))
    maps = next(picture for picture in view._shown if isinstance(picture, PaintedMaps))
    changes = []
    view.param.watch(changes.append, "paint_1")
    maps.stroke([(0.0, 0.0), (0.1, 0.1), (1.0, 0.0), (4.0, 0.0), (np.nan, 0.0)])
    assert len(changes) == 1
    assert view.paint_1 == "uukk/kkkk/kkkk/kkku"
    maps.stroke([(99.0, 99.0)])
    assert len(changes) == 1


def test_letters_and_numbers():
    values = np.array([[-1.0, 0.0], [0.3, 1.0]])
    assert in_letters(values) == "ak/nu"
    np.testing.assert_allclose(painted("ak/nu", ["SF", "FG"]), values)
    assert in_letters(np.array([[5.0, -7.0]])) == "ua"
    for text, words in (("SF/F", "same length"), ("S" * 145, "145 cells"), ("", "same length")):
        with pytest.raises(ValueError, match=words):
            rows_of(text)
    for text, words in (("kk", "a letter for every tile"), ("kz/kk", "none of a to u")):
        with pytest.raises(ValueError, match=words):
            painted(text, ["SF", "FG"])


@pytest.mark.parametrize("world", tab.WORLDS)
def test_every_world_opens(world):
    view = RewardsView()
    view.open_world(*tab.WORLDS[world])
    ds = computed(view)
    assert float(ds.best[0]) > 0
    assert re.search(r"W", view.sentence(ds))
    assert view.cost(view.values()).is_quick  # so that the brush answers at once


def test_fooling_replaces_both_and_painting_takes_it_back():
    view = RewardsView(fool="epic", size=0.08)
    ds = computed(view)
    assert "EPIC calls the two 0.08 apart" in view.sentence(ds)
    assert "(W = 1)" in view.sentence(ds)
    maps = next(picture for picture in view._shown if isinstance(picture, PaintedMaps))
    assert "redistribution" in maps.summary(ds)
    view.paint([(0, 0, 0)])
    assert view.fool == ""


def test_sliders_that_change_nothing_change_nothing():
    ds = computed(RewardsView(living=0.0, shaping=1.5, redistributed=0.7))
    assert "Both rewards order all policies alike (W = 0)" in RewardsView().sentence(ds)
    trivial = computed(RewardsView(paint_1="kkkk/kkkk/kkkk/kkkk"))
    assert "Reward 1 is trivial" in RewardsView().sentence(trivial)
    other = computed(RewardsView(paint_2="kkkk/kkkk/kkkk/kkkk", living=0.0))
    assert "Reward 2 is trivial" in RewardsView().sentence(other)


def test_own_files():
    view = RewardsView(source=FILE)
    with pytest.raises(ValueError, match="Choose an NPZ file"):
        view.check(view.values())
    rng = np.random.default_rng(0)
    move = rng.dirichlet(np.ones(5), size=(5, 2))
    view.take_file(
        "mine.npz", npz(transitions=move, reward_1=rng.normal(size=(5, 2)), reward_2=rng.normal(size=(5, 2)))
    )
    ds = computed(view)
    assert "tile" not in ds
    view.show(ds)
    assert all(picture.summary(ds) for picture in view.figures)
    view.take_file("one.npz", npz(transitions=move, reward=rng.normal(size=(5, 2)), discount=0.9))
    assert computed(view).regret.values[0] < 1
    view.take_file("bad.npz", npz(transitions=2 * move, reward=rng.normal(size=(5, 2))))
    with pytest.raises(ValueError, match="sum to 2"):
        computed(view)
    chain = np.arange(2501)
    lists = {"state": chain, "action": 0 * chain, "next_state": chain, "probability": 1.0 + 0 * chain}
    view.take_file("long.npz", npz(**lists, reward=0.0 * chain))
    with pytest.raises(ValueError, match="2,501 states; this page takes up to 2,500"):
        computed(view)
    view.take_file("large.npz", b"0" * (tab.LARGEST_UPLOAD + 1))
    assert "MiB" in view.complaint


def test_a_saved_result_comes_back():
    view = RewardsView(paint_1="kkkk/kkuk/kkkk/kkkk", slip=0.2, discount=0.8)
    ds = open_bytes(to_bytes(computed(view)), name="mine.nc")
    other = RewardsView()
    other.show(ds)
    assert (other.paint_1, other.slip, other.discount, other.tiles) == (view.paint_1, 0.2, 0.8, view.tiles)


def test_the_shipped_answer_is_the_experiment_s():
    ds = data.result("metrics/rewards_lake.nc")
    assert ds.attrs["function"] == "workbench.metrics.grid_rewards"
    assert set(ds.yardstick.values) == set(metrics.REWARD_DISTANCES)


def test_the_certificate_is_offered_and_its_tab_takes_it():
    view = RewardsView()
    ds = view.precomputed(view.values())
    shown = next(one for one in view._shown if isinstance(one, CertificateFile))
    shown.update(ds)
    assert not shown._button.disabled
    text = shown._button.callback().read()
    assert metrics.check_regret(text).valid
    shown.update(ds.drop_vars(["certificate", "uncertified"]))
    assert shown._button.disabled
    assert "saved without one" in shown._words.object
    check = RegretCheckView()
    assert re.search(r"holds: 0\.99999\d+ ≤ W ≤ 1\.0 is proved for a world of 17", check.sentence(computed(check)))
    check.take("mine.json", text)
    assert check.cost(check.values()).is_quick
    assert bool(computed(check).valid)


def test_a_forged_certificate_is_refused_in_words_and_escaped():
    view = RewardsView()
    document = json.loads(view.precomputed(view.values()).certificate.item())
    del document["digest"]
    document["lower"], document["upper"] = 0.2, 0.4
    document["digest"] = checker.digest(document)
    check = RegretCheckView()
    check.take("forged.json", json.dumps(document).encode())
    ds = computed(check)
    assert "the factor proves W ≤ 1 and no less" in check.sentence(ds)
    assert "✘" in report_html(ds)
    assert "This proves" not in report_html(ds)
    check.take("script.json", b'{"format": "<script>alert(1)</script>"}')
    assert "<script>" not in report_html(computed(check))


def test_gymnasiums_table_is_uploaded_as_json():
    view = RewardsView(source=FILE)
    lake = {"0": {"0": [[0.9, 1, 0.0, False], [0.1, 0, 0.0, False]], "1": [[1.0, 0, 0.0, False]]},
            "1": {"0": [[1.0, 1, 1.0, True]], "1": [[1.0, 0, 0.0, False]]}}  # fmt: skip
    view.take_file("lake.json", json.dumps({"P": lake, "discount": 0.9}).encode())
    ds = computed(view)
    assert view.file.sentence().startswith("3 states, 2 actions, 7 transitions, γ = 0.9; one reward")
    assert float(ds.best[0]) > 0
    view.take_file("bad.json", json.dumps({"0": {"0": [[1.0, 3, 0, False]]}}).encode())
    with pytest.raises(ValueError, match=r"state 0, action 0 in bad\.json leads to state 3; there are 1"):
        computed(view)
