"""What the visitor's screen is like: a wish for dark colours, too narrow for an open sidebar, read aloud."""

import param
from panel.custom import JSComponent

NARROW = 900

# Panel's page is empty for its first second: with these it is empty and dark, not white.
DARK_FROM_THE_START = ":root { --mui-palette-background-default: #121212; --mui-palette-text-primary: #fff; }"


class Screen(JSComponent):
    """Fits the page that it stands in to the visitor's screen and names its parts for screen readers; draws nothing.

    It sets the page's own properties in the browser, before anything is painted: what the server changes while a page
    loads would come too late or never.
    """

    follow_system = param.Boolean(default=True, doc="dark colours if the visitor's system asks for them")

    _esm = f"""
    export function initialize({{ model }}) {{
      const page = model.document.roots().map((root) => root.data).find((data) => data?.dark_theme !== undefined);
      if (page === undefined) return;
      if (model.follow_system && window.matchMedia("(prefers-color-scheme: dark)").matches) page.dark_theme = true;
      if (window.innerWidth < {NARROW}) page.sidebar_open = false;
    }}

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
    }}
    """
