"""The widget for a parameter: chosen by the parameter's kind, labelled and explained by the parameter itself."""

from typing import Any

import panel_material_ui as pmui
import param


def widget_for(target: param.Parameterized, name: str) -> Any:
    """Return the Material widget that edits ``target``'s parameter ``name``; its ``doc`` is the help under it."""
    parameter = target.param[name]
    options: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (6, 10)}
    if parameter.doc:
        options["description"] = " ".join(parameter.doc.split())
    return _widget_class(parameter).from_param(parameter, **options)


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
