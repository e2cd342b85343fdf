"""Everything about one regulator at once: models, measured learners, regimes, phases, charts."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.fisher.graphs import GRAPHS
from workbench.fisher.regulators.damping import (
    CONVERGENCE_MODELS,
    alpha_of,
    checked_law,
    damping_threshold,
    extremes,
    optimal_damping,
    predicted,
)
from workbench.fisher.regulators.landscape import phase_diagram
from workbench.fisher.regulators.learning import LEARNER_LOSSES, STEP_RULES, best_learning, count, first_step
from workbench.fisher.regulators.regimes import gaussian_charts, regimes
from workbench.fisher.regulators.spectra import Spectrum, digits_metric, graph_metric, spectrum, torus_spectrum

REGULATOR_SOURCES = {
    "complete": "complete graph",
    "ring": "ring",
    "tree": "tree",
    "open grid": "open grid",
    "torus": "Ising torus, exact",
    "spectrum": "eigenvalues by hand",
    "digits": "logistic regression on digits",
}
"""Where the Fisher matrix of a report may come from, with what a page calls it."""
SMALLEST_SIDE = {"complete": 3, "ring": 3, "tree": 2, "open grid": 2, "torus": 3}
LARGEST_SIDE = {"complete": 10, "ring": 14, "tree": 14, "open grid": 4, "torus": 64}
POINTS = 161
AGREES = 0.01
"""Two dampings agree if their regimes α differ by no more."""
OWN = "own"
SHOWN_DIRECTIONS = 400


def source_spectrum(source: str, L: int, J: float, eigenvalues: Sequence[float]) -> Spectrum:
    """Return the Fisher matrix that a report is about, by the name of its source; ``ValueError`` for bad sizes."""
    checks.choice("source", source, REGULATOR_SOURCES)
    if source == "spectrum":
        values = checks.finite_array("eigenvalues", eigenvalues, ndim=1)
        return spectrum(values)
    if source == "digits":
        return spectrum(digits_metric())
    L = checks.integer("L", L, minimum=SMALLEST_SIDE[source], maximum=LARGEST_SIDE[source])
    J = checks.real("J", J, minimum=-2.0, maximum=2.0)
    if source == "torus":
        return spectrum(torus_spectrum(L, J))
    return spectrum(graph_metric(GRAPHS[source](L), J))


@results.experiment
def regulator_report(
    source: str = "complete",
    L: int = 4,
    J: float = 0.5,
    eigenvalues: Sequence[float] = (1.0, 3.0, 10.0),
    F: ArrayLike | None = None,
    loss: str = "isotropic",
    beta: float | None = None,
    a: float = 1.0,
    b: float = 1.0,
    p: float = 2.0,
    sigma: float = 2.0,
    tolerance: float = 1e-6,
) -> xr.Dataset:
    """Return what four models and five real learners want of one Fisher matrix, and what of it depends on the chart.

    ``source`` is one of ``complete``, ``ring``, ``tree``, ``open grid`` (Ising models of side ``L`` at coupling ``J``,
    every state added up), ``torus`` (exact, L ≤ 64), ``spectrum`` (the ``eigenvalues``) and ``digits`` (a logistic
    regression); a matrix ``F`` (m, m) or eigenvalues (m,) take its place. ``loss`` is one of :data:`LEARNER_LOSSES`,
    ``beta`` the damping of the regimes (None: c*), ``a, b, p`` your own law κ(g)^a μ_max^b with M = F^p beside the
    paper's four, ``sigma`` the normal distribution of the charts.

    Dampings c run over ``place`` = c/(c + λ_max^(p−1)) from 0 to 1, where c = ∞. Variables: ``model_value`` (model,
    place) over its least, ``model_best`` (model,), ``needed`` (step, place), ``best`` and ``least_needed`` (loss,
    step), ``agrees`` (loss, step) with the paper's c*; ``eigenvalue``, ``multiplicity``, ``alpha_k`` (direction,) of
    the distinct eigenvalues; ``phase_alpha`` (phase_kappa, ratio) and ``threshold`` (ratio,); ``chart_alpha``.
    Cost: O(m³) once and O(m) for each damping; below 0.1 s for m ≤ 50.

    >>> ds = regulator_report()
    >>> round(float(ds.alpha), 12), float(ds.best.sel(loss="isotropic", step="best"))
    (0.600639813934, inf)
    """
    a, b, p = checked_law(a, b, p)
    checks.choice("loss", loss, LEARNER_LOSSES)
    tolerance = checks.real("tolerance", tolerance, exclusive_minimum=0, maximum=0.999)
    own = source_spectrum(source, L, J, eigenvalues) if F is None else spectrum(F)
    c_star = optimal_damping(own, p=p)
    alpha = float(alpha_of(c_star))
    beta = c_star if beta is None else checks.real("beta", beta, minimum=0)
    powers = own.values ** (p - 1)
    alpha_k = powers / (powers + beta)
    root = np.sqrt(powers[-1] / powers[0])
    values, multiplicity = own.distinct()
    scale = own.largest ** (p - 1)
    place = np.linspace(0, 1, POINTS)
    with np.errstate(divide="ignore"):
        c = scale * place / (1 - place)
    models, model_value, model_best = _models(own, c, a, b, p)
    eta = first_step(values, loss, p)
    needed = np.array([count(values, c, loss, step, eta, tolerance, p) for step in STEP_RULES])
    found = [[best_learning(own, each, step, None, tolerance, p) for step in STEP_RULES] for each in LEARNER_LOSSES]
    best = np.array([[one.c for one in row] for row in found])
    best_alpha = np.where(np.isnan(best), np.nan, alpha_of(np.nan_to_num(best, nan=0.0, posinf=np.inf)))
    agrees = (np.abs(best_alpha - alpha) <= AGREES) | np.array([[one.is_flat for one in row] for row in found])
    at_star = np.array([
        [float(count(values, np.array([c_star]), each, step, first_step(values, each, p), tolerance, p)[0])
         for step in STEP_RULES] for each in LEARNER_LOSSES
    ])  # fmt: skip
    phases = phase_diagram(p, own.smallest)
    along = np.geomspace(own.smallest / 3, own.largest * 3, 121)
    charts = gaussian_charts(sigma)
    shown = _shown(len(values))
    with np.errstate(invalid="ignore"):
        places = np.where(np.isinf(best), 1.0, best / (best + scale))
        model_places = np.where(np.isinf(model_best), 1.0, model_best / (model_best + scale))
    by_place, learners = ("step", "place"), ("loss", "step")
    return results.dataset(
        {
            "kappa": ((), own.condition, "condition number κ of F"),
            "parameters": ((), len(own.values), "parameters m"),
            "smallest": ((), own.smallest, "smallest eigenvalue λ_min"),
            "largest": ((), own.largest, "largest eigenvalue λ_max"),
            "c_star": ((), c_star, "optimal damping c* of model A"),
            "alpha": ((), alpha, "regime α of model A"),
            "beta": ((), beta, "damping β at which directions are judged"),
            "spread": ((), float(alpha_k[-1] - alpha_k[0]), "spread of the regimes"),
            "spread_bound": ((), (root - 1) / (root + 1), "largest spread over all β"),
            "deviation": ((), float(regimes(own).deviation), "deviation fraction δ of M = F²"),
            "effective_parameters": ((), float(alpha_k.sum()), "effective number of parameters"),
            "kappa_g": ((), float(np.divide(*extremes(own.values, np.array([c_star]), p))[0]), "κ(g) at c*"),
            "damping": (("place",), c, "damping c"),
            "model_value": (("model", "place"), model_value, "T over its least value"),
            "model_best": (("model",), model_best, "damping at which T is least"),
            "model_place": (("model",), model_places, "its place on the axis of dampings"),
            "needed": (by_place, needed, "steps (or time) needed"),
            "best": (learners, best, "damping that needs least"),
            "best_place": (learners, places, "its place on the axis of dampings"),
            "best_alpha": (learners, best_alpha, "α of the damping that needs least"),
            "least_needed": (learners, np.array([[one.value for one in row] for row in found]), "what it needs"),
            "needed_at_star": (learners, at_star, "what c* needs"),
            "agrees": (learners, agrees, "whether the learner wants the paper's damping"),
            "any_damping": (learners, np.array([[one.is_flat for one in row] for row in found]), "whether any c does"),
            "eigenvalue": (("direction",), values[shown], "distinct eigenvalue λ of F"),
            "multiplicity": (("direction",), multiplicity[shown], "how often it occurs"),
            "alpha_k": (("direction",), values[shown] ** (p - 1) / (values[shown] ** (p - 1) + beta), "regime α_k"),
            "curve_alpha": (("along",), along ** (p - 1) / (along ** (p - 1) + beta), "regime α of any eigenvalue"),
            "phase_alpha": (("phase_kappa", "ratio"), phases.alpha.values, "regime α of κ(g)^a μ_max^b"),
            "threshold": (("ratio",), phases.threshold.values, "condition number above which damping is asked for"),
            "own_threshold": ((), damping_threshold(a, b, p), "threshold κ_c of your own law"),
            "own_ratio": ((), b / a if a else np.inf, "b/a of your own law"),
            "chart_alpha": (("chart",), charts.alpha.values, "regime α of N(μ, σ²) in the chart"),
            "chart_kappa": (("chart",), charts.kappa.values, "condition number κ of N(μ, σ²) in the chart"),
        },
        {
            "place": (("place",), place, "c/(c + λ_max^(p−1))"),
            "model": (("model",), models, "convergence model"),
            "step": (("step",), list(STEP_RULES), "step rule"),
            "loss": (("loss",), list(LEARNER_LOSSES), "loss"),
            "direction": (("direction",), np.arange(len(shown)), "distinct eigenvalue, rising"),
            "along": (("along",), along, "eigenvalue λ"),
            "phase_kappa": (("phase_kappa",), phases.kappa.values, "condition number κ of F"),
            "ratio": (("ratio",), phases.ratio.values, "powers b/a"),
            "chart": (("chart",), charts.chart.values, "parameters of N(μ, σ²)"),
        },
        {"loss": loss, "scale": scale, "law": [a, b, p], "listed": len(values) == len(shown), "sigma": sigma},
    )  # fmt: skip


def _models(
    own: Spectrum, c: NDArray, a: float, b: float, p: float
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return names, T over its least and where it is least, of the paper's four models and of one's own law."""
    laws = {name: (entry.fact("a"), entry.fact("b")) for name, entry in CONVERGENCE_MODELS.items()} | {OWN: (a, b)}
    best = np.array([optimal_damping(own, *law, p) for law in laws.values()])
    largest, smallest = extremes(own.values, c, p)
    curves = []
    for (name, law), at in zip(laws.items(), best, strict=True):
        if name == OWN:
            with np.errstate(over="ignore"):
                curve = np.where(np.isinf(c) & (b > 0), np.inf, (largest / smallest) ** a * largest**b)
                ends = extremes(own.values, np.array([at]), p)
                least = (ends[0] / ends[1]) ** law[0] * ends[0] ** law[1]
        else:
            curve, least = predicted(name, own.values, c, p), predicted(name, own.values, np.array([at]), p)
        curves.append(curve / least)
    return list(laws), np.array(curves), best


def _shown(count: int) -> NDArray[np.int64]:
    """Return which of many eigenvalues are listed: all, or some at even ranks with both ends."""
    return np.unique(np.linspace(0, count - 1, min(count, SHOWN_DIRECTIONS)).round().astype(int))
