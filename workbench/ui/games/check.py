"""Drop a certificate; the checker, which knows nothing of how it was found, says what it is worth."""

import html
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import data, games
from workbench.costs import Cost
from workbench.games import costs
from workbench.progress import Progress
from workbench.ui.kit.upload import Upload, file_chooser, keep
from workbench.ui.kit.view import View

LARGEST_UPLOAD = 16 * 2**20
STYLE = """
h3 { margin: 8px; font-size: 18px; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 8px; border-bottom: 1px solid rgba(127,127,127,0.35); }
th { font-weight: 500; }
h4 { margin: 14px 8px 4px; font-size: 15px; }
ul { margin: 4px 8px; padding-left: 20px; font-size: 14px; line-height: 1.45; overflow-wrap: anywhere; }
"""


class CheckView(View):
    """Verify a certificate."""

    title, slug = "Check", "check"
    help = (
        "The checker reads a certificate strictly and proves the numbers in it, in rational or ball arithmetic, in a "
        "process of its own that ends after half a minute. Until you drop a file it shows the certificate of the "
        "paper's toy. Change a digit of one and drop it again."
    )
    experiment = "workbench.games.verification"
    inputs = ("certificate",)

    certificate = param.ClassSelector(class_=Upload, default=None, allow_None=True)

    def controls(self) -> list[Any]:
        """Return the place to drop a file."""
        return [file_chooser("Drop or choose a certificate (.json)", ".json", self.take)]

    def take(self, name: str, data: bytes) -> None:
        """Check an uploaded file."""
        keep(self, "certificate", Upload, name, data, LARGEST_UPLOAD)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time by the size of the file."""
        return costs.checking(0 if inputs["certificate"] is None else len(inputs["certificate"].data))

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Verify."""
        dropped = inputs["certificate"]
        return games.verification(_toy() if dropped is None else dropped.data, progress=progress)

    def pictures(self) -> Sequence[Any]:
        """Return the report."""
        return [Report()]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the checker says."""
        if bool(ds.valid):
            return f"The certificate holds: margin {float(ds.margin):.6g}, proved."
        if bool(ds.refusal):
            return "It is a refusal, and its witness is verified: no metric weights reach the target."
        return f"Not a proof: {ds.message.item()}."


@lru_cache(maxsize=1)
def _toy() -> str:
    return data.path("games/toy.json").read_text()


class Report(pn.viewable.Viewer):
    """The checker's report as a table."""

    def __init__(self) -> None:
        super().__init__()
        self._text = pn.pane.HTML("", stylesheets=[STYLE], sizing_mode="stretch_width")

    def update(self, ds: xr.Dataset) -> None:
        """Show the report in ``ds``."""
        self._text.object = report_html(ds)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._text


def report_html(ds: xr.Dataset) -> str:
    """Return verdict, message, numbers, and what all that proves and does not, as HTML, every entry escaped."""
    valid = bool(ds.valid)
    icon, word = ("✔", "The proof holds") if valid else ("✘", "Not a proof")
    rows = [
        ("what the checker says", ds.message.item()),
        ("what the file says of itself (not checked)", f"{ds.status.item()}: {ds.reason.item()[:1000]}"),
    ]
    rows += [
        (ds[name].attrs["long_name"] + ("" if valid else " (claimed, not proved)"), f"{float(ds[name]):.10g}")
        for name in ("margin", "step_paper", "step_h0", "step_sharp")
        if np.isfinite(float(ds[name]))
    ]
    body = "".join(f'<tr><th scope="row">{html.escape(a)}</th><td>{html.escape(str(b))}</td></tr>' for a, b in rows)
    heading = f'<h3><span aria-hidden="true">{icon}</span> {word}</h3>'
    return f"{heading}<table><tbody>{body}</tbody></table>{meaning_html(ds)}"


def meaning_html(ds: xr.Dataset) -> str:
    """Return what a verified file proves and what it does not, as two lists; nothing for a file that proves nothing."""
    parts = []
    for name, title in (("proves", "This proves"), ("not_proved", "It does not prove")):
        sentences = str(ds[name].item()).split("\n") if name in ds else []  # results saved before have no such lists
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences if sentence)
        parts.append(f"<h4>{title}</h4><ul>{items}</ul>" if items else "")
    return "".join(parts)
