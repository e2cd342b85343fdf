"""What is claimed of the information-estimation metric, and what holds.

The paper's abstract and its released code could be read, its theorems and tables of human judgements could not; the
model of ImageNet and the judgements do not ship with Python packages, so no claim about them is repeated here.
"""

import functools

import numpy as np

from workbench import data
from workbench.metrics.signals.blind import signal_invariances
from workbench.metrics.signals.distance import iem, information_balance
from workbench.metrics.signals.examples import bumps, paper_mixture
from workbench.metrics.signals.features import squared_distances
from workbench.metrics.signals.mixture import Mixture
from workbench.metrics.signals.tensor import iem_geodesic, iem_tensor
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, below, within

MADE = "python data/make_metrics_signals.py"
PLOT_RUNS = 60


def as_for_gaussians() -> Numbers:
    """Compare with Mahalanobis' distance in one to five dimensions, at infinite and at finite SNR."""
    rng = np.random.default_rng(0)
    off = {np.inf: 0.0, 4.0: 0.0}
    tensor = 0.0
    for d in (1, 2, 5):
        root = rng.normal(size=(d, d))
        matrix = root @ root.T / d + 0.2 * np.eye(d)
        matrix = (matrix + matrix.T) / 2
        density, step = Mixture([1.0], np.zeros((1, d)), matrix[None]), rng.normal(size=d)
        for snr in off:
            exact = step @ np.linalg.solve(matrix + np.eye(d) / snr, step)
            off[snr] = max(off[snr], abs(float(iem(density, np.zeros(d), step, snr=snr).squared) / exact - 1))
        found = iem_tensor(density, np.zeros(d)).tensor.values[0]
        tensor = max(tensor, float(np.abs(found @ matrix - np.eye(d)).max()))
    return {"infinite": off[np.inf], "finite": off[4.0], "tensor": tensor}


def metric_axioms() -> Numbers:
    """Ask for the triangle inequality over all triples, and the least eigenvalue of the Gram matrix."""
    density = paper_mixture()
    points = density.sample(40, seed=0)
    squared = squared_distances(density, points, snr=np.inf)[0]
    distance = np.sqrt(squared)
    excess = max(float((d[None] - d[:, None] - distance).max()) for d in distance)
    rows = squared.mean(axis=0)
    values = np.linalg.eigvalsh(-(squared - rows[:, None] - rows[None] + rows.mean()) / 2)
    apart = distance[~np.eye(len(points), dtype=bool)].min()
    symmetric = float(np.abs(squared - squared.T).max())
    return {"excess": excess, "least": values[0] / values[-1], "apart": apart, "symmetric": symmetric, "count": 40}


def local_form() -> Numbers:
    """Compare the squared distance of a small step with the metric tensor."""
    worst = 0.0
    step = 1e-3
    for density, place in ((bumps(), [0.3]), (paper_mixture(), [0.5, 0.0])):
        tensor = iem_tensor(density, [place]).tensor.values[0]
        for direction in np.eye(len(place)):
            half = step / 2 * direction
            squared = float(iem(density, place - half, place + half, digits=7).squared)
            worst = max(worst, abs(squared / step**2 / (direction @ tensor @ direction) - 1))
    return {"worst": worst, "step": step}


def across_and_between() -> Numbers:
    """Compare half a unit across the ridge with four units from bump to bump."""
    density = bumps()
    across, between = iem(density, -0.25, 0.25), iem(density, -2.0, 2.0)
    path = iem_geodesic(density, -2.0, 2.0)
    return {
        "across": float(across.distance),
        "between": float(between.distance),
        "length": float(path.length),
        "times": float(path.length / between.distance),
    }


def balance() -> Numbers:
    """Hold the pointwise I-MMSE identity against the density, on a line and in the plane."""
    pairs = ((bumps(), -0.25, -1.7), (paper_mixture(), (2.5, -2.0), (0.0, 1.0)))
    found = [information_balance(*pair) for pair in pairs]
    return {
        "defect": max(abs(float(one.defect)) for one in found),
        "first": float(found[0].information),
        "second": float(found[1].information),
    }


@functools.cache
def plotted() -> tuple[float, ...]:
    """Return estimates as the released plots make them: 200 log-spaced SNRs, 50 noise paths, left sums."""
    density, points = paper_mixture(), np.array([[2.5, -2.0], [0.0, 1.0]])
    snr = 2.0 ** np.linspace(-10, 10, 200)
    width = np.diff(snr)
    found = []
    for rng in np.random.default_rng(0).spawn(PLOT_RUNS):
        steps = np.sqrt(np.diff(snr, prepend=0.0))
        path = np.cumsum(steps[:, None, None] * rng.normal(size=(200, 50, 2)), axis=0)
        total = 0.0
        for j in range(199):
            sigma = snr[j] ** -0.5
            one, two = (density.score(x + path[j] / snr[j], sigma) for x in points)
            total += width[j] * sigma**4 * np.square(one - two).sum(axis=1).mean()
        found.append(np.sqrt(total))
    return tuple(found)


def plot_estimator() -> Numbers:
    """Compare the estimator of the released plots with the integral."""
    runs = np.array(plotted())
    exact = iem(paper_mixture(), (2.5, -2.0), (0.0, 1.0))
    value = float(exact.distance)
    return {
        "exact": value,
        "error": float(exact.error),
        "mean": runs.mean(),
        "bias": abs(runs.mean() / value - 1),
        "bias_error": runs.std(ddof=1) / np.sqrt(len(runs)) / value,
        "spread": runs.std(ddof=1) / value,
    }


def axis_units() -> Numbers:
    """Stretch one axis of points and density."""
    found = signal_invariances(paper_mixture(), (2.5, -2.0), (0.0, 1.0)).sel(yardstick="iem")
    change = found.invariance_change
    return {
        "all": float(change.sel(transformation="units")),
        "axis": float(change.sel(transformation="axis-units")),
        "turned": float(change.sel(transformation="turned")),
    }


def photographs() -> Numbers:
    """Read the study of seven distortions of equal size."""
    ds = data.result("metrics/signals_photographs.nc")
    from scipy.stats import spearmanr

    value = dict(zip(ds.distortion.values.tolist(), ds.iem.values.tolist(), strict=True))
    rest = [v for name, v in value.items() if name not in ("brightness", "contrast")]
    order = spearmanr(ds.iem.values, 1 - ds.ssim.values).statistic
    return {
        **value,
        "rmse": float(ds.rmse[0]),
        "smooth": max(value["brightness"], value["contrast"]),
        "rest": min(rest),
        "loudest": max(value["noise"], value["salt"]),
        "others": max(v for name, v in value.items() if name not in ("noise", "salt")),
        "order": float(order),
    }


def masking() -> Numbers:
    """Read what equal noise costs by the contrast of the patch it falls on."""
    ds = data.result("metrics/signals_masking.nc")
    from scipy.stats import spearmanr

    contrast, seen = ds.contrast.values, ds.iem.values
    quartile = np.searchsorted(np.quantile(contrast, (0.25, 0.5, 0.75)), contrast)
    found = spearmanr(contrast, seen)
    return {
        "order": float(found.statistic),
        "p": float(found.pvalue),
        **{f"q{k + 1}": float(seen[quartile == k].mean()) for k in range(4)},
        "count": len(seen),
    }


def recognition() -> Numbers:
    """Read the nearest-neighbour study of digits."""
    ds = data.result("metrics/signals_digits.nc")
    best = 2 + int(ds.accuracy.values[2:].argmax())
    at = ds.isel(distance=best)
    return {
        "euclid": float(ds.accuracy[0]),
        "mahalanobis": float(ds.accuracy[1]),
        "best": float(at.accuracy),
        "name": str(at.distance.values),
        "gain": float(at.gain),
        "gain_error": 1.96 * float(at.gain_error),
        "lower": float(at.gain) - 1.96 * float(at.gain_error),
        "upper": float(at.gain) + 1.96 * float(at.gain_error),
        "triplets": float(at.triplets),
        "euclid_triplets": float(ds.triplets[0]),
    }


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "For a Gaussian the information-estimation metric is Mahalanobis' distance.",
        as_for_gaussians,
        "In 1, 2 and 5 dimensions IEM² differs from dxᵀ C⁻¹ dx by {infinite:.0e} at most, relatively, at SNR 4 from "
        "dxᵀ (C + I/4)⁻¹ dx by {finite:.0e}, and the tensor from C⁻¹ by {tensor:.0e}.",
        Rule(at_most("infinite", 1e-12) & at_most("finite", 1e-12) & at_most("tensor", 1e-11)),
        "metrics.iem(density, x1, x2)",
        {
            "infinite": "the relative difference at infinite SNR",
            "finite": "that at SNR 4",
            "tensor": "that of the tensor",
        },
    ),
    Claim(
        "It is a valid metric on all of space.",
        metric_axioms,
        "Over all triples of {count} points no distance exceeds the way round by more than {excess:.1g}, none of two "
        "different points is below {apart:.2g}, and the least eigenvalue of the Gram matrix is {least:.0e} of the "
        "largest: it is a distance of feature vectors, so the axioms hold by construction, with any rule.",
        Rule(at_most("excess", 1e-12) & at_least("least", -1e-12) & above("apart", 0) & at_most("symmetric", 1e-12)),
        "metrics.iem_matrix(density, points)",
        {
            "excess": "the excess over the triangle inequality",
            "least": "the least eigenvalue over the largest",
            "apart": "the least distance of two points",
            "symmetric": "the asymmetry",
        },
    ),
    Claim(
        "In the small it is Riemannian, with a tensor in closed form.",
        local_form,
        "Over steps of {step:g} on a line and in the plane the squared distance and dxᵀ G dx agree within {worst:.0e}.",
        Rule(at_most("worst", 1e-4), partly=at_most("worst", 1e-2)),
        "metrics.iem_tensor(density, x)",
        {"worst": "the largest relative difference"},
    ),
    Claim(
        "It adapts to the density, locally and globally.",
        across_and_between,
        "Bumps at ±2 of variance ¼: half a unit across the ridge is {across:.4f}, the four units from bump to bump are "
        "{between:.4f}. That is also its blind spot: equal surroundings look alike. The shortest way between the bumps "
        "is {length:.2f} long, {times:.1f} times the distance.",
        Rule(above("across", "between")),
        "metrics.iem(density, -0.25, 0.25)",
        {"across": "the distance across the ridge", "between": "that from bump to bump"},
    ),
    Claim(
        "Denoising errors know the density: ½ ∫ (E‖ε₁‖² − E‖ε₂‖²) dg = log p(x₂) − log p(x₁).",
        balance,
        "For log-ratios of {first:.6f} and {second:.6f} both sides agree within {defect:.0e}.",
        Rule(at_most("defect", 1e-10)),
        "metrics.information_balance(density, x1, x2)",
        {"defect": "the difference of both sides"},
    ),
    Claim(
        "(Of the released plots.) 200 log-spaced SNRs and 50 noise paths give the distance.",
        plot_estimator,
        "In the paper's mixture the estimate is {mean:.3f} on average, {bias:.1%} ± {bias_error:.1%} off the exact "
        "{exact:.9f}, and single runs spread by {spread:.1%}: enough for a picture, and without an error bar.",
        Rule(at_most("bias", "bias_error", times=2), partly=at_most("bias", 0.05)),
        "metrics.iem(density, x1, x2)",
        {"bias": "the relative bias", "bias_error": "its standard error"},
    ),
    Claim(
        "(Not in the paper.) Units do not matter to it.",
        axis_units,
        "All axes × 2 change it by {all:.1g}, a turn by {turned:.1g}, but one axis × 3 by {axis:.2%}: the noise is as "
        "wide in all directions, so the units of the axes have to be comparable.",
        Rule(at_most("all", 1e-9) & at_most("axis", 1e-9), partly=at_most("all", 1e-9)),
        "metrics.signal_invariances(density, a, b)",
        {"all": "the change with all units", "axis": "the change with one axis"},
    ),
    Claim(
        "It predicts how bad errors look, without having seen a judgement. (Tried without people: no judgements ship "
        "with any package, and the model of ImageNet does not either.)",
        photographs,
        "At RMSE {rmse:g} on unseen crops: brightness {brightness:.1f}, contrast {contrast:.1f}, moved by a pixel "
        "{shift:.1f}, JPEG {jpeg:.1f}, blur {blur:.1f}, salt and pepper {salt:.1f}, white noise {noise:.1f}. "
        "Spearman's correlation with 1 − SSIM {order:.2f}.",
        Rule(
            below("smooth", "rest") & above("loudest", "others") & at_least("order", 0.8),
            partly=below("smooth", "rest"),
        ),
        f"{MADE}: metrics.photograph_study(crops=4)",
        {
            "smooth": "the larger of brightness and contrast",
            "rest": "the least of the others",
            "loudest": "the larger of white noise and salt",
            "others": "the largest of the others",
            "order": "the rank correlation with SSIM",
        },
    ),
    Claim(
        "(Textbooks of vision.) Texture hides noise.",
        masking,
        "Equal noise on {count} unseen patches costs {q1:.1f}, {q2:.1f}, {q3:.1f}, {q4:.1f} by rising quartile of "
        "contrast; Spearman's correlation {order:.2f} (p = {p:.0e}).",
        Rule(below("order", 0) & at_most("p", 0.01) & below("q4", "q1")),
        f"{MADE}: metrics.masking_study()",
        {"order": "the rank correlation", "p": "its p value", "q4": "the mean of the last", "q1": "that of the first"},
    ),
    Claim(
        "(Not claimed.) It is a good distance for recognition.",
        recognition,
        "Nearest neighbours of digits: {name} names {best:.1%}, Euclid {euclid:.1%}, Mahalanobis {mahalanobis:.1%}; "
        "the difference to Euclid is {gain:+.1%} ± {gain_error:.1%}. Of triplets it gets {triplets:.1%} right, Euclid "
        "{euclid_triplets:.1%}. It sees how plausible a digit is, not which.",
        Rule(above("lower", 0), settled=above("lower", 0) | below("upper", 0) | within("gain", 0, 0.05)),
        f"{MADE}: metrics.recognition_study()",
        {"lower": "the lower end of the gain", "upper": "its upper end", "gain": "the gain over Euclid"},
    ),
)
