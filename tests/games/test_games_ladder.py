"""The ladder: implications, re-verification, and what is said without a solver."""

import builtins
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import games, results
from workbench.games.experiments.ladder import best_metric, metric_margin


def margins(ds):
    return dict(zip(ds.rung.values.tolist(), ds.margin.values.tolist(), strict=True))


def verdicts(ds):
    return dict(zip(ds.rung.values.tolist(), ds.verdict.values.tolist(), strict=True))


def test_toy_and_bilinear():
    toy = games.ladder(games.GALLERY["toy"]())
    assert margins(toy)["euclid"] == pytest.approx(-4.025)
    assert verdicts(toy)["euclid"] == "REFUSED"
    assert margins(toy)["sgn"] == pytest.approx(0.2928932188134525, rel=1e-9)
    assert margins(toy)["hurwitz"] == pytest.approx(margins(toy)["sgn"], rel=1e-9)
    assert results.problems(toy) == []
    bilinear = verdicts(games.ladder(games.GALLERY["bilinear"]()))
    assert "CERTIFIED" not in bilinear.values()
    zero_sum = verdicts(games.ladder(games.GALLERY["regularised-bilinear"](c=2.0)))
    assert (zero_sum["euclid"], zero_sum["sgn"]) == ("CERTIFIED", "REFUSED")


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 1), (1, 1, 1), (2, 1), (2, 2)]))
def test_implications(seed, sizes):
    rng = np.random.default_rng(seed)
    d = sum(sizes)
    matrix = rng.normal(size=(d, d)) * rng.uniform(0.1, 1.5)
    edges = np.cumsum([0, *sizes])
    for a, b in itertools.pairwise(edges):
        own = matrix[a:b, a:b]
        matrix[a:b, a:b] = 0.5 * (own + own.T) + 1.5 * np.eye(b - a)
    m = margins(games.ladder(games.QuadraticGame(matrix, sizes)))
    slack = 1e-6 * (1 + np.abs(matrix).max())
    assert m["sgn-1"] <= m["sgn"] + slack
    assert m["sgn"] <= m["rosen"] + slack
    assert m["euclid"] <= m["rosen"] + slack
    assert m["rosen"] <= m["block"] + slack
    assert m["block"] <= m["hurwitz"] + slack


def test_metrics_are_verified_by_eigenvalues():
    j = games.GALLERY["toy"]().game.matrix[None]
    metric = best_metric(j, (1, 1), "diagonal", [np.eye(2)])
    rate = metric_margin(j, metric)
    assert rate == pytest.approx(0.2929, abs=1e-3)
    root = np.sqrt(np.diag(metric))
    scaled = root[:, None] * j[0] / root
    assert np.linalg.eigvalsh(0.5 * (scaled + scaled.T))[0] == pytest.approx(rate, rel=1e-9)


def test_without_a_solver_two_rungs_are_unknown(monkeypatch):
    real = builtins.__import__

    def no_cvxpy(name, *args, **kwargs):
        if name == "cvxpy":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_cvxpy)
    ds = games.ladder(games.GALLERY["toy"]())
    assert verdicts(ds)["rosen"] == "UNKNOWN"
    assert "proofs" in str(ds.reason.sel(rung="block").values)


def test_nonlinear_rungs_are_estimates():
    ds = games.ladder(games.GALLERY["isoelastic-cournot"](), samples=8)
    assert verdicts(ds)["sgn"] == "CERTIFIED"
    assert verdicts(ds)["leafwise"] == "CERTIFIED"
    assert verdicts(ds)["euclid"] == "ESTIMATED"
    trap = verdicts(games.ladder(games.GALLERY["vertex-trap"](), samples=8))
    assert set(trap.values()) == {"REFUSED"}
    with pytest.raises(ValueError, match="say where"):
        games.ladder(games.GALLERY["vertex-trap"]().game)
    pennies = verdicts(games.ladder(games.GALLERY["matching-pennies"](), samples=4))
    assert pennies["sgn"] == "CERTIFIED"
