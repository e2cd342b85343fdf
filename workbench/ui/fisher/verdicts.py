"""What the paper says and what this room measured; the numbers are read from the shipped results."""

import functools

from workbench import fisher
from workbench.fisher import paper
from workbench.verdicts import Outcome, Verdict


@functools.cache
def verdicts() -> tuple[Verdict, ...]:
    """Return the rows of the verdict table."""
    exact, beyond = fisher.shipped_scaling(), fisher.shipped_extrapolation()
    return (
        _headline(exact),
        _monte_carlo(exact),
        _limit(exact, beyond),
        _rule(exact, beyond),
        _logarithm(beyond),
        *(_other(model) for model in ("potts-3", "potts-4", "ising-3d")),
        Verdict(
            "R₃ = −R₁/2 and R₄ = −R₂/2 in the data, as a check of the computation",
            "true, and true of any symmetric tensor, random ones included: it is algebra and checks nothing",
            Outcome.PARTLY,
            "fisher.random_ricci_terms()",
        ),
        Verdict(
            "(often expected of a critical point, whoever says it) R peaks at J_c",
            "on a finite torus R/n falls smoothly and monotonically through J_c; there is no peak to find",
            Outcome.FAILS,
            "fisher.coupling_sweep(16, 0.3, 0.6)",
        ),
    )


def _headline(exact) -> Verdict:
    low, high = paper.HEADLINE_WINDOW
    fit = fisher.fit_power_law(exact.sites, exact.scalar_curvature, window=(low**2, high**2))
    return Verdict(
        f"2-D Ising, L = 6…9: d_R = {paper.HEADLINE_EXPONENT} ± {paper.HEADLINE_ERROR}",
        f"least squares of exact values: {fit.exponent:.4f} ± {fit.error:.4f}",
        Outcome.HOLDS,
        "fisher.curvature_scaling(range(6, 10)).fitted_exponent",
    )


def _monte_carlo(exact) -> Verdict:
    table = fisher.published("ising-2d")
    values = -exact.scalar_curvature.sel(L=table.L).values
    worst = abs((table.absolute_curvature.values - values) / table.absolute_curvature_error.values).max()
    return Verdict(
        "2-D Ising Monte Carlo, L = 10…24",
        f"all {table.sizes['L']} values agree with the exact ones; the largest is {worst:.1f} of its errors away",
        Outcome.HOLDS,
        'fisher.published("ising-2d")',
    )


def _limit(exact, beyond) -> Verdict:
    d = exact.effective_exponent.values
    top = int(exact.effective_exponent.where(exact.pair > 6).argmax("pair"))
    return Verdict(
        "2-D Ising: d_R → 10/9 = 1.1111",
        f"the exact effective exponent rises to {d[top]:.4f} near L = {float(exact.pair[top]):.0f}, passes 10/9 and is "
        f"{d[-1]:.4f} between L = {int(exact.smaller[-1])} and {int(exact.larger[-1])}; with ‖T‖² extrapolated it is "
        f"{float(beyond.effective_exponent[-1]):.4f} between {int(beyond.smaller[-1])} and {int(beyond.larger[-1])}",
        Outcome.FAILS,
        "fisher.exact_scaling(); fisher.extrapolated_curvature()",
    )


def _rule(exact, beyond) -> Verdict:
    verdict = fisher.falsify(beyond.L, beyond.scalar_curvature, 10 / 9, errors=beyond.scalar_curvature_error)
    return Verdict(
        "the author's own rule: rejected if extrapolated d_eff is off by more than 3σ over three consecutive pairs",
        f"for L = {int(beyond.L[0])}…{int(beyond.L[-1])}: {verdict.sentence}",
        Outcome.FAILS if verdict.rejected else Outcome.OPEN,
        "fisher.falsify(ds.L, ds.scalar_curvature, 10 / 9, errors=ds.scalar_curvature_error)",
    )


def _logarithm(beyond) -> Verdict:
    fit = fisher.fit_logarithm(beyond.L, beyond.scalar_curvature / beyond.sites)
    return Verdict(
        "2-D Ising: curvature grows as a pure power of n",
        f"−R/n = {fit.slope:.2f} ln L {fit.constant:+.2f} for L ≥ {int(beyond.L[0])} to within {fit.residual:.2f}: "
        "exponent one with a logarithm describes the large sizes",
        Outcome.FAILS,
        "fisher.fit_logarithm(ds.L, ds.scalar_curvature / ds.sites)",
    )


def _other(model: str) -> Verdict:
    ds = fisher.compare_model(model)
    fitted, error = float(ds.fitted_paper), float(ds.fitted_error_paper)
    predicted, rival = float(ds.predicted_exponent), float(ds.specific_heat_exponent)
    off = abs(fitted - predicted) / error
    return Verdict(
        f"{ds.attrs['label']}: d_R = {predicted:.4f}",
        f"a power law through the paper's own points gives {fitted:.4f} ± {error:.4f}, {off:.0f} errors away; "
        f"ours give {float(ds.fitted_ours):.4f} ± {float(ds.fitted_error_ours):.4f}; 1 + α/(dν) would be {rival:.4f}. "
        "Sizes are small and corrections large",
        Outcome.OPEN,
        f'fisher.compare_model("{model}")',
    )
