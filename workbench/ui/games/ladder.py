"""Seven tests of one game, always together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from workbench import costs, games
from workbench.costs import Cost
from workbench.figures import games as figures
from workbench.ui.games.certificate_card import ICONS
from workbench.ui.games.choices import GameView, game_of
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Rows, Table, mark


class LadderView(GameView):
    """The ladder of certificates."""

    title, slug = "Ladder", "ladder"
    help = (
        "From simple to strong: SGN implies Rosen's weights implies block P implies Hurwitz. SGN and Euclid are not "
        "nested, because SGN ignores the signs of the couplings. Solver answers are verified again by eigenvalues."
    )
    experiment = staticmethod(games.ladder)
    inputs = GameView.GAME_INPUTS

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; the two linear matrix inequalities dominate."""
        return costs.of(games.ladder, **game_of(inputs))

    def pictures(self) -> Sequence[Any]:
        """Return the marks and the table."""
        return [Picture("Ladder", figures.ladder_bars, _strongest), Table("Ladder", _rungs, wide=True)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say which tests pass."""
        good = [
            str(r.values) for r, v in zip(ds.label, ds.verdict.values, strict=True) if v in ("CERTIFIED", "ESTIMATED")
        ]
        return f"Passed: {', '.join(good) or 'none'}."


def _strongest(ds: xr.Dataset) -> str:
    truth = float(ds.margin.sel(rung="hurwitz"))
    return f"No test exceeds the spectral margin, {truth:.6g}. Circle: certified, diamond: estimated, square: refused."


def _rungs(ds: xr.Dataset) -> Rows:
    rows = zip(ds.label.values, ds.margin.values, ds.verdict.values, ds.reason.values, strict=True)
    return Rows(
        ("Test", "Margin", "Verdict", "Reason"),
        [
            (label, "" if np.isnan(margin) else f"{margin:.5g}", mark(ICONS[str(verdict)], str(verdict)), reason)
            for label, margin, verdict, reason in rows
        ],
    )
