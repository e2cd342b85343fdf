"""Games with a constant Jacobian: bilinear, the paper's toy, mixes, Cournot and Bertrand with linear demand, LQ-64."""

import math

import numpy as np

from workbench import checks
from workbench.games.gallery.registry import GALLERY, Example, example
from workbench.games.models.quadratic import QuadraticGame

PAPER = "V. Sharma, arXiv:2512.06791"


@GALLERY.add("bilinear", label="Bilinear x y", formula=r"f_1 = xy,\; f_2 = -xy", reference="folklore")
def bilinear() -> Example:
    """Return the zero-sum game x y: no curvature at all, the flow circles for ever."""
    game = QuadraticGame([[0.0, 1.0], [-1.0, 0.0]], name="bilinear")
    return example(game, False, "cycles: the eigenvalues are +-i", [1.0, 0.0], tau=-1.0)


@GALLERY.add(
    "regularised-bilinear",
    label="Regularised bilinear",
    formula=r"F = (x + c y,\; y - c x)",
    reference="folklore",
    knobs={"c": (0.0, 3.0, 0.5)},
)
def regularised_bilinear(c: float = 0.5) -> Example:
    """Return F = (x + c y, y - c x): always contracting, but SGN ignores signs and stops at c = 1."""
    c = checks.real("c", c, minimum=0)
    game = QuadraticGame([[1.0, c], [-c, 1.0]], name="regularised bilinear")
    return example(game, c < 1, "converges for every c; Euclid certifies margin 1", [1.0, 0.5], tau=1 - c)


@GALLERY.add(
    "toy",
    label="The paper's toy",
    formula=r"f_1 = x^2/2 + a xy,\; f_2 = y^2/2 + b xy",
    reference=PAPER,
    knobs={"a": (-20.0, 20.0, 10.0), "b": (-1.0, 1.0, 0.05)},
)
def toy(a: float = 10.0, b: float = 0.05) -> Example:
    """Return the toy of arXiv:2512.06791: strongly non-monotone in the Euclidean norm, certified with w = (1, a/b).

    >>> example = toy()
    >>> example.game.matrix.tolist()
    [[1.0, 10.0], [0.05, 1.0]]
    """
    a, b = checks.real("a", a), checks.real("b", b)
    tau = 1 - math.sqrt(abs(a * b))
    game = QuadraticGame([[1.0, a], [b, 1.0]], name="the paper's toy")
    truth = f"the Euclidean margin is {1 - 0.5 * abs(a + b):.4g}; eigenvalues 1 ± √(ab)"
    return example(game, tau > 0, truth, [1.0, 0.5], tau=tau)


@GALLERY.add(
    "mix",
    label="Hamiltonian-potential mix",
    formula=r"J = [[1, c],\,[c(1-2t), 1]]",
    reference=PAPER,
    knobs={"c": (0.0, 3.0, 1.5), "t": (0.0, 1.0, 0.3)},
)
def mix(c: float = 1.5, t: float = 0.3) -> Example:
    """Return a game that goes from potential (t = 0) to Hamiltonian (t = 1): τ = 1 - c sqrt(|1 - 2t|)."""
    c, t = checks.real("c", c, minimum=0), checks.real("t", t, minimum=0, maximum=1)
    tau = 1 - c * math.sqrt(abs(1 - 2 * t))
    game = QuadraticGame([[1.0, c], [c * (1 - 2 * t), 1.0]], name="mix")
    real = t > 0.5 or c * c * (1 - 2 * t) < 1
    return example(game, tau > 0, "converges" if real else "diverges", [1.0, 0.5], tau=tau)


@GALLERY.add(
    "linear-cournot",
    label="Cournot, linear demand",
    formula=r"J_{ii} = 2b,\; J_{ij} = b",
    reference="A. Cournot 1838",
    knobs={"firms": (2, 12, 2), "b": (0.1, 3.0, 1.0)},
)
def linear_cournot(firms: int = 2, b: float = 1.0) -> Example:
    """Return N firms with inverse demand a - b sum q and constant cost: τ = b (3 - N), exactly 0 for three firms."""
    n, b = checks.integer("firms", firms, minimum=2, maximum=200), checks.real("b", b, exclusive_minimum=0)
    game = QuadraticGame(b * (np.eye(n) + np.ones((n, n))), offset=np.ones(n), name=f"Cournot with {n} firms")
    return example(game, n == 2, "a potential game: gradient play converges for every N", np.zeros(n), tau=b * (3 - n))


@GALLERY.add(
    "linear-bertrand",
    label="Bertrand, linear demand",
    formula=r"q_i = 100 - 2p_i + c\sum_j p_j",
    reference="J. Bertrand 1883",
    knobs={"firms": (2, 12, 5), "c": (0.0, 2.0, 0.9)},
)
def linear_bertrand(firms: int = 5, c: float = 0.9) -> Example:
    """Return N firms that set prices: J_ii = 4, J_ij = -c, a Z-matrix, so that SGN is exact: τ = 4 - c (N - 1)."""
    n, c = checks.integer("firms", firms, minimum=2, maximum=200), checks.real("c", c, minimum=0)
    game = QuadraticGame((4 + c) * np.eye(n) - c * np.ones((n, n)), offset=100.0 * np.ones(n), name="Bertrand")
    tau = 4 - c * (n - 1)
    return example(game, tau > 0, "converges" if tau > 0 else "diverges", np.full(n, 20.0), tau=tau)


@GALLERY.add(
    "lq-64",
    label="LQ-64",
    formula=r"J = [[I, 10\lambda Q],\,[0.05\lambda Q^\top, I]]",
    reference=PAPER,
    knobs={"coupling": (0.0, 2.0, 1.0)},
)
def lq_64(coupling: float = 1.0, seed: int = 0) -> Example:
    """Return 32 rotated copies of the toy, coupling times: Euclid fails above .199, SGN above √2."""
    coupling = checks.real("coupling", coupling, minimum=0)
    rotation = np.linalg.qr(checks.generator(seed).normal(size=(32, 32)))[0]
    blocks = [[np.eye(32), 10 * coupling * rotation], [0.05 * coupling * rotation.T, np.eye(32)]]
    tau = 1 - coupling * math.sqrt(0.5)
    start = np.full(64, 0.5)
    truth = "converges" if tau > 0 else "diverges: eigenvalues 1 +- coupling sqrt(1/2)"
    return example(QuadraticGame.from_blocks(blocks, name="LQ-64"), tau > 0, truth, start, tau=tau)


@GALLERY.add(
    "random-lq",
    label="Random LQ game",
    formula=r"J_{ii} = R^\top R + \mu_0 I,\; J_{ij} = \lambda a R",
    reference=PAPER,
    knobs={"coupling": (0.0, 2.0, 0.5), "seed": (0, 99, 0)},
)
def random_lq(coupling: float = 0.5, size: int = 8, seed: int = 0) -> Example:
    """Return a game like those of the paper's random suite: random curvature, couplings (10, .05) * coupling."""
    coupling = checks.real("coupling", coupling, minimum=0)
    n = checks.integer("size", size, minimum=1, maximum=64)
    rng = checks.generator(seed)
    own = []
    for _ in range(2):
        root = rng.normal(size=(n, n))
        hessian = root.T @ root + np.eye(n)
        own.append(0.5 * (hessian + hessian.T))
    cross = rng.normal(size=(n, n))
    cross /= np.linalg.norm(cross, 2)
    game = QuadraticGame.from_blocks(
        [[own[0], 10 * coupling * cross], [0.05 * coupling * cross.T, own[1]]], name="random LQ"
    )
    low = [np.linalg.eigvalsh(h)[0] for h in own]
    tau = 0.5 * sum(low) - math.hypot(0.5 * (low[0] - low[1]), coupling * math.sqrt(0.5))
    return example(game, tau > 0, "see the Hurwitz rung of the ladder", np.full(2 * n, 0.5), tau=tau)
