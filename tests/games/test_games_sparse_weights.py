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


def test_can_be_cancelled():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        perron_sparse(sparse_bounds(5000), progress=progress)
