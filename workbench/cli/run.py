"""``workbench run ROOM EXPERIMENT --param value … -o file.nc``: every experiment, with its own parameters as options.

The commands are made from the signatures when they are asked for, so a new experiment is a new command, with help
and completion, the day it is written.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from workbench import costs, results
from workbench.cli import arguments, console, summary
from workbench.progress import Progress
from workbench.sweeps.experiments import ROOMS, experiments

Function = Callable[..., Any]
PLAIN: dict[str, Any] = {"rich_markup_mode": None, "add_completion": False}
OWN_OPTIONS = {
    "output_file": Annotated[
        Path | None, typer.Option("--output", "-o", help="Save the result here (.nc or .zarr).", show_default=False)
    ],
    "print_json": Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")],
    "no_progress": Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")],
}


class Rooms(TyperGroup):
    """The rooms as subcommands of ``run``."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the rooms."""
        return list(ROOMS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the room's group of experiments, or None if there is no such room."""
        if cmd_name not in ROOMS:
            return None
        group = typer.Typer(cls=_experiments_of(cmd_name), no_args_is_help=True, help=f"The {cmd_name} room.", **PLAIN)
        group.callback()(lambda: None)
        made = typer.main.get_command(group)
        made.name = cmd_name
        return made


def _experiments_of(room: str) -> type[TyperGroup]:
    class Experiments(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return list(experiments(room))

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            function = experiments(room).get(cmd_name.replace("-", "_"))
            return None if function is None else command_of(cmd_name, function)

    return Experiments


def command_of(name: str, function: Function) -> Any:
    """Return the command that runs one experiment.

    >>> from workbench import fisher
    >>> command_of("ising_curvature", fisher.ising_curvature).name
    'ising_curvature'
    """
    settings = {"token_normalize_func": _dashes, "help_option_names": ["-h", "--help"]}
    single = typer.Typer(context_settings=settings, **PLAIN)
    single.command(name, help=_help(function))(_with_options(function))
    return typer.main.get_command(single)


def _dashes(token: str) -> str:
    """Let ``--n_directions`` mean ``--n-directions``."""
    return token.replace("_", "-")


def _help(function: Function) -> str:
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    offered, name = results.public_path(function)
    return f"{' '.join(paragraphs[0].split())}\n\nIn Python: {offered}.{name}; help({name}) tells more."


def _with_options(function: Function) -> Function:
    """Return a command function whose signature lists the experiment's parameters, each as text to be parsed."""
    kinds = arguments.annotations(function)
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if arguments.describe(kinds[name])
        and name != "progress"
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }

    def command(**given: Any) -> None:
        own = {name: given.pop(name) for name in OWN_OPTIONS}
        values = {
            name: arguments.parse(f"--{name.replace('_', '-')}", text, kinds[name])
            for name, text in given.items()
            if text is not None
        }
        run(function, values, **own)

    options = [_option(parameter, kinds[name]) for name, parameter in parameters.items()]
    for name, kind in OWN_OPTIONS.items():
        absent = None if name == "output_file" else False
        options.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=absent, annotation=kind))
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options}
    return command


def _option(parameter: inspect.Parameter, kind: Any) -> inspect.Parameter:
    required = parameter.default is parameter.empty
    told = arguments.describe(kind)
    told = told[0].upper() + told[1:] + ("." if required or parameter.default is None else f"; {parameter.default!r}.")
    option = typer.Option(f"--{parameter.name.replace('_', '-')}", help=told, metavar="VALUE", show_default=False)
    annotation = Annotated[str if required else str | None, option]
    default = inspect.Parameter.empty if required else None
    return inspect.Parameter(parameter.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def announce(function: Function, values: dict[str, Any], *, quiet: bool) -> None:
    """Say what a long run will take, on standard error; refuse one that needs more memory than is free."""
    cost = costs.of(function, **values)
    if cost is None:
        return
    costs.check_memory(cost, f"{function.__name__} of this size")
    if not cost.is_quick and not quiet:
        console.note(f"{function.__name__}: {cost} on two cores")


def run(
    function: Function, values: dict[str, Any], *, output_file: Path | None, print_json: bool, no_progress: bool
) -> None:
    """Run an experiment, save its result if asked to, and print its summary."""
    if output_file is not None:
        results.check_target(output_file)
    if "progress" in inspect.signature(function).parameters:
        values["progress"] = console.progress(function.__name__, quiet=no_progress)
    announce(function, values, quiet=no_progress)
    with console.only_answers(), console.stoppable(values.get("progress") or Progress()):
        ds = function(**values)
    if output_file is not None:
        results.save(ds, output_file)
        console.note(f"saved {output_file}")
    if print_json:
        console.say_json({"file": str(output_file) if output_file else None, **summary.as_json(ds)})
    else:
        console.say(summary.as_text(ds))
