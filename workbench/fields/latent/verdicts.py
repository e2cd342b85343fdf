"""What is said of flows in latent spaces, and what holds on a law of digits whose exact field is known.

Of the paper the abstract and the code could be read. Its pictures of faces and churches need cards and downloads that
were not at hand and remain open; the additive form of its bound is judged as such, not as the paper's wording.
"""

import numpy as np

from workbench import data
from workbench.fields.latent.counterexample import KINDS, additive_counterexample
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, is_so

STUDY = "fields/latent_study.nc"
NETWORKS = "fields/latent_networks.nc"
CODED = "fields/latent_codecs.nc"
SPLIT = "fields/latent_pca.nc"
BENT = "fields/latent_autoencoder.nc"
SCRIPT = "python data/make_fields_latent.py"
PAPER = "Q. Dao, H. Phung, B. Nguyen, A. Tran, “Flow matching in latent space”, arXiv 2307.08698 (abstract)"
AFTER = "after Q. Dao et al., arXiv 2307.08698; not in its own words"


def objective_bounds() -> Numbers:
    """Return whether the classical bound lies above the flow's part in every run, and by how many powers of ten."""
    ds = data.result(STUDY)
    over = (ds.classical - np.log10(ds.flow)).values
    one_sided = (ds.one_sided - np.log10(ds.flow)).values
    return {
        "runs": int(over.size),
        "true": bool((over >= 0).all()),
        "least": float(over.min()),
        "most": float(over.max()),
        "one_sided": float(np.median(one_sided)),
    }


def best() -> Numbers:
    """Return the best latent dimension from the fewest and from the most points, with its lead over the next one.

    For a fitted mixture as the learner, and (``net_…``) for a network.
    """
    ds = data.result(STUDY)
    numbers: dict[str, float | str] = {
        "whole": int(ds.dimension[-1]),
        "most_latent": int(ds.dimension[-1]) // 2,
        "seeds": ds.sizes["seed"],
    }
    for name, k in (("few", 0), ("many", -1)):
        one = ds.isel(points=k)
        numbers |= {
            f"n_{name}": int(one.points),
            f"best_{name}": int(one.best),
            f"second_{name}": int(one.second),
            f"lead_{name}": float(one.lead),
            f"reach_{name}": 2 * float(one.lead_error),
            f"low_{name}": float(one.lead) - 2 * float(one.lead_error),
        }
        net = data.result(NETWORKS).sel(points=int(one.points))
        numbers |= {
            f"net_best_{name}": int(net.best),
            f"net_second_{name}": int(net.second),
            f"net_lead_{name}": float(net.lead),
            f"net_reach_{name}": 2 * float(net.lead_error),
            f"net_low_{name}": float(net.lead) - 2 * float(net.lead_error),
        }
    return numbers


def squares_add() -> Numbers:
    """Return the gap of the sum for principal axes and for an autoencoder, and the most by which it can be passed."""
    worst = {kind: float(additive_counterexample(kind=kind).worst_ratio) for kind in KINDS}
    one = additive_counterexample(1.0, 0.1)
    return {
        **worst,
        "worst": max(worst.values()),
        "squared": float(one.squared),
        "additive": float(one.additive),
        "gap": abs(float(data.result(SPLIT).gap)),
        "bent": abs(float(data.result(BENT).gap)),
    }


CLAIMS = (
    Claim(
        "The latent flow matching objective bounds W₂ between the reconstructed latent flow and the data.",
        objective_bounds,
        "true in all {runs} runs with sampled Lipschitz constants, 10^{least:.1f} to 10^{most:.0f} times the flow's "
        "part (one-sided bound: 10^{one_sided:.1f} times, median): clusters part with steep slopes near the end",
        Rule(is_so("true") & at_most("most", 1.0), partly=is_so("true") & at_least("least", 0.0)),
        SCRIPT,
        {"true": "the inequality is met", "most": "the largest overstatement in powers of ten", "least": "the least"},
        PAPER,
    ),
    Claim(
        "A flow in fewer latent dimensions gives the better law (an everyday belief; the paper claims less cost).",
        best,
        "with a fitted mixture as the learner, of {whole} dimensions {best_few} are best from {n_few:,} points, "
        "{lead_few:.3f} ± {reach_few:.3f} before {second_few}, and {best_many} from {n_many:,}, {lead_many:.3f} ± "
        "{reach_many:.3f} before {second_many}; with a network of 1,500 steps {net_best_few} and {net_best_many}, "
        "the latter {net_lead_many:.3f} ± {net_reach_many:.3f} before {net_second_many} (two standard errors, "
        "{seeds} seeds)",
        Rule(
            at_most("best_many", "most_latent")
            & above("low_many", 0.0)
            & at_most("net_best_many", "most_latent")
            & above("net_low_many", 0.0),
            partly=(at_most("best_few", "most_latent") & above("low_few", 0.0))
            | (at_most("net_best_many", "most_latent") & above("net_low_many", 0.0)),
        ),
        SCRIPT,
        {
            "best_many": "the best dimension from many points",
            "best_few": "that from few",
            "low_many": "the lower end of its lead",
            "low_few": "the lower end of its lead from few points",
            "net_best_many": "the network's best dimension from many points",
            "net_low_many": "the lower end of its lead",
            "most_latent": "half of all dimensions",
        },
        AFTER,
    ),
    Claim(
        "The squares add: W₂² ≤ ‖x − g(f(x))‖² + L_g² e^(1 + 2L̂) ∫E‖v − v̂‖² (this form as such; the paper's wording "
        "was not at hand).",
        squares_add,
        "holds for orthogonal decoders, not in general: with principal axes it is an identity (gap {gap:.0e}, "
        "autoencoder {bent:.2f}), but a decoder off by 1 and a field off by 0.1 give {squared:.4f} > {additive:.4f}, "
        "at worst {gaussian:.4f} times (translation: {translation:.4f}); the square of the sum always holds",
        Rule(at_most("worst", 1.0), partly=at_most("gap", 1e-9)),
        "fields.additive_counterexample(1.0, 0.1); " + SCRIPT,
        {"worst": "the largest W₂² ÷ the sum", "gap": "the gap for principal axes"},
        AFTER,
    ),
)
