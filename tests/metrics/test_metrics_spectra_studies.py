"""Studies of the yardstick: what moves it, what fools it, α along training, coverage, the report, the shipped files."""

import numpy as np
import pytest
import torch

from workbench import data, metrics, results
from workbench.metrics.spectra.networks import SIDES, accuracy, digits, fresh_weights, trained_weights
from workbench.metrics.spectra.nulls import alpha_of
from workbench.metrics.spectra.report import RIVALS
from workbench.metrics.spectra.training import gradients
from workbench.progress import Cancelled, Progress

RNG = np.random.default_rng(0)


def test_what_moves_a_score():
    ds = metrics.spectra_invariances()
    change = ds.invariance_change
    for still in ("transpose", "renumber", "rotate"):
        assert (change.sel(transformation=still) == 0).all(), still
    for score in ("alpha", "stable-rank", "entropy", "erg-gap"):
        assert float(change.sel(yardstick=score, transformation="rescale")) == 0
    assert float(change.sel(yardstick="alpha", transformation="level")) == 0
    assert (change.sel(transformation="shuffle") > 1e-3).all()
    alpha = metrics.tail_fit(metrics.layer_spectrum(trained_weights()["layer1.weight"]).eigenvalues).alpha
    tenfold = ds.constant.sel(axiom="tenfold")
    for score in ("alpha-hat", "log-alpha-norm"):  # shifts by 2 α log10 c
        assert float(tenfold.sel(yardstick=score)) == pytest.approx(2 * alpha, rel=1e-9)
    assert float(tenfold.sel(yardstick="alpha")) == 0


def test_every_score_has_a_blind_spot_that_reads_no_digit():
    ds = metrics.spectra_confusions()
    assert float(ds.accuracy) > 0.95
    assert (ds.blind_seen <= 1e-9).all()
    assert (ds.blind_reference > 0.5).all()


def test_gradients_are_those_of_torch():
    x, y, *_ = digits()
    weights = fresh_weights(1)
    loss, slopes = gradients(weights, x[:50], y[:50])
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
    z = torch.tensor(x[:50])
    for k in range(len(SIDES) - 1):
        z = z @ tensors[f"layer{k}.weight"].T + tensors[f"layer{k}.bias"]
        z = torch.relu(z) if k < len(SIDES) - 2 else z
    expected = torch.nn.functional.cross_entropy(z, torch.tensor(y[:50]))
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    for name, value in slopes.items():
        np.testing.assert_allclose(value, tensors[name].grad.numpy(), atol=1e-12)


def test_training_repeats_and_learns():
    one = metrics.training_spectra(60, points=4, repeats=2)
    two = metrics.training_spectra(60, points=4, repeats=2)
    np.testing.assert_array_equal(one.alpha, two.alpha)
    assert float(one.accuracy[0, -1]) > 0.8
    assert float(one.accuracy[0, 0]) < 0.3
    assert (one.alpha_low <= one.alpha).all()
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        metrics.training_spectra(60, progress=progress)


@pytest.mark.parametrize("arguments", [{"steps": 0}, {"points": 1}, {"learning_rate": 0}, {"seeds": ()}])
def test_training_arguments_are_checked(arguments):
    with pytest.raises(ValueError):
        metrics.training_spectra(**arguments)


def test_laws_that_never_learned():
    ds = metrics.unlearned_spectra(("pareto-3", "student-2"), repeats=10)
    assert float(ds.alpha.sel(law="student-2").mean()) == pytest.approx(2.6, abs=0.5)
    assert float(ds.gap_all.sel(law="pareto-3").mean()) == pytest.approx(-0.19, abs=0.1)
    alone = metrics.unlearned_spectra(("student-2",), repeats=10)
    np.testing.assert_array_equal(alone.alpha[0], ds.alpha[1])  # each law has a stream of its own
    with pytest.raises(ValueError, match="pareto-3"):
        metrics.unlearned_spectra(("pareto-33",))


def test_coverage_counts_what_it_says():
    ds = metrics.tail_coverage(("pareto-100", "covariance"), repeats=12, bootstrap=20, splits=3)
    assert np.isnan(ds["size"].sel(case="pareto-100", bar="matrix"))
    assert ((ds.covers >= 0) & (ds.covers <= 1) | ds.covers.isnull()).all()
    rigid = ds.sel(case="covariance")
    assert float(rigid["size"].sel(bar="nominal")) > 2 * float(rigid.alpha_sd)
    with pytest.raises(ValueError, match="covariance"):
        metrics.tail_coverage(("covarance",))


# ---- the report -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["digits", "fresh", "gaussian", "heavy"])
def test_the_report_says_what_its_parts_say(source):
    ds = metrics.spectrum_report(source=source, bootstrap=20, repeats=4, splits=3)
    results.validate(ds)
    fit = metrics.tail_fit(ds.eigenvalue.values)
    assert float(ds.alpha) == fit.alpha
    best = int(np.nanargmin(ds.distance_at.values))
    assert float(ds.alpha_at[best]) == pytest.approx(fit.alpha, rel=1e-12)
    assert float(ds.low_at[best]) == pytest.approx(fit.low, rel=1e-12)
    assert float(ds.gap) == pytest.approx(np.log(fit.threshold / metrics.erg(ds.eigenvalue.values).threshold))
    assert np.isfinite(ds.law_p_value.sel(law=list(RIVALS))).all()
    top = ds.law_survival.isel(at=0)
    np.testing.assert_allclose(top, fit.tail / fit.count, rtol=1e-9)
    assert len(ds.layer_name) == ds.sizes["layer"] >= 1


def test_a_fixed_threshold_and_a_layer_by_name():
    ds = metrics.spectrum_report(layer="layer0.weight", k=30, bootstrap=20, repeats=3, splits=3)
    assert int(ds.tail_size) == 31
    assert np.isnan(ds.refit_low)
    assert ds.attrs["layer_told"] == "layer0.weight"
    beyond = metrics.spectrum_report(layer=99, k=10_000, bootstrap=5, repeats=3, splits=3)
    assert beyond.attrs["layer_told"] == "layer1.weight"
    assert int(beyond.tail_size) == beyond.sizes["order"]


def test_a_report_of_ones_own_matrix_and_of_awkward_ones():
    square = RNG.normal(size=(25, 25))  # too few rows to halve
    ds = metrics.spectrum_report(square, bootstrap=5, repeats=2, splits=2)
    assert np.isnan(ds.matrix_sd)
    low = RNG.normal(size=(200, 24)) @ RNG.normal(size=(24, 90))  # most eigenvalues are zero
    ds = metrics.spectrum_report(low, bootstrap=5, repeats=2, splits=2)
    assert np.isnan(ds.edge_statistic)
    assert int(ds.dropped) == 66
    with pytest.raises(ValueError, match="no layer to score"):
        metrics.spectrum_report(np.ones((5, 5)))


# ---- what ships -----------------------------------------------------------------------------------------------------


def test_the_shipped_perceptron_reads_digits():
    weights = trained_weights()
    assert accuracy(weights) > 0.95
    assert data.path("metrics/spectra_digits.safetensors").stat().st_size < 150_000


def test_the_shipped_studies_open_and_repeat():
    training = data.result("metrics/spectra_training.nc")
    assert training.sizes["seed"] == 5
    first = metrics.training_spectra(1, points=2, seeds=(0,), repeats=0)
    np.testing.assert_allclose(first.alpha[0, 0], training.alpha.sel(seed=0, step=0), rtol=1e-9)
    unlearned = data.result("metrics/spectra_unlearned.nc")
    again = metrics.unlearned_spectra(("lognormal-2",), repeats=3)
    np.testing.assert_allclose(again.alpha[0], unlearned.alpha.sel(law="lognormal-2")[:3], rtol=1e-9)
    assert set(data.result("metrics/spectra_coverage.nc").case.values) >= {"pareto-300", "covariance"}


def test_the_shipped_table_holds_numbers_and_no_weights():
    table = data.result("metrics/spectra_table.nc")
    assert len(np.unique(table.network.values)) >= 5
    assert table.sizes["layer"] > 100
    assert set(table.dims) == {"layer"}
    assert "/" not in table.attrs["sources"]


def test_with_a_fixed_threshold_like_is_held_against_like():
    """Shuffles and halves have as many eigenvalues above their thresholds as the layer has."""
    ds = metrics.spectrum_report(k=30, bootstrap=5, repeats=3, splits=2)
    assert float(ds.matrix_low) < float(ds.alpha) < float(ds.matrix_high)
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(80, 50))
    values = np.sort(np.linalg.svd(matrix, compute_uv=False) ** 2)
    assert alpha_of(matrix, 12) == pytest.approx(metrics.tail_fit(values, k=12).alpha, rel=1e-9)
    assert alpha_of(matrix) == pytest.approx(metrics.tail_fit(values).alpha, rel=1e-9)
