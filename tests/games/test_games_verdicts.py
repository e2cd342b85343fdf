"""The rows of the games room: their mathematics against other ways to the same numbers, and their outcomes."""

import numpy as np
import pytest
import scipy.linalg

from workbench import data, games
from workbench.games import verdicts as table
from workbench.games.gallery.finite import two_state_game
from workbench.verdicts import Outcome

HOLDS, PARTLY, FAILS = Outcome.HOLDS, Outcome.PARTLY, Outcome.FAILS


def test_todays_outcomes_and_numbers():
    rows = table.verdicts()
    assert [row.outcome for row in rows][:6] == [HOLDS, HOLDS, FAILS, FAILS, HOLDS, FAILS]
    text = " ".join(row.measured for row in rows)
    for number in (
        "0.292893",
        "0.201",
        "1.17157",
        "1.006336",
        "0.3335",
        "margin 0.10 and Euler steps up to 0.98",
        "+0.480",
        "-0.100",
    ):
        assert number in text


def test_one_rk4_step_is_the_exponential_to_fourth_order():
    rng = np.random.default_rng(5)
    matrix = rng.normal(size=(4, 4))
    for step, error in ((0.1, 2e-3), (0.01, 2e-8)):
        assert table.rk4_norm(matrix, step) == pytest.approx(
            np.linalg.norm(scipy.linalg.expm(-step * matrix), 2), abs=error
        )
    x = rng.normal(size=4)
    stages = [-(matrix @ x)]
    for share in (0.5, 0.5, 1.0):
        stages.append(-(matrix @ (x + share * 0.3 * stages[-1])))
    k1, k2, k3, k4 = stages
    stepped = x + 0.3 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    assert np.linalg.norm(stepped) <= table.rk4_norm(matrix, 0.3) * np.linalg.norm(x) * (1 + 1e-12)


def test_euclidean_margin_and_radius():
    rotation = np.array([[0.5, -2.0], [2.0, 0.5]])
    assert table.euclidean_margin(rotation) == pytest.approx(0.5)
    assert table.euler_radius(rotation, 0.1) == pytest.approx(abs(1 - 0.1 * (0.5 + 2j)))


def test_fisher_scaling_is_that_of_the_game():
    """The diagonal short cut for two actions agrees with the matrix root of the game's own Fisher matrix."""
    points = np.random.default_rng(2).normal(scale=0.3, size=(3, 4))
    game = two_state_game()
    own = np.stack([game.fisher_jacobian(point) for point in points])
    np.testing.assert_allclose(table.fisher_scaled_jacobians(points), own, atol=1e-12)


def test_corners():
    corners = table.cube_corners(0.2, 3)
    assert corners.shape == (8, 3)
    assert len(np.unique(corners, axis=0)) == 8
    assert (abs(corners) == 0.2).all()


def test_only_a_proof_on_the_papers_cube_makes_the_markov_row_whole():
    claim = next(one for one in table.CLAIMS if "Markov" in one.says)
    numbers = claim.measure()
    assert claim.verdict(numbers).outcome is HOLDS
    assert claim.verdict({**numbers, "proved_radius": 0.1}).outcome is PARTLY
    assert claim.verdict({**numbers, "proved_step": 0.26}).outcome is PARTLY
    assert claim.verdict({**numbers, "proved": float("-inf")}).outcome is FAILS
    assert claim.verdict({**numbers, "alpha": 0.4}).outcome is FAILS


def test_shipped_markov_certificate_belongs_to_its_game_and_says_what_the_file_says():
    ds = data.result("games/markov.nc")
    certificate = games.Certificate.from_json(ds.attrs["certificate"])
    assert certificate.certified
    assert certificate.margin == float(ds.margin)
    example = games.GALLERY["markov"](radius=table.PAPER_RADIUS)
    np.testing.assert_array_equal(ds.region, np.stack([example.region.lower, example.region.upper]))
    assert float(ds.leaf_margin.min()) >= float(ds.margin)


@pytest.mark.slow
def test_shipped_markov_certificate_is_verified():
    assert games.check(data.result("games/markov.nc").attrs["certificate"])
