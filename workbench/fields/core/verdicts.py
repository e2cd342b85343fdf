"""What is said of flow matching as such, and what holds where the exact field is known.

Everything is measured on five Gaussians in the plane with a network of 34,000 parameters, or in closed form between two
Gaussians; images and larger networks remain open. The theorems are the papers', the two everyday beliefs nobody's.
"""

import numpy as np

from workbench import data
from workbench.fields.core.exact import exact_field
from workbench.fields.core.irreducible import total_of_u
from workbench.fields.core.laws import gaussian
from workbench.fields.core.shipped import BUDGETS, STUDY
from workbench.transport import gaussian_wasserstein
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, is_so

SCRIPT = "python data/make_fields_core.py"
SETTLED = 1.05
"""A last distance up to so many times the best one counts as no rise: looks have standard errors of 2 to 5 %."""
START, END = gaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 0.1]]), gaussian([0.0, 0.0], [[0.5, 0.4], [0.4, 0.5]])
"""Two covariances that do not commute."""


def identity() -> Numbers:
    """Return by how many standard errors loss on fresh pairs and L* + distance to the exact field differ at most."""
    ds = data.result(STUDY)
    off = (ds.held_out - ds.irreducible - ds.truth) / ds.held_out_error
    last = ds.isel(step=-1)
    return {
        "largest": float(np.abs(off).max()),
        "runs": ds.sizes["points"] * ds.sizes["seed"],
        "looks": int(off.size),
        "loss": float(last.held_out.mean()),
        "sum": float((last.irreducible + last.truth).mean()),
    }


def belief_in_the_loss() -> Numbers:
    """Return, for few and for many points, the last distance to the truth ÷ the best one: least over the seeds."""
    ds = data.result(STUDY)
    numbers: dict[str, float] = {}
    for points in ds.points.values:
        one = ds.sel(points=points)
        ratio = one.truth.isel(step=-1) / one.truth.min("step")
        best = one.truth.argmin("step")
        # Of batches, so a mean of the last looks against one around the best
        loss = one.loss.isel(step=slice(-3, None)).mean("step") - one.loss.isel(step=best)
        numbers[f"rise_{points}"] = float(ratio.min())
        numbers[f"loss_{points}"] = float(loss.max())
        numbers[f"step_{points}"] = float(one.step[int(np.argmin(one.truth.mean("seed").values))])
    return {**numbers, "seeds": ds.sizes["seed"]}


def optimal_map() -> Numbers:
    """Return how far the flow of the independent coupling travels between two Gaussians, beside W₂²."""
    field = exact_field(START, END)
    s0, s1 = START.covariances[0], END.covariances[0]
    origin = field.flow_map(np.zeros((1, 2)))
    matrix = (field.flow_map(np.eye(2)) - origin).T
    cost = float(np.trace(s0) + np.trace(s1) - 2 * np.trace(matrix @ s0))
    least = gaussian_wasserstein([0, 0], s0, [0, 0], s1)
    arrives = float(np.abs(matrix @ s0 @ matrix.T - s1).max())
    straight = total_of_u(exact_field(START, END, "optimal"))
    return {"cost": cost, "least": least, "excess": cost / least - 1, "arrives": arrives, "straight": straight}


def classical_bound() -> Numbers:
    """Return how the classical bound stands to the measured distance of both flows, over all networks that ship."""
    ds = data.result(BUDGETS)
    over = (ds.classical - np.log10(ds.coupled)).values
    proved = (ds.certified - np.log10(ds.coupled)).values
    return {
        "networks": over.size,
        "true": bool((over >= 0).all()),
        "least": float(over.min()),
        "most": float(over.max()),
        "least_proved": float(proved.min()),
    }


CLAIMS = (
    Claim(
        "Regressing on x₁ − x₀ is regressing on the exact field: the two losses differ by a constant (Lipman et al., "
        "2022, theorem 2).",
        identity,
        "at {looks} looks in {runs} trainings, loss on fresh pairs and L* + E‖v̂ − v*‖² differ by at most {largest:.1f} "
        "standard errors; at the end {loss:.3f} and {sum:.3f}",
        Rule(at_most("largest", 4.0)),
        SCRIPT,
        {"largest": "the largest difference in standard errors"},
        "Y. Lipman et al., “Flow matching for generative modeling”, arXiv 2210.02747",
    ),
    Claim(
        "As the training loss falls, the field comes nearer the truth.",
        belief_in_the_loss,
        "distance to the exact field at the end ÷ its best, least of {seeds} seeds: {rise_32:.2f} from 32 points (best "
        "near step {step_32:.0f}), {rise_128:.2f} from 128, {rise_1024:.2f} from 1,024; meanwhile the loss on batches "
        "changed by {loss_32:+.2f} and {loss_128:+.2f} (largest of the seeds): the optimum of a finite sample is the "
        "memoriser",
        Rule(
            at_most("rise_32", SETTLED) & at_most("rise_128", SETTLED) & at_most("rise_1024", SETTLED),
            partly=at_most("rise_1024", SETTLED) & above("rise_32", SETTLED),
        ),
        SCRIPT,
        {
            "rise_32": "the rise from 32 points",
            "rise_128": "the rise from 128",
            "rise_1024": "the rise from 1,024",
        },
    ),
    Claim(
        "Flow matching between two Gaussians finds the optimal transport map.",
        optimal_map,
        "for two covariances that do not commute the exact flow arrives (to {arrives:.0e}) but travels {cost:.4f}, "
        "{excess:.1%} more than W₂² = {least:.4f}",
        Rule(at_most("excess", 1e-9), partly=at_most("excess", 0.01)),
        'fields.exact_field(a, b).flow_map(x), and coupling="optimal"',
        {"excess": "the excess over W₂²"},
    ),
    Claim(
        "W₂² ≤ e^(1 + 2L̂) ∫E‖v̂ − v*‖² controls the error of the generated law (the classical form of Grönwall's "
        "bound; L̂ sampled).",
        classical_bound,
        "true for all {networks} trained networks, and 10^{least:.1f} to 10^{most:.1f} times the measured distance of "
        "both flows; with a proved Lipschitz constant 10^{least_proved:.0f} times or more",
        Rule(is_so("true") & at_most("most", 1.0), partly=is_so("true") & at_least("least", 0.0)),
        "fields.budget_study()",
        {"true": "the inequality is met", "most": "the largest overstatement in powers of ten", "least": "the least"},
    ),
)
