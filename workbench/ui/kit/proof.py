"""What a checker says of a certificate: the verdict, the numbers, and what all that proves and does not.

Every entry comes from a file that a stranger may have written, and is escaped.
"""

import html
import io
from collections.abc import Callable, Iterable

import panel as pn
import panel_material_ui as pmui
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
CARD = """
h3 { margin: 8px; font-size: 17px; }
p { margin: 4px 8px; font-size: 14px; line-height: 1.45; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 4px 0; }
th, td { text-align: left; padding: 5px 12px 5px 8px; border-bottom: 1px solid rgba(127,127,127,0.35); }
th { font-weight: 500; }
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


class CertificateFile(pn.viewable.Viewer):
    """The certificate of a result in words, and as a file to keep.

    ``content(ds)`` returns the text of the file, or an empty one where there is none: then there is no download;
    ``told(ds, text)`` says in HTML what it claims, or why there is none. ``text`` is what stands in the file.
    """

    is_wide = True

    def __init__(
        self,
        filename: str,
        content: Callable[[xr.Dataset], str],
        told: Callable[[xr.Dataset, str], str],
        *,
        style: str = CARD,
    ) -> None:
        super().__init__()
        self.text = ""
        self._content, self._told = content, told
        self._words = pn.pane.HTML("", stylesheets=[style], sizing_mode="stretch_width")
        self._button = pmui.FileDownload(
            label="Download the certificate (JSON)",
            filename=filename,
            callback=lambda: io.BytesIO(self.text.encode()),
            size="small",
            disabled=True,
            margin=(4, 8),
        )

    def update(self, ds: xr.Dataset) -> None:
        """Take the certificate of ``ds``."""
        self.text = self._content(ds)
        self._button.disabled = not self.text
        self._words.object = self._told(ds, self.text)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self._words, self._button, sizing_mode="stretch_width")


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
