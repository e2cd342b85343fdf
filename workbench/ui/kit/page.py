"""One look for all pages: title, sidebar, main column, dark mode, links between the rooms, clean-up when left."""

import os
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.rooms import ROOMS
from workbench.ui.kit.screen import DARK_FROM_THE_START, Screen
from workbench.ui.server import session

LINKED = {"home": "Home", **{name: room.title for name, room in ROOMS.items()}}
THEME = {
    "light": {"palette": {"primary": {"main": "#0072B2"}}},
    "dark": {
        "palette": {"primary": {"main": "#56B4E9", "contrastText": "#101010"}},
        "components": {"MuiAppBar": {"styleOverrides": {"root": {"backgroundColor": "#16384f", "color": "#fff"}}}},
    },
}

LINKS = """
nav { display: flex; gap: 4px; flex-wrap: wrap; align-items: center; }
nav a { color: inherit; text-decoration: none; padding: 6px 10px; border-radius: 4px; font-size: 14px; }
nav a:hover, nav a:focus-visible { background: rgba(127, 127, 127, 0.2); }
nav a[aria-current] { text-decoration: underline; text-underline-offset: 5px; font-weight: 600; }
"""

COPY_LINK = "navigator.clipboard?.writeText(window.location.href)"

# The browser's own outline is often invisible on coloured bars; the main column keeps a readable measure.
PAGE_CSS = """
html { font-size: 16px; }
:focus-visible { outline: 2px solid #E69F00; outline-offset: 2px; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation: none !important; } }
"""


def page(owner: Any, title: str, *, sidebar: list[Any], main: list[Any]) -> pmui.Page:
    """Return a Material page for ``owner`` (an object with ``close()``), which is closed when the visitor leaves."""
    # Threads that build pages at the same time leave Bokeh's setting unset for moments, which means the network.
    if pn.state.curdoc is not None:
        os.environ.setdefault("BOKEH_RESOURCES", "server")
    here = next((name for name, label in LINKED.items() if label == title), "")
    top = pn.FlexBox(_links(here), _copy_link(), sizing_mode="stretch_width", align_items="center")
    chosen = _chosen_theme()
    made = pmui.Page(
        title=title,
        meta_title=f"{title} · Geometry workbench",
        sidebar=[pn.Column(*sidebar, sizing_mode="stretch_width", margin=(8, 0, 0, 0))] if sidebar else [],
        main=[pn.Column(top, *main, sizing_mode="stretch_width", margin=(8, 16), max_width=1600)],
        sidebar_width=330,
        sidebar_open=bool(sidebar),
        sidebar_variant="auto" if sidebar else "temporary",  # a closed persistent one would push the page aside
        sidebar_resizable=False,  # its handle carries a label that screen readers reject
        busy_indicator=None,
        theme_config=THEME,
        dark_theme=chosen == "dark",
        header=[Screen(follow_system=not chosen, width=0, height=0, margin=0)],
        raw_css=[_first_colours(chosen), PAGE_CSS],
    )
    session.unwatch_busy(made)
    session.on_leave(owner)
    return made


def _chosen_theme() -> str:
    """Return "dark" or "default" if the address names a theme, else an empty string."""
    given = pn.state.session_args.get("theme", [b""])[0]
    return given.decode(errors="replace") if given in (b"dark", b"default") else ""


def _first_colours(chosen: str) -> str:
    """Return the style of a page that has nothing to show yet; a theme in the address wins over the system's."""
    if chosen:
        return DARK_FROM_THE_START if chosen == "dark" else ""
    return f"@media (prefers-color-scheme: dark) {{ {DARK_FROM_THE_START} }}"


def _links(here: str) -> pn.pane.HTML:
    links = "".join(
        f'<a href="{name}"{" aria-current=page" if name == here else ""}>{label}</a>' for name, label in LINKED.items()
    )
    return pn.pane.HTML(f'<nav aria-label="Rooms">{links}</nav>', stylesheets=[LINKS])


def _copy_link() -> pmui.Button:
    button = pmui.Button(
        label="Copy link",
        description="Copy the address of exactly this view",
        variant="text",
        size="small",
    )
    button.js_on_click(code=COPY_LINK)
    return button
