"""The command: answers on standard output alone, exit codes, help, JSON, completion."""

import importlib.metadata
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from workbench import fisher, results
from workbench.cli import console, main, run
from workbench.cli.arguments import annotations, describe
from workbench.progress import Cancelled, Progress
from workbench.sweeps.experiments import ROOMS, experiments

TOYS = str(Path(__file__).parents[1] / "sweeps")


@pytest.fixture
def command(capsys):
    """Run the command in this process: (exit code, standard output, standard error)."""

    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return end.value.code or 0, said.out, said.err

    return call


@pytest.fixture
def curvature(tmp_path):
    return results.save(fisher.ising_curvature(4), tmp_path / "curvature.nc")


def test_run_prints_saves_and_is_the_library_call(command, tmp_path):
    code, out, err = command(
        "run", "fisher", "ising_curvature", "--L", 4, "--J", 0.3, "--J-vertical", 0.55, "-o", tmp_path / "c.nc"
    )
    assert code == 0
    assert out.startswith("workbench.fisher.ising_curvature(L = 4, J = 0.3, J_vertical = 0.55")
    assert "-162.2662826" in out
    assert "saved" in err
    saved, direct = results.open(tmp_path / "c.nc"), fisher.ising_curvature(4, J=0.3, J_vertical=0.55)
    xr.testing.assert_equal(saved, direct)


def test_run_as_json_is_nothing_but_json(command):
    code, out, _ = command("run", "fisher", "ising_curvature", "--L", 3, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["variables"]["scalar_curvature"]["values"] == pytest.approx(-105.641849566, abs=1e-8)
    assert told["parameters"]["L"] == 3


def test_underscores_and_equals_signs_work_too(command):
    code, out, _ = command("run", "fisher", "ising-curvature", "--L=4", "--J_vertical=0.2", "--J=0.5")
    assert code == 0
    assert "-35.206380" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "attic"], "No such command 'attic'"),
        (["run", "fisher", "nothing"], "No such command 'nothing'"),
        (["run", "fisher", "ising_curvature"], "Missing option '--L'"),
        (["run", "fisher", "ising_curvature", "--M", "4"], "No such option"),
        (["run", "fisher", "ising_curvature", "--L", "six"], "--L takes a whole number"),
        (["run", "fisher", "ising_curvature", "--L", "2"], "L must be at least 3, got 2"),
        (["run", "fisher", "ising_curvature", "--L", "4", "--method", "guess"], "guess"),
        (["run", "fisher", "ising_curvature", "--L", "4", "-o", "c.csv"], "end the name in .nc"),
        (["run", "fisher", "ising_curvature", "--L", "4", "-o", "no/where/c.nc"], "does not exist; create it"),
        (["show", "nothing.nc"], "there is no file 'nothing.nc'"),
        (["check", "nothing.json"], "there is no file 'nothing.json'"),
        (["sweep", "nothing.toml"], "there is no file 'nothing.toml'"),
        (["serve", "--port", "99999"], "65535"),
        (["frobnicate"], "No such command"),
    ],
)
def test_what_is_not_understood_is_code_2_and_no_answer(command, monkeypatch, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*arguments)
    assert code == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_what_fails_on_the_way_is_code_1(command, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "save", broken)
    code, out, err = command("run", "fisher", "ising_curvature", "--L", 3, "-o", "c.nc")
    assert (code, out) == (1, "")
    assert "No space left" in err
    with pytest.raises(OSError, match="No space"):
        main(["--traceback", "run", "fisher", "ising_curvature", "--L", "3", "-o", "c.nc"])


def test_show_prints_and_draws(command, curvature):
    code, out, _ = command("show", curvature)
    assert code == 0
    assert "-265.3121428" in out
    drawn = Path(str(curvature) + ".png")
    assert f"picture: {drawn}" in out
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert len(drawn.read_bytes()) > 5_000


def test_show_draws_where_it_is_told_or_not_at_all(command, curvature, tmp_path):
    code, out, _ = command("show", curvature, "--picture", tmp_path / "p.svg", "--json")
    assert code == 0
    assert json.loads(out)["picture"] == str(tmp_path / "p.svg")
    assert "<svg" in (tmp_path / "p.svg").read_text()
    assert command("show", curvature, "--no-draw")[0] == 0
    assert not Path(str(curvature) + ".png").exists()
    assert command("show", curvature, "-p", tmp_path / "p.gif")[0] == 2


def test_show_refuses_what_is_no_result(command, tmp_path):
    (tmp_path / "fake.nc").write_bytes(b"nothing")
    code, out, err = command("show", tmp_path / "fake.nc")
    assert (code, out) == (2, "")
    assert "not a NetCDF-4 file" in err


STUDY = """
experiment = "sweep_toys:walk"
seed = 1
repeats = 2
output = "walks.nc"
[grid]
steps = [4, 9]
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(TOYS)
    (tmp_path / "walks.toml").write_text(STUDY)
    return tmp_path / "walks.toml"


def test_sweep_from_a_file(command, study, tmp_path):
    code, out, err = command("sweep", study, "--allow-import")
    assert code == 0
    assert "workbench.sweeps.sweep" in out
    assert "saved" in err
    first = results.open(tmp_path / "walks.nc")
    assert first["end"].dims == ("steps", "repeat")
    code, out, _ = command("sweep", study, "--allow-import", "--json", "--workers", 2, "-o", tmp_path / "again.nc")
    assert (code, json.loads(out)["failed_cells"]) == (0, 0)
    xr.testing.assert_equal(results.open(tmp_path / "again.nc"), first)
    code, out, _ = command("show", tmp_path / "walks")
    assert (code, out.split(":")[1].startswith(" 4 cells finished")) == (0, True)
    assert json.loads(command("show", tmp_path / "walks", "--json")[1])["finished"] == 4


def test_a_study_of_somebody_else_runs_no_module(command, tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("evil:f", "evil.more:f", "os:system", "workbench.cli.__main__:main", "workbench..x:f", "evil:f()"):
        (tmp_path / "s.toml").write_text(f'experiment = "{name}"\n[grid]\nx = [1]\n')
        code, out, err = command("sweep", tmp_path / "s.toml")
        assert (code, out) == (2, "")
        assert "--allow-import" in err or "no name of a function" in err
    assert not (tmp_path / "ran").exists()
    (tmp_path / "s.toml").write_text('experiment = "evil:f"\n[grid]\nx = [1]\n')
    code, _, err = command("sweep", tmp_path / "s.toml", "--allow-import")
    assert code == 2
    assert "not a function decorated" in err
    assert (tmp_path / "ran").exists()


ZARR = 'experiment = "fisher.ising_curvature"\noutput = "c.zarr"\n[grid]\nL = [3, 4]\nmethod = "pfaffian"\n'


def test_a_sweep_to_zarr_prints_what_one_to_netcdf_prints(command, tmp_path):
    (tmp_path / "c.toml").write_text(ZARR)
    code, out, _ = command("sweep", tmp_path / "c.toml")
    assert code == 0
    assert "-265.3121428 … -105.6418496" in out
    lines = set(out.splitlines()[3:])
    assert set(command("sweep", tmp_path / "c.toml", "--output", tmp_path / "c.nc")[1].splitlines()[3:]) == lines
    code, told, _ = command("sweep", tmp_path / "c.toml", "--json")
    assert code == 0
    assert json.loads(told)["variables"]["metric_eigenvalue"]["missing"] == 94
    assert set(command("show", tmp_path / "c.zarr", "--no-draw")[1].splitlines()[3:]) == lines


@pytest.mark.parametrize("name", ["c.zarr", "c.nc"])
def test_a_folder_of_other_things_is_never_replaced(command, tmp_path, name):
    (tmp_path / "c.toml").write_text(ZARR)
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.tex").write_text("years")
    for line in (
        ("sweep", tmp_path / "c.toml", "--output", tmp_path / name),
        ("run", "fisher", "ising_curvature", "--L", 3, "-o", tmp_path / name),
    ):
        code, out, err = command(*line)
        assert (code, out) == (2, "")
        assert "would be lost; move it away" in err
    assert (tmp_path / name / "thesis.tex").read_text() == "years"
    assert not (tmp_path / "c").exists(), "nothing was computed"


def test_named_clouds_are_typed_as_they_are_in_the_library(command, tmp_path):
    from workbench import flows

    line = ("run", "flows", "gradient_flow", "--n", 40, "--steps", 3, "--read-directions", 10)
    code, out, err = command(*line, "--x", "text:a", "--y", "text:Hello", "-o", tmp_path / "f.nc")
    assert code == 0, err
    assert out.startswith("workbench.flows.gradient_flow(x = 'text:a', y = 'text:Hello', n = 40")
    direct = flows.gradient_flow("text:a", "text:Hello", n=40, steps=3, read_directions=10)
    timed = "seconds_per_step"
    xr.testing.assert_equal(results.open(tmp_path / "f.nc").drop_vars(timed), direct.drop_vars(timed))
    code, out, err = command(*line, "--x", "tours", "--y", "cube")
    assert (code, out) == (2, "")
    assert "Did you mean 'torus'?" in err
    code, out, err = command(*line, "--x", "torus", "--y", "cube", "--x-weights", "even")
    assert (code, out) == (2, "")
    assert "x_weights must be an array of numbers, got text ('even')" in err


@pytest.mark.skipif(os.name != "posix", reason="numbers of files as POSIX has them")
def test_what_a_compiled_library_prints_is_no_answer():
    """C and Python keep back what they print into a pipe, so that it could come after the work that printed it."""
    code = (
        "import ctypes\nfrom workbench.cli import console\nc = ctypes.CDLL(None)\n"
        "with console.only_answers():\n    c.printf(b'a greeting')\n    print('a remark')\n"
        "console.say('the answer')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "the answer\n"
    assert "a greeting" in done.stderr
    assert "a remark" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="a shell's way to close a file")
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_run_without_one_of_its_streams_still_saves(closed, tmp_path):
    line = [sys.executable, "-m", "workbench.cli", "run", "fisher", "ising_curvature", "--L", "3", "-o", "found.nc"]
    subprocess.run(f"{shlex.join(line)} {closed}", shell=True, cwd=tmp_path, capture_output=True, timeout=60)
    assert float(xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").trace_norm) > 0


@pytest.mark.parametrize(("encoding", "most"), [("ascii", 4), ("cp1252", 1)])
def test_a_terminal_of_any_encoding_gets_text(encoding, most):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    line = [sys.executable, "-m", "workbench.cli", "run", "fisher", "ising_curvature"]
    for options in (["--L", "3"], ["--L", "3", "--json"], ["--help"], ["--L", "λ…\U0001f600"])[:most]:
        done = subprocess.run([*line, *options], env=environment, capture_output=True, timeout=60)
        # typer writes its own pages as UTF-8 where a terminal says that it is ASCII
        typers = encoding == "ascii" and options == ["--help"]
        out, err = done.stdout.decode("utf-8" if typers else encoding), done.stderr.decode(encoding)
        assert done.returncode == (2 if "λ" in options[-1] else 0), err
        assert "Traceback" not in err
        assert "codec" not in err
        if options[-1] == "3" and encoding == "ascii":
            assert "||tr T||^2" in out
        if options[-1] == "--json":
            assert json.loads(out)["variables"]["trace_norm"]["long_name"] == "‖tr T‖²"
        if "λ" in options[-1] and encoding == "ascii":
            assert "got 'lamda...?'" in err


def test_a_sweep_with_failed_cells_is_code_1(command, study, tmp_path):
    study.write_text(STUDY.replace("[4, 9]", "[4, -1]"))
    code, out, err = command("sweep", study, "--allow-import")
    assert code == 1
    assert "1 of 2 cells failed" in err.replace("2 of 4", "1 of 2")
    assert "2 of 4 true" in out
    assert "ValueError" in command("show", tmp_path / "walks")[1]


def test_a_damaged_cell_is_a_remark_not_an_answer(study, tmp_path):
    environment = {**os.environ, "PYTHONPATH": TOYS}
    arguments = [sys.executable, "-m", "workbench.cli", "sweep", str(study), "--quiet", "--allow-import"]
    first = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, check=True)
    next(tmp_path.glob("walks/cells/*/*.npz")).write_bytes(b"")
    again = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "workbench: the cell {" in again.stderr
    assert "is computed again" in again.stderr
    assert ".py" not in again.stderr
    assert [line for line in again.stdout.splitlines() if "seconds" not in line and "computed in" not in line] == [
        line for line in first.stdout.splitlines() if "seconds" not in line and "computed in" not in line
    ]


def test_sweep_refuses_two_places_to_run(command, study):
    code, _, err = command("sweep", study, "--workers", 2, "--dask", "tcp://localhost:1")
    assert code == 2
    assert "not both" in err


def test_ctrl_c_keeps_the_finished_cells(study, tmp_path):
    study.write_text('experiment = "sweep_toys:slow_walk"\nseed = 1\n[grid]\nsteps = { from = 1, to = 60 }\n')
    environment = {**os.environ, "PYTHONPATH": TOYS}
    arguments = [sys.executable, "-m", "workbench.cli", "sweep", str(study), "--allow-import"]
    victim = subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while len(list(tmp_path.glob("walks/cells/*/*.npz"))) < 3:
        time.sleep(0.05)
    victim.send_signal(signal.SIGINT)
    out, err = victim.communicate(timeout=60)
    assert victim.returncode == 130
    assert out == ""
    assert "finished cells are kept" in err
    assert 3 <= len(list(tmp_path.glob("walks/cells/*/*.npz"))) < 60


def test_check_says_yes_or_no_by_its_code(command, tmp_path):
    from workbench import games

    bounds = games.Bounds([1.0, 1.0], [1.0, 1.0], [[0, 10], [0.05, 0]])
    good = games.certify(bounds).save(tmp_path / "good.json")
    code, out, _ = command("check", good)
    assert code == 0
    report = games.verify(good)
    assert out.startswith(f"valid: {report.message}\nIt proves:\n")
    for sentence in (*report.proves, *report.not_proved):
        assert f"  - {sentence}\n" in out
    assert out.index("It does not prove:") > out.index("It proves:")
    (tmp_path / "bad.json").write_text(good.read_text().replace("0.05", "0.06"))
    code, out, _ = command("check", tmp_path / "bad.json", "--json")
    assert code == 1
    assert json.loads(out)["valid"] is False
    (tmp_path / "noise.json").write_text("{")
    code, out, _ = command("check", tmp_path / "noise.json")
    assert code == 1
    assert "NOT valid: the file is not strict JSON" in out


def test_check_knows_a_plans_certificate_too(command, tmp_path):
    from workbench.games import robust

    found = robust.solve(robust.knapsack("SC", 6, share=0.3, seed=1))
    (tmp_path / "plan.json").write_text(found.certificate)
    code, out, _ = command("check", tmp_path / "plan.json")
    assert code == 0
    assert out.startswith(f"valid: {robust.verify(found.certificate)}\nIt proves:\n")
    assert "It does not prove:" in out
    (tmp_path / "forged.json").write_text(found.certificate.replace('"plan":"', '"plan":"1', 1))
    code, out, _ = command("check", tmp_path / "forged.json", "--json")
    assert code == 1
    assert json.loads(out)["valid"] is False


def test_info(command):
    code, out, _ = command("info", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["rooms"]["fisher"] == list(experiments("fisher"))
    assert told["libraries"]["numpy"] == np.__version__
    code, out, _ = command("info")
    assert "ising_curvature" in out


def test_version_and_help_for_newcomers(command):
    code, out, _ = command("--version")
    assert (code, out.strip()) == (0, importlib.metadata.version("geometry-workbench"))
    code, out, _ = command("--help")
    assert code == 0
    for word in (
        "serve",
        "run",
        "sweep",
        "show",
        "check",
        "info",
        "Exit",
        "workbench run fisher ising_curvature --L 8",
    ):
        assert word in out
    code, out, _ = command("run", "fisher", "ising_curvature", "-h")
    assert code == 0
    assert "--J-vertical VALUE" in out
    assert "A whole number" in out
    assert "[required]" in out


@pytest.mark.parametrize("room", ROOMS)
def test_every_experiment_is_a_command_with_help(command, room):
    code, out, _ = command("run", room, "--help")
    assert code == 0
    for name, function in experiments(room).items():
        assert name in out
        made = run.command_of(name, function)
        names = [parameter.name for parameter in made.params]
        assert len(set(names)) == len(names)
        assert {"output_file", "print_json", "no_progress"} <= set(names)
        for parameter, kind in annotations(function).items():
            assert parameter in names or not describe(kind) or parameter == "progress"


def test_serve_without_apps_says_so(command, monkeypatch, tmp_path):
    import workbench

    (tmp_path / "site-packages" / "workbench").mkdir(parents=True)
    monkeypatch.setattr(workbench, "__file__", str(tmp_path / "site-packages" / "workbench" / "__init__.py"))
    code, out, err = command("serve")
    assert (code, out) == (2, "")
    assert "there are no apps" in err


def test_serve_hands_its_options_to_the_server(command, monkeypatch, tmp_path):
    from workbench.ui.server import serve as server

    called = []
    monkeypatch.setattr(server, "serve", lambda **options: called.append(options) or 0)
    options = ["--port", 5105, "--results", tmp_path, "--origin", "a.org", "--origin", "b.org", "--processes", 2]
    code, out, _ = command("serve", *options)
    assert (code, out) == (0, "")
    wanted = {"port": 5105, "results_folder": tmp_path, "origins": ["a.org", "b.org"], "processes": 2}
    assert wanted.items() <= called[0].items()
    monkeypatch.setattr(server, "serve", lambda **options: 3)
    assert command("serve")[0] == 3


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("workbench ", {"serve", "run", "sweep", "show", "check", "info"}),
        ("workbench run ", set(ROOMS)),
        ("workbench run fisher i", {"ising_curvature"}),
        ("workbench run fisher ising_curvature --J", {"--J", "--J-vertical"}),
    ],
)
def test_completion(line, expected):
    words = line.split()
    environment = {
        **os.environ,
        "_WORKBENCH_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - (not line.endswith(" "))),
    }
    arguments = [sys.executable, "-m", "workbench.cli"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert expected <= set(done.stdout.split())


def test_the_installed_command_is_quick_to_start():
    """Help must not wait for torch, panel or dask."""
    code = "import sys, workbench.cli; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "panel", "holoviews", "matplotlib", "dask", "distributed", "numba"} & set(loaded)


def test_run_announces_what_is_long_and_refuses_what_does_not_fit(monkeypatch, capsys):
    from workbench import costs
    from workbench.cli import run as command

    asked = []

    def work(size: int = 1, progress=None):
        asked.append(size)
        raise KeyboardInterrupt

    monkeypatch.setattr(costs, "of", lambda function, **values: costs.Cost(30.0 * values["size"], 1e6))
    with pytest.raises(KeyboardInterrupt):
        command.run(work, {"size": 2}, output_file=None, print_json=False, no_progress=False)
    assert "work: about 60 s on two cores" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        command.run(work, {"size": 2}, output_file=None, print_json=False, no_progress=True)
    assert "two cores" not in capsys.readouterr().err
    monkeypatch.setattr(costs, "of", lambda function, **values: costs.Cost(1.0, 1e18))
    with pytest.raises(ValueError, match="work of this size needs about"):
        command.run(work, {"size": 3}, output_file=None, print_json=False, no_progress=True)
    assert asked == [2, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_that_meets_a_destructor_still_stops_the_work():
    class Dying:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)  # Python only prints what a destructor raises

    progress = Progress()
    before = signal.getsignal(signal.SIGINT)
    with console.stoppable(progress):
        Dying()
        with pytest.raises(Cancelled):
            progress.update(1, 2)
    assert signal.getsignal(signal.SIGINT) is before
