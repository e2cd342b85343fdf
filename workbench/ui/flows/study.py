"""The shipped study of estimators as a tab."""

from collections.abc import Sequence

import numpy as np
import param
import xarray as xr

from workbench.figures import flows as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.study import StudyView, values_of


class EstimatorStudy(StudyView):
    """Error of every estimator against the number of directions."""

    title, slug, study = "Study: estimators", "study", "estimator-error"
    help = (
        "Error of every estimator over 200 draws, on four pairs of clouds of 2,048 points. A sweep that ships with the "
        "workbench: `workbench sweep studies/estimator-error.toml` makes it again."
    )
    display = ("pair",)
    columns = 1

    pair = param.Selector(default="torus-cube", objects=values_of("estimator-error", "pair"), label="Pair of clouds")

    def pictures(self) -> Sequence[Picture]:
        """Return the error curves."""
        return [Picture("Error by estimator", lambda ds: figures.estimator_error(ds, self.pair), self._in_words)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how the best estimator compares with Monte Carlo at 100 directions."""
        errors = ds.relative_rmse.sel(pair=self.pair, n_directions=100)
        best = str(errors.estimator.values[int(np.argmin(errors.values))])
        least, monte_carlo = float(errors.min()), float(errors.sel(estimator="monte-carlo"))
        return (
            f"With 100 directions on {self.pair}, {best} errs by {least:.2g} of SW₂² and Monte Carlo by "
            f"{monte_carlo:.2g}: {monte_carlo / least:.3g} times as much."
        )

    def _in_words(self, ds: xr.Dataset) -> str:
        errors = ds.relative_rmse.sel(pair=self.pair, n_directions=100)
        told = ", ".join(f"{name} {float(errors.sel(estimator=name)):.2g}" for name in ds.estimator.values)
        return f"Root mean square error divided by the value, at 100 directions: {told}."
