"""Rigorous certificates on boxes, basins, and what happens when the budget ends."""

import numpy as np
import pytest

from workbench import games
from workbench.games import Box, SmoothGame, Status
from workbench.games import expressions as e
from workbench.games.certificates.basin import newton
from workbench.games.certificates.boxes import BoxTree, Budget, bounds_on_box, leaf_bounds, split_until
from workbench.games.models.quadratic import block_bounds
from workbench.progress import Cancelled, Progress


def cournot(share=0.1):
    return games.GALLERY["isoelastic-cournot"](share=share)


def test_cournot_near_the_equilibrium():
    example = cournot()
    certificate = games.certify(example.game, example.region)
    assert certificate.certified
    assert certificate.kind == "perron"
    assert certificate.margin == pytest.approx(3.117, abs=2e-3)
    assert games.check(certificate.to_json())


def test_cournot_far_out_needs_leaves():
    example = cournot(0.4)
    whole = games.certify(example.game, example.region, method="aggregate")
    assert whole.status is Status.REFUSED
    assert whole.tau == pytest.approx(-0.98, abs=2e-3)
    by_leaf = games.certify(example.game, example.region, alpha=1.147)
    assert by_leaf.certified
    assert by_leaf.kind == "leafwise"
    assert by_leaf.margin == 1.147
    assert games.check(by_leaf.to_json())
    assert games.certify(example.game, example.region).margin > 1.1


@pytest.mark.parametrize("target", [None, 0.3])
def test_refused_bounds_name_their_witness_and_say_that_leaves_may_work(target):
    example = cournot(0.4)
    whole = games.certify(example.game, example.region, target, method="aggregate")
    assert whole.status is Status.REFUSED
    verified = games.check_refusal(whole)
    assert verified
    assert "within the bounds in the file" in verified.proves[0]
    assert "That any particular game needs bounds as wide as these." in verified.not_proved
    x, ceiling = np.array(whole.witness["vector"]), whole.witness["ceiling"]
    assert np.all(whole.bounds.comparison() @ x <= ceiling * x + 1e-12)
    assert ceiling == (target or 0.0)
    assert "the witness x = (" in whole.reason
    assert whole.reason.endswith("Leaf by leaf may still work")
    assert games.certify(example.game, example.region, target, method="leafwise").certified  # and it does


def test_bounds_are_tight_and_contain_samples():
    example = cournot()
    found = bounds_on_box(example.game, example.region)
    assert found.finished
    q = example.region.sample(4000, seed=3)
    j = example.game.jacobian(np.concatenate([q, example.region.vertices()]))
    for i in range(2):
        assert found.bounds.mu[i] <= j[:, i, i].min() <= found.bounds.mu[i] + 2e-3
        assert found.bounds.ell[i] >= j[:, i, i].max() >= found.bounds.ell[i] - 2e-3
        assert found.bounds.L[i, 1 - i] >= np.abs(j[:, i, 1 - i]).max() >= found.bounds.L[i, 1 - i] - 2e-3


def test_logit_bertrand():
    example = games.GALLERY["logit-bertrand"]()
    certificate = games.certify(example.game, example.region)
    assert certificate.certified
    assert certificate.margin >= 0.1021
    assert newton(example.game, [1.7, 1.7]) == pytest.approx([1.808261156445] * 2, abs=1e-12)
    # Contraction of the Euler map is lost by h = 6.
    j = example.game.jacobian(newton(example.game, [1.7, 1.7]))
    assert np.abs(np.linalg.eigvals(np.eye(2) - 6 * j)).max() < np.abs(np.linalg.eigvals(np.eye(2) - 8 * j)).max()
    corners = example.game.jacobian(example.region.vertices())
    assert np.linalg.norm(np.eye(2) - 6 * corners, 2, axis=(1, 2)).max() > 1


def test_scalar_lq():
    near = games.GALLERY["scalar-lq"]()
    certificate = games.certify(near.game, near.region)
    assert certificate.margin == pytest.approx(1.479, abs=1e-3)
    far = games.GALLERY["scalar-lq"](radius=0.1)
    assert games.certify(far.game, far.region, method="aggregate").status is Status.REFUSED
    assert games.certify(far.game, far.region, alpha=1.0).kind == "leafwise"


def test_corners_are_a_trap():
    trap = games.GALLERY["vertex-trap"]()
    corners = trap.game.jacobian(trap.region.vertices())
    sampled = block_bounds(corners, [1, 1], proved=False)
    estimate = games.certify(sampled)
    assert estimate.status is Status.ESTIMATED
    assert estimate.margin == pytest.approx(0.480, abs=1e-3)
    assert not games.check(estimate)
    certificate = games.certify(trap.game, trap.region)
    assert certificate.status is Status.REFUSED
    assert certificate.tau == pytest.approx(-0.1)
    np.testing.assert_allclose(certificate.witness["point"], 0, atol=1e-12)


def test_blocks_of_several_coordinates():
    game = SmoothGame(
        [2, 1],
        costs=lambda x: [
            x[0] ** 2 + x[1] ** 2 + 0.5 * x[0] * x[1] + 0.3 * e.sin(x[0]) * x[2],
            x[2] ** 2 + 0.2 * e.tanh(x[2] * x[1]),
        ],
    )
    box = Box.around(np.zeros(3), 0.1)
    for method in ("aggregate", "leafwise"):
        certificate = games.certify(game, box, method=method)
        assert certificate.certified
        assert games.check(certificate.to_json())
        w = np.sqrt(certificate.weights[game.owner])
        for j in game.jacobian(box.sample(200, seed=1)):
            scaled = w[:, None] * j / w
            assert np.linalg.eigvalsh(0.5 * (scaled + scaled.T))[0] >= certificate.margin


def test_leafwise_step_is_safe():
    example = cournot(0.4)
    certificate = games.certify(example.game, example.region, alpha=1.0)
    root = np.sqrt(certificate.weights)
    j = example.game.jacobian(np.concatenate([example.region.vertices(), example.region.sample(500, seed=2)]))
    for h in np.linspace(0.05, 1, 8) * certificate.step_sharp:
        scaled = root[:, None] * (np.eye(2) - h * j) / root
        assert np.linalg.norm(scaled, 2, axis=(1, 2)).max() <= 1


def test_budgets_end_in_unknown_with_what_is_known():
    example = cournot(0.4)
    certificate = games.certify(example.game, example.region, alpha=1.147, max_boxes=40)
    assert certificate.status is Status.UNKNOWN
    assert "% of the region certified" in certificate.reason
    assert games.certify(example.game, example.region, alpha=1.147, seconds=1e-3).status is Status.UNKNOWN
    pole = SmoothGame([1, 1], costs=lambda x: [1.0 / x[0] ** 2 + x[0] ** 2, x[1] ** 2 + x[0]])
    assert games.certify(pole, Box([-1, -1], [1, 1]), max_boxes=200).status is Status.UNKNOWN


def test_no_common_weights():
    """Each point has its weights, but the two ends of x_2 want opposite ones."""
    game = SmoothGame(
        [1, 1, 1],
        field=lambda x: [
            x[0] + 4.0 * e.sigmoid(5.0 * (x[2] - 1.0)) * x[1],
            x[1] + 4.0 * e.sigmoid(-5.0 * (x[2] + 1.0)) * x[0],
            x[2],
        ],
    )
    certificate = games.certify(game, Box([-0.01, -0.01, -2.0], [0.01, 0.01, 2.0]))
    assert certificate.status is Status.UNKNOWN
    assert "no common weights" in certificate.reason
    assert games.certify(game, Box([-0.01, -0.01, 1.5], [0.01, 0.01, 2.0])).certified


def test_regions_are_checked():
    example = cournot()
    with pytest.raises(ValueError, match="say where"):
        games.certify(example.game)
    with pytest.raises(ValueError, match="3 coordinates, the game 2"):
        games.certify(example.game, Box([0] * 3, [1] * 3))
    with pytest.raises(TypeError, match="must be a Box"):
        games.certify(example.game, ([0, 0], [1, 1]))
    with pytest.raises(TypeError, match="cannot certify a dict"):
        games.certify({})
    with pytest.raises(ValueError, match="unknown method"):
        games.certify(example.game, example.region, method="guess")


def test_can_be_cancelled():
    progress = Progress()
    progress.cancel()
    example = cournot()
    with pytest.raises(Cancelled):
        games.certify(example.game, example.region, progress=progress)


def test_trees():
    tree = BoxTree(Box([0, 0], [1, 2]))
    first = tree.split(0)
    tree.split(first[1], axis=1)
    assert tree.code() == (0, -1, 1, -1, -1)
    assert tree.copy().code() == tree.code()
    thin = BoxTree(Box([0.0], [5e-324]))
    with pytest.raises(ValueError, match="thinner"):
        thin.split(0)
    stuck = split_until(thin, lambda a, b: np.zeros(len(a), dtype=bool), Budget(10, 1.0))
    assert stuck.failed == [0]
    example = cournot()
    one = leaf_bounds(example.game, example.region.lower[None], example.region.upper[None])
    assert one.couplings.shape == (1, 2, 2)


def test_basin_around_a_verified_equilibrium():
    example = cournot(0.1)
    equilibrium = games.verified_equilibrium(example.game, [0.2, 0.2])
    np.testing.assert_allclose(equilibrium.point, [0.24, 0.16], atol=1e-13)
    assert np.all(equilibrium.upper - equilibrium.lower < 1e-10)
    certificate = games.with_basin(example.game, games.certify(example.game, example.region))
    assert certificate.certified
    assert games.check(certificate.to_json())
    radius, w = certificate.basin["radius"], certificate.weights
    assert radius == pytest.approx(np.min(np.sqrt(w) * 0.1 * np.array([0.24, 0.16])), rel=1e-9)
    # Every start in the ball stays in it and converges.
    rng = np.random.default_rng(0)
    for _ in range(20):
        direction = rng.normal(size=2)
        x = np.array([0.24, 0.16]) + 0.999 * radius * direction / np.linalg.norm(direction) / np.sqrt(w)
        last = radius
        for _ in range(60):
            x = x - certificate.step_h0 * example.game.field(x)
            now = np.sqrt(np.sum(w * (x - [0.24, 0.16]) ** 2))
            assert now <= last + 1e-15
            last = now
        assert last < 1e-3 * radius


def test_largest_basin_and_its_refusals():
    example = cournot()
    best = games.certified_basin(example.game, [0.2, 0.2], rounds=6)
    assert best.certified
    assert (
        best.basin["radius"]
        > games.with_basin(example.game, games.certify(example.game, example.region)).basin["radius"]
    )
    trap = games.GALLERY["vertex-trap"]()
    with pytest.raises(ValueError, match="no weights work at the equilibrium"):
        games.certified_basin(trap.game, [0.1, 0.1])
    with pytest.raises(ValueError, match="needs a CERTIFIED"):
        games.with_basin(trap.game, games.certify(trap.game, trap.region))
    away = games.certify(example.game, Box([0.3, 0.2], [0.35, 0.22]))
    with pytest.raises(ValueError, match="not inside"):
        games.with_basin(example.game, away)
    forged = games.Certificate.from_json(best.to_json())
    forged.basin["radius"] *= 1.01
    assert not games.check(forged)
    forged.basin.update(radius=1e-6, lower=[0.2, 0.1], upper=[0.2000001, 0.1000001])
    assert "exactly one equilibrium" in games.verify(forged).message
