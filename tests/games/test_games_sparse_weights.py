"""Large sparse games: proved weights without factorisation."""

import numpy as np
import pytest
import scipy.sparse as sp

from workbench.games import Bounds, certify, check, perron
from workbench.games.small_gain.sparse_weights import (
    perron_sparse,
    smallest_eigenvalue,
    solve_m_matrix,
    spectral_radius,
)
from workbench.progress import Cancelled, Progress


def sparse_bounds(players, degree=5, strength=0.6, seed=0):
    rng = np.random.default_rng(seed)
    count = players * degree
    rows, columns = rng.integers(0, players, (2, count))
    keep = rows != columns
    values = strength / degree * rng.uniform(0.5, 1.5, count)
    couplings = sp.csr_array((values[keep], (rows[keep], columns[keep])), shape=(players, players))
    mu = rng.uniform(1, 2, players)
    return Bounds(mu, 2 * mu, couplings)


def test_against_the_dense_answer():
    bounds = sparse_bounds(400)
    dense = perron(bounds)
    sparse = perron_sparse(bounds)
    assert sparse.tau == pytest.approx(dense.tau, rel=1e-5)
    assert 0.95 * dense.tau < sparse.margin <= dense.tau


def test_ten_thousand_players_are_certified_and_checked():
    certificate = certify(sparse_bounds(10_000))
    assert certificate.certified
    # tau of so many players is an estimate: it is told in the reason and not claimed by the certificate.
    assert certificate.margin > 0.9 * perron(sparse_bounds(10_000)).tau
    assert np.isnan(certificate.tau)
    assert "not proved" in certificate.reason
    assert check(certificate)


def test_strong_coupling_is_refused_with_a_witness():
    certificate = certify(sparse_bounds(5_000, strength=3.0))
    assert certificate.status.value == "REFUSED"


def test_solves_and_radius():
    couplings = sparse_bounds(300).L
    x = solve_m_matrix(np.ones(300), couplings)
    assert ((x - couplings @ x) >= 0.5).all()
    assert solve_m_matrix(np.zeros(300), couplings) is None
    assert spectral_radius(couplings) == pytest.approx(np.abs(np.linalg.eigvals(couplings.toarray())).max(), rel=1e-6)
    assert smallest_eigenvalue(np.array([1.0, 3.0]), sp.csr_array((2, 2)))[0] == pytest.approx(1.0)


def test_two_camps_do_not_make_the_estimate_swing():
    """The chain and the star are bipartite: plain power iteration swings between two values and finds neither."""
    assert spectral_radius(sp.csr_array([[0.0, 4.0], [0.25, 0.0]])) == pytest.approx(1.0, rel=1e-6)
    n = 30
    up = np.linspace(0.4, 0.6, n - 1)
    chain = sp.csr_array(sp.diags_array([up, 0.2 / up], offsets=[1, -1]))
    exact = 2 * np.sqrt(0.2) * np.cos(np.pi / (n + 1))  # that of the symmetric chain with the same products
    assert spectral_radius(chain, iterations=4000) == pytest.approx(exact, rel=1e-5)
    star = sp.lil_array((n, n))
    star[0, 1:], star[1:, 0] = 0.5, 0.001
    star = sp.csr_array(star)
    exact = np.abs(np.linalg.eigvals(star.toarray())).max()
    found, _ = smallest_eigenvalue(np.ones(n), star)
    assert found == pytest.approx(1 - exact, rel=1e-6)
    weights = perron_sparse(Bounds(np.ones(n), np.ones(n), star))
    assert weights.margin > 0.9 * (1 - exact)


def test_can_be_cancelled():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        perron_sparse(sparse_bounds(5000), progress=progress)
