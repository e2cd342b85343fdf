"""What the paper claims, and what we measure; every number is computed here when the page is made."""

from functools import lru_cache
from itertools import product

import numpy as np

from workbench import games
from workbench.games.gallery.finite import two_state_game
from workbench.games.models.quadratic import block_bounds
from workbench.games.small_gain import steps
from workbench.verdicts import Outcome, Verdict


@lru_cache(maxsize=1)
def verdicts() -> tuple[Verdict, ...]:
    """Return the verdict table of the room."""
    return (*_toy_rows(), _rk4_row(), _markov_row(), _corner_row())


def _toy_rows() -> list[Verdict]:
    game = games.GALLERY["toy"]().game
    bounds, certificate = game.bounds(), games.certify(game)
    euclid = float(np.linalg.eigvalsh(0.5 * (game.matrix + game.matrix.T))[0])
    low, high = certificate.band
    equal = np.abs(np.linalg.eigvals(np.eye(2) - certificate.step_h0 * game.matrix)).max()
    far = steps.player_factor(bounds, certificate.z, [1.0, 0.001])
    return [
        Verdict(
            "A weighted block metric certifies games that are not monotone in the Euclidean norm.",
            f"The toy: Euclidean margin {euclid:.4g}, SGN margin {certificate.margin:.6g} at w₂/w₁ = "
            f"{certificate.weights[1]:.4g}, verified in rational arithmetic; a Perron vector, not a search.",
            Outcome.HOLDS,
            "games.certify(games.GALLERY['toy']().game)",
        ),
        Verdict(
            "Euler steps below 2α/β² are safe.",
            f"True, and far too careful: {certificate.step_paper:.4g} on the toy, where every step up to "
            f"{certificate.step_sharp:.6g} is certified and no longer one is stable. At h₀ = {certificate.step_h0:.3g} "
            f"the factor is {certificate.factor(certificate.step_h0):.4g}, against "
            f"{steps.best_paper_factor(certificate.margin, certificate.beta):.4g} at the paper's best step.",
            Outcome.HOLDS,
            "benchmarks/games.py",
        ),
        Verdict(
            "The timescale band tells which ratios of learning rates are safe.",
            f"It is a band of metric weights for one fixed dynamics. The toy's is {low:.4g} to {high:.5g}; equal "
            f"rates lie outside and contract (spectral radius {equal:.4g} at h₀); so do rates a thousandfold apart "
            f"(factor {far:.5f} in max |xᵢ|/zᵢ).",
            Outcome.FAILS,
            "games.rate_map('toy')",
        ),
    ]


def _rk4_row() -> Verdict:
    j = np.array([[1.0, 2, 2], [0, 1, 2], [0, 0, 1]]) + 0.001 * np.eye(3)
    h = steps.rk4_guideline(float(np.linalg.norm(j, 2))) * j
    grown = float(np.linalg.norm(np.eye(3) - h + h @ h / 2 - h @ h @ h / 6 + h @ h @ h @ h / 24, 2))
    return Verdict(
        "RK4 is stable for h ≤ 2.5/β.",
        f"A guideline only: for J = [[1, 2, 2], [0, 1, 2], [0, 0, 1]] + 0.001 I one step has norm {grown:.6f}. Proved: "
        "RK4 is non-expansive up to max(2α/β², h₀).",
        Outcome.FAILS if grown > 1 else Outcome.HOLDS,
        "tests/games/test_games_steps.py",
    )


def _markov_row() -> Verdict:
    game = two_state_game().formulas()
    corners = 0.2 * np.array(list(product([-1, 1], repeat=4)))
    p = 1 / (1 + np.exp(-corners))
    root = np.sqrt(p * (1 - p))
    local = game.jacobian(corners) / (root[:, :, None] * root[:, None, :])
    bounds = block_bounds(local, game.sizes, proved=False)
    best = games.perron(bounds)
    beta = max(np.linalg.norm(j, 2) for j in local)
    return Verdict(
        "The two-state Markov game is certified around its equilibrium: α ≈ 0.333, safe step ≈ 0.270.",
        f"Repeated: α = {best.tau:.4f}, β = {beta:.4f}, step {2 * best.tau / beta**2:.4f}. But these are samples at "
        f"corners of a cube, and the Fisher metric moves inside it: ESTIMATED. Proved, in a fixed metric: margin "
        "0.31 for the natural gradient with logit differences within 0.1 (benchmarks/results/games.md).",
        Outcome.PARTLY,
        "benchmarks/games.py",
    )


def _corner_row() -> Verdict:
    trap = games.GALLERY["vertex-trap"]()
    bounds = block_bounds(trap.game.jacobian(trap.region.vertices()), trap.game.sizes, proved=False)
    certificate = games.certify(trap.game, trap.region)
    return Verdict(
        "Bounds may be taken over a grid of points of the region.",
        f"Corners of [−1, 1]² give margin {games.perron(bounds).tau:+.3f} for a game whose margin at the origin is "
        f"{certificate.tau:+.3f}: a saddle. Only interval bounds over the whole region prove anything.",
        Outcome.FAILS,
        "games.box_study('vertex-trap')",
    )
