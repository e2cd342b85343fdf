"""What the paper on good regulators claims of regimes and damping (arXiv 2603.09067), against the shipped study.

The author's TeX and notes could be read. That good regulators persist is true there by definition (persistence is
minimal surprise), so there is nothing to measure; and what α means in physics is called a conjecture by the author too.
"""

import numpy as np
import xarray as xr

from workbench import data
from workbench.fisher.regulators.regimes import gaussian_charts
from workbench.fisher.regulators.study import PUBLISHED
from workbench.verdicts import Claim, Numbers, Rule, at_least, at_most, below

STUDY = "python data/make_fisher_regulators.py: fisher.regulator_study()"
SEARCHED = 1e-6
"""How well a search finds a minimum: its square is what double precision can see of the function."""
TABLE = 0.002
"""Twice the last digit of the paper's table."""


def study() -> xr.Dataset:
    """Return the shipped study."""
    return data.result("fisher/regulators.nc")


def law() -> Numbers:
    """Compare c* and its threshold with searches, on the cases of the study."""
    ds = study()
    off = np.abs(ds.searched.sel(model="A") - ds.c_star) / ds.largest
    sleeping, awake = ds.kappa <= 2, ds.kappa > 2
    return {
        "off": float(off.max()),
        "cases": ds.sizes["case"],
        "wrong_side": int((ds.searched.sel(model="A").where(sleeping, 0) > 0).sum())
        + int((ds.searched.sel(model="A").where(awake, 1) <= 0).sum()),
        "k4": float(ds.searched.sel(model="A", case="K4")),
        "k4_alpha": float(ds.alpha.sel(case="K4")),
    }


def _awake() -> xr.Dataset:
    ds = study()
    return ds.isel(case=np.flatnonzero(ds.kappa.values > 2))


def at_optimum() -> Numbers:
    """Look at κ(g) where the paper says it is 2."""
    ds = _awake()
    ratio = ds.kappa_g / ds.kappa
    shifted = (ds.largest + ds.c_star) / (ds.smallest + ds.c_star)
    return {
        "largest_off": float(np.abs(ds.kappa_g - 2).max()),
        "low": float(ratio.min()),
        "high": float(ratio.max()),
        "example": float(ds.kappa_g.sel(case="{1, 5}")),
        "shifted": float(np.abs(shifted - 2).max()),
    }


def gain() -> Numbers:
    """Compare T's gain with κ/4 and with κ²/(4(κ − 1))."""
    ds = _awake()
    exact = ds.kappa**2 / (4 * (ds.kappa - 1))
    top = int(ds.kappa.argmax("case"))
    return {
        "off": float(np.abs(ds.gain / exact - 1).max()),
        "kappa": float(ds.kappa[top]),
        "gain": float(ds.gain[top]),
        "departure": float(ds.gain[top] / (ds.kappa[top] / 4) - 1),
    }


def interior() -> Numbers:
    """Count the models that have their minimum inside, by search."""
    ds = _awake()
    inside = (ds.searched > 0) & np.isfinite(ds.searched)
    names = [str(name) for name in ds.model.values if bool(inside.sel(model=name).all())]
    apart = np.abs(ds.searched.sel(model="A") - ds.searched.sel(model="D")) / ds.largest
    others = sum(name != "A" for name in names)
    return {"others": others, "names": " and ".join(names), "apart": float(apart.max()), "cases": ds.sizes["case"]}


def limit() -> Numbers:
    """Follow α as κ grows, on a path where λ_max stays, and over the paper's own graphs."""
    ds = study()
    graphs = ds.sel(case=["K4", "K5", "K6"])
    alpha = graphs.alpha.values
    return {
        "last": float(ds.limit_alpha[-1]),
        "kappa": float(1 / ds.ratio[-1]),
        "k4": alpha[0], "k5": alpha[1], "k6": alpha[2],
        "kappa4": float(graphs.kappa[0]), "kappa6": float(graphs.kappa[2]),
        "gap": float(1 - ds.limit_alpha[-1]),
    }  # fmt: skip


def general() -> Numbers:
    """Compare the closed forms for κ^a ρ^b, M = F^p, with searches for random laws."""
    ds = study()
    return {
        "draws": ds.sizes["draw"],
        "damping_off": float(np.abs(ds.law_error).max()),
        "threshold_off": float(np.abs(ds.threshold_error).max()),
    }


def table() -> Numbers:
    """Compare the paper's table of spreads and deviations with the same numbers of its own matrices."""
    ds = study()
    found = {f"{name}_{case.lower()}": float(ds[name].sel(case=case)) for case in PUBLISHED for name in PUBLISHED[case]}
    off = [
        abs(found[f"{name}_{case.lower()}"] - value) for case, row in PUBLISHED.items() for name, value in row.items()
    ]
    return {
        **found,
        "worst": max(off),
        "right": sum(value <= TABLE for value in off),
        "count": len(off),
        "swapped": float(ds.swapped_deviation.sel(case="K3")),
    }


def classical() -> Numbers:
    """Ask which regime the stiffest direction is in, by the paper's own α_k (1 is called quantum)."""
    ds = study()
    several = ds.isel(case=np.flatnonzero(ds.kappa.values > 1.0001))
    return {
        "margin": float((several.top_alpha - several.bottom_alpha).min()),
        "top": float(ds.top_alpha.sel(case="K4")),
        "bottom": float(ds.bottom_alpha.sel(case="K4")),
        "cases": several.sizes["case"],
    }


def spread() -> Numbers:
    """Find the largest spread of regimes over β, and where it is."""
    ds = _awake()
    claimed = 1 - 1 / ds.kappa
    root = np.sqrt(ds.kappa)
    at = ds.largest_at / np.sqrt(ds.smallest * ds.largest)
    one = ds.sel(case="{1, 5}")
    return {
        "short": float((claimed - ds.largest_spread).min()),
        "off": float(np.abs(ds.largest_spread - (root - 1) / (root + 1)).max()),
        "at_off": float(np.abs(at - 1).max()),
        "claimed": float(1 - 1 / one.kappa),
        "found": float(one.largest_spread),
        "at": float(one.largest_at),
    }


def hessian() -> Numbers:
    """Compare the Hessian of ln Z, by differences, with F and with F²."""
    ds = study()
    return {"metric": float(ds.hessian_metric), "square": float(ds.hessian_square)}


def charts() -> Numbers:
    """Read α of one normal distribution in four charts."""
    ds = gaussian_charts(2.0)
    alpha = ds.alpha.values
    kept = ds.alpha_kept.values
    return {
        "apart": float(np.ptp(alpha)),
        "list": ", ".join(f"{value:.3f} in {name}" for name, value in zip(ds.chart.values, alpha, strict=True)),
        "kept": float(np.ptp(kept, axis=0).max()),
    }


def learning() -> Numbers:
    """Count the learners that somebody would use which learn fastest at the paper's c*."""
    ds = _awake()
    natural = ds.sel(step=["best", "smooth", "flow", "fixed"])
    off = _off(natural)
    timid = ds.sel(loss=["isotropic", "likelihood"], step="timid")
    one = ds.sel(case="{1, 3, 10}", loss="isotropic")
    return {
        "count": int(off.size),
        "agree": int((off <= 0.01).sum()),
        "timid_off": float(_off(timid).max()),
        "slow": float(one.needed_at_star.sel(step="timid")),
        "fast": float(one.least_needed.sel(step="best")),
        "cases": ds.sizes["case"],
    }


def _off(ds: xr.Dataset) -> xr.DataArray:
    """Return how far the best damping is from c*, relative to λ_max + c*; 1 where it is infinite or everywhere."""
    off = np.abs(ds.best - ds.c_star) / (ds.largest + ds.c_star)
    return off.where(np.isfinite(ds.best) & ~ds.any_damping, 1.0)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Regulators: model A, κ(g)μ_max, is least at c* = λ_max − 2λ_min if κ > 2, else at c = 0",
        law,
        "on {cases} matrices a search finds c* to {off:.0e} of λ_max, and on the wrong side of κ = 2 {wrong_side} "
        "times; K₄ at J = ½: {k4:.5f}, α = {k4_alpha:.4f}",
        Rule(at_most("off", SEARCHED) & at_most("wrong_side", 0)),
        STUDY,
        {"off": "the error of the closed form", "wrong_side": "cases on the wrong side of the threshold"},
    ),
    Claim(
        "Regulators: at the optimum κ(g) = 2",
        at_optimum,
        "κ(g(c*)) is {low:.6f} to {high:.6f} times κ(F), {example:.0f} for the spectrum {{1, 5}}; what is 2, to "
        "{shifted:.0e}, is (λ_max + c*)/(λ_min + c*)",
        Rule(at_most("largest_off", SEARCHED)),
        STUDY,
        {"largest_off": "the largest distance of κ(g(c*)) from 2"},
    ),
    Claim(
        "Regulators: c* reduces T by about κ/4",
        gain,
        "exactly κ²/(4(κ − 1)), to {off:.0e}; at κ = {kappa:.1f} that is {gain:.2f}, {departure:.1%} more than κ/4",
        Rule(at_most("off", 1e-9) & at_most("departure", 0.1)),
        STUDY,
        {"off": "the error of κ²/(4(κ − 1))", "departure": "what T gains beyond κ/4 at the largest κ"},
    ),
    Claim(
        "Regulators: of the models A to D only A has its optimum inside",
        interior,
        "{names} have, on all {cases} matrices with κ > 2: D = μ_max/√μ_min is the square root of A and least at "
        "the same c, to {apart:.0e} of λ_max",
        Rule(at_most("others", 0)),
        STUDY,
        {"others": "models besides A with an optimum inside"},
    ),
    Claim(
        "Regulators: κ → ∞ drives α → 1",
        limit,
        "with λ_max = 1 and λ_min → 0, α tends to {last:.6f} (κ = {kappa:.0e}); on the complete graphs K₄, K₅, K₆ κ "
        "grows from {kappa4:.1f} to {kappa6:.1f} and α falls, {k4:.3f}, {k5:.3f}, {k6:.3f}. It needs λ_max − 2λ_min "
        "→ ∞",
        Rule(at_most("gap", 0.01)),
        "fisher.regimes([1e-10, 1.0])",
        {"gap": "1 − α at the largest κ"},
    ),
    Claim(
        "Regulators: for κ^w μ_max the threshold is (w + 1)/w",
        general,
        "a case of κ_c = (1 + b/a)^(1/(p−1)) for κ^a μ_max^b and M = F^p: searches on {draws} random laws agree to "
        "{threshold_off:.0e} in κ_c and {damping_off:.0e} in c*. So any threshold above 1 can be had, and 2 is "
        "a choice",
        Rule(at_most("threshold_off", SEARCHED) & at_most("damping_off", SEARCHED)),
        STUDY,
        {"threshold_off": "the error of κ_c", "damping_off": "that of c*"},
    ),
    Claim(
        "Regulators: at J = ½ and β = ½ K₃ and K₄ have spreads Δα = 0.226, 0.397 and deviations δ = 0.167, 0.380",
        table,
        "Δα = {spread_k3:.4f}, {spread_k4:.4f} and δ = {deviation_k3:.4f}, {deviation_k4:.4f}: {right} of {count} "
        "agree; K₃ with the multiplicities of its two eigenvalues exchanged would have δ = {swapped:.3f}",
        Rule(at_least("right", "count"), partly=at_least("right", "count", times=0.5)),
        STUDY,
        {"right": "entries that agree", "count": "all entries"},
    ),
    Claim(
        "Regulators: the direction of the largest λ is the most classical (α_k → 1 is called quantum)",
        classical,
        "α_k = λ_k/(λ_k + β) rises with λ: on K₄ {top:.3f} for the largest and {bottom:.3f} for the smallest, and "
        "so on all {cases} matrices. By the paper's own α the direction of the largest λ is the most quantum",
        Rule(below("margin", 0)),
        STUDY,
        {"margin": "α_k of the largest λ minus that of the smallest, at its least"},
    ),
    Claim(
        "Regulators (the author's notes): Δα comes up to 1 − 1/κ, as β → 0",
        spread,
        "the largest spread over all β is (√κ − 1)/(√κ + 1), to {off:.0e}, at β = √(λ_min λ_max): for {{1, 5}} "
        "{found:.3f} at β = {at:.3f} and not {claimed:.3f}; as β → 0 it vanishes",
        Rule(at_most("short", 0.01)),
        STUDY,
        {"short": "what the largest spread falls short of 1 − 1/κ, at its least"},
    ),
    Claim(
        "Regulators: M is the Hessian of ln Z, which is F²",
        hessian,
        "the Hessian of ln Z of K₄ by differences is F to {metric:.0e} and is off F² by {square:.0%}; F² is JᵀJ "
        "with the mean parameters as structure",
        Rule(at_most("square", 1e-3)),
        STUDY,
        {"square": "its relative distance from F²"},
    ),
    Claim(
        "Regulators: the learning rule does not depend on the parametrisation",
        charts,
        "one normal distribution (σ = 2) has α = {list}; what no chart moves, to {kept:.0e}, are the α_k of the pair "
        "(M, F) carried over as tensors",
        Rule(at_most("apart", 1e-6)),
        "fisher.gaussian_charts(2.0)",
        {"apart": "the range of α over the charts"},
    ),
    Claim(
        "Regulators: the damping that learns fastest is c*",
        learning,
        "on {cases} matrices with κ > 2 and three losses {agree} of {count} learners (best step, 1/L, gradient "
        "flow, one fixed step) learn fastest there, while c = 0 and c = ∞ win. Only the step 1/κ(g) obeys, on the "
        "isotropic loss and on the likelihood, to {timid_off:.0e}, and it is slow: {slow:,.1f} steps against "
        "{fast:.1f} on {{1, 3, 10}}",
        Rule(at_least("agree", "count"), partly=at_least("agree", "count", times=0.5)),
        STUDY,
        {"agree": "learners that do", "count": "all of them"},
    ),
)
