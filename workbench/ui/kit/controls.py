"""The widget for a parameter: chosen by the parameter's kind, labelled and explained by the parameter itself."""

import html
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from workbench.ui.kit.formula import method_note

HELP = "p { margin: 0 12px 6px; font-size: 12px; line-height: 1.35; opacity: 0.8; }"


def widget_for(target: param.Parameterized, name: str) -> pn.Column:
    """Return the Material widget that edits ``target``'s parameter ``name``, with its ``doc`` as the help under it.

    Where the parameter chooses a method of a registry (``target.registries``), formula and reference stand there too.
    """
    parameter = target.param[name]
    options: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (6, 10, 0, 10), "description": ""}
    widget = _widget_class(parameter).from_param(parameter, **options)
    shown = with_help(widget, parameter.doc)
    registry = getattr(target, "registries", {}).get(name)
    if registry is not None:
        shown.append(method_note(parameter, registry))
    return shown


def with_help(widget: Any, text: str | None) -> pn.Column:
    """Return ``widget`` with a line of help under it, if there is any."""
    if not text:
        return pn.Column(widget, sizing_mode="stretch_width")
    line = f"<p>{html.escape(' '.join(text.split()))}</p>"
    return pn.Column(widget, pn.pane.HTML(line, stylesheets=[HELP], margin=0), sizing_mode="stretch_width")


def _widget_class(parameter: param.Parameter) -> Any:
    bounded = None not in (getattr(parameter, "bounds", None) or (None, None))
    if isinstance(parameter, param.ListSelector):
        return pmui.MultiChoice
    if isinstance(parameter, param.Selector):
        return pmui.Select
    if isinstance(parameter, param.Boolean):
        return pmui.Switch
    if isinstance(parameter, param.Range):
        return pmui.RangeSlider
    if isinstance(parameter, param.Integer):
        return pmui.IntSlider if bounded else pmui.IntInput
    if isinstance(parameter, param.Number):
        return pmui.FloatSlider if bounded else pmui.FloatInput
    if isinstance(parameter, param.String):
        return pmui.TextInput
    raise TypeError(f"no widget for parameter {parameter.name!r} of kind {type(parameter).__name__}; make one yourself")
