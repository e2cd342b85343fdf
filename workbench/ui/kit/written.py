"""What a hand has changed on a page, as letters in its address: a name perhaps, then lists of numbers, and no more.

The letters need no escapes: ``two-bumps~0.5_0.5~-2_1.25``. Numbers are written so that what is read back is the same
to the last bit. What is read was written by anybody: bounded, matched, and refused in words.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import param

LONGEST_WRITTEN = 4_000
"""Letters of such a value: servers and proxies take addresses of twice that."""
FARTHEST = 1e6
NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?", re.ASCII)


class Written(param.Parameter):
    """A parameter that no widget sets but a hand; ``write`` makes letters of a value, ``read`` checks and undoes that.

    ``write`` returns an empty text for what no address can hold, ``read`` raises ``ValueError`` with the reason. Its
    ``label`` names in the plural what the hand has changed.
    """

    __slots__ = ["read", "write"]

    def __init__(
        self, default: Any, *, write: Callable[[Any], str], read: Callable[[str], Any], label: str, doc: str = ""
    ) -> None:
        super().__init__(default=default, label=label, doc=doc, precedence=-1)
        self.write, self.read = write, read

    def fits(self, value: Any) -> bool:
        """Tell whether an address can hold ``value``."""
        return 0 < len(self.write(value)) <= LONGEST_WRITTEN


def in_letters(*lists: Iterable[float]) -> str:
    """Return lists of numbers as letters.

    >>> in_letters((200, 0.1), (-2.0, 1e-7))
    '200_0.1~-2_1e-07'
    """
    return "~".join("_".join(_letters(number) for number in numbers) for numbers in lists)


def lists_of(text: str) -> list[tuple[float, ...]]:
    """Return the lists that :func:`in_letters` wrote; ``ValueError`` for anything else.

    >>> lists_of("200_0.1~-2_1e-07")
    [(200.0, 0.1), (-2.0, 1e-07)]
    """
    if len(text) > LONGEST_WRITTEN:
        raise ValueError(f"it has {len(text):,} letters; up to {LONGEST_WRITTEN:,} are read")
    found = []
    for part in text.split("~"):
        numbers = part.split("_")
        wrong = next((number for number in numbers if not NUMBER.fullmatch(number)), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:30]!r} is no number")
        found.append(tuple(map(float, numbers)))
    if any(not abs(number) <= FARTHEST for numbers in found for number in numbers):
        raise ValueError(f"it holds a number beyond {FARTHEST:g}")
    return found


def moves_in_letters(value: tuple[tuple, tuple]) -> str:
    """Return (settings, ((item, place), …)) as letters, a place one number or a tuple of them; "" for no moves.

    >>> moves_in_letters(((40, 3.0), ((7, (0.5, -1.0)),)))
    '40_3~7_0.5_-1'
    """
    of, moves = value
    if not moves:
        return ""
    return in_letters(of, *((item, *(place if isinstance(place, tuple) else (place,))) for item, place in moves))


def moves_of(text: str, *, settings: int, places: int, per: int = 1) -> tuple[tuple, tuple]:
    """Return what :func:`moves_in_letters` wrote: so many settings, the first a count, and so many numbers a place.

    Items go from 0 to ``per`` times that count, in order, none twice. Raises ``ValueError`` for anything else.

    >>> moves_of("40_3~7_0.5_-1", settings=2, places=2)
    ((40.0, 3.0), ((7, (0.5, -1.0)),))
    """
    of, *moves = lists_of(text)
    if len(of) != settings or not moves:
        raise ValueError(f"it must hold {settings} settings and then moves, each behind a ~")
    items = [move[0] for move in moves]
    if any(len(move) != 1 + places for move in moves):
        raise ValueError(f"a move is an item and {places} number{'s' * (places > 1)}")
    if any(item != math.floor(item) or not 0 <= item < per * of[0] for item in items):
        raise ValueError(f"items are whole numbers from 0 to {per * of[0] - 1:g}")
    if any(second <= first for first, second in itertools.pairwise(items)):
        raise ValueError("the items must rise, each named once")
    return of, tuple((int(item), tuple(place) if places > 1 else place[0]) for item, *place in moves)


def _letters(number: float) -> str:
    text = repr(float(number))
    return text.removesuffix(".0")
