"""What the checker says of a certificate, as a result."""

from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.games.certificates.certificate import Certificate
from workbench.games.robust.examination import examine_plan, is_plan
from workbench.games.verifier import examine_apart
from workbench.games.verifier.verify import content_of
from workbench.progress import Progress

SECONDS = 30.0
MEMORY = 4 * 2**30
NUMBERS = {
    "margin": "margin",
    "step_paper": "the paper's step",
    "step_h0": "h0",
    "step_sharp": "sharp step",
    "at_least": "the plan is worth at least",
    "at_most": "the plan is worth at most",
    "none_above": "no plan is worth more than",
}


@results.experiment
def verification(certificate: Any, *, seconds: float = SECONDS, progress: Progress | None = None) -> xr.Dataset:
    """Return the checker's verdict on a certificate (object, JSON text, bytes or path) and the numbers in it.

    ``valid`` is what :func:`check` returns, ``message`` the reason; ``refusal`` whether a REFUSED certificate's witness
    is verified; ``proves`` and ``not_proved`` what that means, a sentence a line. The numbers are those that the file
    claims (of the weights the first 1000), proved only if ``valid``; NaN if the file is no certificate. The check runs
    in a process of its own, which is ended after ``seconds``: whoever wrote the file cannot make it run longer.
    """
    limit, progress = checks.real("seconds", seconds, exclusive_minimum=0), progress or Progress()
    content = certificate.to_json() if isinstance(certificate, Certificate) else content_of(certificate)
    if is_plan(content):
        found = examine_plan(content, seconds=limit, memory=MEMORY, progress=progress)
    else:
        found = examine_apart(
            content,
            seconds=limit,
            watch=lambda spent: progress.update(min(spent, limit), limit, "the checker is at work"),
        )
    told = found.refusal if found.refusal else found.report
    claims = found.claims
    weights = np.array(claims.get("weights") or [np.nan])
    numbers = {name: claims.get(name) for name in NUMBERS}
    return results.dataset(
        {
            "valid": ((), found.report.valid, "whether every claim is proved"),
            "message": ((), found.report.message, "what the checker says"),
            "refusal": ((), found.refusal.valid, "whether the witness rules out all weights"),
            "proves": ((), "\n".join(told.proves), "what this proves"),
            "not_proved": ((), "\n".join(told.not_proved), "what it does not prove"),
            "status": ((), claims.get("status", "none"), "what the file claims"),
            "reason": ((), claims.get("reason", "not an intact certificate"), "reason in the file"),
            **{name: ((), np.nan if numbers[name] is None else numbers[name], NUMBERS[name]) for name in NUMBERS},
            "weight": (("player",), weights, "metric weight"),
        },
        {"player": (("player",), np.arange(1, len(weights) + 1), "player")},
    )
