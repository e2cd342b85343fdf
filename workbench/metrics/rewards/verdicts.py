"""What is claimed of STARC metrics, and what our studies measured. The paper's abstract and its code could be read.

Its regrets are estimates from roll-outs of greedy policies; those here are exact.
"""

from workbench import data
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most

CORRELATIONS, BOUNDS = "metrics/rewards_correlations.nc", "metrics/rewards_bounds.nc"
FOOLED, LAKE = "metrics/rewards_fooled.nc", "metrics/rewards_lake.nc"
ROUNDING = 1e-8


def bounded() -> Numbers:
    """Read the least and the greatest W/d of the sound distances over random MDPs."""
    ds = data.result(BOUNDS)
    found: dict[str, float | int] = {"count": ds.sizes["sample"]}
    for name in ("range", "val", "minimal", "epic"):
        found |= {
            f"{name}_least": float(ds.least.sel(yardstick=name)),
            f"{name}_most": float(ds.most.sel(yardstick=name)),
        }
    return found


def unsound() -> Numbers:
    """Read what EPIC and DARD see of their fooling pairs, and of a change that changes nothing."""
    ds = data.result(FOOLED).isel(size=-1)
    pair = ds.sel(yardstick=["epic", "dard"])
    return {
        "epic": float(pair.seen[0]),
        "dard": float(pair.seen[1]),
        "seen": float(pair.seen.max()),
        "regret": float(pair.regret.min()),
        "epic_harmless": float(pair.harmless[0]),
        "dard_harmless": float(pair.harmless[1]),
        "harmless": float(pair.harmless.min()),
        "val": float(ds.harmless.sel(yardstick="val")),
    }


def follows_regret() -> Numbers:
    """Read the rank correlations of distances with the regret of the other reward's best policy."""
    ds = data.result(CORRELATIONS)
    found = {}
    for measure in ("spearman", "pearson"):
        table = ds[measure].sel(target="greedy")
        found |= {f"{name}_{measure}": float(table.sel(yardstick=name)) for name in map(str, ds.yardstick.values)}
    starc = ds.sel(target="greedy", yardstick=["range", "val", "minimal"])
    return {
        **found,
        "samples": ds.sizes["sample"],
        "raw": found["direct_spearman"],
        "lead": float(starc.lead.min()),
        "low": float(starc.lead_low.min()),
        "any_low": float(starc.lead_low.max()),
    }


def safe() -> Numbers:
    """Read regret and distances on the frozen lake, where reward 2 asks 0.04 for every step."""
    ds = data.result(LAKE)
    found = {name: float(ds.distance.sel(yardstick=name)) for name in ("val", "minimal", "epic", "range")}
    found |= {name: float(ds[name][0]) for name in ("regret", "kept", "best")}
    return {**found, "largest": max(found["val"], found["minimal"])}


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "STARC metrics bound the worst-case regret from above and from below, so they are tight.",
        bounded,
        "Over {count:,} random MDPs regret ÷ distance lies in [{range_least:.6f}, {range_most:.6f}] for the range "
        "metric, whose bounds 1 and 2 hold in every MDP; VAL {val_least:.2g} to {val_most:.2g}, Minimal "
        "{minimal_least:.2g} to {minimal_most:.2g}: their constants are those of each MDP. EPIC "
        "{epic_least:.2g} to {epic_most:.2g}.",
        Rule(
            at_least("range_least", 1 - ROUNDING)
            & at_most("range_most", 2 + ROUNDING)
            & above("val_least", 0.0)
            & above("minimal_least", 0.0)
        ),
        "metrics.regret_bounds()",
        {
            "range_least": "the least ratio of the range metric",
            "range_most": "its greatest ratio",
            "val_least": "the least of VAL",
            "minimal_least": "the least of Minimal",
        },
    ),
    Claim(
        "Reward metrics of earlier work, EPIC and DARD, have problems: they do not bound the regret.",
        unsound,
        "Two rewards that order all policies in opposite ways (regret {regret:.6f}) are {epic:.4f} apart for EPIC and "
        "{dard:.4f} for DARD; a redistribution, which no policy notices, moves them by {epic_harmless:.2f} and "
        "{dard_harmless:.2f}, VAL by {val:.0e}.",
        Rule(
            at_most("seen", 0.002) & at_least("regret", 1 - ROUNDING) & at_least("harmless", 0.01),
            partly=at_least("harmless", 0.01),
        ),
        "metrics.fooled_distances()",
        {"seen": "the larger distance of a fooling pair", "regret": "its regret", "harmless": "the move without cause"},
    ),
    Claim(
        "In experiments STARC metrics follow the regret better than EPIC and DARD.",
        follows_regret,
        "Rank correlation with the exact regret of reward 2's best policy, {samples} pairs in random MDPs: range "
        "{range_spearman:.3f}, VAL {val_spearman:.3f}, Minimal {minimal_spearman:.3f}; EPIC {epic_spearman:.3f}, DARD "
        "{dard_spearman:.3f}; raw L² {raw:.3f}. The least lead of the three is {lead:.3f} (95 % interval over worlds "
        "from {low:+.3f}).",
        Rule(above("low", 0.0), partly=above("any_low", 0.0)),
        "metrics.regret_correlations(mdps=64)",
        {
            "low": "the lower end of the interval of the least lead over EPIC and DARD",
            "any_low": "that of the largest",
        },
    ),
    Claim(
        "What a bound invites to believe: rewards that are near by VAL or Minimal are safe to exchange.",
        safe,
        "On Gymnasium's frozen lake a cost of 0.04 a step is {val:.3f} away by VAL, {minimal:.3f} by Minimal and "
        "{epic:.3f} by EPIC, and its worst-case regret is {regret:.2f}; the policy that is best for it earns "
        "{kept:.4f} of {best:.4f}. The range metric says {range:.2f}.",
        Rule(at_most("regret", "largest", times=2.0)),
        "metrics.grid_rewards()",
        {"regret": "the worst-case regret", "largest": "the larger of both distances"},
    ),
)
"""The last row is no claim of the paper's, whose bounds hold with constants that an MDP fixes."""
