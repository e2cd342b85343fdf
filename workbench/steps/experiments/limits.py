"""Experiment (f): what limits the step? All predictors beside the measured onset of damage, in one currency."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.data import Data, digits
from workbench.steps.experiments.onset import accuracy_onset, loss_onset
from workbench.steps.experiments.setting import Direction, Network, make_ray, names_of
from workbench.steps.networks import NETWORKS
from workbench.steps.predictors import GROUPS, PREDICTORS, predict

DAMAGES = ("loss", "accuracy")
POINTS = 5.0
FIRST_PREDICTORS = 3  # the radii, which cost one Jacobian–vector product together


@results.experiment
def limits(
    network: Network = "mlp-relu",
    *,
    stage: str = "converged",
    directions: Direction | Sequence[Direction] = ("-gradient",),
    predictors: Sequence[str] | None = None,
    ratio: float = 2.0,
    data: Data | None = None,
    samples: int = 256,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Ask every predictor how far the step may go along each direction, and measure where damage begins.

    Returns ``tau`` (direction, predictor), the ``label``, ``cost``, ``reference`` and ``group`` of each predictor,
    and ``onset`` (direction, damage): the distance to ``ratio`` times the loss, and to 5 points of accuracy
    lost; ∞ where nothing limits or nothing happens within five decades. Cost: about 100 forward passes and 40 gradients
    for each direction, plus Lanczos; what is measured comes first, and ``progress.publish`` gets the predictions that
    are there, NaN for the others. Raises ``ValueError`` for unknown names.
    """
    progress = progress or Progress()
    names = list(PREDICTORS) if predictors is None else [checks.choice("predictor", p, PREDICTORS) for p in predictors]
    labels, listed = names_of(directions)
    ratio = checks.real("ratio", ratio, exclusive_minimum=1)
    data = data or digits()
    tau, onset = np.full((len(listed), len(names)), np.nan), np.full((len(listed), len(DAMAGES)), np.nan)
    done, total = 0, len(listed) * (len(names) + 1)

    def so_far() -> xr.Dataset:
        return _limits_dataset(tau, onset, labels, names, ratio)

    for i, direction in enumerate(listed):
        ray = make_ray(network, direction, stage=stage, data=data, samples=samples, seed=seed)
        progress.update(done, total, f"{labels[i]}: measuring")
        onset[i] = loss_onset(ray, ratio), accuracy_onset(ray, POINTS)
        done += 1
        for j, name in enumerate(names):
            progress.update(done, total, f"{labels[i]}: {PREDICTORS[name].label}")
            tau[i, j] = predict(name, ray, ratio=ratio)
            done += 1
            if j + 1 >= FIRST_PREDICTORS and done < total:
                progress.publish(results.unfinished(so_far(), f"{total - done} more predictors"))
    progress.update(total, total, "done")
    return so_far()


def _limits_dataset(
    tau: np.ndarray, onset: np.ndarray, labels: list[str], names: list[str], ratio: float
) -> xr.Dataset:
    entries = [PREDICTORS[name] for name in names]
    return results.dataset(
        {
            "tau": (("direction", "predictor"), tau.copy(), "predicted limit of the step", "τ"),
            "onset": (("direction", "damage"), onset.copy(), "measured onset of damage", "τ"),
            "label": (("predictor",), [e.label for e in entries], "predictor, for people"),
            "cost": (("predictor",), [e.cost for e in entries], "what it costs"),
            "reference": (("predictor",), [e.reference for e in entries], "where it comes from"),
            "group": (("predictor",), [GROUPS[e.fact("group")] for e in entries], "kind of predictor"),
        },
        {
            "direction": (("direction",), labels, "direction"),
            "predictor": (("predictor",), names, "predictor"),
            "damage": (("damage",), list(DAMAGES), f"loss × {ratio:g}, or accuracy − 5 points"),
        },
    )


@results.experiment
def prediction_spread(
    *,
    networks: Sequence[str] = tuple(NETWORKS),
    stages: Sequence[str] = ("middle", "converged"),
    directions: Sequence[str] = ("-gradient", "+gradient", "sign", "random"),
    predictors: Sequence[str] | None = None,
    ratio: float = 2.0,
    samples: int = 256,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare predicted with measured onsets over networks × stages × directions, on digits.

    Returns over (predictor, damage): ``spread``, the standard deviation of log10(measured/predicted) over the cases
    where both are positive and finite, ``bias`` their median of measured/predicted, and ``cases``; and the raw
    ``tau`` (case, predictor) and ``onset`` (case, damage). A small spread means that one constant turns the predictor
    into a forecast. About 4 s for each case.
    """
    progress = progress or Progress()
    names = list(PREDICTORS) if predictors is None else list(predictors)
    cases = [(n, s, d) for n in networks for s in stages for d in directions]
    tau, onset = np.empty((len(cases), len(names))), np.empty((len(cases), len(DAMAGES)))
    for i, (network, stage, direction) in enumerate(cases):
        progress.update(i, len(cases), f"{network}, {stage}, {direction}")
        one = limits(
            network,
            stage=stage,
            directions=(direction,),
            predictors=names,
            ratio=ratio,
            samples=samples,
            seed=seed,
        )
        tau[i], onset[i] = one.tau.values[0], one.onset.values[0]
    progress.update(len(cases), len(cases), "done")
    spread, bias, used = _summary(tau, onset)
    pair = ("predictor", "damage")
    return results.dataset(
        {
            "spread": (pair, spread, "standard deviation of log10(measured/predicted)"),
            "bias": (pair, bias, "median of measured/predicted"),
            "cases": (pair, used, "cases where both are positive and finite"),
            "tau": (("case", "predictor"), tau, "predicted limit of the step", "τ"),
            "onset": (("case", "damage"), onset, "measured onset of damage", "τ"),
            "cost": (("predictor",), [PREDICTORS[name].cost for name in names], "what it costs"),
        },
        {
            "case": (("case",), [" ".join(case) for case in cases], "network, stage, direction"),
            "predictor": (("predictor",), names, "predictor"),
            "damage": (("damage",), list(DAMAGES), "kind of damage"),
        },
    )


def _summary(tau: np.ndarray, onset: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = (tau.shape[1], onset.shape[1])
    spread, bias, used = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=int)
    for j in range(shape[0]):
        for k in range(shape[1]):
            predicted, measured = tau[:, j], onset[:, k]
            good = np.isfinite(predicted) & np.isfinite(measured) & (predicted > 0) & (measured > 0)
            used[j, k] = good.sum()
            if good.sum() > 1:
                ratio = np.log10(measured[good] / predicted[good])
                spread[j, k], bias[j, k] = ratio.std(ddof=1), 10 ** np.median(ratio)
    return spread, bias, used
