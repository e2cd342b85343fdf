"""What downscaling costs, measured on one core."""

from collections.abc import Sequence

import numpy as np

from workbench.costs import Cost

STEP = 5e-3
"""Seconds of a training step."""
FIELD = 6e-3
"""Seconds of a sampled field."""


def inflation_report() -> Cost:
    """Estimate :func:`workbench.fields.inflation_report`."""
    return Cost(0.05, 1e7)


def downscaling_study(rows: Sequence[str], seeds: Sequence[int], days: int, members: int, steps: int) -> Cost:
    """Estimate :func:`workbench.fields.downscaling_study`."""
    longer = sum(3.5 if name.startswith("score") else 1.0 for name in rows)
    each = 2 * len(rows) * (days * members * FIELD + 0.3) + longer * steps * STEP
    return Cost(1.0 + len(seeds) * each, 2e8 + 256 * 8.0 * 12 * days * members)


def rain_report(rain: object) -> Cost:
    """Estimate :func:`workbench.fields.rain_report`."""
    count = 1500.0 if isinstance(rain, str) else float(np.size(rain))  # type: ignore[arg-type]
    return Cost(0.1 + 2e-6 * min(count, 2e5) * 20 / 10 + 2e-7 * count, 64.0 * count + 1e7)
