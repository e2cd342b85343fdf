"""Views and rooms without a browser: compute, refuse, wait, redraw, open, address."""

import json
from types import SimpleNamespace

import param
import pytest
from demo_room import DemoRoom, SineView, sine

from workbench import results
from workbench.ui.kit import saved, verdict_table
from workbench.verdicts import Outcome, Verdict


@pytest.fixture
def view():
    made = SineView()
    made.start()
    assert made.runner.wait(5)
    yield made
    made.close()


@pytest.fixture
def room():
    made = DemoRoom()
    assert made.view.runner.wait(5)
    yield made
    made.close()


def test_first_result_comes_by_itself(view):
    assert float(view.result.frequency) == 1.0
    assert "1.000 s" in view._sentence.object


def test_turning_an_input_computes_anew(view):
    view.frequency = 4.0
    assert view.runner.wait(5)
    assert float(view.result.frequency) == 4.0
    assert "0.250 s" in view._sentence.object


def test_display_parameters_redraw_without_computing(view):
    before = view.result
    plot = view.figures[0]._plot
    view.logarithmic = True
    assert view.result is before
    assert plot.object[()].opts.get("plot").kwargs["logx"] is True


def test_long_work_waits_until_asked(view):
    before = view.result
    view.seconds = 30.0
    assert not view.runner.busy
    view.run()
    assert view.runner.busy
    view.runner.cancel()
    assert view.result is before


def test_a_finding_of_other_values_says_that_it_is_old(view):
    def told():
        return view._sentence.object

    assert "values before" not in told()
    view.seconds = 30.0
    assert "<em>(for the values before; press Run)</em>" in told()
    view.logarithmic = True  # a redrawn finding is as old
    assert "(for the values before; press Run)" in told()
    view.run()
    view.cancel()
    assert "(for the values before; press Run)" in told()
    view.seconds = 0.01
    assert view.runner.wait(5)
    assert "values before" not in told()
    view.shape = "square"
    assert "<em>(for the values before)</em>" in told()
    view.shape = "sine"
    assert view.runner.wait(5)
    assert "values before" not in told()
    view.seconds = 30.0
    assert "values before" in told()
    view.show(sine(8.0, seconds=0.001))
    assert "values before" not in told()


def test_a_finding_that_could_not_be_made_anew_is_old(view):
    view.broken = True
    view.frequency = 7.0
    assert view.runner.wait(5)
    assert "<em>(for the values before)</em>" in view._sentence.object


def test_refused_inputs_leave_the_page_as_it_was(view):
    before = view.result
    view.shape = "square"
    assert "choose sine" in view.complaint
    assert view.result is before
    view.shape = "sine"
    assert view.runner.wait(5)
    assert view.complaint == ""


def test_failures_become_a_sentence(view):
    before = view.result
    view.broken = True
    view.frequency = 7.0
    assert view.runner.wait(5)
    assert view.complaint == "the wave broke"
    assert view.result is before


def test_equal_inputs_are_computed_once(view):
    first = view.result
    other = SineView()
    other.start()
    assert other.result.attrs["seconds"] == first.attrs["seconds"]
    assert not other.runner.busy


def test_tabs_are_built_when_seen(room):
    assert list(room._built) == [0]
    room.tab = 1
    assert room.view.runner.wait(5)
    assert list(room._built) == [0, 1]
    assert room.view._shown[0].viewer._canvas.n_points == 500


def test_views_are_made_when_seen_and_then_stand_in_the_address(room):
    location = SimpleNamespace(search="")
    room.follow_address(location)
    assert list(room._views) == [0]
    room.tab = 1
    later = room.view
    name = next(name for name in (*later.inputs, *later.display) if isinstance(later.param[name], param.Number))
    value = later.param[name].bounds[1]
    setattr(later, name, value)
    assert later.runner.wait(5)
    assert f"{name}={value}" in location.search
    assert list(room._views) == [0, 1]


def test_saved_results_open_in_their_view(room):
    room.tab = 1
    room.open_result(results.to_bytes(sine(8.0)), "eight.nc")
    assert room.tab == 0
    assert float(room.view.result.frequency) == 8.0
    assert room.notice == ""


def test_an_opened_result_sets_the_controls_and_computes_nothing(room):
    room.show(sine(8.0, seconds=0.001))
    assert room.view.frequency == 8.0
    assert not room.view.runner.busy
    assert float(room.view.result.frequency) == 8.0


def test_saved_results_of_the_server_open_by_name(room, tmp_path, monkeypatch):
    results.save(sine(6.0), tmp_path / "six.nc")
    (tmp_path / "noise.nc").write_bytes(b"noise")
    results.save(sine(5.0), tmp_path.parent / "outside.nc")
    room.read_address("?result=six.nc")
    assert "no results folder" in room.notice
    monkeypatch.setenv("WORKBENCH_RESULTS", str(tmp_path))
    room.read_address("?result=six.nc")
    assert room.notice == ""
    assert float(room.view.result.frequency) == 6.0
    assert [found.name for found in saved.recent()] == ["six.nc"]
    for name in ("../outside.nc", "missing.nc", "/etc/passwd", "noise.nc"):
        room.read_address(f"?result={name}")
        assert room.notice
        assert float(room.view.result.frequency) == 6.0


def test_foreign_and_broken_files_are_refused_in_words(room):
    before = room.view.result
    room.open_result(b"PK\x03\x04 a zip", "trick.nc")
    assert "trick.nc is not a NetCDF-4 file" in room.notice
    foreign = sine(1.0)
    foreign.attrs["function"] = "workbench.elsewhere.thing"
    room.open_result(results.to_bytes(foreign))
    assert "workbench.elsewhere.thing" in room.notice
    assert room.view.result is before


def test_the_address_brings_everything_back(room):
    room.tab = 1
    room.view.frequency = 3.5
    room.view.logarithmic = True
    other = DemoRoom()
    from workbench.ui.kit import url

    other.read_address(url.query(room.state()))
    assert other.tab == 1
    assert other.view.frequency == 3.5
    assert other.view.logarithmic
    assert other.notice == ""


def test_bad_addresses_are_named(room):
    room.read_address("?tab=nowhere&frequency=99")
    assert "no tab 'nowhere'" in room.notice
    assert "0.5 to 10" in room.notice
    assert room.view.frequency == 1.0


def test_python_lines_in_the_result_repeat_it(view):
    assert json.loads(view.result.attrs["parameters"])["frequency"] == 1.0


def test_the_papers_of_the_claims_are_folded_under_the_purpose(monkeypatch, room):
    paper = "A. <Uthor>, arXiv 2210.02747 (waves)"
    rows = [Verdict("sines", "1", Outcome.HOLDS, paper=paper), Verdict("cosines", "2", Outcome.FAILS, paper=paper)]
    for judged, also, words in (
        (rows, (), "From one paper"),
        (rows, ("an unlisted <one>",), "From 2 papers"),
        ([], (), ""),
    ):
        monkeypatch.setattr(type(room), "verdicts", classmethod(lambda cls, judged=judged: judged))
        monkeypatch.setattr(type(room), "also", also)
        text = room.main()[0].object
        assert f"<summary>{words}</summary>" in text if words else "<details" not in text
        assert text.count("Lipman") == bool(judged)
        assert "<one>" not in text


def test_verdicts_are_escaped_and_worded(room):
    text = verdict_table.verdict_html(room.verdicts())
    assert "&lt;b&gt;sines" in text
    assert "does not hold" in text
    assert "holds" in text


def test_a_result_without_what_the_tab_reads_says_so():
    room = DemoRoom()
    ds = sine(3.0)
    room.open_result(results.to_bytes(ds.drop_vars("frequency")), "bare.nc")
    assert "cannot be shown here (it lacks" in room.view.complaint
    assert "frequency" in room.view.complaint
    room.open_result(results.to_bytes(ds), "whole.nc")
    assert room.view.complaint == ""
