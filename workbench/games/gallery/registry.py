"""The registry of the gallery and what an entry returns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.games.certificates.certificate import Status
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.registry import Fact, Registry

GALLERY = Registry(
    "game",
    facts={
        "knobs": Fact(dict, required=False, says="argument → (lowest, highest, default), for sliders"),
        "seconds": Fact((int, float), required=False, says="time of its certificate, if more than a tenth of a second"),
    },
)


@dataclass(frozen=True, eq=False)
class Example:
    """A game, where to look at it, what is true of it, and the verdict to expect from :func:`certify`.

    ``truth`` says what the dynamics really do, which a refusal does not contradict: the test is sufficient only.
    ``start`` is a point from which a trajectory shows it.
    """

    game: Any
    expected: Status
    truth: str
    start: NDArray
    region: Box | None = None
    tau: float | None = None


def has_formulas(name: str) -> bool:
    """Return whether a game of the gallery is made of formulas, so that it can be certified on boxes.

    >>> has_formulas("logit-bertrand"), has_formulas("toy")
    (True, False)
    """
    return isinstance(GALLERY[name]().game, SmoothGame)


def example(
    game: Any, good: bool, truth: str, start: Any, region: Box | None = None, tau: float | None = None
) -> Example:
    """Build an :class:`Example`; ``good`` means CERTIFIED is expected, otherwise REFUSED."""
    expected = Status.CERTIFIED if good else Status.REFUSED
    return Example(game, expected, truth, np.asarray(start, dtype=float), region, tau)
