"""``workbench show file.nc``: what a result holds, and a picture of it."""

import importlib.util
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench import results, sweeps
from workbench.cli import console, summary


def show(
    file: Annotated[Path, typer.Argument(help="A result (.nc, .zarr), or the store folder of a sweep.")],
    picture: Annotated[
        Path | None, typer.Option("--picture", "-p", help="Where to draw it (.png, .svg, .pdf); FILE.png if not given.")
    ] = None,
    draw: Annotated[bool, typer.Option(help="Whether to draw a picture at all.")] = True,
    print_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Print a summary of a saved result and draw it.

    The picture is its room's own where the room has one for this experiment, and plain curves or maps otherwise.
    """
    if file.is_dir() and file.suffix != ".zarr":
        return _show_store(file, print_json)
    ds = results.open(file)
    target = picture or file.with_name(file.name + ".png")
    drawn = _drawn(ds, target, wanted=draw, asked=picture is not None)
    if print_json:
        console.say_json({"file": str(file), "picture": str(drawn) if drawn else None, **summary.as_json(ds)})
    else:
        console.say(summary.as_text(ds))
        if drawn:
            console.say(f"  picture: {drawn}")
    return None


def _show_store(folder: Path, print_json: bool) -> None:
    status = sweeps.status(folder)
    if print_json:
        return console.say_json({"store": str(folder), **asdict(status), "failures": sweeps.failures(folder)})
    console.say(
        f"{folder}: {status.finished} cells finished ({status.bytes:,} bytes), {status.failed} failed, "
        f"{status.damaged} damaged files kept"
    )
    for record in sweeps.failures(folder):
        console.say(f"  {record.get('parameters')}: {record['error']}: {record['message']}")
    return None


def _drawn(ds: Any, target: Path, *, wanted: bool, asked: bool) -> Path | None:
    """Draw and return the file, or None if there is nothing to draw with; refuse only what was asked for."""
    if not wanted:
        return None
    if target.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"a picture must end in .png, .svg or .pdf, got {target.name!r}")
    if importlib.util.find_spec("holoviews") is None:
        if asked:
            raise ValueError("drawing needs: pip install 'geometry-workbench[apps]'")
        console.note("no picture: that needs pip install 'geometry-workbench[apps]'")
        return None
    from workbench.figures import choose

    choose.save(choose.figure_for(ds), target)
    return target
