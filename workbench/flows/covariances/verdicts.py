"""What arXiv 2504.00660 and its code claim of batch normalisation in Bures–Wasserstein geometry, and what we measured.

Only the abstract and the released code could be read; the data of the paper's tables are not freely packaged, so the
comparison of layers runs on a stand-in, scikit-learn's digits as covariances of 14 features.
"""

import numpy as np

from workbench import data
from workbench.transport import covariance_distance
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, below, rising

AUDIT = "flows.batchnorm_audit(repeats=3)"
STUDY = "flows.spd_batchnorm_study()"
SHIFT, SHIFTED = 0.1, (1e2, 1e4, 1e6, 1e8, 1e10)
AIM, LEM, LCM = "affine", "log-euclidean", "log-cholesky"


def promise() -> Numbers:
    """Compare the variance and the mean of the output with 1 and I, for the released layer and the exact one."""
    ds = data.result("flows/covariances_audit.nc")
    released, exact = (ds.sel(variant=name) for name in ("released", "exact"))
    kept = exact.output_variance.where(exact.held_back == 0)
    return {
        "low": float(released.output_variance.min()),
        "high": float(released.output_variance.max()),
        "error": float(abs(released.output_variance - 1).max()),
        "exact_error": float(abs(kept - 1).max()),
        "shift": float(np.sqrt(released.output_shift.max())),
        "ratio": float((ds.variance_about_identity / ds.value).median()),
    }


def one_step() -> Numbers:
    """Read how far one fixed-point step is from the mean, at modest and at high condition."""
    ds = data.result("flows/covariances_audit.nc")
    excess, distance = ds.one_step_excess.mean("repeat"), ds.one_step_distance.mean("repeat")
    return {
        "mild": float(excess.sel(condition=1e2)),
        "harsh": float(excess.sel(condition=1e8)),
        "far": float(distance.sel(condition=1e8)),
    }


def gradients() -> Numbers:
    """Compare autograd's directional derivative with the difference quotient, released and exact."""
    ds = data.result("flows/covariances_audit.nc")
    scale = abs(ds.difference_quotient)
    error = abs(ds.gradient - ds.difference_quotient) / scale
    mild = error.where(error.condition <= 1e6, drop=True)
    return {
        "released": float(mild.sel(variant="released").median()),
        "exact": float(mild.sel(variant="exact").max()),
    }


def means() -> Numbers:
    """Read the certified gap up to condition 1e12, and where POT's fixed point stops."""
    ds = data.result("flows/covariances_audit.nc")
    reached = np.isfinite(ds.pot_excess).all("repeat")
    return {
        "gap": float(ds.gap.max()),
        "largest": float(ds.condition.max()),
        "pot": float(ds.condition.where(reached).max()),
        "failed": int((~np.isfinite(ds.pot_excess)).sum()),
        "count": int(ds.pot_excess.size),
    }


def least_eigenvalue() -> Numbers:
    """Shift the least eigenvalue by a tenth, at condition 1e2 to 1e10, and read how far each geometry says it moved."""
    rng = np.random.default_rng(0)
    frame = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    moved: dict[str, list[float]] = {"bures": [], AIM: []}
    for condition in SHIFTED:
        values = np.geomspace(1.0, 1 / condition, 6)
        other = values * np.array([1, 1, 1, 1, 1, 1 + SHIFT])
        a, b = ((frame * spectrum) @ frame.T for spectrum in (values, other))
        for metric, found in moved.items():
            found.append(float(np.sqrt(covariance_distance(a, b, metric))))
    scale = [np.sqrt(1 / condition) * (np.sqrt(1 + SHIFT) - 1) for condition in SHIFTED]
    return {
        "affine_low": min(moved[AIM]),
        "affine_high": max(moved[AIM]),
        "spread": max(moved[AIM]) / min(moved[AIM]) - 1,
        "log": float(np.log1p(SHIFT)),
        "first": moved["bures"][0],
        "last": moved["bures"][-1],
        "fall": moved["bures"][0] / moved["bures"][-1],
        "error": float(max(abs(np.array(moved["bures"]) / scale - 1))),
        "largest": SHIFTED[-1],
    }


def folds() -> Numbers:
    """Read the share of test matrices that the paper's layers fold, and that the exact ones hold back."""
    folded = data.result("flows/covariances_study.nc").folded.median("seed")
    return {
        "plain": float(folded.sel(layer="bures-paper")),
        "generalised": float(folded.sel(layer="generalised-paper")),
        "held_back": float(folded.sel(layer="bures-exact")),
    }


def _study() -> tuple[dict[str, float], dict[str, float], dict[str, float], int]:
    ds = data.result("flows/covariances_study.nc")
    names = [str(name) for name in ds.layer.values]
    tables = [
        dict(zip(names, (float(v) for v in ds[key].values), strict=True))
        for key in ("mean_accuracy", "standard_error", "p_value")
    ]
    return tables[0], tables[1], tables[2], ds.sizes["seed"]


def better_than_others() -> Numbers:
    """Compare the Bures layers, as released and as in the paper, with those of the other geometries, in pairs."""
    ds = data.result("flows/covariances_study.nc")
    accuracy, _, _, seeds = _study()
    others = max((AIM, LEM, LCM), key=accuracy.__getitem__)
    pairs = ds.accuracy - ds.accuracy.sel(layer=others)
    lead, error = pairs.mean("seed"), pairs.std("seed", ddof=1) / np.sqrt(seeds)
    best = max(("bures-released", "generalised-released", "bures-paper", "generalised-paper"), key=accuracy.__getitem__)
    return {
        "best": best,
        "best_accuracy": accuracy[best],
        "other": others,
        "other_accuracy": accuracy[others],
        "released": accuracy["bures-released"],
        "lead": float(lead.sel(layer=best)),
        "error": float(error.sel(layer=best)),
        "seeds": seeds,
    }


def order_of_parts() -> Numbers:
    """Read the accuracies of the released layer, plain and generalised with p = ½."""
    accuracy, error, _, seeds = _study()
    return {
        "plain": accuracy["bures-released"],
        "generalised": accuracy["generalised-released"],
        "plain_error": error["bures-released"],
        "generalised_error": error["generalised-released"],
        "exact": accuracy["bures-exact"],
        "generalised_exact": accuracy["generalised-exact"],
        "seeds": seeds,
    }


def helps_at_all() -> Numbers:
    """Find the layer with the best accuracy and ask whether it beats no batch norm, after Holm's correction."""
    accuracy, error, p_value, seeds = _study()
    best = max((name for name in accuracy if name != "none"), key=accuracy.__getitem__)
    return {
        "none": accuracy["none"],
        "none_error": error["none"],
        "best": best,
        "accuracy": accuracy[best],
        "accuracy_error": error[best],
        "difference": accuracy[best] - accuracy["none"],
        "p": p_value[best],
        "surest": (surest := min((name for name in p_value if name != "none"), key=p_value.__getitem__)),
        "least_p": p_value[surest],
        "seeds": seeds,
    }


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Batch normalisation of covariances gives a batch mean I and variance s² (read in the released code).",
        promise,
        "Released layer, s = 1: output variance {low:.3g} to {high:.3g} where 1 is promised, mean off by {shift:.2g}; "
        "the variance it divides by, about I, is {ratio:.3g} times that about the mean. Exact layer, nothing folded: "
        "the variance is off by {exact_error:.1e}.",
        Rule(at_most("error", 0.05), partly=at_most("error", 0.2)),
        AUDIT,
        {"error": "largest error of the released variance"},
    ),
    Claim(
        "One fixed-point step from the arithmetic mean is mean enough (what the released code does).",
        one_step,
        "V exceeds its certified minimum by {mild:.1e} (condition 1e2) and {harsh:.1e} (1e8) of itself; the step's "
        "result lies {far:.0%} of √V from the mean at 1e8.",
        Rule(at_most("far", 0.02), partly=at_most("harsh", 0.02)),
        AUDIT,
        {"far": "distance at 1e8", "harsh": "excess of V at 1e8"},
    ),
    Claim(
        "The released layer is trained with its gradient.",
        gradients,
        "Up to condition 1e6, against difference quotients: released off by {released:.0%} (median), exact by "
        "{exact:.0e} (at worst).",
        Rule(at_most("released", 0.01), partly=at_most("released", 0.05)),
        AUDIT,
        {"released": "median relative error"},
    ),
    Claim(
        "(Not in the paper.) The mean can be had with a proof at condition 1e12, where a standard library stops.",
        means,
        "Relative certified gap at most {gap:.1e} up to condition {largest:.0e}; POT's fixed point settles in all runs "
        "up to {pot:.0e} and fails in {failed} of {count} runs.",
        Rule(at_most("gap", 1e-10) & at_least("failed", 1), partly=at_most("gap", 1e-10)),
        AUDIT,
        {"gap": "largest gap", "failed": "runs in which POT fails"},
    ),
    Claim(
        "Bures geometry does not overrate the smallest eigenvalues, as the affine one does (abstract: ill-conditioned "
        "matrices).",
        least_eigenvalue,
        "A tenth more of the least eigenvalue moves a matrix by {affine_low:.4f} to {affine_high:.4f} in affine "
        "geometry, whatever the condition (ln 1.1 = {log:.4f}); in Bures geometry by {first:.1e} at condition 1e2 and "
        "{last:.1e} at {largest:.0e}, as √λ does (off by {error:.0e} of itself).",
        Rule(at_least("fall", 1e3) & at_most("spread", 1e-2), partly=at_least("fall", 10)),
        "flows.covariance_distance(a, b, 'affine')",
        {"fall": "how many times less Bures moves at the largest condition", "spread": "change of the affine move"},
    ),
    Claim(
        "Scaled tangent vectors stay matrices of the geometry (needed for the mean I and the variance s²; the paper's "
        "formulas, read in the code).",
        folds,
        "In the median seed the plain layer folds {plain:.0%} of the test matrices over the edge, the generalised one "
        "{generalised:.0%}: their smallest eigenvalues come out wrong. The fold-free layer holds back {held_back:.0%}.",
        Rule(at_most("plain", 0.01) & at_most("generalised", 0.01), partly=at_most("plain", 0.05)),
        STUDY,
        {"plain": "share folded, plain", "generalised": "share folded, generalised"},
    ),
    Claim(
        "Normalisation in Bures geometry beats that in affine, log-Euclidean and log-Cholesky geometry (abstract; "
        "other data than the paper's).",
        better_than_others,
        "Digits as 14 × 14 covariances, {seeds} seeds in pairs: {best} {best_accuracy:.3f}, {other} "
        "{other_accuracy:.3f}, difference {lead:+.3f} ± {error:.3f}; as released, plain, {released:.3f}.",
        Rule(above("lead", "error", times=2), partly=above("lead", 0)),
        STUDY,
        {"lead": "lead of the best Bures layer", "error": "its standard error"},
    ),
    Claim(
        "The power deformation improves on plain Bures normalisation (abstract; other data than the paper's).",
        order_of_parts,
        "As released: plain {plain:.3f} ± {plain_error:.3f}, generalised with p = ½ {generalised:.3f} ± "
        "{generalised_error:.3f}. Exact and fold-free: {exact:.3f} and {generalised_exact:.3f}.",
        Rule(
            rising("plain", "generalised") & rising("exact", "generalised_exact"), partly=rising("plain", "generalised")
        ),
        STUDY,
        {"exact": "exact plain", "generalised_exact": "exact generalised"},
    ),
    Claim(
        "Batch normalisation helps such a network (implied by the abstract; other data than the paper's).",
        helps_at_all,
        "Without {none:.3f} ± {none_error:.3f}; the best layer, {best}, {accuracy:.3f} ± {accuracy_error:.3f}; p = "
        "{p:.2g} for the difference, paired over {seeds} seeds and corrected after Holm. The smallest p is that "
        "of {surest}, {least_p:.2g}.",
        Rule(above("difference", 0) & below("p", 0.05), partly=above("difference", 0)),
        STUDY,
        {"difference": "gain of the best layer", "p": "corrected p-value"},
    ),
)
