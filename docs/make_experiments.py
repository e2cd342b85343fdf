"""Write the table of all experiments with what they cost, docs/experiments.md: ``python docs/make_experiments.py``.

An experiment, its first line and its estimate come from the rooms; the tab that shows it from the pages. A test keeps
the page equal to what this script writes.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench import costs
from workbench.rooms import ROOMS
from workbench.sweeps.experiments import experiments
from workbench.ui.catalogue import room_classes

PAGE = Path(__file__).resolve().with_name("experiments.md")
HEADING = """# All experiments, and what they cost

Made by `python docs/make_experiments.py`. Every experiment returns one labelled `xarray.Dataset`, runs from a notebook
(`workbench.flows.gradient_flow(…)`), from a shell (`workbench run flows gradient_flow …`) and in a [sweep](sweeps.md).
The cost is the room's own estimate, for two cores and the arguments' defaults, good to a factor of two or three; pages
and the command line tell it for the arguments that you give, before they start. A dash: it needs something of yours.
"""


def cost_of(function: Callable[..., Any]) -> str:
    """Return the estimate at the defaults in words, a dash where an argument has none."""
    if any(
        one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in _taken(function)
    ):
        return "—"
    found = costs.of(function)
    return "—" if found is None else str(found)


def _taken(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def text() -> str:
    """Return the whole page: one table a room, its experiments in alphabetical order."""
    parts = [HEADING]
    for name, room in ROOMS.items():
        shown = {view.experiment_name(): view.title for view in room_classes()[name].view_classes}
        parts += [f"\n## {room.title}\n", "| experiment | what it returns | cost | tab |", "|---|---|---|---|"]
        for label, function in experiments(name).items():
            what = (inspect.getdoc(function) or "").split("\n")[0].replace("|", "\\|")
            tab = shown.get(f"workbench.{name}.{label}", "")
            parts.append(f"| `{label}` | {what} | {cost_of(function)} | {tab} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text())
