"""The latent tab without a browser: a shipped answer, other settings that wait, one's own table, a broken decoder."""

import numpy as np

from workbench import data, fields
from workbench.ui.fields.codecs import CodecView, study_in_words
from workbench.ui.fields.latent import FILE, LatentView

PATIENCE = 120


def opened(**values):
    view = LatentView(**values)
    view.start()
    return settled(view)


def settled(view):
    assert view.runner.wait(PATIENCE)
    return view


def test_the_sizes_ship_and_the_rest_waits_for_run():
    view = opened()
    assert view.result.identical(data.result("fields/latent_600.nc"))
    view.points = 4000
    assert settled(view).result.identical(data.result("fields/latent_4000.nc"))
    assert "Use k = 64" in view.sentence(view.result)
    view.seed = 3
    assert not view.runner.busy
    assert not view.cost(view.values()).is_quick
    view.close()


def test_the_cross_term_under_the_hand_and_the_dimension_looked_at():
    view = opened()
    assert "exceeds" in view._broken_in_words(view.result)
    view.error = 0.9
    assert "stays below" in view._broken_in_words(view.result)
    view.shown = 2
    assert "In 2 dimensions" in view._bounds_in_words(view.result)
    view.close()


def test_one_s_own_table_is_judged_by_rows_kept_out():
    view = opened()
    view.source = FILE
    assert "Choose a table" in view.complaint
    rows = np.random.default_rng(0).normal(size=(80, 3)) * [3.0, 1.0, 0.2]
    view.take_file("mine.csv", "\n".join(",".join(f"{v:.4f}" for v in row) for row in rows).encode())
    view.run()
    assert settled(view).complaint == ""
    assert view.result.dimension.values.tolist() == [1, 2]
    assert "On rows kept out" in view.sentence(view.result)
    assert "two standard errors over rows" in view.sentence(view.result)
    assert "no bound" in view._bounds_in_words(view.result)
    view.take_file("few.csv", b"0,1\n1,0\n")
    view.run()
    assert "at least 40" in settled(view).complaint
    view.close()


def test_a_shown_result_is_taken():
    view = LatentView()
    view.show(fields.best_dimension(dims=(1, 2), points=150, components=2, paths=100, seed=5))
    assert (view.points, view.seed) == (150, 5)
    view.close()


def test_both_learners_stand_beside_each_other_at_every_size():
    view = opened()
    for points in (150, 600, 4000):
        view.points = points
        assert f"From {points:,} digits a fitted mixture does best in" in view._learners_in_words(view.result)
    view.close()


def test_both_codecs_ship_and_the_sum_is_told():
    view = settled_codec(CodecView())
    assert view.result.identical(data.result("fields/latent_autoencoder.nc"))
    assert "less than W₂²" in view.sentence(view.result)
    view.codec = "pca"
    assert "adds up exactly" in view.sentence(settled_codec(view).result)
    view.codec, view.dimension = "autoencoder", 4
    assert not view.cost(view.values()).is_quick
    assert "the autoencoder in" in study_in_words()
    view.close()


def test_a_codec_of_one_s_own_rows():
    view = settled_codec(CodecView(codec="pca", dimension=2))
    view.source = FILE
    assert "Choose a table" in view.complaint
    rows = np.random.default_rng(0).normal(size=(80, 3)) * [3.0, 1.0, 0.2]
    view.take_file("mine.csv", "\n".join(",".join(f"{v:.4f}" for v in row) for row in rows).encode())
    view.run()
    assert "adds up exactly" in view.sentence(settled_codec(view).result)
    view.dimension = 8
    view.run()
    assert "at most that many" in settled_codec(view).complaint
    view.close()


def settled_codec(view):
    view.start()
    return settled(view)
