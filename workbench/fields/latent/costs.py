"""What the experiments on latent flows cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost

TRAINING = 4.0
"""Seconds of a network or of an autoencoder."""
TERM = 1.1e-11
"""Seconds of one entry of a component's matrices at one point, in one evaluation of an exact field."""


def additive_counterexample() -> Cost:
    """Estimate :func:`workbench.fields.additive_counterexample`."""
    return Cost(0.01)


def latent_flow(data: Any, dimension: int, codec: str, learner: str, components: int, steps: int) -> Cost:
    """Estimate :func:`workbench.fields.latent_flow`."""
    rows = 1797 if isinstance(data, str) else len(data)
    kept = min(rows // 5, 400)
    seconds = 0.3 + 1e-7 * rows * components * dimension**2 + 2e-5 * kept**1.5
    seconds += kept * steps * 4 * components * 6 * dimension**2 * TERM
    return Cost(seconds + TRAINING * ((learner == "network") + (codec == "autoencoder")), 5e7)


def best_dimension(data: Any, dims: Sequence[int], points: int, learner: str, components: int, paths: int) -> Cost:
    """Estimate :func:`workbench.fields.best_dimension`."""
    if not isinstance(data, str):
        kinds = {"codec": "pca", "learner": learner, "components": components, "steps": 24}
        return Cost(sum(latent_flow(data, k, **kinds).seconds for k in dims), 1e8)  # type: ignore[arg-type]
    square = float(np.sum(np.square(np.asarray(dims, dtype=float))))
    seconds = 0.6 * len(dims) + 3e-7 * points * components * square / 10 + paths * 600 * components * 6 * square * TERM
    return Cost(seconds + TRAINING * (learner == "network") * len(dims), 3e8)


def dimension_study(points: Sequence[int], dims: Sequence[int], seeds: Sequence[int], learner: str, paths: int) -> Cost:
    """Estimate :func:`workbench.fields.dimension_study`."""
    return Cost(sum(best_dimension("digits", dims, n, learner, 10, paths).seconds * len(seeds) for n in points), 3e8)


def codec_study(dims: Sequence[int], seeds: Sequence[int], learner: str) -> Cost:
    """Estimate :func:`workbench.fields.codec_study`."""
    each = sum(
        latent_flow("digits", k, codec, learner, 10, 24).seconds for k in dims for codec in ("pca", "autoencoder")
    )
    return Cost(each * len(seeds), 1e8)
