"""What the visitor's screen is like: a wish for dark colours, and whether it is too narrow for an open sidebar."""

import panel as pn
import param
from panel.custom import JSComponent

NARROW = 900


class Screen(JSComponent):
    """Tells the page, once, about the visitor's screen; draws nothing."""

    dark = param.Boolean(default=False, doc="the visitor's system asks for dark colours")
    narrow = param.Boolean(default=False, doc=f"narrower than {NARROW} CSS pixels")

    _esm = f"""
    export function render({{ model, el }}) {{
      el.style.display = "none";
      model.narrow = window.innerWidth < {NARROW};
      model.dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    }}
    """


def adapt(made: pn.viewable.Viewable, *, theme_is_chosen: bool) -> Screen:
    """Return a :class:`Screen` that closes ``made``'s sidebar on a narrow screen and darkens it if the system asks.

    A theme named in the address (``?theme=dark``) wins over the system's. The changes wait for the end of loading:
    what the server changes while a page still loads never reaches the browser.
    """
    screen = Screen(width=0, height=0, margin=0)

    def on_narrow(event: param.parameterized.Event) -> None:
        if event.new:
            pn.state.onload(lambda: setattr(made, "sidebar_open", False))

    def on_dark(event: param.parameterized.Event) -> None:
        if event.new and not theme_is_chosen:
            pn.state.onload(lambda: setattr(made, "dark_theme", True))

    screen.param.watch(on_narrow, "narrow")
    screen.param.watch(on_dark, "dark")
    return screen
