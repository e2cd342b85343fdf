"""One line at the top of a notebook: ``from workbench.notebook import setup; setup()``.

Static pictures by default (matplotlib, small, the same on every machine), so that a notebook can be committed and
tested; live widgets when ``WORKBENCH_LIVE=1`` is set, as ``make lab`` does, or with ``setup(live=True)``.
"""

import os
from typing import Any

_state = {"live": False}


def setup(live: bool | None = None) -> None:
    """Load the plotting backends for this notebook; nothing is fetched from the network.

    ``live=None`` reads the environment variable WORKBENCH_LIVE. Live notebooks carry Bokeh inline (megabytes):
    look at them, do not commit them.
    """
    import holoviews as hv

    from workbench.figures import theme  # noqa: F401  loads both backends

    _state["live"] = os.environ.get("WORKBENCH_LIVE") == "1" if live is None else live
    if _state["live"]:
        import panel as pn

        hv.extension("bokeh", inline=True, logo=False)
        pn.extension(inline=True)
    else:
        from IPython.utils.capture import capture_output

        with capture_output():  # six megabytes of JavaScript that still pictures do not need
            hv.extension("matplotlib", inline=True, logo=False)
            hv.output(fig="png", dpi=80)


def is_live() -> bool:
    """Return whether this notebook shows live widgets."""
    return _state["live"]


def widget(viewer_class: type, **parameters: Any) -> Any:
    """Return a live Viewer in a live notebook, and in a static one the sentence that says how to get it."""
    if _state["live"]:
        return viewer_class(**parameters)
    from IPython.display import Markdown

    return Markdown(f"*`{viewer_class.__name__}` is live here under `make lab` (or after `setup(live=True)`).*")
