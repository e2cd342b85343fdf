"""A browser may speak of a plot that is no more: that is not heard, and what else it says is."""

import pytest
from bokeh.core.serialization import Serialized
from bokeh.document import Document
from bokeh.models import Column, ColumnDataSource, GlyphRenderer, Line, Slider
from bokeh.plotting import figure

from workbench.ui.kit import late

# How BokehJS describes a line: its colour as a value with a name, which Python's own description has not.
DESCRIBED = {"type": "object", "name": "Line", "attributes": {"line_color": {"type": "value", "value": "#0072B2"}}}


@pytest.fixture
def page(monkeypatch):
    """A page whose plot has been replaced by another, as a structure of a picture that changes does it."""
    monkeypatch.setattr(Document, "apply_json_patch", Document.apply_json_patch)  # as it was, afterwards
    document = Document()
    slider, old, new = Slider(start=0, end=9, value=1), figure(), figure()
    for plot in (old, new):
        plot.renderers.append(GlyphRenderer(data_source=ColumnDataSource({"x": [0], "y": [1]}), glyph=Line()))
    column = Column(children=[slider, old])
    document.add_root(column)
    column.children = [slider, new]
    return document, slider, old, new


def change(model, attribute, value):
    return {"kind": "ModelChanged", "model": {"id": model.id}, "attr": attribute, "new": value}


def both(slider, old, new, how):
    line = {**DESCRIBED, "id": old.renderers[0].glyph.id} if how == "described" else {"id": old.id}
    about_the_old = change(old if how == "changed" else new, "tags", [line])
    return {"events": [about_the_old, change(slider, "value", 7)]}


@pytest.mark.parametrize("how", ["described", "named", "changed"])
@pytest.mark.parametrize("wrap", [lambda patch: patch, lambda patch: Serialized(patch, [])], ids=["plain", "message"])
def test_the_lost_is_left_out_and_the_slider_is_heard(page, how, wrap):
    document, slider, old, new = page
    late.install()
    document.apply_json_patch(wrap(both(slider, old, new, how)))
    assert (slider.value, new.tags) == (7, [])
    document.apply_json_patch({"events": both(slider, old, new, how)["events"][:1]})
    assert new.tags == []


def test_by_itself_bokeh_builds_the_lost_line_anew_and_fails(page):
    """If this holds no longer, the mend can go."""
    document, slider, old, new = page
    late.Document.apply_json_patch = late._apply
    with pytest.raises(ValueError, match=r"line_color: expected either None or a value of type Color, got Value"):
        document.apply_json_patch(both(slider, old, new, "described"))
    document.apply_json_patch(both(slider, old, new, "named"))
    assert slider.value == 1  # the move of the slider is lost with the rest


def test_new_models_of_a_browser_are_still_built(page):
    document, slider, _, new = page
    late.install()
    source = {"type": "object", "name": "ColumnDataSource", "id": "made-by-the-browser"}
    document.apply_json_patch({"events": [change(new, "tags", [source]), change(slider, "tags", ["id"])]})
    assert isinstance(new.tags[0], ColumnDataSource)
    assert slider.tags == ["id"]
