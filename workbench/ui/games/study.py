"""The shipped study of random games as a tab."""

from collections.abc import Sequence
from typing import Any

import param
import xarray as xr

from workbench.figures import games as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.study import StudyView, values_of


class CertificateStudy(StudyView):
    """How many random games each certificate accepts."""

    title, slug, study = "Study: random games", "study", "certified-share"
    help = (
        "Random quadratic games, every rung of the ladder; `hurwitz` is the truth. A sweep that ships with the "
        "workbench: `workbench sweep studies/certified-share.toml` makes it again."
    )
    display = ("players", "density")
    columns = 1

    players = param.Selector(default=5, objects=values_of("certified-share", "players"), label="Players")
    density = param.Selector(
        default=1.0, objects=values_of("certified-share", "density"), label="Share of couplings that are there"
    )

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
