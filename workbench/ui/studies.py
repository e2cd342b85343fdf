"""The shipped studies as tabs: a room shows its study by adding one of these to its ``view_classes``.

Nothing is computed here: the results come with the workbench, made by ``workbench sweep studies/<name>.toml``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import param
import xarray as xr

from workbench import data
from workbench.costs import Cost
from workbench.figures import studies as figures
from workbench.progress import Progress
from workbench.ui.picture import Picture
from workbench.ui.view import View

PAIRS = ("torus-cube", "sphere-two-blobs", "translated", "near-convergence")
OPTIMISERS = ("adam", "adamw", "sgd", "adahessian", "m-fac")
PLAYERS = (2, 3, 5, 10, 20)


class StudyView(View):
    """A tab that opens a shipped result; subclasses choose what of it is drawn."""

    study: ClassVar[str] = ""
    """Name of the study: ``data/studies/<name>.nc``."""

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset:
        """Open the shipped result."""
        return data.result(f"studies/{self.study}.nc")

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Open the shipped result."""
        return self.precomputed(inputs)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Opening a file takes no time worth announcing."""
        return Cost(0.1)


class EstimatorStudy(StudyView):
    """Error of every estimator against the number of directions."""

    title, slug, study = "Study: estimators", "study", "estimator-error"
    help = (
        "Error of every estimator over 200 draws, on four pairs of clouds of 2,048 points. A sweep that ships with the "
        "workbench: `workbench sweep studies/estimator-error.toml` makes it again."
    )
    display = ("pair",)
    columns = 1

    pair = param.Selector(default="torus-cube", objects=list(PAIRS), label="Pair of clouds")

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


class CurvatureStudy(StudyView):
    """Curvature of every torus from L = 3 to 64, across the coupling."""

    title, slug, study = "Study: all sizes", "study", "curvature"
    help = (
        "Exact scalar curvature of all tori from 3 × 3 to 64 × 64, at 17 couplings. A sweep that ships with the "
        "workbench: `workbench sweep studies/curvature.toml` makes it again."
    )
    display = ("coupling",)

    coupling = param.Number(default=0.4406867935097715, bounds=(0.32, 0.56), label="Coupling J of the second picture")

    def pictures(self) -> Sequence[Picture]:
        """Return R/n across J, and its growth with L at one J."""
        return [
            Picture("Across the coupling", figures.curvature_across, _curvature_in_words),
            Picture("Growth with size", lambda ds: figures.curvature_growth(ds, self.coupling), self._growth_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say whether R/n peaks at J_c, from the numbers."""
        per_site = ds.scalar_curvature.sel(L=64) / 64**2
        nearest = int(np.abs(per_site.J.values - 0.4406867935097715).argmin())
        around = per_site.values[nearest - 1 : nearest + 2]
        falls = bool(np.all(np.diff(around) < 0))
        told = "falls right through J_c: no peak there" if falls else "is not monotonic around J_c"
        return f"On the 64 × 64 torus R/n at J_c is {around[1]:.4g}, and it {told}."

    def _growth_in_words(self, ds: xr.Dataset) -> str:
        one = ds.sel(J=self.coupling, method="nearest")
        told = ", ".join(f"{-float(one.scalar_curvature.sel(L=L)) / L**2:.4g} at L = {L}" for L in (16, 32, 64))
        return f"−R/n at J = {float(one.J):.4g}: {told}. A straight line means growth like ln L."


def _curvature_in_words(ds: xr.Dataset) -> str:
    least, most = (ds.scalar_curvature.sel(L=64) / 64**2).values[[0, -1]]
    ends = f"{least:.3g} at J = {ds.J.values[0]:g} to {most:.3g} at J = {ds.J.values[-1]:g}"
    return f"R/n of the largest torus goes from {ends}."


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

    optimizer = param.Selector(default="adam", objects=list(OPTIMISERS), label="Optimiser")
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


class CertificateStudy(StudyView):
    """How many random games each certificate accepts."""

    title, slug, study = "Study: random games", "study", "certified-share"
    help = (
        "Random quadratic games, every rung of the ladder; `hurwitz` is the truth. A sweep that ships with the "
        "workbench: `workbench sweep studies/certified-share.toml` makes it again."
    )
    display = ("players", "density")
    columns = 1

    players = param.Selector(default=5, objects=list(PLAYERS), label="Players")
    density = param.Selector(default=1.0, objects=[0.3, 1.0], label="Share of couplings that are there")

    def pictures(self) -> Sequence[Picture]:
        """Return the shares against the coupling."""
        return [Picture("Certified games", self._figure, self._in_words)]

    def _figure(self, ds: xr.Dataset) -> Any:
        return figures.certified_share(ds, self.players, self.density)

    def _shares(self, ds: xr.Dataset) -> xr.DataArray:
        return ds.share.sel(players=self.players, density=self.density)

    def sentence(self, ds: xr.Dataset) -> str:
        """Say up to which coupling small-gain weights and the truth accept most games."""
        share = self._shares(ds)
        limits = {rung: self._limit(share.sel(rung=rung)) for rung in ("sgn", "rosen", "hurwitz")}
        return (
            f"With {self.players} players, most games are certified up to coupling {limits['sgn']} by SGN at its best "
            f"weights and {limits['rosen']} by Rosen's; most converge up to {limits['hurwitz']}."
        )

    @staticmethod
    def _limit(share: xr.DataArray) -> str:
        accepted = share.coupling.values[share.values >= 0.5]
        return f"{accepted.max():g}" if accepted.size else f"less than {share.coupling.values[0]:g}"

    def _in_words(self, ds: xr.Dataset) -> str:
        share = self._shares(ds).sel(coupling=0.4)
        told = ", ".join(f"{rung} {float(share.sel(rung=rung)):.2g}" for rung in share.rung.values)
        return f"Share of games accepted at coupling 0.4: {told}."
