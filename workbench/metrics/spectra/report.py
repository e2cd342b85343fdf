"""Everything about one layer in one result: its tail, what else fits, three error bars, noise, ERG, and its network."""

from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.spectra.blind import blind_part, constant_part, invariance_part
from workbench.metrics.spectra.erg import erg_of
from workbench.metrics.spectra.laws import TAILS, likelihood_ratio
from workbench.metrics.spectra.layers import Layer, Layers
from workbench.metrics.spectra.networks import example_layers
from workbench.metrics.spectra.nulls import edge_of, error_from_halves, half_alphas, shuffled_alphas
from workbench.metrics.spectra.scan import log_excess, valley
from workbench.metrics.spectra.scores import layer_spectra, table_of
from workbench.metrics.spectra.spectrum import FEWEST
from workbench.metrics.spectra.tails import TailFit, exact_interval, tail_fit
from workbench.progress import Progress

RIVALS = ("lognormal", "exponential", "truncated")
MOST_FOR_TABLES = 1000
"""Layers with a longer shorter side are not moved and judged again: singular vectors take ten times the eigenvalues."""
DRAWN = 60
"""Points at which fitted laws are told, along the tail."""
FIT_LABELS = {
    "alpha": "α at the chosen threshold, 1 + n/S",
    "unbiased": "α without the bias of counting the threshold itself",
    "low": "lower end of the exact interval of α at this threshold",
    "high": "upper end of the exact interval of α at this threshold",
    "threshold": "eigenvalue where the tail begins",
    "distance": "Kolmogorov–Smirnov distance D",
    "decades": "length of the tail in powers of ten",
    "refit_low": "lower end of the interval with the threshold chosen again",
    "refit_high": "upper end of the interval with the threshold chosen again",
    "p_value": "p-value of the power law (drawn from it, so far off or farther)",
}


@results.experiment
def spectrum_report(
    model: Any = None,
    *,
    layer: int | str = 1,
    source: str = "digits",
    k: int = 0,
    bootstrap: int = 200,
    repeats: int = 20,
    splits: int = 20,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Judge one layer in every way of this family, beside the table of all layers of its network.

    ``model`` is a path, a module, a mapping of arrays or a matrix (see :func:`layer_spectra`); without it one of the
    examples ``source`` is taken: "digits" (trained), "fresh", "gaussian", "heavy". ``layer`` is a number or name, the
    last one where the number is too large. ``k`` > 0 fixes the number of eigenvalues above the threshold, in shuffles
    and halves too; 0 chooses it. Returns over ``order`` (ascending eigenvalues) the spectrum, and D and α with its
    exact interval at each as the threshold; the fit, its three error bars (``low``/``high``,
    ``refit_low``/``refit_high``, ``matrix_low``/``matrix_high``) and p-value; over ``law`` the rival laws; α of
    ``repeats`` shuffles; the ERG threshold, the edge of noise; the table of layers; constants, and up to 1,000 units
    also invariances and the blind spot. Raises ``ValueError`` as the parts do. Cost: 0.2 s for the examples; eigenvalue
    problems of the layer for each shuffle and split.

    >>> found = spectrum_report(source="gaussian", layer=0, bootstrap=20, repeats=5, splits=3)
    >>> bool(found.low < found.alpha < found.high), found.sizes["shuffle"]
    (True, 5)
    """
    progress = progress or Progress()
    k = checks.integer("k", k, minimum=0)
    bootstrap = checks.integer("bootstrap", bootstrap, minimum=0, maximum=10_000)
    repeats = checks.integer("repeats", repeats, minimum=1, maximum=1000)
    splits = checks.integer("splits", splits, minimum=1, maximum=1000)
    layers = example_layers(source, seed if source != "digits" else 0) if model is None else layer_spectra(model)
    chosen = _chosen(layers, layer)
    spectrum = chosen.spectrum()
    rng = checks.generator(seed)
    k = min(k, len(spectrum.eigenvalues) - 1)
    k = max(k, 2) if k else 0
    fit = tail_fit(spectrum.eigenvalues, k=k or None, level=level, bootstrap=bootstrap, seed=rng)
    progress.update(1, 4, "shuffling entries")
    parts = [_curve(chosen, level), _fit(fit, chosen), _laws(chosen, fit), _edge_and_erg(chosen, fit)]
    parts.append(_nulls(chosen, fit, k, repeats, splits, level, rng, progress))
    parts.append(_table(layers, level, progress))
    if spectrum.columns <= MOST_FOR_TABLES:
        parts += [invariance_part(chosen, rng), blind_part(chosen, rng)]
    parts.append(constant_part(chosen))
    variables, coordinates = grammar.joined(*parts)
    return results.dataset(variables, coordinates, {"network": layers.sentence, "layer_told": chosen.name})


def _chosen(layers: Layers, layer: int | str) -> Layer:
    if isinstance(layer, str):
        return layers[layer]
    return layers[min(checks.integer("layer", layer, minimum=0), len(layers) - 1)]


def _curve(layer: Layer, level: float) -> grammar.Part:
    """Return the spectrum, and what every eigenvalue would give as the threshold."""
    values = layer.spectrum().eigenvalues
    logs = np.log(values)
    count = len(values)
    n = count - np.arange(count)
    sums = log_excess(logs)
    distances = valley(logs, False)
    with np.errstate(divide="ignore", invalid="ignore"):
        alphas = np.where(np.isfinite(distances), 1 + n / sums, np.nan)
    ends = np.array([
        exact_interval(n[i] - 1, sums[i], level) if n[i] > 2 and np.isfinite(alphas[i]) else (np.nan, np.nan)
        for i in range(count)
    ])  # fmt: skip
    where = ("order",)
    variables = {
        "eigenvalue": (where, values, "eigenvalue of WᵀW"),
        "share_above": (where, n / count, "share of eigenvalues that are at least this one"),
        "distance_at": (where, distances, "Kolmogorov–Smirnov distance D with the threshold here"),
        "alpha_at": (where, alphas, "α with the threshold here"),
        "low_at": (where, ends[:, 0], "lower end of its exact interval"),
        "high_at": (where, ends[:, 1], "upper end of its exact interval"),
    }
    return variables, {"order": (where, np.arange(count), "number of the eigenvalue, ascending")}


def _fit(fit: TailFit, layer: Layer) -> grammar.Part:
    variables: dict[str, Any] = {name: ((), getattr(fit, name), label) for name, label in FIT_LABELS.items()}
    spectrum = layer.spectrum()
    variables |= {
        "tail_size": ((), fit.tail, "eigenvalues in the tail"),
        "dropped": ((), spectrum.dropped, "eigenvalues that are zero up to rounding"),
        "rows": ((), spectrum.rows, "longer side N of the layer"),
        "columns": ((), spectrum.columns, "shorter side M of the layer"),
    }
    return variables, {}


def _laws(layer: Layer, fit: TailFit) -> grammar.Part:
    """Return survival functions of the fitted laws along the tail, their α, and how the power law compares."""
    values = layer.spectrum().eigenvalues
    tail = values[len(values) - fit.tail :]
    at = np.geomspace(tail[0], tail[-1], DRAWN)
    names = list(TAILS)
    survival = np.full((len(names), DRAWN), np.nan)
    alphas, ratios, p_values = (np.full(len(names), np.nan) for _ in range(3))
    for j, name in enumerate(names):
        law = TAILS[name](tail)
        survival[j] = law.survival(at) * fit.tail / fit.count
        alphas[j] = law.alpha if np.isfinite(law.alpha) else np.nan
        if name in RIVALS:
            ratios[j], p_values[j] = likelihood_ratio(tail, name)
    variables = {
        "law_label": (("law",), np.array([TAILS[name].label for name in names]), "the law"),
        "law_survival": (("law", "at"), survival, "share of eigenvalues above, by the law"),
        "law_alpha": (("law",), alphas, "exponent of the law, where it has one"),
        "law_ratio": (("law",), ratios, "ln likelihood of the power law over the law's"),
        "law_p_value": (("law",), p_values, "p-value of that ratio (Vuong's test; for a law with a cut-off, nested)"),
        "law_at": (("at",), at, "eigenvalue"),
    }
    coordinates = {
        "law": (("law",), np.array(names), "law of the tail"),
        "at": (("at",), np.arange(DRAWN), "number of the point"),
    }
    return variables, coordinates


def _edge_and_erg(layer: Layer, fit: TailFit) -> grammar.Part:
    spectrum = layer.spectrum()
    found = erg_of(spectrum.eigenvalues)
    edge = edge_of(spectrum) if 2 * spectrum.dropped < spectrum.columns else None
    gap = float(np.log(fit.threshold / found.threshold)) if found.tail else np.nan
    variables = {
        "erg_threshold": ((), found.threshold, "eigenvalue where the product of the largest (over the mean) is one"),
        "erg_tail": ((), found.tail, "eigenvalues from there on"),
        "gap": ((), gap, "ln(x_min/λ_ERG)"),
        "edge_cut": ((), edge.cut if edge else np.nan, "edge of noise, at 95 %"),
        "edge_statistic": ((), edge.statistic if edge else np.nan, "largest eigenvalue, in widths beyond the edge"),
        "edge_p_value": ((), edge.p_value if edge else np.nan, "its p-value under noise of one variance"),
        "spikes": ((), edge.spikes if edge else 0, "eigenvalues beyond the edge of noise"),
    }
    return variables, {}


def _nulls(
    layer: Layer,
    fit: TailFit,
    k: int,
    repeats: int,
    splits: int,
    level: float,
    rng: np.random.Generator,
    progress: Progress,
) -> grammar.Part:
    matrix = np.asarray(layer.matrix, dtype=np.float64)
    shuffled = shuffled_alphas(matrix, repeats, rng, progress, k)
    can_split = len(matrix) // 2 >= FEWEST
    halves = half_alphas(matrix, splits, rng, progress, k) if can_split else np.full((splits, 2), np.nan)
    error = error_from_halves(fit.alpha, halves, level)
    share = float((1 + np.sum(shuffled <= fit.alpha)) / (1 + repeats))
    variables = {
        "shuffled": (("shuffle",), shuffled, "α of the layer's entries shuffled"),
        "shuffled_share": ((), share, "share of shuffles whose α is at most the layer's"),
        "matrix_sd": ((), error.sd, "standard deviation of α over other rows of the matrix, from halves"),
        "matrix_low": ((), error.low, "lower end of the interval of α for other rows of the matrix"),
        "matrix_high": ((), error.high, "upper end of the interval of α for other rows of the matrix"),
        "halves": (("split", "half"), halves, "α of both halves of the rows"),
    }  # fmt: skip
    coordinates = {
        "shuffle": (("shuffle",), np.arange(repeats), "number of the shuffle"),
        "split": (("split",), np.arange(splits), "number of the split"),
        "half": (("half",), np.array(["first", "second"]), "half of the rows"),
    }
    return variables, coordinates


def _table(layers: Layers, level: float, progress: Progress) -> grammar.Part:
    """Return the table of all layers under names that do not collide with those of the one layer."""
    variables, coordinates = table_of(layers, repeats=0, level=level, seed=0, progress=progress)
    kept = ("layer_name", "layer_kind", "left_out_name", "left_out_reason")
    left = ("shuffled", "shuffled_share")
    renamed = {
        (name if name in kept else f"layer_{name}"): value for name, value in variables.items() if name not in left
    }
    return renamed, coordinates
