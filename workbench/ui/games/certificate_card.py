"""The certificate in words and numbers, with its download."""

import html
import io
import json
from typing import Any

import panel as pn
import panel_material_ui as pmui
import xarray as xr

ICONS = {"CERTIFIED": "✔", "ESTIMATED": "≈", "REFUSED": "✘", "UNKNOWN": "?"}
ADVICE = {
    "CERTIFIED": "The checker verified it when it was made; the tab Check verifies the file again and says what it "
    "proves and what it does not.",
    "ESTIMATED": "The bounds were sampled: nothing is proved.",
    "REFUSED": "No metric weights work; the game may converge all the same.",
    "UNKNOWN": "Neither proved nor excluded.",
}
STYLE = """
h3 { margin: 8px; font-size: 17px; }
p { margin: 4px 8px; font-size: 14px; line-height: 1.45; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 4px 0; }
th, td { text-align: left; padding: 5px 12px 5px 8px; border-bottom: 1px solid rgba(127,127,127,0.35); }
th { font-weight: 500; }
"""


class CertificateCard(pn.viewable.Viewer):
    """Shows the certificate that a result carries in its attribute ``certificate``."""

    def __init__(self) -> None:
        super().__init__()
        self._text = pn.pane.HTML("", stylesheets=[STYLE], sizing_mode="stretch_width")
        self._json = ""
        self._button = pmui.FileDownload(
            label="Download the certificate (JSON)",
            filename="certificate.json",
            callback=lambda: io.BytesIO(self._json.encode()),
            size="small",
            disabled=True,
            margin=(4, 8),
        )

    def update(self, ds: xr.Dataset) -> None:
        """Show the certificate of ``ds``."""
        self._json = ds.attrs.get("certificate", "")
        if not self._json:
            self._button.disabled = True
            self._text.object = "<h3>Certificate to follow …</h3>"
            return
        self._button.disabled = False
        self._text.object = card_html(json.loads(self._json))

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self._text, self._button, sizing_mode="stretch_width")


def card_html(certificate: dict[str, Any]) -> str:
    """Return the verdict, its reason and the numbers as HTML, every entry escaped."""
    status = certificate["status"]
    rows = [
        ("margin α (rate of contraction)", _number(certificate["margin"])),
        ("metric weights w", _vector(certificate["weights"])),
        ("band of w₂/w₁ (metric weights, not learning rates)", _vector(certificate["band"])),
        ("Lipschitz constant β", _number(certificate["beta"])),
        ("the paper's step 2α/β²", _number(certificate["step_paper"])),
        ("h₀ = min 2/(μ+ℓ), factor 1 − hα", _number(certificate["step_h0"])),
        ("sharp step", _number(certificate["step_sharp"])),
        ("RK4 non-expansive up to", _number(certificate["step_rk4"])),
        ("largest rate of each player", _vector(certificate["player_steps"])),
    ]
    body = "".join(f'<tr><th scope="row">{name}</th><td>{value}</td></tr>' for name, value in rows if value)
    icon, reason = ICONS.get(status, "?"), html.escape(str(certificate["reason"]))
    return (
        f'<h3><span aria-hidden="true">{icon}</span> {html.escape(str(status))}</h3>'
        f"<p>{reason}. {ADVICE.get(status, '')}</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Certificate">'
        f"<table><tbody>{body}</tbody></table></div>"
    )


def _number(value: Any) -> str:
    return "∞" if value == "inf" else f"{value:.8g}" if isinstance(value, float) else ""


def _vector(values: Any) -> str:
    if not values:
        return ""
    shown = ", ".join(_number(value) for value in values[:6])
    return shown + (f", … ({len(values)} in all)" if len(values) > 6 else "")
