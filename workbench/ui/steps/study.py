"""The shipped study of spikes as a tab."""

from collections.abc import Sequence
from typing import Any

import param
import xarray as xr

from workbench.figures import steps as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.study import StudyView, values_of


class SpikeStudy(StudyView):
    """Which guard survives a learning-rate spike."""

    title, slug, study = "Study: spikes", "study", "spike-survival"
    help = (
        "A run survives if it ends with at least 90 % of the accuracy it had before the spike. Seven networks, three "
        "seeds each: `studies/spike-survival-small.toml`; the larger study beside it takes hours. AdaHessian takes its "
        "own gradients, out of reach of gradient clipping."
    )
    display = ("optimizer", "persistent")
    columns = 1

    optimizer = param.Selector(default="adam", objects=values_of("spike-survival", "optimizer"), label="Optimiser")
    persistent = param.Boolean(default=True, label="The rate stays wrong")

    def pictures(self) -> Sequence[Picture]:
        """Return the survival curves."""
        return [Picture("Survival", lambda ds: figures.spike_survival(ds, **self._where()), self._in_words)]

    def _where(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer, "persistent": self.persistent}

    def sentence(self, ds: xr.Dataset) -> str:
        """Say which rules survive the largest spike."""
        share = self._shares(ds).isel(multiplier=-1)
        always = [str(rule) for rule in share.rule.values if float(share.sel(rule=rule)) == 1]
        told = ", ".join(always) if always else "no rule"
        count = ds.sizes["network"] * ds.sizes["repeat"]
        return f"With {float(share.multiplier):g} times the learning rate, {told} survived in all {count} runs."

    def _shares(self, ds: xr.Dataset) -> xr.DataArray:
        return ds.survived.sel(**self._where()).mean(["network", "repeat"]).dropna("rule")

    def _in_words(self, ds: xr.Dataset) -> str:
        share = self._shares(ds)
        told = [f"{rule} {', '.join(f'{v:.2g}' for v in share.sel(rule=rule).values)}" for rule in share.rule.values]
        sizes = ", ".join(f"{m:g}" for m in share.multiplier.values)
        return f"Share of runs that survive a rate {sizes} times too large: {'; '.join(told)}."
