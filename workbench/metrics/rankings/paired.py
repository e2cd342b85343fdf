"""Two models on the same items: is one better? DeLong's test for AUROC, the influence functions' difference for AP."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from workbench import checks, results
from workbench.metrics.rankings.errors import ap_influence, placements
from workbench.metrics.rankings.inputs import LONGEST_NAME, Sample, sample, score_array
from workbench.metrics.rankings.levels import Levels, level_of, levels
from workbench.metrics.rankings.scores import auroc, average_precision

MODELS = ("a", "b")
METRICS = {"auroc": "AUROC", "ap": "AP"}
Floats = NDArray[np.float64]


@results.experiment
def compare(
    y: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    positive: Any = None,
    names: tuple[str, str] = MODELS,
    level: float = 0.95,
) -> xr.Dataset:
    """Compare two models by their scores ``a`` and ``b`` (N,) of the same items with labels ``y`` (N,).

    Returns over metric (auroc, ap): the ``value`` of each model and their covariance (model, other), the
    ``difference`` a − b with ``difference_error``, interval, z and the two-sided p. For AUROC this is DeLong's test;
    for AP the variance of the difference of both influence functions. An error of 0 (the same order) has z and p NaN.
    Raises ``ValueError`` as :func:`sample`, and for a single positive or negative. Cost: 0.6 s for a million items.

    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(400) % 2
    >>> found = compare(y, rng.normal(size=400) + 2 * y, rng.normal(size=400) + y)
    >>> bool((found.p_value < 0.001).all()), found.metric.values.tolist()
    (True, ['auroc', 'ap'])
    """
    level = checks.real("level", level, minimum=0.5, maximum=0.9999)
    names = _names(names)
    first = sample(y, a, weights=weights, positive=positive)
    other = score_array("b", b)
    if len(other) != len(first.scores):
        raise ValueError(f"a has {len(first.scores)} scores and b has {len(other)}; both models score the same items")
    if min(first.positives, first.negatives) < 2:
        raise ValueError(
            f"there are {first.positives} positives and {first.negatives} negatives; a test needs two of each"
        )
    return results.dataset(*compared(first, other, names, level))


def compared(
    first: Sample, other: NDArray[Any], names: tuple[str, str] = MODELS, level: float = 0.95
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the variables and coordinates of :func:`compare`."""
    samples = [first, Sample(first.positive, other, first.weights)]
    found = [levels(one) for one in samples]
    values = np.array([[metric(one) for one in found] for metric in (auroc, average_precision)])
    covariance = np.array([_auroc_covariance(samples, found), _ap_covariance(samples, found)])
    difference = values[:, 0] - values[:, 1]
    # from the difference itself: two equal orders then have a variance of 0 and not of a rounding
    error = np.sqrt([_auroc_covariance(samples, found, True), _ap_covariance(samples, found, True)])
    same = error == 0
    z = np.where(same, np.nan, difference / np.where(same, 1, error))
    reach = float(ndtri(0.5 + level / 2)) * error
    metric, model = ("metric",), ("metric", "model")
    variables = {
        "value": (model, values, "score of a model"),
        "covariance": (("metric", "model", "other_model"), covariance, "covariance of the two models' scores"),
        "difference": (metric, difference, "first model minus second"),
        "difference_error": (metric, error, "standard error of the difference"),
        "difference_low": (metric, difference - reach, "lower end of the difference's interval"),
        "difference_high": (metric, difference + reach, "upper end of the difference's interval"),
        "z": (metric, z, "difference over its error"),
        "p_value": (metric, 2 * ndtr(-np.abs(z)), "two-sided p value"),
    }
    coordinates = {
        "metric": (metric, np.array(list(METRICS)), "ranking score"),
        "model": (("model",), np.array(names), "model"),
        "other_model": (("other_model",), np.array(names), "model"),
    }
    return variables, coordinates


def _names(names: Any) -> tuple[str, str]:
    given = tuple(str(name) for name in names)
    if len(given) != 2 or given[0] == given[1] or max(map(len, given)) > LONGEST_NAME:
        raise ValueError(f"names must be two different names of up to {LONGEST_NAME} letters, got {names!r}")
    return given


def _auroc_covariance(samples: list[Sample], found: list[Levels], of_difference: bool = False) -> Any:
    """Return DeLong's covariance (2, 2) of both AUROCs, or the variance of their difference."""
    is_positive = samples[0].positive
    places = [level_of(one.scores)[0] for one in samples]
    parts = [placements(one) for one in found]
    total = 0.0
    for chosen, column in ((is_positive, 0), (~is_positive, 1)):
        rows = np.array([part[column][place[chosen]] for part, place in zip(parts, places, strict=True)])
        weights = None if samples[0].weights is None else samples[0].weights[chosen]
        total = total + _covariance(rows[:1] - rows[1:] if of_difference else rows, weights)
    return float(total[0, 0]) if of_difference else total


def _covariance(rows: Floats, weights: Floats | None) -> Floats:
    """Return the covariance of the weighted means of ``rows`` (k, n), with n − 1, or Kish's effective n − 1."""
    w = np.ones(rows.shape[1]) if weights is None else weights
    size = w.sum()
    effective = size**2 / (w @ w)
    centred = (rows - (rows @ w / size)[:, None]) * w
    return centred @ centred.T / size**2 * effective / (effective - 1)


def _ap_covariance(samples: list[Sample], found: list[Levels], of_difference: bool = False) -> Any:
    """Return the covariance (2, 2) of both APs by their influence functions, or the variance of their difference."""
    rows = []
    for one, on_levels in zip(samples, found, strict=True):
        influence, place = ap_influence(on_levels), level_of(one.scores)[0]
        rows.append(np.where(one.positive, influence.positives[place], influence.negatives[place]))
    values = np.array(rows)
    values = values[:1] - values[1:] if of_difference else values
    w = 1.0 if samples[0].weights is None else samples[0].weights
    total = values.shape[1] if samples[0].weights is None else samples[0].weights.sum()
    weighted = values * w
    covariance = weighted @ weighted.T / total**2
    return float(covariance[0, 0]) if of_difference else covariance
