"""The certificate in words and numbers, with its download."""

import html
import json
from typing import Any

import xarray as xr

from workbench.ui.kit.proof import CertificateFile

ICONS = {"CERTIFIED": "✔", "ESTIMATED": "≈", "REFUSED": "✘", "UNKNOWN": "?"}
TO_FOLLOW = "<h3>Certificate to follow …</h3>"
ADVICE = {
    "CERTIFIED": "The checker verified it when it was made; the tab Check verifies the file again and says what it "
    "proves and what it does not.",
    "ESTIMATED": "The bounds were sampled: nothing is proved.",
    "REFUSED": "No metric weights work; the game may converge all the same.",
    "UNKNOWN": "Neither proved nor excluded.",
}


def certificate_card() -> CertificateFile:
    """Return what shows the certificate that a result carries in its attribute ``certificate``."""
    return CertificateFile("certificate.json", lambda ds: ds.attrs.get("certificate", ""), _told)


def _told(_: xr.Dataset, text: str) -> str:
    return card_html(json.loads(text)) if text else TO_FOLLOW


def card_html(certificate: dict[str, Any]) -> str:
    """Return the verdict, its reason and the numbers as HTML, every entry escaped."""
    status = certificate["status"]
    rows = [
        ("margin α (rate of contraction)", _number(certificate["margin"])),
        ("metric weights w", _vector(certificate["weights"])),
        ("band of w₂/w₁ (metric weights, not learning rates)", _vector(certificate["band"])),
        ("Lipschitz constant β", _number(certificate["beta"])),
        ("the paper's step 2α/β²", _number(certificate["step_paper"])),
        ("h₀, factor 1 − h · rate below it", _number(certificate["step_h0"])),
        ("rate of steps up to h₀", _number(certificate.get("rate_h0"))),
        ("sharp step", _number(certificate["step_sharp"])),
        ("RK4 non-expansive up to", _number(certificate["step_rk4"])),
        ("largest step of each player by itself", _vector(certificate["player_steps"])),
        ("rate of steps by player, in max |xᵢ|/zᵢ", _number(certificate.get("rate_players"))),
        ("found in units of", _number(certificate.get("scale"))),
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
