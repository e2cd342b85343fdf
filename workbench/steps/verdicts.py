"""What the paper claims and what the shipped studies measured; the numbers are read from the files, never typed."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from workbench import data
from workbench.verdicts import Outcome, Verdict

ALLOWED_POINTS = 5.0
SURVIVED = 0.9
CHANCE = 0.3
FEW = 0.1


def verdicts() -> list[Verdict]:
    """Return the rows of the steps room's verdict table. Raises ``FileNotFoundError`` if a study is missing."""
    rows: tuple[Callable[[], Verdict], ...] = (
        below_one_when_converged,
        below_one_early,
        linear_counterexample,
        bound_for_networks,
        where_the_series_ends,
        persistent_spike,
        every_optimiser,
        gradient_clipping,
        single_spike,
        forecasting,
        temperature_collapse,
    )
    return [row() for row in rows]


def study(name: str) -> xr.Dataset:
    """Open a shipped result of the room by name."""
    return data.result(f"steps/{name}.nc")


def below_one_when_converged() -> Verdict:
    """Whether converged nets keep their accuracy below r = 1."""
    lost = study("study_sweep").points_lost.sel(stage="converged")
    worst = float(lost.max())
    failures = int((lost > ALLOWED_POINTS).sum())
    where = lost.where(lost == lost.max(), drop=True)
    outcome = Outcome.HOLDS if failures == 0 else Outcome.PARTLY if failures < FEW * lost.size else Outcome.FAILS
    return Verdict(
        "A converged network keeps its accuracy while r = τ/ρ_a < 1",
        f"{failures} of {lost.size} sweeps (network × direction) lose more than 5 points; the worst loses {worst:.1f} "
        f"({where.network.values[0]}, {where.direction.values[0]})",
        outcome,
        "steps.sweep_study()",
    )


def below_one_early() -> Verdict:
    """Whether r < 1 protects early in training."""
    lost = study("study_sweep").points_lost.sel(stage="early")
    failures = int((lost > ALLOWED_POINTS).sum())
    where = lost.where(lost == lost.max(), drop=True)
    return Verdict(
        "r < 1 is safe at any time in training",
        f"after 20 steps {failures} of {lost.size} sweeps lose more than 5 points, at worst {float(lost.max()):.0f} "
        f"({where.network.values[0]}, {where.direction.values[0]})",
        Outcome.HOLDS if failures == 0 else Outcome.FAILS,
        "steps.sweep_study()",
    )


def linear_counterexample() -> Verdict:
    """The exactly linear example where a step below 1 doubles the loss."""
    ds = study("study_counterexamples")
    before, after = float(ds.linear_before), float(ds.linear_after)
    return Verdict(
        "A step of r < 1 along −∇L does not raise the loss",
        f"one input with both labels, linear logits, r = 0.9: the loss goes from {before:.6f} to {after:.6f}",
        Outcome.FAILS if after > before else Outcome.HOLDS,
        "steps.counterexamples()",
    )


def bound_for_networks() -> Verdict:
    """Whether ρ_a bounds the radius of a non-linear network from below."""
    ds = study("study_counterexamples")
    true, bound = float(ds.tanh_radius), float(ds.tanh_bound)
    return Verdict(
        "ρ_a is a lower bound on the radius of convergence",
        f"for linear logits, always; for z = (2 tanh(½+t), 0) the true radius is {true:.5f}, below ρ_a = {bound:.5f}",
        Outcome.PARTLY if true < bound else Outcome.HOLDS,
        "steps.counterexamples()",
    )


def where_the_series_ends() -> Verdict:
    """At which radius the Taylor series of the loss stops converging."""
    ds = study("taylor_orders")
    bound, convergence = float(ds.bound), float(ds.convergence)
    middle = np.sqrt(bound * convergence)
    order = int(ds.order.max())
    error = float(ds.error.sel(order=order).sel(tau=middle, method="nearest"))
    return Verdict(
        "Beyond ρ_a the Taylor series of the loss is of no use",
        f"tanh network: ρ_a = {bound:.3f}, the series converges to {convergence:.3f}; between the two, at "
        f"τ = {middle:.3f}, order {order} errs by {error:.0e}",
        Outcome.FAILS if error < 1e-3 else Outcome.HOLDS,
        'steps.taylor_orders("mlp-tanh")',
    )


def persistent_spike() -> Verdict:
    """Whether the controller survives a learning rate that stays wrong."""
    worst = _medians("study_spike_persistent")
    return Verdict(
        "The controller survives a learning rate that stays 1000 times too large",
        f"median accuracy over 5 seeds, worst of 3 nets: SafeStep {worst['safe']:.3f}, update clip "
        f"{worst['update-clip']:.3f}, Armijo {worst['armijo']:.3f}, none {worst['none']:.3f}",
        Outcome.HOLDS if worst["safe"] > SURVIVED else Outcome.FAILS,
        "steps.spike_table(persistent=True, multipliers=(1000,))",
    )


def every_optimiser() -> Verdict:
    """Whether the controller survives with every network and optimiser, and who else does."""
    survived = data.result("studies/spike-survival.nc").survived
    others = [dim for dim in survived.dims if dim != "rule"]
    share = survived.mean(others)
    safe, runs = float(share.sel(rule="safe")), survived.sizes["network"] * survived.sizes["optimizer"]
    lasting = survived.sel(persistent=True).mean([dim for dim in others if dim != "persistent"])
    listed = ", ".join(
        f"{label} {100 * float(lasting.sel(rule=name)):.0f} %"
        for name, label in (("update-clip", "update clip"), ("armijo", "Armijo"), ("none", "none"))
    )
    return Verdict(
        "The controller works around any optimiser",
        f"{runs} pairs of network and optimiser, spikes of 10 to 1000 times, three seeds: it survives "
        f"{100 * safe:.0f} % of the runs. Where the rate stays wrong: {listed}",
        Outcome.HOLDS if safe == 1 else Outcome.PARTLY if safe > SURVIVED else Outcome.FAILS,
        "workbench sweep studies/spike-survival-small.toml",
    )


def gradient_clipping() -> Verdict:
    """Whether gradient clipping protects Adam."""
    ds = study("study_spike_persistent")
    best = float(ds.accuracy.sel(rule="gradient-clip").median("seed").max())
    return Verdict(
        "Gradient clipping protects as well (folklore, not the paper)",
        f"with Adam, which does not see the scale of gradients, its best median accuracy of 3 nets is {best:.3f}",
        Outcome.FAILS if best < CHANCE else Outcome.PARTLY,
        "steps.spike_table(persistent=True, multipliers=(1000,))",
    )


def single_spike() -> Verdict:
    """What one wrong step does, and that a cheaper rule ties."""
    worst = _medians("study_spike_single")
    return Verdict(
        "After one step with a 1000-fold learning rate only the controller recovers",
        f"it does (worst median {worst['safe']:.3f}), but an update clip at twice the median, without any JVP, ties at "
        f"{worst['update-clip']:.3f}; none {worst['none']:.3f}, gradient clip {worst['gradient-clip']:.3f}",
        Outcome.PARTLY if worst["update-clip"] > SURVIVED else Outcome.HOLDS,
        "steps.spike_table(multipliers=(1000,))",
    )


def forecasting() -> Verdict:
    """Whether ρ_a forecasts damage better than curvature, in one currency."""
    spread = study("study_onset").spread.sel(damage="loss")
    names = {"bound": "ρ_a", "quadratic-root": "quadratic", "gauss-newton-root": "Gauss–Newton", "replay": "replay"}
    values = {label: float(spread.sel(predictor=name)) for name, label in names.items()}
    listed = ", ".join(f"{label} {value:.2f}" for label, value in values.items())
    return Verdict(
        "ρ_a forecasts the onset of damage better than curvature does",
        f"log10 sd of measured/predicted distance to twice the loss: {listed}",
        Outcome.HOLDS if values["ρ_a"] < values["quadratic"] else Outcome.FAILS,
        "steps.prediction_spread()",
    )


def temperature_collapse() -> Verdict:
    """Whether scaling by ρ_a(T) collapses the onsets of several temperatures."""
    ds = study("temperature_scaling")
    spread = dict(zip(ds.predictor.values.tolist(), ds.spread.values.tolist(), strict=True))
    return Verdict(
        "Scaling by ρ_a(T) collapses the onsets at all temperatures (0.992 → 0.164)",
        f"its numbers have no definition in the paper's code; log10 sd of measured/predicted on one net: raw "
        f"{spread['raw']:.3f}, ρ_a(T) {spread['bound']:.3f}, quadratic root {spread['quadratic']:.3f}",
        Outcome.OPEN,
        "steps.temperature_scaling()",
    )


def _medians(name: str) -> dict[str, float]:
    """Return for each rule the median accuracy over seeds on its worst network."""
    worst = study(name).accuracy.median("seed").min(["network", "multiplier"])
    return {str(rule): float(worst.sel(rule=rule)) for rule in worst.rule.values}
