"""What the visitor's screen is like: a wish for dark colours, too narrow for an open sidebar, read aloud."""

import panel as pn
import param
from panel.custom import JSComponent

NARROW = 900


class Screen(JSComponent):
    """Tells the page, once, about the visitor's screen, and names its parts for screen readers; draws nothing."""

    dark = param.Boolean(default=False, doc="the visitor's system asks for dark colours")
    narrow = param.Boolean(default=False, doc=f"narrower than {NARROW} CSS pixels")

    _esm = f"""
    export function render({{ model, el }}) {{
      el.style.display = "none";
      // panel-material-ui's bar keeps its room with empty headings and shows a nameless progress bar: name or hide
      // them for screen readers, which would announce both.
      const tidy = () => {{
        for (let root = el.getRootNode(); root; root = root.host?.getRootNode()) {{
          root.querySelectorAll(".MuiToolbar-root > h5").forEach((heading) => {{
            if (!heading.textContent.trim()) heading.setAttribute("role", "presentation");
          }});
          root.querySelectorAll("header [role=progressbar]").forEach((bar) => bar.setAttribute("aria-label", "Busy"));
        }}
      }};
      tidy();
      const waits = [300, 1500, 5000].map((delay) => setTimeout(tidy, delay));
      model.on("remove", () => waits.forEach(clearTimeout));
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
