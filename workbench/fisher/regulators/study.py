"""The claims of the paper, measured on its own graphs and on spectra: what the verdicts of this family read."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fisher.enumeration import enumerate_moments
from workbench.fisher.graphs import GRAPHS
from workbench.fisher.regulators.damping import (
    CONVERGENCE_MODELS,
    alpha_of,
    damping_threshold,
    optimal_damping,
    predicted,
)
from workbench.fisher.regulators.learning import LEARNER_LOSSES, STEP_RULES, best_learning, count, first_step, least
from workbench.fisher.regulators.regimes import regimes
from workbench.fisher.regulators.spectra import Spectrum, graph_metric, spectrum
from workbench.progress import Progress

GRAPH_CASES = {
    "K3": ("complete", 3), "K4": ("complete", 4), "K5": ("complete", 5), "K6": ("complete", 6),
    "C4": ("ring", 4), "C5": ("ring", 5), "tree of 5": ("tree", 5), "3 × 3 torus": ("torus", 3),
}  # fmt: skip
SPECTRUM_CASES = {"{1, 5}": (1.0, 5.0), "{1, 2.2}": (1.0, 2.2), "{1, 3, 10}": (1.0, 3.0, 10.0), "{1, 6}": (1.0, 6.0)}
HALF = 0.5
"""The β of the paper's table of spreads."""
PUBLISHED = {"K3": {"spread": 0.226, "deviation": 0.167}, "K4": {"spread": 0.397, "deviation": 0.380}}
"""The paper's table for two of its graphs at J = ½ and β = ½."""
LIMIT = tuple(10.0**-k for k in range(1, 11))
LAW_DRAWS = 200


@results.experiment
def regulator_study(
    coupling: float = 0.5,
    tolerance: float = 1e-6,
    draws: int = LAW_DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return every number that the paper's claims about regimes can be held against, on twelve Fisher matrices.

    Graphs of the paper (and some others) at ``coupling`` and bare spectra. Over ``case``: κ, c* in closed form and
    where each model is least by search (``searched``), κ(g) and T's gain at c*, the spread at β = ½ and its largest
    over all β by search, δ; over (case, loss, step): the damping that learns fastest, what it needs, and what c*
    needs.
    Besides: α along λ_min → 0 at λ_max = 1 (``ratio``), the closed form of κ^a ρ^b against a search for ``draws``
    random laws (``law_error``), and the Hessian of ln Z by differences against F and F² (``hessian_…``).
    """
    progress = progress or Progress()
    J = checks.real("coupling", coupling, exclusive_minimum=0.0, maximum=2.0)
    tolerance = checks.real("tolerance", tolerance, exclusive_minimum=0, maximum=0.1)
    draws = checks.integer("draws", draws, minimum=1, maximum=100_000)
    rng = checks.generator(seed)
    cases = _cases(J)
    rows = []
    for done, (name, own) in enumerate(cases.items()):
        progress.update(done, len(cases) + 2, name)
        rows.append(_case(own, tolerance))
    progress.update(len(cases), len(cases) + 2, "random laws")
    law_error, threshold_error = _laws(rng, draws)
    off_metric, off_square = _hessian(J)
    limit = np.array([float(alpha_of(optimal_damping([ratio, 1.0]))) for ratio in LIMIT])
    progress.update(1, 1)
    return results.dataset(
        {name: (dims, np.array([row[name] for row in rows]), told) for name, (dims, told) in VARIABLES.items()}
        | {
            "limit_alpha": (("ratio",), limit, "regime α at λ_max = 1, λ_min = ratio"),
            "law_error": (
                ("draw",),
                law_error,
                "error of the closed form of c* against a search, in units of λ_max^(p−1)",
            ),
            "threshold_error": (("draw",), threshold_error, "κ at which a search finds damping, over κ_c, minus 1"),
            "hessian_metric": ((), off_metric, "distance of the Hessian of ln Z from F, relative"),
            "hessian_square": ((), off_square, "distance of the Hessian of ln Z from F², relative"),
        },
        {
            "case": (("case",), list(cases), "Fisher matrix"),
            "model": (("model",), list(CONVERGENCE_MODELS), "convergence model"),
            "loss": (("loss",), list(LEARNER_LOSSES), "loss"),
            "step": (("step",), list(STEP_RULES), "step rule"),
            "ratio": (("ratio",), np.array(LIMIT), "λ_min/λ_max"),
            "draw": (("draw",), np.arange(draws), "random law"),
        },
    )


LEARNERS = ("case", "loss", "step")
VARIABLES = {
    "smallest": (("case",), "smallest eigenvalue λ_min"),
    "largest": (("case",), "largest eigenvalue λ_max"),
    "kappa": (("case",), "condition number κ of F"),
    "c_star": (("case",), "optimal damping c* of model A, closed form"),
    "alpha": (("case",), "regime α of model A"),
    "searched": (("case", "model"), "damping at which the model is least, by search"),
    "kappa_g": (("case",), "κ(g) at c*"),
    "gain": (("case",), "T(0)/T(c*) of model A"),
    "spread": (("case",), "spread of the regimes at β = ½"),
    "largest_spread": (("case",), "largest spread over all β, by search"),
    "largest_at": (("case",), "β of the largest spread, by search"),
    "deviation": (("case",), "deviation fraction δ"),
    "swapped_deviation": (("case",), "δ of the two extreme eigenvalues with their multiplicities exchanged"),
    "top_alpha": (("case",), "α_k of the largest eigenvalue at β = ½"),
    "bottom_alpha": (("case",), "α_k of the smallest eigenvalue at β = ½"),
    "best": (LEARNERS, "damping that learns fastest"),
    "any_damping": (LEARNERS, "whether every damping learns as fast"),
    "least_needed": (LEARNERS, "steps (or time) that it needs"),
    "needed_at_star": (LEARNERS, "steps (or time) that c* needs"),
}


def _cases(J: float) -> Mapping[str, Spectrum]:
    graphs = {name: spectrum(graph_metric(GRAPHS[kind](L), J)) for name, (kind, L) in GRAPH_CASES.items()}
    return graphs | {name: spectrum(values) for name, values in SPECTRUM_CASES.items()}


def _case(own: Spectrum, tolerance: float) -> dict[str, object]:
    """Return all that is measured of one matrix."""
    judged = regimes(own, HALF)
    values, multiplicity = own.distinct()
    c_star = float(judged.c_star)
    widest = least(lambda beta: -_spread(values, beta), own.largest)
    learners: dict[str, list] = {name: [] for name in ("best", "any_damping", "least_needed", "needed_at_star")}
    for loss in LEARNER_LOSSES:
        found = [best_learning(own, loss, step, None, tolerance) for step in STEP_RULES]
        eta = first_step(values, loss)
        at = [float(count(values, np.array([c_star]), loss, step, eta, tolerance)[0]) for step in STEP_RULES]
        learners["best"].append([one.c for one in found])
        learners["any_damping"].append([one.is_flat for one in found])
        learners["least_needed"].append([one.value for one in found])
        learners["needed_at_star"].append(at)
    swapped = np.repeat(values[[0, -1]], multiplicity[[-1, 0]])
    return {
        "smallest": own.smallest,
        "largest": own.largest,
        "kappa": own.condition,
        "c_star": c_star,
        "alpha": float(judged.alpha),
        "searched": [
            least(lambda c, name=name: predicted(name, own.values, c), own.largest).c for name in CONVERGENCE_MODELS
        ],
        "kappa_g": float(judged.kappa_g),
        "gain": float(judged.gain),
        "spread": float(judged.spread),
        "largest_spread": -widest.value,
        "largest_at": widest.c,
        "deviation": float(judged.deviation),
        "swapped_deviation": float(regimes(swapped).deviation),
        "top_alpha": float(judged.alpha_k[-1]),
        "bottom_alpha": float(judged.alpha_k[0]),
        **learners,
    }


def _spread(values: np.ndarray, beta: np.ndarray) -> np.ndarray:
    high, low = values[-1], values[0]
    with np.errstate(invalid="ignore"):
        found = high / (high + beta) - low / (low + beta)
    return np.where(np.isinf(beta), 0.0, found)


def _laws(rng: np.random.Generator, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Compare closed forms with searches, for random powers and spectra.

    For each law κ^a ρ^b with M = F^p the least c by search is compared with c*; and the κ at which the search begins to
    find a c > 0, by bisection of the slope at c = 0, with κ_c.
    """
    error, threshold = np.empty(draws), np.empty(draws)
    for k in range(draws):
        a, b, p = rng.uniform(0.2, 3), rng.uniform(0.2, 3), rng.uniform(1.3, 3)
        values = np.array([1.0, float(np.exp(rng.uniform(0.1, 3)))]) * np.exp(rng.uniform(-1, 1))

        def law(c: np.ndarray, ends: np.ndarray = values, a: float = a, b: float = b, p: float = p) -> np.ndarray:
            return _law(ends, c, a, b, p)

        scale = values[1] ** (p - 1)
        error[k] = abs(least(law, scale).c - optimal_damping(values, a, b, p)) / scale
        low, high = 0.0, math.log(1e12)
        for _ in range(60):
            middle = (low + high) / 2
            ends = np.array([1.0, math.exp(middle)])
            falls = _law(ends, np.array([1e-7 * ends[1] ** (p - 1)]), a, b, p)[0] < 0
            low, high = (low, middle) if falls else (middle, high)
        threshold[k] = math.exp(high) / damping_threshold(a, b, p) - 1
    return error, threshold


def _law(ends: np.ndarray, c: np.ndarray, a: float, b: float, p: float) -> np.ndarray:
    """Return ln T(c) − ln T(0) of κ^a ρ^b without cancellation; infinite at c = ∞."""
    low, high = np.log1p(c / ends[0] ** (p - 1)), np.log1p(c / ends[1] ** (p - 1))
    with np.errstate(invalid="ignore"):
        found = (a + b) * high - a * low
    return np.where(np.isinf(c), np.inf, found)


def _hessian(J: float) -> tuple[float, float]:
    """Return how far the Hessian of ln Z of K4, by central differences, is from F and from F², relative."""
    graph = GRAPHS["complete"](4)
    m = graph.bonds
    F = graph_metric(graph, J)

    def log_partition(steps: Sequence[tuple[int, float]]) -> float:
        couplings = np.full(m, J)
        for edge, size in steps:
            couplings[edge] += size
        return enumerate_moments(graph, couplings).log_partition

    H = np.empty((m, m))
    h = 1e-3
    for i in range(m):
        for j in range(m):
            signs = [(s, t) for s in (1, -1) for t in (1, -1)]
            H[i, j] = sum(s * t * log_partition([(i, s * h), (j, t * h)]) for s, t in signs) / (4 * h * h)
    return tuple(float(np.linalg.norm(H - other) / np.linalg.norm(other)) for other in (F, F @ F))
