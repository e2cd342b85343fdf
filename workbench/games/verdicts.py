"""What the paper claims and what we measure; every number is computed when the table is made, in about 0.2 s."""

import functools
from itertools import product

import numpy as np
from numpy.typing import NDArray

from workbench import data
from workbench.games.certificates.certificate import Certificate, Status
from workbench.games.certificates.certify import certify
from workbench.games.gallery import GALLERY
from workbench.games.gallery.finite import two_state_game
from workbench.games.models.bounds import Bounds
from workbench.games.models.quadratic import QuadraticGame, block_bounds
from workbench.games.robust.verdicts import CLAIMS as ROBUST
from workbench.games.small_gain import steps
from workbench.games.small_gain.weights import perron
from workbench.games.verifier import check
from workbench.verdicts import (
    Claim,
    Numbers,
    Rule,
    Verdict,
    above,
    at_least,
    at_most,
    below,
    is_so,
    judge,
    said_in,
    within,
)

EXPANDED = np.array([[1.0, 2.0, 2.0], [0.0, 1.0, 2.0], [0.0, 0.0, 1.0]]) + 0.001 * np.eye(3)
"""A monotone game that one RK4 step at the paper's guideline expands."""


PAPER_ALPHA, PAPER_STEP, PAPER_RADIUS = 0.333, 0.270, 0.2
"""The paper's constants of the two-state game, and the half-width of its cube, in logit differences."""


def verdicts() -> list[Verdict]:
    """Return the rows of the games room's verdict table."""
    return judge(CLAIMS)


# ---- mathematics that only the table needs ------------------------------------------------------------------------


def euclidean_margin(matrix: NDArray) -> float:
    """Return the smallest eigenvalue of ½(J + Jᵀ): how monotone the linear field J x is in the Euclidean norm.

    >>> round(euclidean_margin(np.array([[1.0, 5.0], [-5.0, 1.0]])), 6)
    1.0
    """
    return float(np.linalg.eigvalsh(0.5 * (matrix + matrix.T))[0])


def euler_radius(matrix: NDArray, step: float) -> float:
    """Return the spectral radius of I − h J, the asymptotic factor of Euler steps h on the linear field J x."""
    return float(np.abs(np.linalg.eigvals(np.eye(len(matrix)) - step * matrix)).max())


def rk4_norm(matrix: NDArray, step: float) -> float:
    """Return the spectral norm of one classical Runge–Kutta step of x′ = −J x, the polynomial Σ_{k≤4} (−hJ)ᵏ/k!."""
    h = -step * matrix
    total = term = np.eye(len(matrix))
    for k in range(1, 5):
        term = term @ h / k
        total = total + term
    return float(np.linalg.norm(total, 2))


def cube_corners(half_width: float, dimension: int) -> NDArray:
    """Return the 2^d corners (2^d, d) of the cube [−half_width, half_width]^d."""
    return half_width * np.array(list(product([-1.0, 1.0], repeat=dimension)))


def fisher_scaled_jacobians(points: NDArray) -> NDArray:
    """Return F^−½ J F^−½ (n, d, d) of the two-state Markov game at ``points`` (n, d) of logit differences.

    With two actions a state every logit has Fisher information p(1 − p), p = sigmoid(θ), so F is diagonal.
    """
    p = 1 / (1 + np.exp(-points))
    root = np.sqrt(p * (1 - p))
    return two_state_game().formulas().jacobian(points) / (root[:, :, None] * root[:, None, :])


# ---- what the rows measure ------------------------------------------------------------------------------------------


@functools.cache
def _toy() -> tuple[QuadraticGame, Bounds, Certificate]:
    game = GALLERY["toy"]().game
    return game, game.bounds(), certify(game)


def toy_margin() -> Numbers:
    """Certify the paper's toy, and let the independent checker verify the certificate."""
    game, _, certificate = _toy()
    return {
        "euclid": euclidean_margin(game.matrix),
        "margin": certificate.margin,
        "ratio": float(certificate.weights[1]),
        "checked": check(certificate.to_json()),
    }


def toy_steps() -> Numbers:
    """Compare the paper's step on the toy with the largest certified one, and with where Euler really ends."""
    game, _, certificate = _toy()
    sharp = certificate.step_sharp
    return {
        "paper": certificate.step_paper,
        "sharp": sharp,
        "at_paper": euler_radius(game.matrix, certificate.step_paper),
        "beyond": euler_radius(game.matrix, 1.001 * sharp),
        "h0": certificate.step_h0,
        "factor": certificate.factor(certificate.step_h0),
        "paper_factor": steps.best_paper_factor(certificate.margin, certificate.beta),
    }


def toy_rates() -> Numbers:
    """Take the band of metric weights as one of learning rates, and look at rates outside it."""
    game, bounds, certificate = _toy()
    low, high = certificate.band
    return {
        "low": low,
        "high": high,
        "equal_inside": low <= 1 <= high,
        "equal": euler_radius(game.matrix, certificate.step_h0),
        "apart": steps.player_factor(bounds, certificate.z, [1.0, 0.001]),
    }


def rk4_guideline() -> Numbers:
    """Take one RK4 step at the guideline 2.5/β on a monotone game."""
    beta = float(np.linalg.norm(EXPANDED, 2))
    return {
        "grown": rk4_norm(EXPANDED, steps.rk4_guideline(beta)),
        "monotone": euclidean_margin(EXPANDED),
    }


@functools.cache
def markov() -> Numbers:
    """Repeat the paper's numbers for the two-state game at the corners of its cube; read what is proved, and how far.

    ``alpha`` and ``beta`` come from samples in a metric that moves inside the cube: an estimate. The shipped
    certificate is a proof in a fixed metric, on a box of half-width ``proved_radius``, of the margin that was asked
    for there and of Euler steps up to ``proved_step``.
    """
    game = two_state_game().formulas()
    local = fisher_scaled_jacobians(cube_corners(PAPER_RADIUS, game.dimension))
    best = perron(block_bounds(local, game.sizes, proved=False))
    beta = max(float(np.linalg.norm(j, 2)) for j in local)
    proof = data.result("games/markov.nc")
    certificate = Certificate.from_json(proof.attrs["certificate"])
    return {
        "alpha": best.tau,
        "beta": beta,
        "step": 2 * best.tau / beta**2,
        "corners": len(local),
        "proved": float(proof.margin) if proof.attrs["status"] == Status.CERTIFIED.value else float("-inf"),
        "proved_radius": float(abs(proof.region).max()),
        "proved_step": certificate.step_h0,
        "paper_radius": PAPER_RADIUS,
        "leaves": proof.sizes["leaf"],
    }


def corners() -> Numbers:
    """Compare what the corners of a region say with what holds at its centre."""
    trap = GALLERY["vertex-trap"]()
    bounds = block_bounds(trap.game.jacobian(trap.region.vertices()), trap.game.sizes, proved=False)
    return {"corners": perron(bounds).tau, "centre": certify(trap.game, trap.region).tau}


_REPEATED = within("alpha", PAPER_ALPHA, 0.001) & within("step", PAPER_STEP, 0.001)

CONTRACTION: tuple[Claim, ...] = (
    Claim(
        "A weighted block metric certifies games that are not monotone in the Euclidean norm.",
        toy_margin,
        "The toy: Euclidean margin {euclid:.4g}, SGN margin {margin:.6g} at w₂/w₁ = {ratio:.4g}, verified in rational "
        "arithmetic; a Perron vector, not a search.",
        Rule(at_most("euclid", 0) & above("margin", 0) & is_so("checked")),
        "games.certify(games.GALLERY['toy']().game)",
        {"euclid": "the Euclidean margin", "margin": "the SGN margin", "checked": "the checker agrees"},
    ),
    Claim(
        "Euler steps below 2α/β² are safe.",
        toy_steps,
        "On the toy the factor at 2α/β² = {paper:.4g} is {at_paper:.4g}, and every step up to {sharp:.6g} is "
        "certified; a tenth of a percent further it is {beyond:.4f}. At h₀ = {h0:.3g} the factor is {factor:.4g}, "
        "against {paper_factor:.4g} at the paper's best step.",
        Rule(below("at_paper", 1) & at_most("paper", "sharp")),
        "games.step_curve('toy')",
        {"at_paper": "the factor at 2α/β²", "paper": "2α/β²", "sharp": "the largest certified step"},
    ),
    Claim(
        "The timescale band tells which ratios of learning rates are safe.",
        toy_rates,
        "It is a band of metric weights for one fixed dynamics. The toy's is {low:.4g} to {high:.5g}; equal rates, "
        "ratio 1, have spectral radius {equal:.4g} at h₀; rates a thousandfold apart have the factor {apart:.5f} in "
        "max |xᵢ|/zᵢ.",
        Rule(is_so("equal_inside") | at_least("equal", 1)),
        "games.rate_map('toy')",
        {"equal_inside": "equal rates lie in the band", "equal": "their spectral radius"},
    ),
    Claim(
        "RK4 is stable for h ≤ 2.5/β.",
        rk4_guideline,
        "For J = [[1, 2, 2], [0, 1, 2], [0, 0, 1]] + 0.001 I, monotone with margin {monotone:.3f}, one step at 2.5/β "
        "has norm {grown:.6f}. Proved instead: RK4 is non-expansive up to max(2α/β², h₀).",
        Rule(at_most("grown", 1), settled=above("monotone", 0)),
        "games.verdicts.rk4_guideline()",
        {"grown": "the norm of one step", "monotone": "the margin"},
    ),
    Claim(
        "The two-state Markov game is certified around its equilibrium: "
        f"α ≈ {PAPER_ALPHA}, safe step ≈ {PAPER_STEP:.3f}.",
        markov,
        "Repeated: α = {alpha:.4f}, β = {beta:.4f}, step {step:.4f}. But these are samples at {corners} corners of a "
        "cube of half-width {paper_radius:g}, and the Fisher metric moves inside it: ESTIMATED. Proved, in a fixed "
        "metric, for the natural gradient, with logit differences within {proved_radius:g}: margin {proved:.2f} and "
        "Euler steps up to {proved_step:.3f} ({leaves:,} leaves).",
        Rule(
            _REPEATED
            & above("proved", 0)
            & at_least("proved_radius", "paper_radius")
            & at_least("proved_step", "step"),
            partly=_REPEATED & above("proved", 0),
        ),
        "games.box_study('markov', {'radius': 0.2}, alpha=0.1, max_boxes=60_000, seconds=600)",
        {
            "alpha": "α",
            "step": "step",
            "proved": "the proved margin",
            "proved_radius": "the radius of the proof",
            "proved_step": "the proved step",
            "paper_radius": "the paper's",
        },
    ),
    Claim(
        "Bounds may be taken over a grid of points of the region.",
        corners,
        "Corners of [−1, 1]² give margin {corners:+.3f} for a game whose margin at the origin is {centre:+.3f}. Only "
        "interval bounds over the whole region prove anything.",
        Rule(at_most("corners", "centre")),
        "games.box_study('vertex-trap')",
        {"corners": "the margin from corners", "centre": "that at the centre"},
    ),
)

CLAIMS: tuple[Claim, ...] = (
    *said_in("V. Sharma, arXiv 2512.06791 (contraction)", CONTRACTION),
    *said_in("J. Dumouchelle et al., Neur2RO, arXiv 2310.04345 (robust decisions)", ROBUST),
)
