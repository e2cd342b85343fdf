"""Curvature of sampled models at larger sizes: the trace term, its joining with ‖T‖², and what the fits can tell."""

import numpy as np
import pytest

from workbench import data, fisher
from workbench.fisher import paper
from workbench.fisher.monte_carlo import Cells, growth_dataset
from workbench.fisher.monte_carlo.growth import continued, mean_of_cells
from workbench.fisher.scaling import extrapolated_noise, falsify, fit_background, samples_to_tell


def test_the_trace_term_of_the_solvable_model_within_its_errors():
    runs = [fisher.sampled_trace_norm("ising-2d", 8, samples=2000, spacing=2, seed=seed) for seed in range(2)]
    for ds in runs:
        assert abs(float(ds.trace_norm) - fisher.trace_norm(8)) < 4 * float(ds.trace_norm_error)
        assert float(ds.trace_norm_error) < 0.1 * float(ds.trace_norm)
        assert ds.attrs["samples_taken"] == 8000
    assert float(runs[0].trace_norm) != float(runs[1].trace_norm)


def test_trace_and_third_cumulants_see_one_trace_term():
    """The same chains with and without third cumulants: the same numbers, so nothing depends on the batches."""
    settings = {"samples": 64, "chains": 4, "spacing": 1, "thermalisation": 10, "seed": 3}
    alone = fisher.sampled_trace_norm("potts-3", 4, **settings)
    both = fisher.monte_carlo_curvature("potts-3", 4, **settings)
    assert float(alone.trace_norm) == pytest.approx(float(both.trace_norm), rel=1e-10)
    assert float(alone.row_sum) == pytest.approx(float(both.row_sum), rel=1e-10)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "potts-7"}, "potts-3"),
        ({"L": 2}, "doubled"),
        ({"samples": 20}, "samples must be at least 32"),
        ({"chains": 3}, "chains must be at least 4"),
        ({"J": -1.0}, "greater than 0"),
        ({"L": 10_000}, "memory"),
    ],
)
def test_refusals(changes, says):
    with pytest.raises((ValueError, MemoryError), match=says):
        fisher.sampled_trace_norm(**{"model": "ising-2d", "L": 4, **changes})


def test_errors_of_means_cover_what_they_should(rng):
    """Runs whose own errors are right: the pulls of the means have variance one."""
    pulls = []
    for _ in range(400):
        values = rng.normal(5, 2, size=3)
        stated = 2 * np.sqrt(rng.chisquare(3, size=3) / 3)
        mean, error = mean_of_cells(Cells(values, stated, 4))
        pulls.append((mean - 5) / error)
    assert 0.8 < np.std(pulls) < 1.35
    assert mean_of_cells(Cells([1.0], [0.5], 4)) == (1.0, 0.5)
    with pytest.raises(ValueError, match="one length"):
        mean_of_cells(Cells([1.0, 2.0], [1.0], 4))


def test_continuing_the_cumulant_norm_of_the_solvable_model_reaches_its_exact_values():
    exact = fisher.shipped_scaling()
    near, at = [8, 12, 16, 24, 32], [64, 128, 256]
    per_site = exact.cumulant_norm / exact.sites
    value, error = continued(near, per_site.sel(L=near).values, np.full(5, 0.01), at)
    assert (np.abs(value - per_site.sel(L=at).values) < 3 * error).all()
    with pytest.raises(ValueError, match="four sides"):
        continued(near[:3], per_site.sel(L=near[:3]).values, np.full(3, 0.01), at)


def test_curvature_is_joined_from_both_terms():
    norms = {"potts-3": {L: Cells([10.0 * L**2] * 2, [1e-3] * 2, 4) for L in (4, 5, 6, 8)}}
    traces = {"potts-3": {16: Cells([29_000.0, 31_000.0], [1000.0] * 2, 4)}}
    ds = growth_dataset(traces, norms)
    assert float(ds.scalar_curvature[0]) == pytest.approx((10 * 256 - 30_000) / 4, rel=1e-6)
    assert float(ds.scalar_curvature_error[0]) == pytest.approx(float(ds.trace_norm_error[0]) / 4, rel=1e-3)


def test_the_fit_tells_a_power_with_a_constant_from_another(rng):
    n = np.array([8, 16, 32, 64, 128], dtype=float) ** 2
    truth, error = n * (-2 + 8 * n**0.2), 0.01 * n * (-2 + 8 * n**0.2)
    chances = {1.2: [], 1.1379: []}
    for _ in range(200):
        R = truth + error * rng.normal(size=5)
        for exponent, found in chances.items():
            found.append(fit_background(n, R, error, exponent).chance)
    assert 0.35 < np.mean(chances[1.2]) < 0.65  # uniform, where the exponent is right
    assert np.median(chances[1.1379]) < 0.01
    assert samples_to_tell(n, truth, error, 1.1379, 1.2) == pytest.approx(
        9 / fit_background(n, truth, error, 1.1379).misfit
    )
    with pytest.raises(ValueError, match="logarithm"):
        fit_background(n, truth, error, 1.0)


def test_extrapolated_errors_are_those_of_repeated_draws(rng):
    L = np.array([8.0, 16.0, 32.0, 64.0])
    R = L**2.4
    draws = [falsify(L, R * (1 + 0.002 * rng.normal(size=4)), 1.2).exponents for _ in range(2000)]
    assert extrapolated_noise(L, R, 0.002 * R) == pytest.approx(np.std(draws, axis=0), rel=0.08)


def test_shipped_growth_meets_the_smaller_survey_and_the_paper():
    far = fisher.shipped_growth().to_dataframe()
    pulls = []
    for model in ("potts-3", "potts-4", "ising-3d"):
        table = paper.PUBLISHED[model]
        rows = far[far.model == model]
        assert (rows.runs >= 1).all()
        assert len(rows) >= 4
        for row in rows.itertuples():
            value, error = table.get(row.L, (np.nan, np.nan))
            if np.isfinite(error):
                pulls.append((-row.scalar_curvature - value) / np.hypot(row.scalar_curvature_error, error))
    assert len(pulls) >= 5
    assert np.abs(pulls).max() < 3.5
    assert "sampled_trace_norm" in data.result("fisher/other_models_growth.nc").attrs["function"]
