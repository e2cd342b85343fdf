"""Rankings: AUROC and AP of a ranking."""

from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import metrics
from workbench.figures import metrics as figures
from workbench.metrics.rankings.examples import binormal
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View


class RankingsView(View):
    """AUROC and AP of one ranking."""

    title, slug = "Rankings", "rankings"
    help = "A ranking of positives and negatives, judged by AUROC and by average precision (AP, “AUPRC”)."
    experiment = staticmethod(metrics.ranking)
    inputs = ("n", "prevalence", "separation", "seed")

    n = param.Integer(default=200, bounds=(10, 5000), label="Items")
    prevalence = param.Number(default=0.1, bounds=(0.01, 0.9), step=0.01, label="Share of positives")
    separation = param.Number(default=1.8, bounds=(-2, 5), step=0.1, label="Separation of the classes")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same items")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return labels and scores."""
        y, scores = binormal(inputs["n"], **{k: inputs[k] for k in ("prevalence", "separation", "seed")})
        return {"y": y, "scores": scores}

    def pictures(self) -> Sequence[Any]:
        """Return the curves."""
        return [Picture("Curves", figures.roc_and_pr, _curves_in_words)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Give both scores with their errors."""
        one = ds.isel(part=0)
        return (
            f"AUROC {float(one.auroc):.3f} ± {float(one.auroc_error):.3f}, AP {float(one.ap):.3f} ± "
            f"{float(one.ap_error):.3f} (chance {float(one.chance):.3f})."
        )


def _curves_in_words(ds: xr.Dataset) -> str:
    one = ds.isel(part=0)
    return f"{int(one.positives)} positives among {int(one.positives + one.negatives)} items."
