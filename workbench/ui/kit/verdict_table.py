"""The table "paper says / we measured / verdict" as plain, accessible HTML."""

from collections.abc import Iterable

import panel as pn
from markupsafe import Markup, escape

from workbench.ui.kit import table
from workbench.verdicts import Verdict

STYLE = (
    table.STYLE
    + """
h2 { font-size: 20px; font-weight: 600; margin: 14px 8px 6px; }
details { font-weight: 400; font-size: 12px; white-space: normal; max-width: 260px; }
summary { cursor: pointer; }
"""
)


def verdict_table(verdicts: Iterable[Verdict]) -> pn.viewable.Viewable:
    """Return the verdicts as a table that scrolls sideways on a phone."""
    text = f"<h2>What holds, what does not</h2>{verdict_html(verdicts)}"
    return pn.pane.HTML(text, stylesheets=[STYLE], sizing_mode="stretch_width")


def verdict_html(verdicts: Iterable[Verdict], *, name: str = "Verdicts") -> str:
    """Return the table as HTML text, every entry escaped; ``name`` is what a screen reader calls it."""
    rows = [(_claimed(v), _measured(v), table.mark(v.outcome.icon, v.outcome.word) + _rule(v)) for v in verdicts]
    return table.table_html(("The paper says", "We measured", "Verdict"), rows, name=name, wide=True)


def _claimed(verdict: Verdict) -> Markup:
    paper = Markup("<br><small>{}</small>").format(verdict.paper) if verdict.paper else Markup("")
    return escape(verdict.claim) + paper


def _measured(verdict: Verdict) -> Markup:
    how = Markup("<br><code>{}</code>").format(verdict.how) if verdict.how else Markup("")
    return escape(verdict.measured) + how


def _rule(verdict: Verdict) -> Markup:
    """The rule that made the outcome of the numbers, folded: most readers want the outcome first."""
    if not verdict.rule:
        return Markup("")
    return Markup("<details><summary>by which rule</summary>It {}.</details>").format(verdict.rule)
