"""The server's command line: private by default, offline with several processes, clear about what it refuses."""

import subprocess
import sys

import pytest

from workbench.ui.server import serve


def test_only_this_machine_may_connect_by_default():
    line = serve.command(port=5123)
    origins = [line[k + 1] for k, part in enumerate(line) if part == "--allow-websocket-origin"]
    assert set(origins) == {"127.0.0.1:5123", "localhost:5123"}
    assert line[line.index("--address") + 1] == "127.0.0.1"
    assert "--liveness" in line
    assert "--warm" in line


def test_panel_answers_in_one_thread_because_several_lose_clicks():
    assert "--num-threads" not in serve.command()


def test_named_origins_are_passed_on():
    assert "math.example.org" in serve.command(origins=["math.example.org"])


def test_a_password_travels_where_other_users_cannot_read_it(tmp_path):
    added = serve.environment(basic_auth="a word")
    assert added["PANEL_BASIC_AUTH"] == "a word"
    assert len(added["PANEL_COOKIE_SECRET"]) >= 32, "Panel answers every page with an error without one"
    assert added["PANEL_COOKIE_SECRET"] != serve.environment(basic_auth="a word")["PANEL_COOKIE_SECRET"]
    users = tmp_path / "users.json"
    users.write_text('{"ada": "lovelace"}')
    assert serve.environment(basic_auth=str(users))["PANEL_BASIC_AUTH"] == str(users)
    assert "PANEL_BASIC_AUTH" not in serve.environment()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"ada": 1}', '{"ada": ""}', "not json"])
def test_a_file_of_users_that_lets_nobody_or_anybody_in_is_refused(tmp_path, content):
    users = tmp_path / "users.json"
    users.write_text(content)
    with pytest.raises(ValueError, match=r"users\.json"):
        serve.environment(basic_auth=str(users))
    with pytest.raises(ValueError, match="no file of users"):
        serve.environment(basic_auth=str(tmp_path / "missing.json"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"origins": ["*"]}, "lets any web page use this server"),
        ({"port": 0}, "port must be at least 1"),
        ({"processes": 1000}, "processes must be at most 64"),
    ],
)
def test_unsafe_or_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        serve.command(**options)


def test_several_processes_serve_panel_from_this_machine():
    line = serve.command(processes=2)
    assert line[line.index("--num-procs") + 1] == "2"
    assert line[line.index("--static-dirs") + 1].startswith("cdn/")
    assert serve.environment(processes=2)["PANEL_CDN_ROOT"] == "/cdn/"
    assert "PANEL_CDN_ROOT" not in serve.environment()


def test_the_results_folder_must_be_there(tmp_path):
    assert serve.environment(results_folder=tmp_path)["WORKBENCH_RESULTS"] == str(tmp_path)
    with pytest.raises(ValueError, match="not a folder"):
        serve.environment(results_folder=tmp_path / "missing")


def test_finding_the_apps_imports_nothing_that_draws():
    code = "import sys, workbench.ui.server.serve; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"panel", "holoviews", "bokeh", "torch"} & set(loaded)
