"""Experiment (g): which samples limit the step, with their inputs, so that one can look at them."""

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.steps.data import Data, digits
from workbench.steps.experiments.setting import Direction, Network, batch, make_ray
from workbench.steps.radii import bound_radius
from workbench.steps.ray import sample_losses, softmax


@results.experiment
def bottlenecks(
    network: Network = "mlp-relu",
    *,
    stage: str = "converged",
    direction: Direction = "-gradient",
    count: int = 12,
    data: Data | None = None,
    samples: int = 256,
    seed: int = 0,
) -> xr.Dataset:
    """List the ``count`` samples of the batch with the smallest bound radius, worst first.

    Returns over ``rank``: ``sample`` (row in the training data), ``radius`` ρ_a, ``target``, ``prediction``,
    ``probability`` of the target, ``loss``, the classes whose logits move fastest ``up`` and ``down``; and ``inputs``
    (rank, feature) as the network saw them. One JVP. Raises ``ValueError`` for unknown names.
    """
    count = checks.integer("count", count, minimum=1)
    data = data or digits()
    ray = make_ray(network, direction, stage=stage, data=data, samples=samples, seed=seed)
    radius = bound_radius(ray.slopes)
    worst = np.argsort(radius, kind="stable")[:count]
    inputs, _ = batch(data, samples)
    labels = ray.labels[worst]
    probability = np.take_along_axis(softmax(ray.logits), ray.labels[:, None], axis=1)[:, 0]
    rank = ("rank",)
    pixels = inputs.numpy()[worst].reshape(len(worst), -1)
    return results.dataset(
        {
            "sample": (rank, worst, "row in the training data"),
            "radius": (rank, radius[worst], "bound radius", "τ"),
            "target": (rank, labels, "class"),
            "prediction": (rank, ray.logits.argmax(axis=1)[worst], "predicted class"),
            "probability": (rank, probability[worst], "probability of the class"),
            "loss": (rank, sample_losses(ray.logits, ray.labels)[worst], "cross-entropy", "nat"),
            "up": (rank, ray.slopes.argmax(axis=1)[worst], "class whose logit rises fastest"),
            "down": (rank, ray.slopes.argmin(axis=1)[worst], "class whose logit falls fastest"),
            "inputs": (("rank", "feature"), pixels, "input"),
        },
        {
            "rank": (rank, np.arange(1, len(worst) + 1), "rank, worst first"),
            "feature": (("feature",), np.arange(pixels.shape[1]), "feature"),
        },
    )
