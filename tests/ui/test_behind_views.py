"""The studies behind the verdicts: every one opens, draws, and has claims that rest on it."""

import html
import re

import pytest
from drawing import draw

from workbench.ui.flows.behind import FlowsBehindView
from workbench.ui.kit.shipped import Judged
from workbench.ui.metrics.behind import MetricsBehindView
from workbench.ui.shapes.behind import ShapesBehindView

VIEWS = (FlowsBehindView, MetricsBehindView, ShapesBehindView)


@pytest.mark.parametrize(
    ("view_class", "name"),
    [pytest.param(view, one.name, id=one.name) for view in VIEWS for one in view.shelf],
)
def test_every_study_is_drawn_and_judged(view_class, name):
    view = view_class(chosen=name)
    ds = view.precomputed(view.values())
    (one,) = [one for one in view.shelf if one.name == name]
    rows = one.rows()
    sentence = view.sentence(ds)
    assert sentence.startswith(rows[0].measured)
    assert rows[0].outcome.word in sentence
    assert not re.search(r"\bnan\b", sentence)
    assert one.file in view.figures[0].summary(ds)
    draw(view.figures[0].figure(ds), "bokeh")
    (table,) = [shown for shown in view._shown if isinstance(shown, Judged)]
    table.update(ds)
    text = html.unescape(table._pane.object)
    assert all(row.claim in text for row in rows)


def test_names_are_told_apart_and_another_is_refused():
    for view in VIEWS:
        assert len({one.name for one in view.shelf}) == len({one.label for one in view.shelf}) == len(view.shelf)
    with pytest.raises(ValueError, match="does not accept"):
        ShapesBehindView(chosen="another")
