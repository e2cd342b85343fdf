"""Runs: exact values within their errors, checkpoints that lead to the same end, and refusals."""

import numpy as np
import pytest

from workbench import fisher, parallel, results
from workbench.fisher import monte_carlo as mc
from workbench.progress import Cancelled, Progress


@pytest.mark.parametrize("algorithm", list(fisher.ALGORITHMS))
def test_two_dimensional_ising_within_its_errors(algorithm):
    ds = fisher.monte_carlo_curvature("ising-2d", 4, samples=10_000, algorithm=algorithm, spacing=2, seed=1)
    exact = fisher.ising_curvature(4)
    for name in ("scalar_curvature", "cumulant_norm", "trace_norm"):
        assert abs(float(ds[name]) - float(exact[name])) < 4 * float(ds[f"{name}_error"]), name
        assert float(ds[f"{name}_error"]) < 0.05 * abs(float(exact[name])), name
    assert abs(float(ds.energy) - float(exact.mean_energy[0])) < 4 * float(ds.energy_blocked_error)
    assert float(ds.energy_error) == pytest.approx(float(ds.energy_blocked_error), rel=1.0)
    assert float(ds.row_sum) == pytest.approx(float(exact.row_sum[0]), rel=0.1)
    assert 0.5 <= float(ds.tau_energy) < 5


@pytest.mark.parametrize(("model", "q"), [("potts-3", 3), ("potts-4", 4)])
def test_potts_within_its_errors(model, q):
    ds = fisher.monte_carlo_curvature(model, 3, samples=10_000, spacing=2, seed=2)
    exact = float(fisher.enumerate_curvature(fisher.GRAPHS["torus"](3), np.log(1 + np.sqrt(q)), q=q).scalar_curvature)
    assert abs(float(ds.scalar_curvature) - exact) < 4 * float(ds.scalar_curvature_error)


def test_three_dimensional_ising_against_the_published_exact_value():
    ds = fisher.monte_carlo_curvature("ising-3d", 3, samples=4000, spacing=2, seed=3)
    assert abs(-float(ds.scalar_curvature) - 262.907) < 4 * float(ds.scalar_curvature_error)


def test_stopping_and_resuming_changes_no_bit(tmp_path):
    settings = {"samples": 256, "chains": 5, "thermalisation": 20, "seed": 4, "algorithm": "wolff"}
    whole = fisher.monte_carlo_curvature("potts-3", 4, **settings)

    class Stop(Progress):
        def show(self, done, total, message):
            if done >= 128:
                self.cancel()

    path = tmp_path / "run.nc"
    with pytest.raises(Cancelled):
        fisher.monte_carlo_curvature("potts-3", 4, **settings, checkpoint=path, checkpoint_every=0.0, progress=Stop())
    assert 0 < results.open(path).attrs["taken"] < 256
    again = fisher.monte_carlo_curvature("potts-3", 4, **settings, checkpoint=path)
    for name in whole.data_vars:
        np.testing.assert_array_equal(again[name], whole[name], err_msg=name)
    with pytest.raises(ValueError, match="another run; different: seed"):
        fisher.monte_carlo_curvature("potts-3", 4, **{**settings, "seed": 5}, checkpoint=path)


def test_threads_change_no_bit(monkeypatch):
    settings = {"samples": 128, "chains": 4, "thermalisation": 20}
    many = fisher.monte_carlo_curvature("ising-2d", 5, **settings)
    monkeypatch.setattr(parallel, "THREADS", 1)
    one = fisher.monte_carlo_curvature("ising-2d", 5, **settings)
    np.testing.assert_array_equal(many.spins, one.spins)
    assert float(many.scalar_curvature) == float(one.scalar_curvature)


def test_trace_only_runs_keep_no_triples():
    run = mc.Run(
        mc.MODELS["ising-2d"](), 8, fisher.J_CRITICAL, chains=4, samples=2000, spacing=2, thermalisation=100,
        algorithm="swendsen-wang", seed=0, cumulant=False,
    )  # fmt: skip
    while not run.finished:
        run.advance()
    ds = run.snapshot()
    exact = fisher.trace_norm(8)
    assert abs(float(ds.trace_norm) - exact) < 4 * float(ds.trace_norm_error)
    assert run.sums[0].triple.size == 0


def test_spins_and_provenance():
    ds = fisher.monte_carlo_curvature("ising-3d", 3, samples=64, chains=4, thermalisation=5, spacing=3)
    assert ds.spins.dims == ("x", "y", "z")
    assert ds.attrs["samples_taken"] == 64
    assert "monte_carlo_curvature(model='ising-3d', L=3" in results.python_lines(ds)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "potts-7"}, "potts-3"),
        ({"L": 2}, "doubled"),
        ({"L": 65}, "past the limit of 64"),
        ({"samples": 20}, "samples must be at least 32"),
        ({"chains": 3}, "chains must be at least 4"),
        ({"J": -1.0}, "greater than 0"),
        ({"algorithm": "metropolis"}, "wolff"),
        ({"spacing": 0}, "spacing"),
    ],
)
def test_refusals(changes, says):
    arguments = {"model": "ising-2d", "L": 4, **changes}
    with pytest.raises(ValueError, match=says):
        fisher.monte_carlo_curvature(**arguments)
