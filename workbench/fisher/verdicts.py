"""What the paper says and what this room measured; numbers come from shipped results, outcomes from stated rules."""

import functools

import numpy as np

from workbench import data
from workbench.fisher import paper
from workbench.fisher.entropic.verdicts import CLAIMS as ENTROPIC
from workbench.fisher.enumeration import enumerate_moments
from workbench.fisher.graphs import GRAPHS
from workbench.fisher.identity import random_ricci_terms
from workbench.fisher.regulators.verdicts import CLAIMS as REGULATORS
from workbench.fisher.scaling import (
    CONSECUTIVE,
    SIGMAS,
    falsify,
    fit_background,
    fit_logarithm,
    fit_power_law,
    samples_to_tell,
)
from workbench.fisher.shipped import compare_model, shipped_extrapolation, shipped_scaling
from workbench.fisher.tensors import connection_terms
from workbench.fisher.torus import J_CRITICAL
from workbench.verdicts import (
    Claim,
    Numbers,
    Rule,
    Verdict,
    above,
    at_least,
    at_most,
    below,
    judge,
    said_in,
    within,
)

ROUNDING = 1e-9
"""How far from −½ rounding may leave a ratio of Ricci terms; what is larger is no identity."""

THREE_SIGMA = 0.0027
"""The chance of a normal number beyond three standard errors."""
FROM = {2: 8, 3: 4}
"""The smallest side that is fitted with a constant, by dimension."""


def verdicts() -> list[Verdict]:
    """Return the rows of the fisher room's verdict table."""
    return judge(CLAIMS)


def headline() -> Numbers:
    """Fit the exact values over the paper's own window; ``allowed`` joins both errors."""
    exact = shipped_scaling()
    low, high = paper.HEADLINE_WINDOW
    fit = fit_power_law(exact.sites, exact.scalar_curvature, window=(low**2, high**2))
    return {"exponent": fit.exponent, "error": fit.error, "allowed": float(np.hypot(fit.error, paper.HEADLINE_ERROR))}


def monte_carlo() -> Numbers:
    """Compare the paper's Monte Carlo values with exact ones, in units of its errors."""
    table = paper.published("ising-2d")
    exact = -shipped_scaling().scalar_curvature.sel(L=table.L).values
    off = np.abs((table.absolute_curvature.values - exact) / table.absolute_curvature_error.values)
    return {"count": len(off), "agree": int((off <= SIGMAS).sum()), "worst": float(off.max())}


def limit() -> Numbers:
    """Follow the effective exponent through its maximum and on to L = 2048."""
    exact, beyond = shipped_scaling(), shipped_extrapolation()
    d = exact.effective_exponent.values
    top = int(exact.effective_exponent.where(exact.pair > 6).argmax("pair"))  # small lattices stand higher
    return {
        "top": float(d[top]),
        "top_at": float(exact.pair[top]),
        "exact": float(d[-1]),
        "exact_from": int(exact.smaller[-1]),
        "exact_to": int(exact.larger[-1]),
        "last": float(beyond.effective_exponent[-1]),
        "last_error": float(beyond.effective_exponent_error[-1]),
        "last_from": int(beyond.smaller[-1]),
        "last_to": int(beyond.larger[-1]),
        "nearer": float(abs(beyond.effective_exponent[0] - 10 / 9) - abs(beyond.effective_exponent[-1] - 10 / 9)),
    }


def author_rule() -> Numbers:
    """Apply the author's rule of falsification to the extrapolated sizes."""
    beyond = shipped_extrapolation()
    found = falsify(beyond.L, beyond.scalar_curvature, 10 / 9, errors=beyond.scalar_curvature_error)
    return {
        "run": found.longest_run,
        "from": int(beyond.L[0]),
        "to": int(beyond.L[-1]),
        "sentence": found.sentence,
    }


def pure_power() -> Numbers:
    """Fit R/n at large L by a power law and by a logarithm, two parameters each, and compare what is left over."""
    beyond = shipped_extrapolation()
    per_site = -beyond.scalar_curvature / beyond.sites
    logarithm = fit_logarithm(beyond.L, -per_site)
    power = fit_power_law(beyond.sites, beyond.scalar_curvature)
    sites = beyond.sites.values.astype(float)
    left = per_site.values - np.exp(power.intercept) * sites ** (power.exponent - 1)
    return {
        "power_misfit": float(np.sqrt(np.mean(left**2))),
        "log_misfit": logarithm.residual,
        "slope": logarithm.slope,
        "constant": logarithm.constant,
        "exponent": power.exponent,
        "from": int(beyond.L[0]),
    }


def other_model(model: str) -> Numbers:
    """Fit our sizes by each candidate with a constant beside it, and say what more samples would settle.

    A power alone does not do: over the paper's sizes even the solvable model, whose exponent is one with a logarithm,
    gives clearly more than one. The constant takes what ‖T‖²/n and the regular part of the trace term leave. ``chance``
    is that of a misfit as large as the prediction's, over all sizes or without the smallest, the larger of the two.
    """
    ds = compare_model(model)
    exponents = paper.EXPONENTS[model]
    n, R, error = (ds[f"{name}_far"].values for name in ("sites", "curvature", "error"))
    far = ds.L_far.values >= FROM[exponents.dimension]
    n, R, error = n[far], R[far], error[far]
    chances = {
        name: max(fit_background(n[k:], R[k:], error[k:], exponent).chance for k in (0, 1))
        for name, exponent in (("chance", exponents.predicted), ("rival_chance", exponents.rival))
    }
    return {
        **chances,
        "fitted": float(ds.fitted_paper),
        "error": float(ds.fitted_error_paper),
        "ours": float(ds.fitted_far),
        "our_error": float(ds.fitted_error_far),
        "predicted": exponents.predicted,
        "rival": exponents.rival,
        "low": int(ds.L_far.values[far][0]),
        "high": int(ds.L_far.values[-1]),
        "more": samples_to_tell(n[1:], R[1:], error[1:], exponents.predicted, exponents.rival),
    }


def _told(numbers: Numbers) -> str:
    """Say how both candidates fit, and what would settle it where nothing is settled."""
    text = (
        "a power law through the paper's own points gives {fitted:.4f} ± {error:.4f}, through ours to L = {high} "
        "{ours:.4f} ± {our_error:.4f}. With a constant in R/n beside the power, over L = {low}…{high} and without the "
        "smallest: a misfit as large as the prediction's has a chance of at most {chance:.1g}, as that of 1 + α/(dν) = "
        "{rival:.4f} of {rival_chance:.1g}"
    )
    if min(numbers["chance"], numbers["rival_chance"]) >= THREE_SIGMA:
        text += (
            ". Telling the two apart by 3σ at these sizes takes about {more:.0f} times as many samples"
            if numbers["more"] > 1
            else ". The samples should suffice by their errors, and neither is excluded in both windows"
        )
    return text.format_map(numbers)


@functools.cache
def identity() -> Numbers:
    """Measure how far R₃/R₁ and R₄/R₂ are from −½, on the critical 3 × 3 torus and for random tensors.

    Every term is contracted from the connection by itself: nothing in the computation knows of the relation.
    """
    lattice = enumerate_moments(GRAPHS["torus"](3), J_CRITICAL)
    terms = connection_terms(lattice.metric, lattice.cumulant)
    drawn = random_ricci_terms()
    return {
        "in_data": max(abs(terms[2] / terms[0] + 0.5), abs(terms[3] / terms[1] + 0.5)),
        "in_random": max(float(abs(drawn.ratio_3_1 + 0.5).max()), float(abs(drawn.ratio_4_2 + 0.5).max())),
        "draws": drawn.sizes["draw"],
    }


def peak() -> Numbers:
    """Find where |R/n| is largest as the coupling moves through the transition."""
    ds = data.result("fisher/across.nc")
    size = abs(ds.curvature_per_site)
    moves = np.diff(ds.curvature_per_site.values)
    return {
        "at": float(ds.J[int(size.argmax("J"))]),
        "critical": float(ds.critical_coupling),
        "step": float(ds.J[1] - ds.J[0]),
        "falls": int((moves < 0).sum()),
        "moves": len(moves),
        "first": float(ds.curvature_per_site[0]),
        "last": float(ds.curvature_per_site[-1]),
    }


def _other(model: str) -> Claim:
    exponents = paper.EXPONENTS[model]
    return Claim(
        f"{exponents.label}: d_R = {exponents.predicted:.4f}",
        functools.partial(other_model, model),
        _told,
        Rule(
            at_least("chance", THREE_SIGMA),
            settled=below("chance", THREE_SIGMA) | below("rival_chance", THREE_SIGMA),
        ),
        f'fisher.compare_model("{model}")',
        {"chance": "the chance of the prediction's misfit", "rival_chance": "that of 1 + α/(dν)"},
    )


LATTICES: tuple[Claim, ...] = (
    Claim(
        f"2-D Ising, L = 6…9: d_R = {paper.HEADLINE_EXPONENT} ± {paper.HEADLINE_ERROR}",
        headline,
        "least squares of exact values: {exponent:.4f} ± {error:.4f}",
        Rule(within("exponent", paper.HEADLINE_EXPONENT, "allowed", times=SIGMAS)),
        "fisher.curvature_scaling(range(6, 10)).fitted_exponent",
        {"allowed": "both errors together"},
    ),
    Claim(
        "2-D Ising Monte Carlo, L = 10…24",
        monte_carlo,
        "{agree} of {count} values agree with the exact ones within 3 of their errors; the farthest is {worst:.1f} "
        "of its errors away",
        Rule(at_most("worst", SIGMAS), partly=at_least("agree", "count", times=0.5)),
        'fisher.published("ising-2d")',
        {"worst": "the largest distance in errors", "agree": "values that agree", "count": "values"},
    ),
    Claim(
        "2-D Ising: d_R → 10/9 = 1.1111",
        limit,
        "the exact effective exponent rises to {top:.4f} near L = {top_at:.0f}, passes 10/9 and is {exact:.4f} between "
        "L = {exact_from} and {exact_to}; with ‖T‖² extrapolated it is {last:.4f} between {last_from} and {last_to}",
        Rule(within("last", 10 / 9, "last_error", times=SIGMAS), partly=above("nearer", 0)),
        "fisher.exact_scaling(); fisher.extrapolated_curvature()",
        {
            "last": "exponent of the largest pair",
            "last_error": "its error",
            "nearer": "what the distance to 10/9 loses over the largest sizes",
        },
    ),
    Claim(
        "2-D Ising: 10/9 passes the author's own rule (rejected if extrapolated d_eff is off by more than 3σ over "
        "three consecutive pairs)",
        author_rule,
        "for L = {from}…{to}: {sentence}",
        Rule(below("run", CONSECUTIVE)),
        "fisher.falsify(ds.L, ds.scalar_curvature, 10 / 9, errors=ds.scalar_curvature_error)",
        {"run": "consecutive pairs off by more than 3σ"},
    ),
    Claim(
        "2-D Ising: curvature grows as a pure power of n",
        pure_power,
        "−R/n = {slope:.2f} ln L {constant:+.2f} for L ≥ {from} to within {log_misfit:.2f}: exponent one with a "
        "logarithm; the best pure power has exponent {exponent:.3f} and fits to within {power_misfit:.2f}",
        Rule(at_most("power_misfit", "log_misfit")),
        "fisher.fit_logarithm(ds.L, ds.scalar_curvature / ds.sites)",
        {"power_misfit": "misfit of the power", "log_misfit": "misfit of the logarithm"},
    ),
    *(_other(model) for model in ("potts-3", "potts-4", "ising-3d")),
    Claim(
        "R₃ = −R₁/2 and R₄ = −R₂/2 in the data, as a check of the computation",
        identity,
        "contracted from the connection, off by {in_data:.0e} on the critical 3 × 3 torus and by {in_random:.0e} for "
        "{draws} random symmetric tensors that know of no lattice",
        Rule(
            at_most("in_data", ROUNDING) & above("in_random", ROUNDING),
            partly=at_most("in_data", ROUNDING),
        ),
        "fisher.random_ricci_terms()",
        {"in_data": "the error on the lattice", "in_random": "that of random tensors, which a check would refuse,"},
    ),
    Claim(
        "(often expected of a critical point, whoever says it) R peaks at J_c",
        peak,
        "on a 16 × 16 torus R/n goes from {first:.3f} to {last:.3f} and falls in {falls} of {moves} steps of J; |R/n| "
        "is largest at J = {at:.3f}, not at J_c = {critical:.4f}",
        Rule(within("at", "critical", "step")),
        "fisher.coupling_sweep(16, 0.3, 0.6)",
        {"at": "J where R/n is largest in size", "critical": "J_c", "step": "one step of J"},
    ),
)

CLAIMS: tuple[Claim, ...] = (
    *said_in("M. Zhuravlev, arXiv 2603.07651 (lattices)", LATTICES),
    *said_in("T. T. Takeuchi, arXiv 2604.00593 (densities; abstract)", ENTROPIC),
    *said_in("M. Zhuravlev, arXiv 2603.09067 (regulators)", REGULATORS),
)
