"""One line at the top of a notebook: ``from workbench.notebook import setup; setup()``.

Static pictures by default (matplotlib, small, the same on every machine), so that a notebook can be committed and
tested; live widgets when ``WORKBENCH_LIVE=1`` is set, as ``make lab`` does, or with ``setup(live=True)``.
"""

import base64
import functools
import os
from pathlib import Path
from typing import Any

_state = {"live": False}


def setup(live: bool | None = None) -> None:
    """Load the plotting backends for this notebook; nothing is fetched from the network.

    ``live=None`` reads the environment variable WORKBENCH_LIVE. Live notebooks carry Bokeh and the widgets inline
    (megabytes): look at them, do not commit them.
    """
    import holoviews as hv

    from workbench.figures import theme  # noqa: F401  loads both backends

    _state["live"] = os.environ.get("WORKBENCH_LIVE") == "1" if live is None else live
    if _state["live"]:
        os.environ["PANEL_INLINE"] = "1"
        import panel as pn
        import panel_material_ui  # noqa: F401  before the extension, which loads the scripts of what is imported

        hv.extension("bokeh", inline=True, logo=False)
        pn.extension(inline=True)
        _keep_styles_here()
    else:
        from IPython.utils.capture import capture_output

        with capture_output():  # six megabytes of JavaScript that still pictures do not need
            hv.extension("matplotlib", inline=True, logo=False)
            hv.output(fig="png", dpi=80)


def _keep_styles_here() -> None:
    """Let Panel name its style sheets by their contents, where it would name the address of a content network.

    Panel itself inlines the sheets of what a cell shows first, but not those that it sets anew when a pane changes.
    Every sheet passes ``patch_stylesheet`` on its way to the browser.
    """
    import panel.io.resources
    import panel.reactive

    panel.io.resources.patch_stylesheet = panel.reactive.patch_stylesheet = _by_contents


def _by_contents(stylesheet: Any, dist_url: str) -> None:
    """Replace the address of a file that comes with Panel by a data URL."""
    from panel.io.resources import CDN_DIST, DIST_DIR, LOCAL_DIST

    url = str(stylesheet.url)
    for start in (CDN_DIST, LOCAL_DIST):
        path = DIST_DIR / url.removeprefix(start).split("?")[0]
        if url.startswith(start) and path.is_file():
            stylesheet.url = _data_url(path)


@functools.cache
def _data_url(path: Path) -> str:
    return f"data:text/css;base64,{base64.b64encode(path.read_bytes()).decode()}"


def is_live() -> bool:
    """Return whether this notebook shows live widgets."""
    return _state["live"]


def room(name: str) -> Any:
    """Return a whole room as a live widget, by the name that :mod:`workbench.rooms` lists; see :func:`widget`."""
    from workbench import checks
    from workbench.rooms import ROOMS
    from workbench.ui.home import room_classes

    return widget(room_classes()[checks.choice("room", name, ROOMS)])


def widget(viewer_class: type, **parameters: Any) -> Any:
    """Return a live Viewer in a live notebook, and in a static one the sentence that says how to get it."""
    if _state["live"]:
        return viewer_class(**parameters)
    from IPython.display import Markdown

    return Markdown(f"*`{viewer_class.__name__}` is live here under `make lab` (or after `setup(live=True)`).*")
