"""What the experiments on rankings cost, measured on one core."""

from typing import Any

import numpy as np

from workbench.costs import Cost

SECONDS_PER_ITEM = 1.5e-7
"""Of sorting, both scores and both errors."""
START = 0.01


def ranking(scores: Any) -> Cost:
    """Estimate :func:`workbench.metrics.ranking`."""
    count = max(np.size(scores), 1)
    return Cost(START + SECONDS_PER_ITEM * count, 100.0 * count)
