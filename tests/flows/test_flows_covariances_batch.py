"""Batches of covariances: folds, the experiment of the page, files of one's own, the audit and the study."""

import io
import json

import numpy as np
import pytest

from workbench import costs, flows
from workbench.progress import Cancelled, Progress


def named(name, data):
    stream = io.BytesIO(data)
    stream.name = name
    return stream


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def test_folding_of_two_numbers():
    found = flows.folding([[[0.01]], [[9.0]]])
    np.testing.assert_allclose(found.roots.ravel(), [-0.45, 2.45])
    assert found.folded.tolist() == [True, False]
    assert found.cap == pytest.approx(0.999 / 1.45)
    held = flows.folding([[[0.01]], [[9.0]]], found.cap)
    assert not held.folded.any()
    np.testing.assert_allclose(held.images.ravel(), held.roots.ravel() ** 2)


def test_images_have_mean_identity_exactly_if_nothing_folds():
    x = 9 * flows.random_covariances(20, 3, condition=100, seed=1)
    v2 = flows.bures_mean(x).value
    held = flows.folding(x, flows.folding(x).cap)
    found = flows.bures_mean(held.images, tolerance=0)
    np.testing.assert_allclose(found.mean, np.eye(3), atol=1e-8)
    assert found.value == pytest.approx(flows.folding(x).cap ** 2 * v2, rel=1e-8)
    loose = flows.folding(x, 3 * flows.folding(x).cap)
    assert loose.folded.any()
    assert np.abs(flows.bures_mean(loose.images).mean - np.eye(3)).max() > 1e-4


def test_random_covariances_have_the_condition_asked_for():
    x = flows.random_covariances(200, 3, condition=1e6, seed=2)
    values = np.linalg.eigvalsh(x)
    assert values.max() <= 1 + 1e-12
    assert values.min() >= 1e-6 * (1 - 1e-9)
    assert np.log10(values).mean() == pytest.approx(-3, abs=0.3)
    np.testing.assert_array_equal(x, flows.random_covariances(200, 3, condition=1e6, seed=2))


def test_the_batch_experiment():
    ds = flows.covariance_batch(factor=2.0)
    assert ds.sizes["matrix"] == 30
    x = ds.covariance.values
    best = flows.bures_mean(x)
    assert float(ds.best_value) == pytest.approx(best.value)
    assert float(ds.gap) <= 1e-12 * float(ds.best_value)
    assert (ds.lower_bound <= best.value * (1 + 1e-12)).all()
    assert (np.diff(ds.value) <= 1e-15).all()
    assert float(ds.one_step_value) > best.value
    np.testing.assert_allclose(ds.means.sel(metric="bures"), best.mean, atol=1e-10)
    found = flows.folding(x, 2.0)
    np.testing.assert_array_equal(ds.folded, found.folded)
    np.testing.assert_allclose(ds.normalised, found.images, atol=1e-9)
    np.testing.assert_allclose(ds.path.sel(metric="affine", place=1), x[1], atol=1e-12)
    assert float(ds.distance.sel(metric="bures")) == pytest.approx(flows.bures_distance(x[0], x[1]))
    swell = ds.determinant.sel(place=0.5)
    assert float(swell.sel(metric="euclidean")) > float(swell.sel(metric="bures")) > float(swell.sel(metric="affine"))
    again = flows.covariance_batch(factor=2.0)
    assert ds.identical(again.assign_attrs(seconds=ds.attrs["seconds"]))


def test_the_batch_experiment_takes_singular_matrices_and_powers():
    singular = flows.covariance_batch([np.diag([1.0, 0]), np.diag([0, 1.0])])
    np.testing.assert_allclose(singular.means.sel(metric="bures"), np.eye(2) / 4, atol=1e-12)
    assert np.isnan(singular.means.sel(metric="affine")).all()
    line = flows.covariance_batch([np.diag([1.0, 0]), np.diag([4.0, 0])])
    assert np.isnan(line.normalised).all()
    assert not line.folded.any()
    half = flows.covariance_batch(n=4, power=0.5)
    assert float(half.best_value) == pytest.approx(flows.bures_mean(half.covariance.values, power=0.5).value)
    assert half.plane.shape == (4, 2)
    own = flows.covariance_batch(first=np.eye(2), second=[[4, 0], [0, 1]])
    np.testing.assert_array_equal(own.path.sel(metric="bures", place=0), np.eye(2))


def test_refusals_and_cancel():
    for arguments, words in (
        ({"x": np.ones((2, 3))}, "dimension"),
        ({"x": -np.ones((2, 1, 1))}, "eigenvalue -1"),
        ({"x": np.zeros((3, 2000, 2000))}, "at most 2,000,000"),
        ({"count": 100_000, "n": 100}, "at most 2,000,000"),
        ({"first": np.eye(3)}, "2 × 2 like the batch"),
        ({"power": 0.0}, "greater than 0"),
        ({"factor": -1.0}, "at least 0"),
    ):
        with pytest.raises(ValueError, match=words):
            flows.covariance_batch(**arguments)
    with pytest.raises(ValueError, match="singular"):
        flows.folding([np.diag([1.0, 0]), np.diag([4.0, 0])])
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        flows.covariance_batch(progress=progress)


# ---- files ----------------------------------------------------------------------------------------------------------


def test_matrices_and_trials_from_archives():
    x = flows.random_covariances(6, 3, seed=3)
    found = flows.read_covariances(named("a.npz", npz(covariances=x, labels=np.arange(6))))
    np.testing.assert_allclose(found.matrices, x)
    assert found.labels.tolist() == list(range(6))
    assert found.sentence == "array 'covariances': 6 matrices of 3 × 3; labelled"
    trials = np.random.default_rng(4).normal(size=(5, 4, 100)).astype(np.float32)
    stream = io.BytesIO()
    np.save(stream, trials)
    found = flows.read_covariances(named("eeg.npy", stream.getvalue()))
    np.testing.assert_allclose(found.matrices[2], np.cov(trials[2].astype(float)), rtol=1e-10)
    assert "5 trials of 4 channels and 100 samples" in found.sentence
    short = flows.read_covariances(named("short.npz", npz(trials=trials[:, :, :3])))
    assert "singular" in short.sentence
    assert flows.bures_mean(short.matrices).value > 0


def test_a_recording_and_a_stack_from_tables(tmp_path):
    rows = np.random.default_rng(5).normal(size=(1030, 3))
    np.savetxt(tmp_path / "rec.csv", rows, delimiter=",", header="Fz,Cz,Pz", comments="")
    found = flows.read_covariances(tmp_path / "rec.csv", window=100)
    assert found.matrices.shape == (10, 3, 3)
    np.testing.assert_allclose(found.matrices[1], np.cov(rows[100:200].T))
    assert found.sentence.endswith("30 rows at the end left out")
    x = flows.random_covariances(4, 3, seed=6)
    np.savetxt(tmp_path / "stack.csv", x.reshape(-1, 3), delimiter=",", fmt="%.17g")
    np.testing.assert_allclose(flows.read_covariances(tmp_path / "stack.csv").matrices, x)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.xyz", b"1 2 3", "cannot read"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"1,2\n3,4\n", "fewer than one window"),
        ("a.npz", b"PK nonsense", "NPZ"),
        ("a.npy", b"\x93NUMPY", "NumPy file"),
        ("a.npz", npz(a=np.ones((2, 2)), b=np.ones(3)), r"give one array \(N, n, n\)"),
        ("a.npz", npz(covariances=-np.ones((2, 1, 1))), "eigenvalue -1"),
        ("a.npz", npz(covariances=np.ones((2, 2, 2)) * np.nan), "NaN"),
        ("a.npz", npz(trials=np.ones((2, 200, 3))), "at most 128 channels"),
        ("a.npz", npz(covariances=np.ones((2, 1, 1)), labels=np.ones(2)), "whole numbers"),
        ("a.npz", npz(trials=np.array([[["a"]]])), "not numbers"),
        ("a.npz", npz(trials=np.ones((2, 2, 1))), "no covariance"),
    ],
)
def test_bad_files_are_refused_in_words(name, data, words):
    with pytest.raises(ValueError, match=words):
        flows.read_covariances(named(name, data))


def test_sizes_are_bounded_before_work():
    stream = io.BytesIO()
    np.savez_compressed(stream, trials=np.zeros((2, 2, 10_000)))
    compressed = stream.getvalue()
    assert len(compressed) < 50_000
    with pytest.raises(ValueError, match="unpacks to"):
        flows.read_covariances(named("a.npz", compressed), max_bytes=50_000)
    with pytest.raises(ValueError, match="the limit"):
        flows.read_covariances(named("a.csv", b"1,2\n" * 100), max_bytes=10)
    with pytest.raises(FileNotFoundError):
        flows.read_covariances("nowhere.npz")


# ---- audit and study ------------------------------------------------------------------------------------------------


def test_the_audit_finds_what_the_released_layer_breaks():
    ds = flows.batchnorm_audit((1e4,), count=12, n=5, repeats=2)
    exact, released = (ds.sel(variant=name) for name in ("exact", "released"))
    assert (ds.gap < 1e-11).all()
    assert (abs(ds.pot_excess) < 1e-6).all()
    assert (ds.one_step_excess > 1e-5).all()
    assert (ds.variance_about_identity > 2 * ds.value).all()
    paper = ds.sel(variant="paper")
    np.testing.assert_allclose(exact.gradient, exact.difference_quotient, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(paper.gradient, paper.difference_quotient, rtol=1e-4, atol=1e-5)
    assert (abs(released.gradient - released.difference_quotient) > 1e-3).all()
    assert (abs(released.output_variance - 1) > 0.2).all()
    quiet = exact.where(exact.held_back == 0)
    assert float(abs(quiet.output_variance - 1).max()) < 1e-4


def test_a_small_study():
    rng = np.random.default_rng(7)
    scale = np.where(np.arange(90) % 2, 3.0, 0.3)
    x = flows.random_covariances(90, 3, condition=10, seed=rng)
    x[:, 0, 0] += scale
    labels = np.arange(90) % 2 + 5
    ds = flows.spd_batchnorm_study(x, labels, ["bures-exact", "log-euclidean"], seeds=(0, 1), epochs=6, reduced=2)
    assert list(ds.layer.values) == ["none", "bures-exact", "log-euclidean"]
    assert ds.accuracy.sel(layer="bures-exact").mean() > 0.7
    assert float(ds.difference.sel(layer="none")) == 0
    again = flows.spd_batchnorm_study(x, labels, ["bures-exact"], seeds=(0, 1), epochs=6, reduced=2)
    np.testing.assert_array_equal(again.accuracy.sel(layer="bures-exact"), ds.accuracy.sel(layer="bures-exact"))
    assert json.loads(ds.attrs["parameters"])["epochs"] == 6


def test_the_study_refuses():
    x = flows.random_covariances(40, 3)
    for arguments, words in (
        ({"x": x}, "give x and labels"),
        ({"x": x, "labels": np.arange(3)}, "40 whole numbers"),
        ({"x": x, "labels": np.zeros(40, int)}, "2 to 1000 classes"),
        ({"layers": ["bures"]}, "unknown layer"),
        ({"seeds": (0,)}, "at least two"),
        ({"epochs": 0}, "at least 1"),
    ):
        with pytest.raises(ValueError, match=words):
            flows.spd_batchnorm_study(**arguments)


def test_holm():
    np.testing.assert_allclose(flows.holm([0.01, 0.5, 0.02]), [0.03, 0.5, 0.04])


def test_costs_grow():
    small, large = (costs.of(flows.covariance_batch, count=count, n=20) for count in (100, 400))
    assert 3 < large.seconds / small.seconds < 4
    assert costs.of(flows.covariance_batch).is_quick
    assert not costs.of(flows.spd_batchnorm_study).is_quick
