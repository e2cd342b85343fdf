"""The rooms of the house, and the only list of them: whatever needs "all rooms" reads it here.

A room called ``waves`` is one line below, and folders of its own: ``workbench/waves``, ``workbench/figures/waves``,
``workbench/ui/waves``, ``apps/waves.py``, ``notebooks/waves.ipynb``, ``benchmarks/waves.py``, ``tests/waves``. The home
page, the navigation, the command line, sweeps, the reference and the tests of the walls find it from here.
"""

from typing import NamedTuple


class RoomEntry(NamedTuple):
    """What the house knows of a room before it is opened: the name on the door, and what a person does inside.

    >>> ROOMS["flows"].title
    'Flows'
    """

    title: str
    purpose: str


ROOMS: dict[str, RoomEntry] = {
    "flows": RoomEntry(
        "Flows", "Watch one cloud flow into another, and compare what drives it: slices, plans, solvers, few bits."
    ),
    "fisher": RoomEntry(
        "Fisher",
        "See how families of models are curved: lattices at criticality, densities, and what learners make of it.",
    ),
    "steps": RoomEntry(
        "Steps", "See what limits a step, and cap it: training steps on their worst sample, saddle searches."
    ),
    "games": RoomEntry(
        "Games",
        "Decide against others or the worst case: contraction, plans and bounds, with proofs that can be checked.",
    ),
    "metrics": RoomEntry(
        "Metrics",
        "Find out what a yardstick sees and what it is blind to: bring your own scores, rewards, signals or networks.",
    ),
    "shapes": RoomEntry(
        "Shapes",
        "Bring atoms, samples, surfaces or signals, and get defects, graphs, matches and fits with a proof.",
    ),
    "fields": RoomEntry(
        "Fields", "Train a vector field that carries one population into another, and see its error split exactly."
    ),
}
"""Name of the package → title and purpose, in the order in which the house shows them."""

if __name__ == "__main__":  # for the Makefile
    print(*ROOMS)
