"""The checker of regrets as an experiment: a stranger's certificate, proved or refused in a process apart."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, isolated, results
from workbench.isolated import Limits, Stopped
from workbench.metrics.rewards import checker
from workbench.progress import Progress

SECONDS = 30.0
MEMORY = 2 * 2**30
CLAIMS = {
    "states": ("states of the world", ""),
    "actions": ("actions in each state", ""),
    "discount": ("discount γ", ""),
    "claimed_lower": ("the regret is claimed to be at least", ""),
    "claimed_upper": ("the regret is claimed to be at most", ""),
}


@results.experiment
def regret_verification(
    certificate: str | bytes | Path, *, seconds: float = SECONDS, progress: Progress | None = None
) -> xr.Dataset:
    """Return what :func:`check_regret` says of a certificate (JSON text, bytes or a path), and the numbers in it.

    ``valid``, and ``message`` with the reason; ``lower`` and ``upper``, the interval of the worst-case regret W that is
    proved, from 0 to 1 where nothing is. ``states``, ``actions``, ``discount``, ``claimed_lower``, ``claimed_upper``
    are what the file says, NaN if it is no certificate. ``proves`` and ``not_proved`` are sentences, one a line. The
    check runs in a process of its own that is ended after ``seconds``. Raises ``FileNotFoundError`` for a path that
    leads nowhere, ``TypeError`` for what is no certificate at all. Cost: 10 ms for 65 states, two seconds for 10⁴.

    >>> found = regret_verification('{"format": "nothing"}')
    >>> bool(found.valid), float(found.lower), float(found.upper)
    (False, 0.0, 1.0)
    """
    limit = checks.real("seconds", seconds, exclusive_minimum=0)
    content = checker.content_of(certificate)
    found: dict[str, Any] = {"valid": False, "message": "", "lower": 0.0, "upper": 1.0, "not_proved": [], "claims": {}}
    if len(content) > checker.LARGEST_TEXT:
        found["message"] = checker.check(content).message  # refused by its length, which costs nothing
    else:
        try:
            found = isolated.call(examined, content, limits=Limits(limit, MEMORY), progress=progress)
        except isolated.Busy:
            raise
        except Stopped as error:
            found["message"] = f"the check came to no end: {error}"
    numbers = {name: float(found["claims"].get(name, np.nan)) for name in CLAIMS}
    proves = _proves(found["lower"], found["upper"]) if found["valid"] else ""
    return results.dataset(
        {
            "valid": ((), found["valid"], "whether every claim is proved"),
            "message": ((), found["message"], "what the checker says"),
            "lower": ((), found["lower"], "the regret is proved to be at least"),
            "upper": ((), found["upper"], "the regret is proved to be at most"),
            "proves": ((), proves, "what this proves"),
            "not_proved": ((), "\n".join(found["not_proved"]), "what it does not prove"),
            **{name: ((), numbers[name], told, unit) for name, (told, unit) in CLAIMS.items()},
        }
    )


def examined(content: bytes) -> dict[str, Any]:
    """Return the checker's report on a certificate and the numbers that it claims, as plain data."""
    report = checker.check(content)
    claims: dict[str, float] = {}
    try:
        document = checker.parse(checker.read(content))
    except Exception:  # the report has said why
        claims = {}
    else:
        claims = {
            "states": document.states,
            "actions": document.actions,
            "discount": checker.as_double(document.discount),
            "claimed_lower": checker.as_double(document.lower),
            "claimed_upper": checker.as_double(document.upper),
        }
    return {
        "valid": report.valid,
        "message": report.message,
        "lower": report.lower,
        "upper": report.upper,
        "not_proved": list(report.not_proved),
        "claims": claims,
    }


def _proves(lower: float, upper: float) -> str:
    return "\n".join(
        [
            f"Some policy that reward 2 likes no less than another earns less under reward 1, by {lower!r} of all "
            "there is to lose.",
            f"No two such policies differ by more than {upper!r} of it.",
        ]
    )
