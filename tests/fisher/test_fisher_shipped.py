"""The shipped values: recomputed at several sizes, and joined by what is asked for."""

import json

import numpy as np
import pytest

from workbench import data, fisher, results


def test_shipped_values_are_what_the_engine_finds(exact):
    L, *expected = exact
    stored = fisher.shipped_scaling()
    for name, value in zip(("scalar_curvature", "cumulant_norm", "trace_norm"), expected, strict=True):
        assert float(stored[name].sel(L=L)) == pytest.approx(value, rel=5e-12)


@pytest.mark.parametrize("L", [13, 21, 28, 40])
def test_shipped_values_recomputed(L):
    stored, fresh = fisher.shipped_scaling().sel(L=L), fisher.ising_curvature(L)
    assert float(stored.scalar_curvature) == pytest.approx(float(fresh.scalar_curvature), rel=1e-11)
    assert float(stored.trace_norm) == pytest.approx(fisher.trace_norm(L), rel=1e-11)


def test_sizes_past_128_are_those_that_the_card_found_and_the_trace_is_found_again():
    record = json.loads(data.path("fisher/card.json").read_text())
    stored = fisher.shipped_scaling()
    assert record["card"] in str(stored.engine.sel(L=256).values)
    for L in (160, 192, 224, 256):
        assert float(stored.cumulant_norm.sel(L=L)) == record["values"][str(L)]["cumulant_norm"]
        assert float(stored.trace_norm.sel(L=L)) == pytest.approx(fisher.trace_norm(L), rel=1e-11)
    for L in (64, 96, 128):  # both engines found these
        for name, value in record["values"][str(L)].items():
            assert float(stored[name].sel(L=L)) == pytest.approx(value, rel=1e-11)


@pytest.mark.slow
def test_the_smallest_side_from_the_card_is_found_again_on_the_processor():
    stored, fresh = fisher.shipped_scaling().sel(L=160), fisher.ising_curvature(160)
    assert float(stored.cumulant_norm) == pytest.approx(float(fresh.cumulant_norm), rel=1e-11)


def test_further_sizes_join_in_order():
    ds = fisher.exact_scaling((26, 16))
    assert 26 in ds.L.values
    assert (np.diff(ds.L) > 0).all()
    assert not bool(ds.shipped.sel(L=26))
    assert bool(ds.shipped.sel(L=16))
    assert float(ds.scalar_curvature.sel(L=26)) == pytest.approx(float(fisher.ising_curvature(26).scalar_curvature))
    with pytest.raises(ValueError, match="at least 3"):
        fisher.exact_scaling((2,))


def test_extrapolation_file_agrees_with_exact_values_where_both_exist():
    beyond = results.open(data.path("fisher/beyond.nc"))
    stored = fisher.shipped_scaling()
    both = np.intersect1d(beyond.L, stored.L)
    assert {128, 256} <= set(both)
    for L in both:
        off = abs(float(beyond.scalar_curvature.sel(L=L) - stored.scalar_curvature.sel(L=L)))
        assert off < float(beyond.scalar_curvature_error.sel(L=L))
    assert float(beyond.trace_norm.sel(L=256)) == pytest.approx(fisher.trace_norm(256), rel=1e-11)


def test_sampled_models_agree_with_the_paper():
    ours = results.open(data.path("fisher/other_models.nc")).to_dataframe()
    sigmas = []
    for model in set(ours.model):
        table = fisher.published(model).to_dataframe()
        for row in ours[ours.model == model].itertuples():
            if row.L in table.index and np.isfinite(table.absolute_curvature_error[row.L]):
                error = np.hypot(row.scalar_curvature_error, table.absolute_curvature_error[row.L])
                sigmas.append((-row.scalar_curvature - table.absolute_curvature[row.L]) / error)
    assert len(sigmas) >= 8
    assert np.abs(sigmas).max() < 3.5
    assert np.mean(np.square(sigmas)) < 2
