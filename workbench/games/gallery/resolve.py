"""Which game is meant: a name of the gallery with its options, a matrix, a game, or a gallery example."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.games.certificates.basin import newton
from workbench.games.certificates.boxes import bounds_on_box
from workbench.games.certificates.certificate import Certificate, Status
from workbench.games.certificates.certify import certify
from workbench.games.gallery import GALLERY, Example
from workbench.games.models.bounds import Bounds
from workbench.games.models.quadratic import QuadraticGame, block_bounds
from workbench.games.models.smooth import SmoothGame
from workbench.progress import Progress

LARGEST_MATRIX = 40
NAMED = (str, list, tuple, np.ndarray, Example)  # what is not a game itself but says which one is meant


def resolve(game: Any, options: Mapping[str, Any] | None = None) -> Example:
    """Return the :class:`Example` that is meant.

    ``game`` is a name in GALLERY (``options`` are its arguments), a square matrix (a quadratic game with one
    coordinate a player), a :class:`QuadraticGame`, or an Example. Raises ``ValueError`` for unknown names or options.
    """
    if isinstance(game, Example):
        return game
    if isinstance(game, str):
        try:
            return GALLERY[game](**(options or {}))
        except TypeError as error:
            raise ValueError(f"the game {game!r} does not take these options: {error}") from None
    if not isinstance(game, QuadraticGame):
        game = QuadraticGame(game, name="your game")
    return Example(game, Status.UNKNOWN, "your own game", np.ones(game.dimension))


def parse_matrix(text: str) -> NDArray:
    """Return the matrix written as ``1 10; 0.05 1`` (rows by ; or line, entries by space or comma).

    Raises ``ValueError`` naming the entry that is no number, or the row that is too short or too long.

    >>> parse_matrix("1 5; -5 1").tolist()
    [[1.0, 5.0], [-5.0, 1.0]]
    """
    rows = [row.replace(",", " ").split() for row in text.replace("\n", ";").split(";") if row.strip()]
    if not rows or len(rows) > LARGEST_MATRIX:
        raise ValueError(f"write 1 to {LARGEST_MATRIX} rows, separated by ; — for example 1 10; 0.05 1")
    matrix = []
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows):
            raise ValueError(
                f"row {number} has {len(row)} entries, but there are {len(rows)} rows; give a square matrix"
            )
        try:
            matrix.append([float(entry) for entry in row])
        except ValueError:
            raise ValueError(f"row {number} ({' '.join(row)[:60]}) holds something that is no number") from None
    return QuadraticGame(matrix).matrix


def bounds_for(example: Example, progress: Progress | None = None) -> Bounds:
    """Return the bounds of a game over its region: exact, global, or by branch and bound."""
    game = example.game
    if callable(getattr(game, "bounds", None)):
        return game.bounds()
    if isinstance(game, SmoothGame) and example.region is not None:
        return bounds_on_box(game, example.region, tolerance=1e-3, progress=progress).bounds
    return block_bounds(game.jacobian(example.start)[None], game.sizes, proved=False)


def certificate_for(example: Example, progress: Progress | None = None) -> Certificate:
    """Return the certificate within the page's budget of a few seconds."""
    options = {"max_boxes": 8000, "seconds": 6.0} if isinstance(example.game, SmoothGame) else {}
    return certify(example.game, example.region, progress=progress, **options)


def equilibrium_for(example: Example) -> NDArray:
    """Return the equilibrium near the middle of the region (or the start), or that point if none is found."""
    start = example.start if example.region is None else example.region.centre
    try:
        return newton(example.game, start)
    except (ValueError, np.linalg.LinAlgError):
        return start
