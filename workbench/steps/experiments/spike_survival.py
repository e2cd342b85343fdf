"""How a run ends under each rule after a spike of its learning rate: the experiment of a shipped study."""

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.experiments.spike import spike

RULES = ("none", "gradient-clip", "update-clip", "armijo", "safe")
"""The rules of the study; a spike of its own takes any."""


@results.experiment
def spike_survival(
    network: str = "mlp-relu",
    optimizer: str = "adam",
    multiplier: float = 1000.0,
    persistent: bool = False,
    at: int = 60,
    steps: int = 160,
    learning_rate: float = 1e-2,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return how a training run ends under each rule after its learning rate was ``multiplier`` times too large.

    One :func:`workbench.steps.spike` on scikit-learn's digits. Over ``rule``: test ``accuracy`` at the end; ``worst``,
    its least value from the spike on; ``survived``, 1 if the end is at least 90 % of the accuracy just before the
    spike and else 0. Also ``before``, that accuracy. AdaHessian takes its own gradients, out of reach of gradient
    clipping: NaN there. Cost: about 5 ms a step and rule, several times that for the two large networks.
    """
    rules = [name for name in RULES if (optimizer, name) != ("adahessian", "gradient-clip")]
    run = spike(
        network,
        rules=rules,
        optimizer=optimizer,
        multiplier=multiplier,
        persistent=persistent,
        at=checks.integer("at", at, minimum=1),
        steps=steps,
        learning_rate=learning_rate,
        seeds=(seed,),
        progress=progress,
    )
    accuracy = run.accuracy.isel(seed=0).reindex(rule=list(RULES)).values
    before = accuracy[:, at - 1]
    survived = np.where(np.isnan(before), np.nan, accuracy[:, -1] >= 0.9 * before)
    return results.dataset(
        {
            "accuracy": (("rule",), accuracy[:, -1], "test accuracy at the end"),
            "worst": (("rule",), accuracy[:, at:].min(axis=1), "least test accuracy after the spike"),
            "before": (("rule",), before, "test accuracy before the spike"),
            "survived": (("rule",), survived, "ended at 90 % of that or more"),
        },
        {"rule": (("rule",), list(RULES), "rule")},
    )
