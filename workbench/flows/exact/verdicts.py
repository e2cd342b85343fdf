"""What is claimed of sparse Newton for entropic transport, and what ten cost matrices of each kind say.

The paper itself could not be read, only its abstract, digests that give its table, and the public reviews.
"""

import numpy as np
import xarray as xr

from workbench import data
from workbench.flows.exact.table import CASES
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, below, is_so

TABLE = "python data/make_flows_exact.py: flows.sns_experiment(…, repeats=10)"
SPARSITY = "python data/make_flows_exact.py: flows.sparsity_decay(etas=…)"
SWEEP = "python data/make_flows_exact.py: flows.sns_experiment(etas=…, repeats=3)"
SCALING = "python data/make_flows_exact.py: flows.exact_scaling(sizes=…)"


def _table(case: str) -> xr.Dataset:
    name = "sns_random" if case == "random" else "sns_digits"
    return data.result(f"flows/{name}.nc").sel(case=case).isel(eta=0)


def _spread(values: xr.DataArray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1))


def order_of_magnitude() -> Numbers:
    """Compare the steps of SNS with Sinkhorn's on random costs; Sinkhorn's are a lower bound where it was stopped."""
    ds = _table("random")
    sinkhorn = ds.sel(variant="sinkhorn")
    steps, deviation = _spread(sinkhorn.sinkhorn_steps)
    sns = ds.sel(variant="sns 10/n")
    total = sns.sinkhorn_steps + sns.newton_steps
    return {
        "ratio": float((sinkhorn.sinkhorn_steps / total).min()),
        "time_ratio": float((sinkhorn.seconds / sns.seconds).min()),
        "sinkhorn": steps,
        "deviation": deviation,
        "stopped": int((sinkhorn.converged == 0).sum()),
        "matrices": ds.sizes["repeat"],
        "sns": float(total.mean()),
        "sns_deviation": float(total.std(ddof=1)),
    }


def _newton_count(case: str, variant: str) -> Numbers:
    one = _table(case).sel(variant=variant)
    mean, deviation = _spread(one.newton_steps)
    return {
        "newton": mean,
        "deviation": deviation,
        "published": float(CASES[case].fact("published")[1]),
        "converged": int(one.converged.sum()),
        "matrices": one.sizes["repeat"],
        "error": float(one.marginal_error.median()),
    }


def count_on_random_costs() -> Numbers:
    """Count Newton steps at the published density, and at five times that."""
    dense = _table("random").sel(variant="sns 10/n").newton_steps
    return _newton_count("random", "sns 2/n") | {
        "denser": float(dense.mean()),
        "denser_deviation": float(dense.std(ddof=1)),
    }


def count_on_digits() -> Numbers:
    """Count Newton steps on pairs of digits, squared distance."""
    dense = _newton_count("digits-l2", "sns 15/n")
    return _newton_count("digits-l2", "sns 2/n") | {"denser": dense["newton"], "denser_converged": dense["converged"]}


def count_on_digits_l1() -> Numbers:
    """Count Newton steps on pairs of digits, ℓ¹ distance, started by 700 Sinkhorn steps."""
    newton = _table("digits-l1").sel(variant="newton")
    return _newton_count("digits-l1", "sns 15/n, 700 first") | {
        "full": float(newton.newton_steps.mean()),
        "full_converged": int(newton.converged.sum()),
    }


def sparsity_needed() -> Numbers:
    """Compare full Newton's time with Sinkhorn's and the fastest sparse variant that converged on every matrix."""
    ds = _table("random")
    sparse = ds.sel(variant=[name for name in ds.variant.values if str(name).startswith("sns")])
    all_done = sparse.converged.all("repeat")
    seconds = sparse.seconds.mean("repeat").where(all_done)
    best = int(np.nanargmin(seconds.values))
    newton = ds.sel(variant="newton")
    return {
        "sparse": float(seconds[best]),
        "name": str(seconds.variant.values[best]),
        "sinkhorn": float(ds.sel(variant="sinkhorn").seconds.mean()),
        "full": float(newton.seconds.mean()),
        "full_deviation": float(newton.seconds.std(ddof=1)),
        "steps": float(newton.newton_steps.mean()),
        "error": float(newton.marginal_error.max()),
    }


def other_etas() -> Numbers:
    """Ask at how many η the published density converges, and whether full Newton does at all."""
    ds = data.result("flows/sns_sweep.nc").isel(case=0)
    done = ds.converged.all("repeat")
    sns, newton = done.sel(variant="sns 2/n"), done.sel(variant="newton")
    failing = [f"{eta:g}" for eta in ds.eta.values[~sns.values.astype(bool)]]
    return {
        "count": ds.sizes["eta"],
        "sns": int(sns.sum()),
        "newton": int(newton.sum()),
        "largest": float(ds.eta.max()),
        "failing": ", ".join(failing) or "none",
        "steps": float(ds.newton_steps.sel(variant="newton", eta=ds.eta.max()).mean()),
    }


def without_sinkhorn() -> Numbers:
    """Leave Sinkhorn's first steps out (N₁ = 0)."""
    counts = {}
    for case in CASES:
        one = _table(case).sel(variant="sns 10/n, none first")
        counts[case.replace("-", "_")] = int(one.converged.sum())
    total = len(CASES) * _table("random").sizes["repeat"]
    return {**counts, "converged": sum(counts.values()), "total": total}


def accuracy_of_what() -> Numbers:
    """Compare the converged entropic cost with the true optimum."""
    one = _table("random").sel(variant="newton")
    mean, deviation = _spread(100 * one.excess)
    sweep = data.result("flows/sns_sweep.nc").isel(case=0).sel(variant="newton").excess.mean("repeat")
    return {
        "excess": mean,
        "deviation": deviation,
        "at_100": 100 * float(sweep.sel(eta=100)),
        "at_10000": 100 * float(sweep.sel(eta=1e4)),
        "error": float(one.marginal_error.max()),
    }


def few_entries() -> Numbers:
    """Read the mass outside the largest entries after the paper's twenty Sinkhorn steps, and at the end."""
    ds = data.result("flows/sns_sparsity.nc").sel(eta=1200.0)
    after = ds.outside.sel(iteration=20, method="nearest")
    first = ds.outside.isel(iteration=0)
    return {
        "one": float(after.sel(density=1)),
        "two": float(after.sel(density=2)),
        "ten": float(after.sel(density=10)),
        "steps": int(after.iteration),
        "begin": float(first.sel(density=2)),
        "end": float(ds.limit.sel(density=2)),
    }


def proved() -> Numbers:
    """Read how large a problem was solved exactly, with which gap and how few pairs."""
    ds = data.result("flows/exact_scaling.nc")
    last = ds.isel(size=-1)
    slope = np.polyfit(np.log(ds["size"].values[-4:]), np.log(ds.seconds.values[-4:]), 1)[0]
    return {
        "gap": float(ds.relative_gap.max()),
        "size": int(last["size"]),
        "value": float(last.value),
        "share": 100 * float(last.share_kept),
        "rounds": int(last.rounds),
        "slope": float(slope),
        "unique": bool(ds.unique.all()),
    }


CLAIMS = (
    Claim(
        "Sparse Newton needs far fewer steps than Sinkhorn: 29 against 56,199 (random costs, n = 500, η = 1200).",
        order_of_magnitude,
        "Sinkhorn {sinkhorn:.0f} ± {deviation:.0f} steps, stopped at the limit on {stopped} of {matrices} matrices; "
        "SNS (λ = 10/n) {sns:.1f} ± {sns_deviation:.1f}: {ratio:.0f} times fewer, {time_ratio:.0f} times as fast.",
        Rule(at_least("ratio", 100), partly=at_least("ratio", 10)),
        TABLE,
        {"ratio": "the smallest ratio of steps"},
    ),
    Claim(
        "Nine Newton steps suffice on random costs with λ = 2/n (the digest's table).",
        count_on_random_costs,
        "{newton:.0f} ± {deviation:.0f} steps at λ = 2/n over {matrices} matrices, {converged} converged; "
        "{denser:.1f} ± {denser_deviation:.1f} at λ = 10/n. The published count is that of a denser Hessian.",
        Rule(at_most("newton", "published", times=1.5), partly=at_most("denser", "published", times=1.5)),
        TABLE,
        {"newton": "steps at 2/n", "denser": "steps at 10/n"},
    ),
    Claim(
        "Thirty-three Newton steps suffice between two digits, squared distance, λ = 2/n (MNIST; here scikit-learn's).",
        count_on_digits,
        "At λ = 2/n {converged} of {matrices} pairs converge in at most 100 steps (median error {error:.0e}); at "
        "λ = 15/n {denser_converged}, after {denser:.0f} steps on average.",
        Rule(
            at_most("newton", "published", times=1.5) & at_least("converged", "matrices"),
            partly=at_least("denser_converged", "matrices", times=0.5),
        ),
        TABLE,
        {"newton": "steps at 2/n", "converged": "converged at 2/n", "denser_converged": "converged at 15/n"},
    ),
    Claim(
        "Seventy-seven suffice with ℓ¹ distance, after 700 Sinkhorn steps, λ = 15/n (MNIST; here scikit-learn's).",
        count_on_digits_l1,
        "{converged} of {matrices} pairs converge in at most 100 steps (median error {error:.0e}); full Newton with "
        "ε-scaling takes {full:.0f} steps and converges on {full_converged}.",
        Rule(
            at_most("newton", "published", times=1.5) & at_least("converged", "matrices"),
            partly=at_least("converged", "matrices", times=0.5),
        ),
        TABLE,
        {"newton": "steps"},
    ),
    Claim(
        "After a few Sinkhorn steps nearly all mass of the plan lies in λn² entries, λ = 1/n for a unique assignment "
        "(the theorem, as a digest tells it, for η large enough).",
        few_entries,
        "Random costs, n = 500, η = 1200, after {steps} steps: {one:.1%} of the mass outside n entries, {two:.2%} "
        "outside 2n, {ten:.0e} outside 10n. It is no matter of steps: outside 2n lie {begin:.2%} after the first and "
        "{end:.2%} in the converged plan.",
        Rule(at_most("one", 0.01), partly=at_most("ten", 1e-6)),
        SPARSITY,
        {"one": "mass outside n entries", "ten": "mass outside 10n entries"},
    ),
    Claim(
        "Newton pays only with a sparse Hessian (implied by the paper; a reviewer asks for rivals).",
        sparsity_needed,
        "At n = 500 full Newton takes {full:.2f} ± {full_deviation:.2f} s of one core ({steps:.0f} steps, error at "
        "most {error:.0e}), Sinkhorn {sinkhorn:.2g} s, the fastest sparse variant ({name}) {sparse:.2f} s.",
        Rule(at_least("full", "sinkhorn"), partly=below("sparse", "full", times=0.5)),
        TABLE,
        {
            "sparse": "seconds of the fastest sparse variant",
            "full": "seconds of full Newton",
            "sinkhorn": "those of Sinkhorn",
        },
    ),
    Claim(
        "It works at other η too (a reviewer's question: the paper has one).",
        other_etas,
        "λ = 2/n converges at {sns} of {count} values of η up to {largest:g} (not at {failing}, within 50 steps); full "
        "Newton with ε-scaling at {newton} of {count}, with {steps:.0f} steps at the largest.",
        Rule(at_least("sns", "count"), partly=at_least("sns", "count", times=0.5)),
        SWEEP,
        {"sns": "values of η at which it converges", "count": "values tried"},
    ),
    Claim(
        "Sinkhorn's steps before Newton are needed (a reviewer's question: N₁ = 0?).",
        without_sinkhorn,
        "Without them λ = 10/n converges on {converged} of {total} matrices: random {random}, digits {digits_l2} "
        "(squared distance) and {digits_l1} (ℓ¹).",
        Rule(below("converged", "total", times=0.1), partly=below("converged", "total")),
        TABLE,
        {"converged": "matrices that converge without", "total": "all"},
    ),
    Claim(
        "Machine accuracy at η = 1200 is accuracy of transport (a reviewer's question: what is the ground truth?).",
        accuracy_of_what,
        "The marginals are right to {error:.0e}, yet the plan costs {excess:.1f} ± {deviation:.1f} % more than the "
        "optimal assignment; {at_100:.0f} % at η = 100, {at_10000:.2f} % at 10⁴.",
        Rule(at_most("excess", 0.01), partly=at_most("excess", 1)),
        TABLE,
        {"excess": "excess over the optimum, in %"},
    ),
    Claim(
        "(Not in the paper.) Exact transport is proved at sizes where no matrix fits, looking at few pairs.",
        proved,
        "Torus → cube up to n = {size}: W₂² = {value:.10f}, relative gap at most {gap:.0e} with rounding allowed for, "
        "{share:.3f} % of the pairs kept, {rounds} rounds; time grows like n^{slope:.2f}.",
        Rule(at_most("gap", 1e-11) & is_so("unique") & above("size", 40_000), partly=at_most("gap", 1e-9)),
        SCALING,
        {"gap": "the largest relative gap", "unique": "every plan is the only one"},
    ),
)
