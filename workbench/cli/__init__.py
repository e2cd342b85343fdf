"""The ``workbench`` command: the same functions as the pages, from a shell.

Standard output carries the answer and nothing else; progress and remarks go to standard error. Exit codes:
0 yes, 1 no or failed, 2 not understood, 130 stopped.
"""

import sys
import warnings
from typing import Annotated, Any

import typer

import workbench
from workbench.cli import console
from workbench.cli.check import check
from workbench.cli.info import info
from workbench.cli.run import Rooms
from workbench.cli.serve import serve
from workbench.cli.show import show
from workbench.cli.sweep import sweep
from workbench.progress import Cancelled

__all__ = ["app", "main"]

_settings = {"traceback": False}

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve)
app.add_typer(
    typer.Typer(cls=Rooms, no_args_is_help=True, rich_markup_mode=None, add_completion=False),
    name="run",
    help="Run one experiment of a room.",
    epilog="For example: workbench run fisher ising_curvature --L 8 -o file.nc",
)
app.command()(sweep)
app.command()(show)
app.command()(check)
app.command()(info)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.say(workbench.__version__)
        raise typer.Exit(console.YES)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Pieces of modern geometry to see, trust and use.

    A first try:

    \b
      workbench info                                     what there is
      workbench serve                                    the pages, in your browser
      workbench run fisher                               the experiments of a room
      workbench run fisher ising_curvature --L 8 -o c.nc run one, keep the result
      workbench show c.nc                                read it and draw it

    The answer goes to standard output, everything else to standard error. Exit code 0: yes, done; 1: no, or it
    failed; 2: not understood; 130: stopped by Ctrl-C.
    """
    _settings["traceback"] = traceback


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit with its code; errors are one sentence on standard error."""
    warnings.showwarning = _show_warning
    console.prepare()
    try:
        app(args=arguments, prog_name="workbench")
    except (KeyboardInterrupt, Cancelled):
        console.note("stopped")
        sys.exit(console.STOPPED)
    except BrokenPipeError:
        sys.exit(console.NO)
    except Exception as error:
        _complain(error)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Say our own warnings as a sentence; what libraries warn each other of is not for here."""
    if category is UserWarning:
        console.note(f"workbench: {message}")


def _complain(error: Exception) -> Any:
    """Say what was wrong: refused input is code 2, anything that failed on the way is code 1."""
    if _settings["traceback"]:
        raise error
    refused = isinstance(error, (ValueError, TypeError, FileNotFoundError))
    console.note(f"workbench: {error if refused or str(error) else type(error).__name__}")
    if not refused:
        console.note("(workbench --traceback … shows where it came from)")
    sys.exit(console.USAGE if refused else console.NO)
