"""What a call may take, and how it is told that it took more."""

from dataclasses import dataclass

from workbench.checks import integer, real


class Stopped(ValueError):
    """The work was ended, or ended itself, before it had an answer."""


@dataclass(frozen=True)
class Limits:
    """What a call may take: seconds of time (of the clock and of a core), bytes of memory beside what is imported."""

    seconds: float = 20.0
    memory: int = 2**30

    def __post_init__(self) -> None:
        real("seconds", self.seconds, exclusive_minimum=0)
        integer("memory", self.memory, minimum=2**20)

    @property
    def too_long(self) -> str:
        """What is said of work that took too much time."""
        return f"it took longer than {self.seconds:g} s and was stopped"

    @property
    def too_much(self) -> str:
        """What is said of work that asked for too much memory."""
        return f"it needs more than the {self.memory / 2**20:,.0f} MiB of memory allowed for it"
