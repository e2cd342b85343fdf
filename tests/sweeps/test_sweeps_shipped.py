"""The studies that ship: their files are valid, their results are there, and cells computed anew agree with them."""

import json
from pathlib import Path

import numpy as np
import pytest

from workbench import data, fisher, flows, games, results, steps, sweeps
from workbench.figures import choose
from workbench.games.experiments.random_games import _random_game
from workbench.sweeps.grid import plan

FOLDER = Path(__file__).parents[2] / "studies"
FILES = sorted(FOLDER.glob("*.toml"))
SHIPPED = sorted(data.folder().glob("studies/*.nc"))


def planned(file):
    study = sweeps.read_study(file)
    made = plan(sweeps.find(study.experiment), study.grid, repeats=study.repeats, seed=study.seed, paired=study.paired)
    return study, made


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_study_files_can_be_run(file):
    study, made = planned(file)
    assert made.cells
    assert study.title
    assert study.about


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_results_belong_to_a_study_and_are_complete(path):
    ds = results.open(path)
    (file,) = [file for file in FILES if sweeps.read_study(file).output == path]
    _, made = planned(file)
    assert ds.attrs["cells"] == len(made.cells)
    assert not ds["cell_failed"].any()
    told = json.loads(ds.attrs["parameters"])
    assert {name: told["grid"][name] for name in made.axes} == json.loads(json.dumps(made.axes))
    assert path.stat().st_size < 400_000
    assert choose.figure_for(ds) is not None


def test_there_are_four():
    assert {path.stem for path in SHIPPED} == {"estimator-error", "curvature", "spike-survival", "certified-share"}


def test_curvature_again():
    ds = results.open(data.path("studies/curvature.nc"))
    assert float(ds.scalar_curvature.sel(L=64, J=fisher.J_CRITICAL)) == pytest.approx(-133222.171565233, rel=1e-9)
    for L, J in ((3, 0.32), (8, 0.44068679350977151), (12, 0.56)):
        again = fisher.ising_curvature(L, J=J)
        for name in ("scalar_curvature", "cumulant_norm", "trace_norm"):
            assert float(ds[name].sel(L=L, J=J)) == pytest.approx(float(again[name]), rel=1e-10)


def test_estimator_errors_again():
    """A cell anew: the same seed gives the same numbers up to rounding.

    The last pair starts from ten steps of a float32 flow, so its very clouds depend on how the kernel rounds.
    """
    ds = results.open(data.path("studies/estimator-error.nc")).sel(n_directions=6)
    again = flows.compare_estimators(n_directions=6, n=2048, repeats=200, threads=1, seed=int(ds.cell_seed))
    there = ds.rmse.sel(estimator=again.estimator)
    there = there.transpose(*again.rmse.dims)
    np.testing.assert_allclose(there[:3], again.rmse[:3], rtol=1e-4)
    np.testing.assert_allclose(there.sel(pair="near-convergence"), again.rmse.sel(pair="near-convergence"), rtol=2e-3)
    assert float(ds.rmse_ratio.sel(pair="torus-cube", estimator="monte-carlo")) == 1


def test_design_beats_monte_carlo_fifty_times():
    ds = results.open(data.path("studies/estimator-error.nc"))
    assert float(ds.rmse_ratio.sel(n_directions=100, pair="torus-cube", estimator="design")) < 1 / 50


def test_certified_shares_again():
    ds = results.open(data.path("studies/certified-share.nc"))
    cell = ds.sel(players=3, coupling=0.4, density=1.0)
    again = games.random_games(3, 0.4, 1.0, games=20, seed=int(cell.cell_seed))
    np.testing.assert_allclose(cell.share.sel(rung=again.rung), again.share)


def test_every_rung_implies_the_next():
    """SGN ⇒ Rosen ⇒ block P ⇒ Hurwitz, and Euclid is Rosen with equal weights, in every cell."""
    share = results.open(data.path("studies/certified-share.nc")).share
    chains = (("sgn", "rosen"), ("sgn-1", "rosen"), ("euclid", "rosen"), ("rosen", "block"), ("block", "hurwitz"))
    for stronger, weaker in chains:
        assert bool((share.sel(rung=stronger) <= share.sel(rung=weaker)).all()), (stronger, weaker)


def test_the_best_weights_have_the_best_margin():
    """Neither by margin nor by verdict is w* ever worse than w = 1."""
    ds = results.open(data.path("studies/certified-share.nc"))
    margin = ds.median_margin
    assert bool((ds.share.sel(rung="sgn-1") <= ds.share.sel(rung="sgn")).all())
    assert bool((margin.sel(rung="sgn-1") <= margin.sel(rung="sgn") + 1e-9).all())


def test_only_the_guard_survives_every_spike():
    survived = results.open(data.path("studies/spike-survival.nc")).survived
    assert float(survived.sel(rule="safe").min()) == 1
    for rule in set(survived.rule.values) - {"safe"}:
        assert float(survived.sel(rule=rule).min()) == 0  # NaN, where a rule cannot be used, is skipped
    lasting = survived.sel(optimizer="adam", multiplier=1000.0, persistent=True)
    assert float(lasting.sel(rule=["none", "gradient-clip"]).mean()) < 0.5


def test_random_games_have_the_spectrum_they_promise():
    """Circular law: a game of many players loses stability where coupling · √density passes 1."""
    rng = np.random.default_rng(0)
    for coupling, density in ((0.6, 1.0), (1.5, 1.0), (1.5, 0.2)):
        eigenvalues = np.linalg.eigvals(_random_game(400, coupling, density, rng).matrix)
        assert np.abs(eigenvalues - 1).max() == pytest.approx(coupling * density**0.5, rel=0.12)
        assert np.mean(np.abs(eigenvalues - 1) ** 2) == pytest.approx(coupling**2 * density / 2, rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"players": 1}, "players must be at least 2"),
        ({"players": 3, "coupling": -1.0}, "coupling must be at least 0"),
        ({"players": 3, "density": 1.5}, "density must be at most 1"),
        ({"players": 3, "games": 0}, "games must be at least 1"),
    ],
)
def test_random_games_refuse(options, message):
    with pytest.raises(ValueError, match=message):
        games.random_games(**options)


def test_spike_survival_is_what_the_room_measures():
    from workbench import steps

    ours = steps.spike_survival("linear", multiplier=100.0, at=5, steps=12, seed=4)
    run = steps.spike("linear", multiplier=100.0, at=5, steps=12, seeds=(4,)).accuracy.isel(seed=0)
    np.testing.assert_array_equal(ours.accuracy, run.isel(step=-1))
    np.testing.assert_array_equal(ours.worst, run.isel(step=slice(5, None)).min("step"))
    np.testing.assert_array_equal(ours.survived, run.isel(step=-1) >= 0.9 * run.isel(step=4))


def test_spike_survival_leaves_out_what_cannot_be_clipped():
    ours = steps.spike_survival("linear", "adahessian", multiplier=10.0, at=3, steps=6)
    clipped = ours.sel(rule="gradient-clip")
    assert all(np.isnan(clipped[name]) for name in ours.data_vars)
    assert not any(np.isnan(ours.drop_sel(rule="gradient-clip")[name]).any() for name in ours.data_vars)
