"""The table "paper says / we measured / verdict" as plain, accessible HTML."""

import html
from collections.abc import Iterable

import panel as pn

from workbench.verdicts import Verdict

STYLE = """
h2 { font-size: 20px; font-weight: 600; margin: 14px 8px 6px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.45; }
th, td { text-align: left; vertical-align: top; padding: 8px 10px; border-bottom: 1px solid rgba(127,127,127,0.35); }
th { font-weight: 600; }
td.outcome { white-space: nowrap; font-weight: 600; }
code { font-size: 12px; overflow-wrap: anywhere; }
details { font-weight: 400; font-size: 12px; white-space: normal; max-width: 260px; }
summary { cursor: pointer; }
.scroll { overflow-x: auto; }
"""


def verdict_table(verdicts: Iterable[Verdict]) -> pn.viewable.Viewable:
    """Return the verdicts as a table that scrolls sideways on a phone."""
    text = f"<h2>What holds, what does not</h2>{verdict_html(verdicts)}"
    return pn.pane.HTML(text, stylesheets=[STYLE], sizing_mode="stretch_width")


def verdict_html(verdicts: Iterable[Verdict], *, name: str = "Verdicts") -> str:
    """Return the table as HTML text, every entry escaped; ``name`` is what a screen reader calls it."""
    rows = "".join(
        f"<tr><td>{html.escape(v.claim)}</td><td>{html.escape(v.measured)}{_how(v)}</td>"
        f'<td class="outcome"><span aria-hidden="true">{v.outcome.icon}</span> {v.outcome.word}{_rule(v)}</td></tr>'
        for v in verdicts
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(name)}"><table><thead><tr>'
        '<th scope="col">The paper says</th><th scope="col">We measured</th><th scope="col">Verdict</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _how(verdict: Verdict) -> str:
    return f"<br><code>{html.escape(verdict.how)}</code>" if verdict.how else ""


def _rule(verdict: Verdict) -> str:
    """The rule that made the outcome of the numbers, folded: most readers want the outcome first."""
    return f"<details><summary>by which rule</summary>It {html.escape(verdict.rule)}.</details>" if verdict.rule else ""
