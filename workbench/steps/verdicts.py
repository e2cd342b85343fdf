"""What the paper claims and what the shipped studies measured; numbers from the files, outcomes from stated rules."""

import xarray as xr

from workbench import data
from workbench.steps.saddles.verdicts import CLAIMS as SADDLES
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
    rising,
    said_in,
    within,
)

ALLOWED_POINTS = 5.0
"""Points of accuracy that a step may cost before it counts as damage."""
SURVIVED = 0.9
"""Test accuracy that counts as having survived a spike."""
CHANCE = 0.3
"""Test accuracy below which a net of ten classes is as good as lost."""
FEW = 0.1
ROUNDING = 1e-9
PAPER_RAW, PAPER_COLLAPSED = 0.992, 0.164
"""What the paper prints for the onsets of several temperatures before and after scaling by ρ_a(T)."""


def verdicts() -> list[Verdict]:
    """Return the rows of the steps room's verdict table. Raises ``FileNotFoundError`` if a study is missing."""
    return judge(CLAIMS)


def study(name: str) -> xr.Dataset:
    """Open a shipped result of the room by name."""
    return data.result(f"steps/{name}.nc")


def _points_lost(stage: str) -> Numbers:
    lost = study("study_sweep").points_lost.sel(stage=stage)
    where = lost.where(lost == lost.max(), drop=True)
    return {
        "failures": int((lost > ALLOWED_POINTS).sum()),
        "sweeps": lost.size,
        "worst": float(lost.max()),
        "where": f"{where.network.values[0]}, {where.direction.values[0]}",
    }


def below_one_when_converged() -> Numbers:
    """Count the sweeps of converged nets that lose accuracy below r = 1."""
    return _points_lost("converged")


def below_one_early() -> Numbers:
    """Count the sweeps that lose accuracy below r = 1 after twenty steps of training."""
    return _points_lost("early")


def linear_counterexample() -> Numbers:
    """Read the exactly linear example where a step below 1 doubles the loss."""
    ds = study("study_counterexamples")
    return {"before": float(ds.linear_before), "after": float(ds.linear_after)}


def bound_for_networks() -> Numbers:
    """Compare ρ_a with the exact radius of linearised logits, and with that of a non-linear net where it is known."""
    ds, linear = study("study_counterexamples"), study("zeros_map")
    return {
        "true": float(ds.tanh_radius),
        "bound": float(ds.tanh_bound),
        "violations": int((linear.bound > (1 + ROUNDING) * linear.exact).sum()),
        "samples": linear.bound.size,
    }


def where_the_series_ends() -> Numbers:
    """Read how well the highest Taylor polynomial does half-way (on a log scale) between ρ_a and convergence."""
    ds = study("taylor_orders")
    bound, convergence = float(ds.bound), float(ds.convergence)
    middle, order = (bound * convergence) ** 0.5, int(ds.order.max())
    error = float(ds.error.sel(order=order).sel(tau=middle, method="nearest"))
    return {"bound": bound, "convergence": convergence, "middle": middle, "order": order, "error": error}


def persistent_spike() -> Numbers:
    """Read how each rule survives a learning rate that stays wrong."""
    return _medians("study_spike_persistent")


def every_optimiser() -> Numbers:
    """Count the runs that survive, over all networks and optimisers."""
    survived = data.result("studies/spike-survival.nc").survived
    others = [dim for dim in survived.dims if dim != "rule"]
    lasting = survived.sel(persistent=True).mean([dim for dim in others if dim != "persistent"])
    names = {"clip": "update-clip", "armijo": "armijo", "none": "none"}
    return {
        "pairs": survived.sizes["network"] * survived.sizes["optimizer"],
        "seeds": survived.sizes["repeat"],
        "low": float(survived.multiplier.min()),
        "high": float(survived.multiplier.max()),
        "safe": float(survived.mean(others).sel(rule="safe")),
        **{short: float(lasting.sel(rule=name)) for short, name in names.items()},
    }


def gradient_clipping() -> Numbers:
    """Read how well gradient clipping protects Adam at its best."""
    accuracy = study("study_spike_persistent").accuracy.sel(rule="gradient-clip").median("seed")
    return {"best": float(accuracy.max()), "nets": accuracy.sizes["network"]}


def single_spike() -> Numbers:
    """Read what one wrong step does under each rule; ``rival`` is the best of all rules but the controller."""
    found = _medians("study_spike_single")
    return {**found, "rival": max(found[name] for name in ("none", "gradient_clip", "update_clip", "armijo"))}


def forecasting() -> Numbers:
    """Read how constant measured/predicted is for ρ_a and its rivals, in one currency."""
    spread = study("study_onset").spread.sel(damage="loss")
    names = {"bound": "bound", "quadratic": "quadratic-root", "gauss_newton": "gauss-newton-root", "replay": "replay"}
    return {short: float(spread.sel(predictor=name)) for short, name in names.items()}


def temperature_collapse() -> Numbers:
    """Read how constant measured/predicted is over temperatures, raw and scaled."""
    ds = study("temperature_scaling")
    return dict(zip(ds.predictor.values.tolist(), ds.spread.values.tolist(), strict=True))


def language_model() -> Numbers:
    """Read how a small language model ends under each rule, by its worst fault, in units of healthy training."""
    ds = study("study_text_survival")
    loss = ds.loss.median("seed")
    worst = (loss.drop_sel(fault="none").max("fault") / loss.sel(fault="none")).to_series().to_dict()
    rivals = {rule: value for rule, value in worst.items() if rule != "guard"}
    rate = loss.sel(fault="rate")
    return {
        "seeds": ds.sizes["seed"],
        "engaged": float(ds.engaged.sel(fault="none", rule="guard").mean()),
        "guard": float(worst["guard"]),
        "rival": float(min(rivals.values())),
        "rate": float(rate.sel(rule="guard")),
        "update_clip": float(rate.sel(rule="update-clip")),
        "bad": float(loss.sel(fault="batch", rule="guard")),
        "clip": float(loss.sel(fault="batch", rule="gradient-clip")),
    }


def _medians(name: str) -> Numbers:
    """Return for each rule the median accuracy over seeds on its worst network."""
    ds = study(name)
    worst = ds.accuracy.median("seed").min(["network", "multiplier"])
    by_rule = {str(rule).replace("-", "_"): float(worst.sel(rule=rule)) for rule in worst.rule.values}
    return {**by_rule, "seeds": ds.sizes["seed"], "nets": ds.sizes["network"]}


_LOSES = (
    "{failures} of {sweeps} sweeps (network × direction) lose more than 5 points; the worst loses {worst:.1f} ({where})"
)
_FAILURES = {"failures": "sweeps that lose more than 5 points", "sweeps": "all"}

SOFTMAX: tuple[Claim, ...] = (
    Claim(
        "A converged network keeps its accuracy while r = τ/ρ_a < 1",
        below_one_when_converged,
        _LOSES,
        Rule(at_most("failures", 0), partly=below("failures", "sweeps", times=FEW)),
        "steps.sweep_study()",
        _FAILURES,
    ),
    Claim(
        "r < 1 is safe at any time in training",
        below_one_early,
        f"after 20 steps {_LOSES}",
        Rule(at_most("failures", 0), partly=below("failures", "sweeps", times=FEW)),
        "steps.sweep_study()",
        _FAILURES,
    ),
    Claim(
        "A step of r < 1 along −∇L does not raise the loss",
        linear_counterexample,
        "one input with both labels, linear logits, r = 0.9: the loss goes from {before:.6f} to {after:.6f}",
        Rule(at_most("after", "before")),
        "steps.counterexamples()",
        {"after": "the loss after the step", "before": "before"},
    ),
    Claim(
        "ρ_a is a lower bound on the radius of convergence",
        bound_for_networks,
        "above the exact radius ρ* of linearised logits for {violations} of {samples} samples; for "
        "z = (2 tanh(½+t), 0) the true radius is {true:.5f}, ρ_a = {bound:.5f}",
        Rule(at_most("violations", 0) & at_most("bound", "true"), partly=at_most("violations", 0)),
        "steps.counterexamples()",
        {"bound": "ρ_a of the tanh example", "true": "its true radius", "violations": "samples with ρ_a > ρ*"},
    ),
    Claim(
        "Beyond ρ_a the Taylor series of the loss is of no use",
        where_the_series_ends,
        "tanh network: ρ_a = {bound:.3f}, the series converges to {convergence:.3f}; between the two, at "
        "τ = {middle:.3f}, order {order} errs by {error:.0e}",
        Rule(at_least("error", 1e-3), settled=rising("bound", "middle", "convergence")),
        'steps.taylor_orders("mlp-tanh")',
        {"error": "the error half-way", "bound": "ρ_a", "middle": "half-way"},
    ),
    Claim(
        "The controller survives a learning rate that stays 1000 times too large",
        persistent_spike,
        "median accuracy over {seeds} seeds, worst of {nets} nets: SafeStep {safe:.3f}, update clip "
        "{update_clip:.3f}, Armijo {armijo:.3f}, none {none:.3f}",
        Rule(above("safe", SURVIVED), settled=below("none", SURVIVED)),
        "steps.spike_table(persistent=True, multipliers=(1000,))",
        {"safe": "accuracy under SafeStep", "none": "accuracy without a guard"},
    ),
    Claim(
        "The controller works around any optimiser",
        every_optimiser,
        "{pairs} pairs of network and optimiser, spikes of {low:.0f} to {high:.0f} times, {seeds} seeds: it survives "
        "{safe:.0%} of the runs. Where the rate stays wrong: update clip {clip:.0%}, Armijo {armijo:.0%}, none "
        "{none:.0%}",
        Rule(at_least("safe", 1), partly=above("safe", SURVIVED)),
        "workbench sweep studies/spike-survival-small.toml",
        {"safe": "the share of runs that survive"},
    ),
    Claim(
        "Gradient clipping protects as well (folklore, not the paper)",
        gradient_clipping,
        "with Adam, which does not see the scale of gradients, its best median accuracy of {nets} nets is {best:.3f}",
        Rule(above("best", SURVIVED), partly=at_least("best", CHANCE)),
        "steps.spike_table(persistent=True, multipliers=(1000,))",
        {"best": "its best accuracy"},
    ),
    Claim(
        "After one step with a 1000-fold learning rate only the controller recovers",
        single_spike,
        "worst median accuracies: SafeStep {safe:.3f}; an update clip at twice the median, without any JVP, "
        "{update_clip:.3f}; Armijo {armijo:.3f}, none {none:.3f}, gradient clip {gradient_clip:.3f}",
        Rule(above("safe", SURVIVED) & at_most("rival", SURVIVED), partly=above("safe", SURVIVED)),
        "steps.spike_table(multipliers=(1000,))",
        {"safe": "accuracy under SafeStep", "rival": "the best of the others"},
    ),
    Claim(
        "ρ_a forecasts the onset of damage better than curvature does",
        forecasting,
        "log10 sd of measured/predicted distance to twice the loss: ρ_a {bound:.2f}, quadratic {quadratic:.2f}, "
        "Gauss–Newton {gauss_newton:.2f}, replay {replay:.2f}",
        Rule(
            below("bound", "quadratic") & below("bound", "gauss_newton"),
            partly=below("bound", "quadratic") | below("bound", "gauss_newton"),
        ),
        "steps.prediction_spread()",
        {"bound": "the spread of ρ_a", "quadratic": "the quadratic root's", "gauss_newton": "the Gauss–Newton root's"},
    ),
    Claim(
        f"Scaling by ρ_a(T) collapses the onsets at all temperatures ({PAPER_RAW} → {PAPER_COLLAPSED})",
        temperature_collapse,
        "its numbers have no definition in the paper's code; log10 sd of measured/predicted on one net: raw {raw:.3f}, "
        "ρ_a(T) {bound:.3f}, quadratic root {quadratic:.3f}",
        Rule(
            within("bound", PAPER_COLLAPSED, PAPER_COLLAPSED, times=0.1),
            partly=below("bound", "raw"),
            settled=within("raw", PAPER_RAW, PAPER_RAW, times=0.1),
        ),
        "steps.temperature_scaling()",
        {"raw": "our raw spread", "bound": "the spread of ρ_a(T)"},
    ),
    Claim(
        "A language model survives under the controller, which healthy training does not notice (ours, not the paper)",
        language_model,
        "held-out loss over that of healthy training, worst of four faults, {seeds} seeds: guard {guard:.2f}, best "
        "other rule {rival:.2f}; engaged in {engaged:.1%} of healthy steps. Not everywhere the best: after a wrong "
        "rate {rate:.2f} against {update_clip:.2f} of an update clip, after bad batches {bad:.2f} against {clip:.2f} "
        "of gradient clipping",
        Rule(
            at_most("guard", 1.1) & at_most("engaged", 0.02),
            partly=below("guard", "rival") & at_most("engaged", 0.02),
        ),
        "steps.text_survival()",
        {"guard": "its worst loss ratio", "rival": "the best of the others'", "engaged": "healthy steps changed"},
    ),
)

CLAIMS: tuple[Claim, ...] = (
    *said_in("P. Sao, arXiv 2603.13552 (softmax)", SOFTMAX),
    *said_in("R. Goswami and H. Jónsson, arXiv 2510.06030 (saddles)", SADDLES),
)
