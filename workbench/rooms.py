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
    "flows": RoomEntry("Flows", "Watch one point cloud flow into another, and compare the estimators that drive it."),
    "fisher": RoomEntry("Fisher", "See the Fisher metric of an Ising lattice, and how its curvature grows with size."),
    "steps": RoomEntry("Steps", "See what limits a training step, on which sample, and watch a guard cap it."),
    "games": RoomEntry(
        "Games", "Get a contraction certificate for a game, with a proof that can be checked, or the reason why not."
    ),
    "metrics": RoomEntry(
        "Metrics",
        "Find out what a yardstick sees and what it is blind to: bring your own scores, rewards, signals or networks.",
    ),
    "shapes": RoomEntry(
        "Shapes",
        "Bring atoms, samples or surfaces, and get defects and graphs with a proof that can be checked.",
    ),
    "fields": RoomEntry(
        "Fields", "Train a vector field that carries one population into another, and see its error split exactly."
    ),
}
"""Name of the package → title and purpose, in the order in which the house shows them."""

if __name__ == "__main__":  # for the Makefile
    print(*ROOMS)
