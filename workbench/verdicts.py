"""What a paper says, what was measured here, and whether it holds: one row of a room's verdict table."""

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a claim fared; shown by icon and word, never by colour alone."""

    HOLDS = ("✔", "holds")
    PARTLY = ("◐", "holds in part")
    FAILS = ("✘", "does not hold")
    OPEN = ("?", "not settled")

    @property
    def icon(self) -> str:
        """The sign shown before the word."""
        return self.value[0]

    @property
    def word(self) -> str:
        """The outcome in words."""
        return self.value[1]


@dataclass(frozen=True)
class Verdict:
    """One claim: in the paper's sense, what a run of this code measured, and the outcome.

    ``how`` names the call or script that repeats the measurement.
    """

    claim: str
    measured: str
    outcome: Outcome
    how: str = ""
