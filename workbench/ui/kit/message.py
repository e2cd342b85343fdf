"""A sentence that the visitor should not miss: what was refused, what went wrong, what to know."""

import html
from typing import Any

import panel as pn

KINDS = {"warning": ("⚠", "#E69F00"), "info": ("ℹ", "#0072B2")}


def message(text: Any, *, kind: str = "info") -> pn.pane.HTML:
    """Return a box that shows the string parameter ``text`` while it is not empty; screen readers announce it."""
    icon, colour = KINDS[kind]
    role = "alert" if kind == "warning" else "status"
    style = (
        f"div.message {{ margin: 4px; padding: 10px 14px; border: 1px solid {colour}; border-left-width: 5px;"
        " border-radius: 4px; font-size: 15px; line-height: 1.45; overflow-wrap: anywhere; }"
    )

    def box(content: str) -> str:
        sign = f'<span aria-hidden="true">{icon}</span>'
        return f'<div class="message" role="{role}">{sign} {html.escape(content)}</div>' if content else ""

    return pn.pane.HTML(
        pn.bind(box, text), visible=pn.bind(bool, text), stylesheets=[style], sizing_mode="stretch_width"
    )
