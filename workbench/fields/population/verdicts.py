"""What meta flow matching claims, on letters and swarms that no training saw, and what knowing a population is worth.

The paper's drug screens need data that do not ship: they remain open. Populations are the units of every interval,
three trainings of equal steps its second layer; every network is small.
"""

from collections.abc import Mapping

import numpy as np

from workbench import data
from workbench.fields.population.gap import gap_of
from workbench.fields.population.laws import populations
from workbench.fields.population.shipped import GAP, MORE, MORE_LETTERS, SETTINGS, STUDIES
from workbench.verdicts import Claim, Numbers, Rule, above, at_most, below

SCRIPT = "python data/make_fields_populations.py"


def _gain(study: str) -> dict[str, float]:
    ds = data.result(study)
    names = ds.field.values.tolist()
    k = names.index("meta-flow-matching")
    means = ds.distance.mean(("seed", "population")).values
    gain, reach = float(ds.mean_gain[k]), float(ds.reach[k])
    return {
        "gain": gain,
        "reach": reach,
        "low": gain - reach,
        "high": gain + reach,
        "least_seed": float(ds.seed_gain[k].min()),
        "wins": int(ds.wins[k]),
        "count": ds.sizes["population"],
        "seeds": ds.sizes["seed"],
        **{name.replace("-", "_"): float(value) for name, value in zip(names, means, strict=True)},
    }


def letters() -> Numbers:
    """Return the paired gain of meta flow matching on unseen letters, with what else there is to know."""
    return _letters(STUDIES["letters"], SETTINGS["letters"])


def more_letters() -> Numbers:
    """Return the same with ten of each letter to train on instead of three."""
    return _letters(MORE, MORE_LETTERS)


def _letters(study: str, settings: Mapping[str, int]) -> Numbers:
    ds = data.result(study)
    k = ds.field.values.tolist().index("meta-flow-matching")
    return {
        **_gain(study),
        "fresh": float(ds.mean_gain_fresh[k]),
        "fresh_reach": float(ds.reach_fresh[k]),
        "train": settings["train"],
        "steps": settings["steps"],
    }


def swarms() -> Numbers:
    """Return the paired gain on unseen swarms."""
    return _gain(STUDIES["swarm"])


def against_the_law() -> Numbers:
    """Return how many times farther from the truth the network ends than the fitted law of pairs."""
    found = _gain(STUDIES["swarm"])
    return {**found, "times": found["meta_flow_matching"] / found["interaction_kernel"]}


def embeddings() -> Numbers:
    """Return how much nearer than deep sets the paper's graph ends, paired over the populations of both studies."""
    from scipy.stats import t as student

    numbers: dict[str, float] = {}
    for kind in STUDIES:
        ds = data.result(STUDIES[kind])
        names = ds.field.values.tolist()
        apart = (
            ds.gain.values[names.index("meta-flow-matching-graph")] - ds.gain.values[names.index("meta-flow-matching")]
        )
        reach = apart.std(ddof=1) / np.sqrt(len(apart)) * student.ppf(0.975, len(apart) - 1)
        numbers |= {kind: float(apart.mean()), f"{kind}_reach": float(reach)}
        numbers |= {f"{kind}_low": numbers[kind] - float(reach), f"{kind}_high": numbers[kind] + float(reach)}
    return numbers


def worth() -> Numbers:
    """Return the most that an embedding can gain in the loss, for populations that overlap and that do not."""
    found: dict[str, float] = {}
    for name, separation in (("near", 0.0), ("apart", 50.0)):
        those = populations("mixtures", 12, 2, 0, separation=separation)
        ds = gap_of([one.field for one in those if one.field is not None], 20, 8)
        found |= {name: float(ds.total), f"{name}_share": float(ds.share)}
    letters = data.result(GAP)
    return {**found, "letters": float(letters.total), "letters_error": float(letters.total_error),
            "letters_share": float(letters.share)}  # fmt: skip


PAPER = "L. Atanackovic et al., “Meta flow matching”, arXiv 2408.14608"
TOLD = {
    "low": "the lower end of the 95 % interval",
    "high": "its upper end",
    "least_seed": "the least mean of a training",
}
CLAIMS = (
    Claim(
        "Meta flow matching predicts unseen letters better than flow matching.",
        letters,
        "W₂ to the truth {meta_flow_matching:.4f} against {flow_matching:.4f} (no change {no_change:.3f}, exact "
        "optimum of flow matching {flow_matching_optimum:.4f}, exact field {exact:.3f}): gain {gain:+.4f} ± "
        "{reach:.4f} over {count} populations, nearer on {wins}; against fresh samples {fresh:+.4f} ± "
        "{fresh_reach:.4f}; worst of {seeds} trainings {least_seed:+.4f}; {train} training letters and {steps:,} steps "
        "of a small network are far less than the paper's",
        Rule(above("low", 0.0) & above("least_seed", 0.0), settled=above("low", 0.0) | below("high", 0.0)),
        SCRIPT,
        TOLD,
        PAPER,
    ),
    Claim(
        "… predicts unseen letters better, with as many to train on as in the paper.",
        more_letters,
        "with ten of each letter to train on W₂ to the truth is {meta_flow_matching:.4f} against {flow_matching:.4f} "
        "(no change {no_change:.3f}, exact optimum of flow matching {flow_matching_optimum:.4f}, exact field "
        "{exact:.3f}): gain {gain:+.4f} ± {reach:.4f} over {count} populations, nearer on {wins}; against fresh "
        "samples {fresh:+.4f} ± {fresh_reach:.4f}; worst of {seeds} trainings {least_seed:+.4f}; {train} letters to "
        "train on and {steps:,} steps of a small network",
        Rule(above("low", 0.0) & above("least_seed", 0.0), settled=above("low", 0.0) | below("high", 0.0)),
        SCRIPT,
        TOLD,
        PAPER,
    ),
    Claim(
        "Meta flow matching predicts unseen populations of interacting particles better than flow matching.",
        swarms,
        "W₂ to the truth {meta_flow_matching:.3f} against {flow_matching:.3f} (no change {no_change:.3f}): gain "
        "{gain:+.3f} ± {reach:.3f} over {count} swarms, nearer on {wins}; worst of {seeds} trainings {least_seed:+.3f}",
        Rule(above("low", 0.0) & above("least_seed", 0.0), settled=above("low", 0.0) | below("high", 0.0)),
        SCRIPT,
        TOLD,
        PAPER,
    ),
    Claim(
        "For interacting particles, learning a function of the whole population is what is needed.",
        against_the_law,
        "one function of a distance, fitted by least squares to the same followed particles, ends "
        "{interaction_kernel:.4f} from the truth, the network {meta_flow_matching:.3f}: {times:.0f} times farther. It "
        "needs a law of pairs and particles that are followed; the network needs neither",
        Rule(at_most("times", 1.0), partly=at_most("times", 2.0)),
        SCRIPT,
        {"times": "the ratio of both distances"},
        "the reading of meta flow matching as a model of interactions",
    ),
    Claim(
        "A graph of nearest neighbours embeds populations better than a mean over their points.",
        embeddings,
        "W₂ falls by {letters:+.4f} ± {letters_reach:.4f} on letters and by {swarm:+.3f} ± {swarm_reach:.3f} on swarms "
        "when deep sets give way to the graph, at equal steps",
        Rule(
            above("letters_low", 0.0) & above("swarm_low", 0.0),
            partly=above("letters_low", 0.0) | above("swarm_low", 0.0),
            settled=(above("letters_low", 0.0) | below("letters_high", 0.0))
            & (above("swarm_low", 0.0) | below("swarm_high", 0.0)),
        ),
        SCRIPT,
        {
            "letters_low": "the lower end of the interval on letters",
            "letters_high": "its upper end",
            "swarm_low": "the lower end on swarms",
            "swarm_high": "its upper end",
        },
        "the choice of embedding in the paper's code",
    ),
    Claim(
        "Telling a field its population helps.",
        worth,
        "the most that any embedding can gain in the loss is G = {letters:.4f} ± {letters_error:.4f} on letters, "
        "where one field explains {letters_share:.0%} of the explainable; {near:.2f} on blobs that overlap and "
        "{apart:.1e} on blobs that do not, where a point betrays its population",
        Rule(above("apart", 1e-3), partly=above("near", 1e-3) & above("letters", 1e-3)),
        "fields.population_gap(kind, separation=…)",
        {"apart": "G of populations apart", "near": "G of overlapping ones", "letters": "G of letters"},
        "the premise of conditioning on populations",
    ),
)
