"""Rankings: both curves."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def roc_and_pr(ds: xr.Dataset) -> Any:
    """Draw the ROC curve and the precision-recall curve in one square, from 0 to 1 on both axes."""
    one = ds.isel(part=0)
    keep = np.isfinite(one.fpr.values)
    fpr, tpr, precision = (one[name].values[keep] for name in ("fpr", "tpr", "precision"))
    chance = float(one.chance) if np.isfinite(one.chance) else float(one.prevalence)
    parts = [
        theme.line(hv.Curve((fpr, tpr), "rate", "value", label="ROC: TPR against FPR"), theme.SERIES[0], width=2.5),
        theme.line(
            hv.Curve((tpr, precision), "rate", "value", label="PR: precision against recall"),
            theme.SERIES[1],
            width=2.5,
            dash="dashed",
        ),
        theme.line(hv.Curve(([0, 1], [0, 1]), "rate", "value"), theme.NEUTRAL, width=1, dash="dotted"),
        theme.line(hv.Curve(([0, 1], [chance, chance]), "rate", "value"), theme.NEUTRAL, width=1, dash="dotted"),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="ROC and precision–recall",
        xlabel="FPR, or recall",
        ylabel="TPR, or precision",
        xlim=(0, 1),
        ylim=(0, 1.02),
        legend="bottom",
    )
