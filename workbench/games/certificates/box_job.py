"""What is asked of a game of formulas, and the answer "unknown" that says what is known."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.games.certificates.boxes import BoxTree, Budget
from workbench.games.certificates.certificate import Certificate, Status
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.progress import Progress


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked: the game, the region, the target, the budget."""

    game: SmoothGame
    region: Box
    target: float | None
    boxes: int
    deadline: float
    progress: Progress
    seed: int | np.random.Generator

    def budget(self, share: float = 1.0) -> Budget:
        """What is left to spend: the boxes of one search, and a share of the seconds to the deadline."""
        return Budget(self.boxes, max(share * (self.deadline - time.monotonic()), 0.01))


def unknown(question: Question, why: str) -> Certificate:
    """Return the UNKNOWN certificate that says what is known."""
    return Certificate(
        status=Status.UNKNOWN,
        reason=why,
        target=question.target,
        region=question.region,
        game=question.game.payload(),
    )


def unfinished_sentence(tree: BoxTree, failed: list[int]) -> str:
    """Tell how much of the region is certified, where a box is left, and what to do about it."""
    lower, upper = tree.sides(failed)
    share = float(np.sum(np.prod((upper - lower) / tree.region.width, axis=1)))
    return (
        f"the budget of boxes or seconds ended with {100 * (1 - share):.1f} % of the region certified; "
        f"{len(failed)} boxes are left, one around {short(0.5 * (lower[0] + upper[0]))}. Allow more boxes, "
        "a smaller region or a smaller margin"
    )


def short(point: NDArray) -> str:
    """Return a point as a person writes it.

    >>> import numpy as np
    >>> short(np.array([0.25, 1 / 3]))
    '(0.25, 0.3333)'
    """
    return "(" + ", ".join(f"{x:.4g}" for x in point) + ")"
