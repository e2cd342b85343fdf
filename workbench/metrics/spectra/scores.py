"""Scores of trained layers without data: those of the package, and what a whole network looks like under them."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.metrics.spectra.erg import erg_of
from workbench.metrics.spectra.files import read_network
from workbench.metrics.spectra.layers import Layer, Layers, layers_of
from workbench.metrics.spectra.nulls import MOST_REPEATS, edge_of, shuffled_alphas
from workbench.metrics.spectra.scan import scan
from workbench.metrics.spectra.spectrum import Spectrum
from workbench.metrics.spectra.tails import ALL_EQUAL, TailFit, fit_from
from workbench.progress import Cancelled, Progress
from workbench.registry import Registry

SPECTRAL_SCORES = Registry("layer score")
"""Numbers of one layer from its spectrum and the fit of its tail: functions of (Spectrum, TailFit)."""


@SPECTRAL_SCORES.add(
    "alpha", label="α", formula=r"p(\lambda)\propto\lambda^{-\alpha}", reference="SETOL, arXiv 2507.17912"
)
def alpha(spectrum: Spectrum, fit: TailFit) -> float:
    """The exponent of the tail."""
    return fit.alpha


@SPECTRAL_SCORES.add(
    "alpha-hat", label="α-hat", formula=r"\alpha\log_{10}\lambda_{\max}", reference="as the package has it"
)
def alpha_hat(spectrum: Spectrum, fit: TailFit) -> float:
    """α weighted by the size of the largest eigenvalue (of WᵀW, without 1/N)."""
    return fit.alpha * float(np.log10(spectrum.eigenvalues[-1]))


@SPECTRAL_SCORES.add(
    "log-alpha-norm", label="log α-norm", formula=r"\log_{10}\sum\lambda^\alpha", reference="as the package has it"
)
def log_alpha_norm(spectrum: Spectrum, fit: TailFit) -> float:
    """The logarithm of Σλ^α, taken from the largest eigenvalue so that it never overflows."""
    logs = fit.alpha * np.log(spectrum.eigenvalues)
    return float((logs[-1] + np.log(np.exp(logs - logs[-1]).sum())) / np.log(10))


@SPECTRAL_SCORES.add("stable-rank", label="stable rank", formula=r"\sum\lambda/\lambda_{\max}", reference="classical")
def stable_rank(spectrum: Spectrum, fit: TailFit) -> float:
    """How many eigenvalues of the largest size would make the same sum."""
    return float(spectrum.eigenvalues.sum() / spectrum.eigenvalues[-1])


@SPECTRAL_SCORES.add(
    "entropy", label="entropy", formula=r"-\sum p\ln p/\ln M,\ p=\lambda/\sum\lambda", reference="as the package has it"
)
def entropy(spectrum: Spectrum, fit: TailFit) -> float:
    """The entropy of the eigenvalues as shares of their sum, over that of equal ones."""
    share = spectrum.eigenvalues / spectrum.eigenvalues.sum()
    return float(-(share * np.log(share)).sum() / np.log(len(share) + spectrum.dropped))


@SPECTRAL_SCORES.add(
    "erg-gap", label="ln(x_min/λ_ERG)", formula=r"\ln(x_{\min}/\lambda_{ERG})", reference="SETOL, arXiv 2507.17912"
)
def erg_gap(spectrum: Spectrum, fit: TailFit) -> float:
    """How far the tail's threshold lies above that where the product of the largest is one; 0 is "ideal"."""
    threshold = erg_of(spectrum.eigenvalues).threshold
    return float(np.log(fit.threshold / threshold))


def scores_of(spectrum: Spectrum, fit: TailFit | None = None) -> dict[str, float]:
    """Return every score of the registry for one spectrum."""
    fit = fit or ks_fit(spectrum)
    return {name: entry(spectrum, fit) for name, entry in SPECTRAL_SCORES.items()}


def ks_fit(spectrum: Spectrum, level: float = 0.95) -> TailFit:
    """Return the fit at the threshold of least distance, without draws."""
    logs = np.log(spectrum.eigenvalues)
    start = scan(logs, False)[0]
    if start < 0:
        raise ValueError(ALL_EQUAL)
    return fit_from(logs, start, level=level, dropped=spectrum.dropped)


def layer_spectra(model_or_path: Any) -> Layers:
    """Return the layers of a network, each with its spectrum at hand (``layer.spectrum()``, computed once).

    Takes a path (see :func:`read_network`), a torch module, a mapping of names to arrays, or a matrix
    (see :func:`layers_of`), and raises as they do.

    >>> found = layer_spectra({"only": np.random.default_rng(0).normal(size=(50, 25))})
    >>> len(found[0].spectrum().eigenvalues)
    25
    """
    if isinstance(model_or_path, (str, os.PathLike)) or callable(getattr(model_or_path, "read", None)):
        return read_network(model_or_path)
    return layers_of(model_or_path)


FITTED = {
    "alpha_low": ("lower end of the exact interval of α at the chosen threshold", lambda f: f.low),
    "alpha_high": ("upper end of the exact interval of α at the chosen threshold", lambda f: f.high),
    "alpha_unbiased": ("α without the bias of counting the threshold itself", lambda f: f.unbiased),
    "sigma": ("(α − 1)/√n", lambda f: f.sigma),
    "distance": ("Kolmogorov–Smirnov distance D of the tail", lambda f: f.distance),
    "threshold": ("eigenvalue where the tail begins", lambda f: f.threshold),
    "tail_size": ("eigenvalues in the tail", lambda f: f.tail),
    "decades": ("length of the tail in powers of ten", lambda f: f.decades),
    "dropped": ("eigenvalues that are zero up to rounding", lambda f: f.dropped),
}


@results.experiment
def score_layers(
    model_or_path: Any,
    *,
    repeats: int = 0,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Score every layer of a network without data: α with its exact interval, the other scores, ERG, noise.

    ``model_or_path`` as for :func:`layer_spectra`. ``repeats`` shuffles of each layer's entries give the α of noise
    beside the layer's own (``shuffled``, the median). Returns over ``layer`` the scores of :data:`SPECTRAL_SCORES`,
    the fit, the shape, the eigenvalues beyond the edge of noise; what was left out stands over ``left_out`` with its
    reason. Raises ``ValueError`` where no layer can be scored. Cost: an eigenvalue problem a layer and shuffle.
    Paper: SETOL, arXiv 2507.17912.

    >>> rng = np.random.default_rng(0)
    >>> found = score_layers({"a": rng.normal(size=(90, 60)), "b": rng.standard_t(2, size=(90, 60)), "c": np.eye(3)})
    >>> found.layer_name.values.tolist(), found.left_out_name.values.tolist()
    (['a', 'b'], ['c'])
    """
    repeats = checks.integer("repeats", repeats, minimum=0, maximum=MOST_REPEATS)
    level = checks.real("level", level, minimum=0.5, maximum=0.9999)
    checks.generator(seed)
    layers = layer_spectra(model_or_path)
    return results.dataset(*table_of(layers, repeats=repeats, level=level, seed=seed, progress=progress or Progress()))


def table_of(
    layers: Layers, *, repeats: int, level: float, seed: int, progress: Progress
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return variables and coordinates of the table of layers."""
    rows, skipped = [], list(layers.skipped)
    names: list[str] = []
    kept: list[Layer] = []
    # Each layer has a stream of its own, so that leaving one out changes no other.
    for k, layer in enumerate(layers):
        progress.update(k, len(layers), f"scoring {layer.name}")
        try:
            rows.append(_row(layer, repeats, level, np.random.default_rng([seed, k]), progress))
        except ValueError as error:  # e.g. a layer of low rank
            skipped.append((layer.name, str(error)))
            continue
        names.append(layer.name)
        kept.append(layer)
    if not rows:
        raise ValueError("no layer could be scored: " + "; ".join(f"{name}: {why}" for name, why in skipped[:3]))
    progress.update(len(layers), len(layers), "")
    told = {name: f"{entry.label} of the layer" for name, entry in SPECTRAL_SCORES.items()}
    labels = {name.replace("-", "_"): text for name, text in told.items()}
    labels |= {name: label for name, (label, _) in FITTED.items()} | OTHERS
    variables: dict[str, Any] = {
        name: (("layer",), np.array([row[name] for row in rows]), label) for name, label in labels.items()
    }
    variables["layer_name"] = (("layer",), np.array(names), "name of the layer")
    variables["layer_kind"] = (("layer",), np.array([layer.kind for layer in kept]), "how the matrix was made")
    coordinates: dict[str, Any] = {"layer": (("layer",), np.arange(len(rows)), "number of the layer")}
    if skipped:
        variables |= left_out(skipped)
        coordinates["left_out"] = (("left_out",), np.arange(len(skipped)), "number of what was left out")
    return variables, coordinates


OTHERS = {
    "rows": "longer side N of the matrix",
    "columns": "shorter side M of the matrix",
    "largest": "largest eigenvalue of WᵀW",
    "erg_threshold": "smallest of the largest eigenvalues whose product (over the mean) is one",
    "shuffled": "median α of the layer's entries shuffled",
    "shuffled_share": "share of shuffles whose α is at most the layer's",
    "edge": "largest eigenvalue beyond the edge of noise, in widths of the Tracy–Widom law",
    "spikes": "eigenvalues beyond the edge of noise",
}


class _Ear(Progress):
    """Hears when the work is cancelled and shows nothing: the bar counts layers."""

    def __init__(self, heard: Progress) -> None:
        super().__init__()
        self._heard = heard

    def update(self, done: float, total: float, message: str = "") -> None:
        if self._heard.cancelled:
            raise Cancelled("cancelled before it finished")


def left_out(skipped: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the variables that say what was left out of a network, and why."""
    return {
        "left_out_name": (("left_out",), np.array([name for name, _ in skipped]), "what was left out"),
        "left_out_reason": (("left_out",), np.array([why[:300] for _, why in skipped]), "why"),
    }


def _row(layer: Layer, repeats: int, level: float, rng: np.random.Generator, progress: Progress) -> dict[str, float]:
    spectrum = layer.spectrum()
    fit = ks_fit(spectrum, level)
    row = {name.replace("-", "_"): value for name, value in scores_of(spectrum, fit).items()}
    row |= {name: read(fit) for name, (_, read) in FITTED.items()}
    edge = edge_of(spectrum) if 2 * spectrum.dropped < spectrum.columns else None
    shuffled = shuffled_alphas(np.asarray(layer.matrix, dtype=np.float64), repeats, rng, _Ear(progress))
    row |= {
        "rows": spectrum.rows,
        "columns": spectrum.columns,
        "largest": float(spectrum.eigenvalues[-1]),
        "erg_threshold": erg_of(spectrum.eigenvalues).threshold,
        "shuffled": float(np.nanmedian(shuffled)) if repeats else np.nan,
        "shuffled_share": float((1 + np.sum(shuffled <= fit.alpha)) / (1 + repeats)) if repeats else np.nan,
        "edge": edge.statistic if edge else np.nan,
        "spikes": edge.spikes if edge else -1,
    }
    return row
