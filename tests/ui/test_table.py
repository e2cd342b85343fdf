"""The one table of all pages: escaped, named, right where numbers stand."""

import holoviews as hv
import xarray as xr
from markupsafe import Markup

from workbench.ui.kit.table import Rows, Table, mark, of_figure, table_html


def test_every_entry_is_escaped_unless_it_is_markup():
    text = table_html(["<b>", "y"], [["<script>alert(1)</script>", Markup("<i>kept</i>")]], name='"quoted" & named')
    assert "<script>" not in text
    assert "<b>" not in text
    assert "<i>kept</i>" in text
    assert 'aria-label="&#34;quoted&#34; &amp; named"' in text


def test_numbers_stand_right_and_text_left():
    text = table_html(["method", "error"], [["a", 0.5]], name="Errors", numbers=["error"])
    assert '<td>a</td><td class="number">0.5</td>' in text
    assert '<th scope="col">method</th><th scope="col" class="number">error</th>' in text


def test_a_verdict_is_an_icon_for_the_eye_and_a_word_for_everyone():
    assert str(mark("✔", "<holds>")) == ('<span class="mark"><span aria-hidden="true">✔</span> &lt;holds&gt;</span>')


def test_a_table_shows_the_rows_of_each_result():
    table = Table("Values", lambda ds: Rows(["name", "value"], [["x", f"{float(ds.x):g}"]]), text=["name"])
    for value in (1.0, 2.5):
        table.update(xr.Dataset({"x": ((), value)}))
        assert f'<td class="number">{value:g}</td>' in table._pane.object


def test_the_table_of_a_figure_keeps_its_columns_and_rows():
    heads, cells = of_figure(hv.Table({"k": ["a", "b"], "v": ["1", "2"]}, ["k"], ["v"]))
    assert list(heads) == ["k", "v"]
    assert [tuple(row) for row in cells] == [("a", "1"), ("b", "2")]
