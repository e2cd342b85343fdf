"""What a checker says of a certificate: the verdict, the numbers, and what all that proves and does not.

Every entry comes from a file that a stranger may have written, and is escaped.
"""

import html
from collections.abc import Callable, Iterable

import panel as pn
import xarray as xr

STYLE = """
h3 { margin: 8px; font-size: 18px; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 8px; border-bottom: 1px solid rgba(127,127,127,0.35); }
td { overflow-wrap: anywhere; }
th { font-weight: 500; }
h4 { margin: 14px 8px 4px; font-size: 15px; }
ul { margin: 4px 8px; padding-left: 20px; font-size: 14px; line-height: 1.45; overflow-wrap: anywhere; }
"""


class Report(pn.viewable.Viewer):
    """The checker's report on a page; ``written(ds)`` returns it as HTML."""

    is_wide = True

    def __init__(self, written: Callable[[xr.Dataset], str]) -> None:
        super().__init__()
        self._written = written
        self._text = pn.pane.HTML("", stylesheets=[STYLE], sizing_mode="stretch_width")

    def update(self, ds: xr.Dataset) -> None:
        """Show the report in ``ds``."""
        self._text.object = self._written(ds)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._text


def proof_html(rows: Iterable[tuple[str, str]], ds: xr.Dataset) -> str:
    """Return the verdict in ``ds.valid``, rows of what and how much, and what that proves, as HTML, all escaped.

    >>> ds = xr.Dataset({"valid": ((), False), "proves": ((), ""), "not_proved": ((), "")})
    >>> "<td>a &lt; b</td>" in proof_html([("it says", "a < b")], ds)
    True
    """
    icon, word = ("✔", "The proof holds") if bool(ds.valid) else ("✘", "Not a proof")
    body = "".join(f'<tr><th scope="row">{html.escape(a)}</th><td>{html.escape(b)}</td></tr>' for a, b in rows)
    heading = f'<h3><span aria-hidden="true">{icon}</span> {word}</h3>'
    return f"{heading}<table><tbody>{body}</tbody></table>{_meaning(ds)}"


def _meaning(ds: xr.Dataset) -> str:
    """Return what a verified file proves and what it does not, as two lists; nothing for a file that proves nothing."""
    parts = []
    for name, title in (("proves", "This proves"), ("not_proved", "It does not prove")):
        sentences = str(ds[name].item()).split("\n") if name in ds else []  # results saved before have no such lists
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences if sentence)
        parts.append(f"<h4>{title}</h4><ul>{items}</ul>" if items else "")
    return "".join(parts)
