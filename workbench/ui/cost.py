"""What a run will cost, told before it starts."""

from dataclasses import dataclass

QUICK_SECONDS = 2.0


@dataclass(frozen=True)
class Cost:
    """Estimated seconds on the reference machine (2 cores) and peak bytes of memory."""

    seconds: float
    bytes: float = 0.0

    @property
    def is_quick(self) -> bool:
        """Whether the run may start by itself whenever a parameter changes."""
        return self.seconds <= QUICK_SECONDS

    def __str__(self) -> str:
        parts = [f"about {duration(self.seconds)}"]
        if self.bytes >= 50 * 2**20:
            parts.append(size(self.bytes))
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return seconds as a person says them: "0.4 s", "12 s", "6 min", "2.5 h"."""
    if seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Return a number of bytes as "120 MB" or "4.0 GB"."""
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
