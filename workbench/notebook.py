"""One line at the top of a notebook: ``from workbench.notebook import setup; setup()``.

Static pictures by default (matplotlib, small, the same on every machine), so that a notebook can be committed and
tested; live widgets when ``WORKBENCH_LIVE=1`` is set, as ``make lab`` does, or with ``setup(live=True)``.
"""

import asyncio
import base64
import functools
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

BUNDLE = "workbenchWidgets"  # the name under which a page of JupyterLab keeps the code of all widgets
IMPORT = f"const bundle = await import(window.{BUNDLE});\nexport default bundle.default;\n"

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

        from workbench.ui.kit import late

        hv.extension("bokeh", inline=True, logo=False)
        pn.extension(inline=True)
        late.install()
        _keep_styles_here()
        _send_components_once()
        _answer_on_one_thread()
    else:
        from IPython.utils.capture import capture_output

        with capture_output():  # six megabytes of JavaScript that still pictures do not need
            hv.extension("matplotlib", inline=True, logo=False)
            hv.output(fig="png", dpi=80)


def _send_components_once() -> None:
    """Hand the code of all widgets to the browser once, where each widget would bring the whole of it along.

    It is one and a half megabytes: a room would send ten of them for every tab that is opened, and the browser would
    send twice that back, more than JupyterLab's server takes in one message: it hangs up, and the tab stays empty.
    """
    from IPython.display import Javascript, display
    from panel_material_ui.base import BUNDLE_PATH, MaterialComponent

    code = json.dumps(BUNDLE_PATH.read_text(encoding="utf-8"))
    display(Javascript(f"window.{BUNDLE} ??= URL.createObjectURL(new Blob([{code}], {{type: 'text/javascript'}}))"))
    original = MaterialComponent.__dict__["_render_esm"].__func__
    if not hasattr(original, "names_the_bundle"):
        MaterialComponent._render_esm = classmethod(_naming_the_bundle(original))


def _naming_the_bundle(original: Callable[..., str | None]) -> Callable[..., str | None]:
    """Return Panel's own choice of a component's code, with the bundle's name in the place of its text.

    What has code of its own, as our own widgets have, keeps it: that is thousands of characters, never a million.
    """

    def render(cls: type, compiled: Any = True, server: bool = False) -> str | None:
        text = original(cls, compiled, server)
        return IMPORT if text is not None and len(text) > 10**6 else text

    render.names_the_bundle = True  # type: ignore[attr-defined]
    return render


def _answer_on_one_thread() -> None:
    """Let a widget's messages be handled on the kernel's own event loop, not on a thread for each widget.

    JupyterLab gives every widget a subshell, that is a thread, where the kernel offers them. Panel sends a change as
    several messages in a row, and two threads that do so at once leave the browser with pieces of both.
    """
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    handlers = getattr(kernel, "shell_handlers", {})
    if "comm_msg" in handlers and not hasattr(handlers["comm_msg"], "on_one_thread"):
        handlers["comm_msg"] = _on_loop(handlers["comm_msg"], asyncio.get_running_loop())


def _on_loop(handler: Callable[..., Any], loop: asyncio.AbstractEventLoop) -> Callable[..., Any]:
    """Return ``handler`` as a function that runs on ``loop``, whichever thread calls it."""
    home = threading.get_ident()

    def handle(*args: Any) -> Any:
        if threading.get_ident() == home:
            return handler(*args)
        loop.call_soon_threadsafe(handler, *args)
        return None

    handle.on_one_thread = True  # type: ignore[attr-defined]
    return handle


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
    """Return whether this notebook shows live widgets.

    >>> is_live()
    False
    """
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
