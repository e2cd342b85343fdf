"""What is claimed of α and the ERG condition, and what holds.

The paper's abstract, the released package and its notes could be read; the theory's derivations are not judged here.
All numbers come from shipped studies of pretrained layers (read where their packages are installed), of spectra that
never learned anything, and of the error bars.
"""

import numpy as np
from scipy.stats import spearmanr, wilcoxon

from workbench import data
from workbench.metrics.spectra.erg import agreeing_share, erg_by_product, erg_of
from workbench.metrics.spectra.noise import edge_scale, mp_quantile
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, below, within

TABLE = "python data/make_metrics_spectra.py table: metrics.score_networks(networks)"
UNLEARNED = "python data/make_metrics_spectra.py: metrics.unlearned_spectra(repeats=100)"
COVERAGE = "python data/make_metrics_spectra.py: metrics.tail_coverage(repeats=400)"
TRAINING = "python data/make_metrics_spectra.py: metrics.training_spectra(seeds=range(5))"


def _table():
    return data.result("metrics/spectra_table.nc")


def _unlearned():
    return data.result("metrics/spectra_unlearned.nc")


def trend() -> Numbers:
    """Ask whether the gap between both thresholds rises with α over the pretrained layers."""
    ds = _table()
    rank, p = spearmanr(ds.alpha.values, ds.erg_gap.values)
    near = (ds.alpha >= 1.5) & (ds.alpha < 2)
    return {
        "rank": float(rank),
        "p": float(p),
        "layers": ds.sizes["layer"],
        "networks": len(np.unique(ds.network.values)),
        "crossing": float(ds.erg_gap.where(near).median()),
    }


def identity() -> Numbers:
    """Ask how far apart both thresholds are where α is near its "ideal", 2."""
    ds = _table()
    near = (ds.alpha >= 2) & (ds.alpha < 2.3)
    gap = float(abs(ds.erg_gap).where(near).median())
    within_tenth = abs(ds.erg_gap) < np.log(1.1)
    return {
        "gap": gap,
        "factor": float(np.exp(gap)),
        "near": int(near.sum()),
        "agree": int(within_tenth.sum()),
        "layers": ds.sizes["layer"],
        "share": float(within_tenth.mean()),
    }


def only_learning() -> Numbers:
    """Compare pretrained layers with spectra that never learned, at the same α."""
    ds, never = _table(), _unlearned()
    order = np.argsort(ds.alpha.values)
    alpha, gap = ds.alpha.values[order], ds.erg_gap.values[order]
    numbers: dict[str, float] = {}
    apart = []
    for law in ("lognormal-1", "lognormal-1.5", "lognormal-2", "lognormal-3"):
        mean = float(never.alpha.sel(law=law).mean())
        own = float(never.gap.sel(law=law).mean())
        place = int(np.clip(np.searchsorted(alpha, mean), 8, len(alpha) - 8))
        window = gap[place - 8 : place + 8]
        apart.append(abs(own - float(np.median(window))) / float(np.std(window)))
        name = law.replace("-", "_").replace(".", "_")
        numbers |= {f"{name}_alpha": mean, f"{name}_gap": own}
    return numbers | {"apart": max(apart)}


def ideal_law() -> Numbers:
    """Ask whether the law p ∝ λ^−2 itself meets the ERG condition."""
    ds = _unlearned().sel(law="pareto-2")
    gap = ds.gap_all.values
    shares = {f"share_{a}".replace(".", "_"): agreeing_share(a, 0.3) for a in (2.5, 3.0, 4.0)}
    error = float(gap.std(ddof=1) / np.sqrt(len(gap)))
    return {"gap": float(gap.mean()), "error": error, "least": abs(float(gap.mean())) - 1.96 * error, **shares}


def good_band() -> Numbers:
    """Ask how often pure noise lands in the range that the package calls good."""
    ds = _unlearned()
    share = ((ds.alpha >= 2) & (ds.alpha <= 6)).mean("repeat")
    numbers = {f"noise_{m}": float(share.sel(law=f"gaussian-{m}")) for m in (100, 300, 600)}
    numbers |= {f"alpha_{m}": float(ds.alpha.sel(law=f"gaussian-{m}").mean()) for m in (100, 300, 600)}
    table = _table()
    numbers["layers"] = float(((table.alpha >= 2) & (table.alpha <= 6)).mean())
    numbers["student"] = float(share.sel(law="student-2"))
    return numbers


def readings() -> Numbers:
    """Ask how many single layers can tell α from 2, the "ideal"."""
    ds = _table()
    holds_two = (ds.refit_low <= 2) & (ds.refit_high >= 2)
    good = (ds.alpha >= 2) & (ds.alpha <= 6)
    half = (ds.refit_high - ds.refit_low) / 2
    return {
        "share": float(holds_two.mean()),
        "exact_share": float(((ds.alpha_low <= 2) & (ds.alpha_high >= 2)).mean()),
        "tail": float(ds.tail_size.median()),
        "half": float(half.where(good).median()),
        "rejected": float((ds.p_value < 0.1).mean()),
        "decades": float(ds.decades.median()),
    }


def not_random() -> Numbers:
    """Ask how often the layer's α lies below that of its own entries shuffled."""
    ds = _table()
    return {
        "below": float((ds.alpha < ds.shuffled).mean()),
        "layer": float(ds.alpha.median()),
        "shuffled": float(ds.shuffled.median()),
    }


def nominal_bars() -> Numbers:
    """Hold the packages' σ against how much α scatters, for independent values and for eigenvalues."""
    ds = data.result("metrics/spectra_coverage.nc")
    nominal = ds["size"].sel(bar="nominal") / ds.alpha_sd
    covers = ds.covers.sel(bar="nominal")
    refit = ds.covers.sel(bar="refit")
    return {
        "pareto": float(nominal.sel(case="pareto-300")),
        "mixed_covers": float(covers.sel(case="mixed-1000")),
        "pareto_covers": float(covers.sel(case="pareto-300")),
        "mixed_refit": float(refit.sel(case="mixed-1000")),
        "pareto_refit": float(refit.sel(case="pareto-300")),
        "wishart": float(nominal.sel(case="inverse-wishart")),
        "covariance": float(nominal.sel(case="covariance")),
        "halves": float((ds["size"].sel(bar="matrix") / ds.alpha_sd).sel(case="covariance")),
        "worst": float(abs(np.log(nominal)).max()),
    }


def along_training() -> Numbers:
    """Ask whether α follows what the perceptron learns."""
    ds = data.result("metrics/spectra_training.nc")
    second = ds.alpha.isel(layer=1)
    ranks = [spearmanr(second.sel(seed=s).values, ds.accuracy.sel(seed=s).values)[0] for s in ds.seed.values]
    spread = float(ds.alpha.isel(step=-1, layer=1).std(ddof=1))
    half = float(((ds.alpha_high - ds.alpha_low) / 2).isel(step=-1, layer=1).mean())
    return {
        "rank": float(np.mean(ranks)),
        "worst_rank": float(np.max(ranks)),
        "first": float(second.isel(step=0).mean()),
        "last": float(second.isel(step=-1).mean()),
        "first_layer": float(ds.alpha.isel(layer=0, step=0).mean()),
        "last_layer": float(ds.alpha.isel(layer=0, step=-1).mean()),
        "shuffled": float(ds.shuffled.isel(layer=1, step=-1).mean()),
        "accuracy": float(ds.accuracy.isel(step=-1).mean()),
        "gap": float(ds.erg_gap.isel(step=-1, layer=1).mean()),
        "spread": spread,
        "half": half,
    }


def versions() -> Numbers:
    """Compare the layers of one model's versions in pairs: a newer one, and one fine-tuned."""
    ds = _table()
    by_name = {
        name: dict(zip(own.layer_name.values.tolist(), own.alpha.values.tolist(), strict=True))
        for name in ("CHGNet 0.2.0", "CHGNet 0.3.0", "CHGNet r2scan")
        for own in [ds.isel(layer=np.flatnonzero(ds.network.values == name))]
    }
    numbers: dict[str, float] = {}
    for key, old, new in (("newer", "CHGNet 0.2.0", "CHGNet 0.3.0"), ("tuned", "CHGNet 0.3.0", "CHGNet r2scan")):
        shared = [name for name in by_name[old] if name in by_name[new]]
        off = np.array([by_name[new][name] - by_name[old][name] for name in shared])
        numbers |= {key: float(np.median(off)), f"{key}_p": float(wilcoxon(off).pvalue), f"{key}_layers": len(off)}
    return numbers


def overflow() -> Numbers:
    """Count the eigenvalues that the package's running product and the running sum of logarithms find."""
    numbers = {}
    for m in (2000, 3000, 4000):
        values = mp_quantile(1.0, (np.arange(m) + 0.5) / m)
        numbers[f"product_{m}"] = erg_by_product(values)
        numbers[f"sum_{m}"] = erg_of(np.sort(values)).tail
    numbers["off"] = max(abs(numbers[f"product_{m}"] - numbers[f"sum_{m}"]) for m in (2000, 3000, 4000))
    return numbers


def spike_cut() -> Numbers:
    """Say how far beyond the edge of noise the package's cut for spikes lies, in Tracy–Widom widths."""
    numbers = {}
    for m in (300, 10_000):
        width = edge_scale(m, m)[1] / m  # in units of WᵀW/N with entries of variance 1
        numbers[f"widths_{m}"] = float(np.sqrt(width) / width)
    numbers["q95"] = 0.9793
    return numbers


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "α and the ERG condition align on pretrained networks: the closer a layer is to α = 2, the closer are the two "
        "thresholds (as a trend).",
        trend,
        "Over {layers} layers of {networks} networks ln(x_min/λ_ERG) rises with α: Spearman {rank:.2f} (p = {p:.0e}). "
        "Between α = 1.5 and 2 its median is {crossing:+.2f}.",
        Rule(at_least("rank", 0.5) & at_most("p", 1e-3), partly=above("rank", 0.2) & at_most("p", 1e-3)),
        TABLE,
        {"rank": "the rank correlation", "p": "its p-value"},
    ),
    Claim(
        "At α ≈ 2 the tail begins where the product of the largest eigenvalues is one (as an identity).",
        identity,
        "In the {near} layers with α from 2 to 2.3 the two thresholds differ by a factor of {factor:.2f} (median). "
        "Within a tenth they agree in {agree} of all {layers} layers.",
        Rule(at_most("gap", 0.0953), partly=at_most("gap", 0.405)),
        TABLE,
        {"gap": "the median |ln(x_min/λ_ERG)| of layers with α from 2 to 2.3"},
    ),
    Claim(
        "The alignment of α and ERG is a sign of learning.",
        only_learning,
        "Lognormal spectra that never learned lie on the same curve: σ = 1, 1.5, 2, 3 give α {lognormal_1_alpha:.2f}, "
        "{lognormal_1_5_alpha:.2f}, {lognormal_2_alpha:.2f}, {lognormal_3_alpha:.2f} and ln(x_min/λ_ERG) "
        "{lognormal_1_gap:+.2f}, {lognormal_1_5_gap:+.2f}, {lognormal_2_gap:+.2f}, {lognormal_3_gap:+.2f}: at most "
        "{apart:.1f} standard deviations from pretrained layers of the same α.",
        Rule(above("apart", 3), partly=above("apart", 2)),
        UNLEARNED,
        {"apart": "the largest distance of a lognormal law from layers of its α, in their standard deviations"},
    ),
    Claim(
        "The ideal law, a power law with α = 2, meets the ERG condition.",
        ideal_law,
        "400 values of a pure Pareto law with α = 2 have ln(x_min/λ_ERG) = {gap:.2f} ± {error:.2f}. Agreement is a "
        "statement on the tail's mass, x_min/mean = exp(−1/(α − 1)): over a bulk of mean 0.3 x_min both agree exactly "
        "at α = 2.5, 3 and 4 if the tail holds {share_2_5:.1%}, {share_3_0:.1%} and {share_4_0:.1%} of it.",
        Rule(at_most("least", 0.05)),
        UNLEARNED,
        {"least": "the lower end of |ln(x_min/λ_ERG)|"},
    ),
    Claim(
        "(Of the package.) α between 2 and 6 marks a layer as well trained.",
        good_band,
        "{layers:.0%} of the pretrained layers lie there, and so do {noise_100:.0%} of Gaussian matrices 100 × 100 (α "
        "{alpha_100:.1f} on average), {noise_300:.0%} of 300 × 300 ({alpha_300:.1f}), {noise_600:.0%} of 600 × 600 "
        "({alpha_600:.1f}), and {student:.0%} of those with Student-t(2) entries: the band must be read beside noise "
        "of the layer's own size and entries.",
        Rule(at_least("layers", 0.8) & at_most("noise_100", 0.05), partly=at_least("layers", 0.8)),
        UNLEARNED,
        {"layers": "the share of pretrained layers in the band", "noise_100": "that of Gaussian noise 100 × 100"},
    ),
    Claim(
        "α tells whether a single layer is ideal (2), over-trained (below) or good (above).",
        readings,
        "In {share:.0%} of the pretrained layers 2 lies inside the 95 % interval with the threshold chosen again ("
        "{exact_share:.0%} with it held); for layers in 2–6 its half-width is {half:.2f} (median), from {tail:.0f} "
        "values over {decades:.2f} powers of ten. The power law itself is rejected (p < 0.1) in {rejected:.0%}.",
        Rule(at_most("share", 0.05), partly=at_most("share", 0.2)),
        TABLE,
        {"share": "the share of layers that cannot be told from 2"},
    ),
    Claim(
        "(Not in the paper.) The tails of trained layers are not those of random entries.",
        not_random,
        "α lies below that of the layer's own entries shuffled in {below:.0%} of the layers (medians {layer:.2f} and "
        "{shuffled:.1f}). That says “not random”, and nothing of quality.",
        Rule(at_least("below", 0.9), partly=at_least("below", 0.7)),
        TABLE,
        {"below": "the share of layers below their shuffles"},
    ),
    Claim(
        "(Of the packages.) σ = (α − 1)/√n is the standard error of α.",
        nominal_bars,
        "For independent values of a power law σ is {pareto:.2f} times the true scatter and its exact interval holds "
        "{pareto_covers:.0%} of the time, {mixed_covers:.0%} over a bulk ({pareto_refit:.0%} and {mixed_refit:.0%} "
        "with the threshold chosen again). Eigenvalues repel each other: σ is {wishart:.1f} times the scatter of an "
        "inverse Wishart spectrum and {covariance:.1f} times that of a sample covariance, where halves of the rows "
        "tell {halves:.2f} times.",
        Rule(at_most("worst", 0.1823), partly=at_most("worst", 0.6931)),
        COVERAGE,
        {"worst": "the largest |ln(σ/scatter)| over the cases"},
    ),
    Claim(
        "α follows what a network learns (the paper's perceptron, here on digits).",
        along_training,
        "Over five seeds the second hidden layer goes from α {first:.2f} to {last:.2f} while test accuracy reaches "
        "{accuracy:.1%} (rank correlation {rank:.2f}); its shuffled entries end at {shuffled:.1f}. The first layer "
        "goes from {first_layer:.2f} to {last_layer:.2f}. At the end ln(x_min/λ_ERG) of the second is {gap:+.2f}.",
        Rule(below("worst_rank", -0.8), partly=below("rank", -0.5)),
        TRAINING,
        {"worst_rank": "the weakest rank correlation of α with accuracy over seeds", "rank": "its mean"},
    ),
    Claim(
        "(Of the package.) The better of two versions of a model has the lower α.",
        versions,
        "CHGNet 0.3.0 against 0.2.0: {newer:+.2f} (median of {newer_layers} paired layers, Wilcoxon p = "
        "{newer_p:.3f}). Fine-tuned on r²SCAN against 0.3.0: {tuned:+.4f} ({tuned_layers} layers, p = {tuned_p:.2f}). "
        "One pair of versions is an example, no more.",
        Rule(
            below("newer", 0) & at_most("newer_p", 0.05) & below("tuned", 0) & at_most("tuned_p", 0.05),
            partly=below("newer", 0) & at_most("newer_p", 0.05),
        ),
        TABLE,
        {
            "newer": "the median change to the newer version",
            "newer_p": "its p-value",
            "tuned": "that of fine-tuning",
            "tuned_p": "its p-value",
        },
    ),
    Claim(
        "(Of the package.) Products of eigenvalues find the ERG threshold.",
        overflow,
        "On Marchenko–Pastur spectra they find {product_2000} of 2,000 eigenvalues (right: {sum_2000}), {product_3000} "
        "of 3,000 ({sum_3000}) and {product_4000} of 4,000 ({sum_4000}): past some 2,500 they overflow. A running sum "
        "of logarithms does not.",
        Rule(at_most("off", 0)),
        "metrics.erg(eigenvalues)",
        {"off": "the largest difference"},
    ),
    Claim(
        "(Of the package.) Eigenvalues beyond the edge of noise plus the Tracy–Widom width are spikes.",
        spike_cut,
        "The package adds the *square root* of the width: {widths_300:.1f} widths at M = 300 and {widths_10000:.1f} at "
        "10,000, where the 95 % quantile stands at {q95:.2f}; weaker spikes are missed.",
        Rule(within("widths_300", "q95", 0.5) & within("widths_10000", "q95", 0.5)),
        "metrics.edge_test(weights)",
        {"widths_300": "the cut at M = 300", "widths_10000": "that at 10,000", "q95": "the quantile"},
    ),
)
