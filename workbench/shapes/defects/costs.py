"""What the experiments on defects cost, measured on one core."""

from typing import Any

import numpy as np

from workbench.costs import Cost


def defect_dictionaries(wedges: Any, characters: Any, strengths: Any) -> Cost:
    """Estimate :func:`workbench.shapes.defect_dictionaries`."""
    return Cost(0.01 + 2e-3 * (np.size(wedges) + np.size(strengths)) + 1e-4 * np.size(characters), 1e7)
