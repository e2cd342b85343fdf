"""Formulas on pages: every one of every registry is set, offline, safely, and stands under the widget that chooses."""

import importlib
import pkgutil
import re
from xml.etree import ElementTree

import panel as pn
import pytest

import workbench
from workbench.registry import Entry, Registry, is_latex
from workbench.ui.fisher.live import LiveView
from workbench.ui.flows.compare import CompareView
from workbench.ui.flows.flow import FlowView
from workbench.ui.games.weights import WeightsView
from workbench.ui.kit.formula import entry_html, formula_html
from workbench.ui.steps.spike import SpikeView


def registries():
    """Every registry of the house, by walking its modules."""
    found = {}
    for module in pkgutil.walk_packages(workbench.__path__, "workbench."):
        if not module.name.startswith(("workbench.ui", "workbench.cli", "workbench.figures", "workbench.apps")):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Registry):
                    found[id(value)] = value
    return list(found.values())


FORMULAS = [(r.family, e.name, e.formula) for r in registries() for e in r.values() if e.formula]


@pytest.mark.parametrize(("family", "name", "formula"), FORMULAS, ids=[f"{f} {n}" for f, n, _ in FORMULAS])
def test_every_formula_can_be_shown(family, name, formula):
    drawn = formula_html(formula)
    if not is_latex(formula):
        assert "<" not in drawn
        return
    picture = ElementTree.fromstring(drawn)
    assert picture.get("aria-label") == formula
    left, top, width, height = (float(x) for x in picture.get("viewBox").split())
    assert 5 < width < 900
    assert 5 < height < 80
    numbers = [float(x) for x in re.findall(r"-?\d+\.\d", picture[0].get("d"))]
    assert min(numbers[::2]) >= left
    assert min(numbers[1::2]) >= top
    assert max(numbers[::2]) <= left + width + 0.1
    assert max(numbers[1::2]) <= top + height + 0.1


def test_there_are_formulas_of_every_room():
    assert {family for family, _, _ in FORMULAS} >= {"estimator", "predictor", "game", "engine", "candidate", "rule"}


def test_text_is_escaped_and_bad_latex_is_refused():
    assert formula_html("a < b & c") == "a &lt; b &amp; c"
    assert 'aria-label="\\alpha &lt; \\beta"' in formula_html(r"\alpha < \beta")
    with pytest.raises(ValueError, match="nosuchsymbol"):
        formula_html(r"\nosuchsymbol")
    entry = Entry("x", print, "<b>X</b>", reference="<script>", cost="one <i>pass</i>")
    told = entry_html(entry, label=True)
    assert "<script>" not in told
    assert "<i>" not in told
    assert "&lt;b&gt;X" in told
    assert entry_html(Entry("x", print, "X")) == ""


def html_of(view, name):
    return "".join(pane.object for widget in view.controls() for pane in widget.select(pn.pane.HTML))


@pytest.mark.parametrize(
    ("view", "name", "first", "other", "second"),
    [
        (FlowView(), "method", "arXiv 1709.01624", "lower-cv", "arXiv 2305.00402"),
        (CompareView(), "methods", "Spherical design", ["monte-carlo"], "Bonneel"),
        (SpikeView(), "rules", "arXiv 2603.13552", ["armijo"], "arXiv 1905.09997"),
        (WeightsView(), "game", "arXiv:2512.06791", "dirac-gan", "Mescheder"),
        (LiveView(), "algorithm", "PRL 58", "wolff", "PRL 62"),
    ],
)
def test_formula_and_source_stand_under_the_widget_and_follow_it(view, name, first, other, second):
    shown = html_of(view, name)
    assert first in shown
    assert second not in shown or isinstance(other, list)
    setattr(view, name, other)
    view.runner.cancel()
    assert second in html_of(view, name)
    assert first not in html_of(view, name)
    view.close()


def test_no_address_stands_in_what_is_shown():
    for family in registries():
        for entry in family.values():
            assert not re.search(r"(src|href)=|url\(|@import", entry_html(entry, label=True))


def test_a_registry_is_a_table_in_a_notebook():
    methods = Registry("method")
    methods.add("one", label="One", formula=r"|\alpha|", reference="here")(print)
    methods.add("two", label="Two", formula="p ← q", cost="1 pass")(print)
    assert methods._repr_markdown_().splitlines() == [
        "| method | label | formula | cost | reference |",
        "| --- | --- | --- | --- | --- |",
        r"| `one` | One | $\|\alpha\|$ |  | here |",
        "| `two` | Two | p ← q | 1 pass |  |",
    ]
