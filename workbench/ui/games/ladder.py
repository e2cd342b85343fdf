"""Seven tests of one game, always together."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import xarray as xr

from workbench import games
from workbench.figures import games as figures
from workbench.ui.cost import Cost
from workbench.ui.games.certificate_card import ICONS
from workbench.ui.games.game_choice import FORMULAS, GameView
from workbench.ui.kit.picture import Picture

STYLE = """
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; line-height: 1.4; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px; border-bottom: 1px solid rgba(127,127,127,0.35); }
td.verdict { white-space: nowrap; font-weight: 600; }
"""


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
        return Cost({"markov": 25.0}.get(inputs["game"], 6.0 if inputs["game"] in FORMULAS else 1.5))

    def pictures(self) -> Sequence[Any]:
        """Return the marks and the table."""
        return [Picture("Ladder", figures.ladder_bars, _strongest), LadderTable()]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say which tests pass."""
        good = [
            str(r.values) for r, v in zip(ds.label, ds.verdict.values, strict=True) if v in ("CERTIFIED", "ESTIMATED")
        ]
        return f"Passed: {', '.join(good) or 'none'}."


def _strongest(ds: xr.Dataset) -> str:
    truth = float(ds.margin.sel(rung="hurwitz"))
    return f"No test exceeds the spectral margin, {truth:.6g}. Circle: certified, diamond: estimated, square: refused."


class LadderTable(pn.viewable.Viewer):
    """Margin, verdict and reason of each test."""

    def __init__(self) -> None:
        super().__init__()
        self._table = pn.pane.HTML("", stylesheets=[STYLE], sizing_mode="stretch_width")

    def update(self, ds: xr.Dataset) -> None:
        """Show the rungs of ``ds``."""
        rows = zip(ds.label.values, ds.margin.values, ds.verdict.values, ds.reason.values, strict=True)
        body = "".join(
            f"<tr><td>{html.escape(str(label))}</td><td>{'' if np.isnan(margin) else f'{margin:.5g}'}</td>"
            f'<td class="verdict"><span aria-hidden="true">{ICONS[str(verdict)]}</span> {verdict}</td>'
            f"<td>{html.escape(str(reason))}</td></tr>"
            for label, margin, verdict, reason in rows
        )
        head = "".join(f'<th scope="col">{name}</th>' for name in ("Test", "Margin", "Verdict", "Reason"))
        self._table.object = (
            '<div class="scroll" tabindex="0" role="region" aria-label="Ladder">'
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self._table
