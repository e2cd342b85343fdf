"""What the checker says of a certificate, as a result."""

from typing import Any

import numpy as np
import xarray as xr

from workbench import results
from workbench.games.certificates.certificate import Certificate
from workbench.games.verifier import check_refusal, verify


@results.experiment
def verification(certificate: Any) -> xr.Dataset:
    """Return the checker's verdict on a certificate (object, JSON text or bytes) and the numbers it proves.

    ``valid`` is what :func:`check` returns, ``message`` the reason; ``refusal`` whether a REFUSED certificate's witness
    is verified. Numbers are NaN if the file is not intact.
    """
    report = verify(certificate)
    refusal = check_refusal(certificate)
    known = _read(certificate)
    steps = ("margin", "step_paper", "step_h0", "step_sharp")
    values = {name: getattr(known, name) if known else np.nan for name in steps}
    labels = ("margin", "the paper's step", "h0", "sharp step")
    weights = known.weights if known is not None and known.weights is not None else np.full(1, np.nan)
    return results.dataset(
        {
            "valid": ((), report.valid, "whether every claim is proved"),
            "message": ((), report.message, "what the checker says"),
            "refusal": ((), refusal.valid, "whether the witness rules out all weights"),
            "status": ((), known.status.value if known else "none", "what the file claims"),
            "reason": ((), known.reason if known else "not an intact certificate", "reason in the file"),
            **{name: ((), values[name], label) for name, label in zip(steps, labels, strict=True)},
            "weight": (("player",), weights, "metric weight"),
        },
        {"player": (("player",), np.arange(1, len(weights) + 1), "player")},
    )


def _read(certificate: Any) -> Certificate | None:
    if isinstance(certificate, Certificate):
        return certificate
    try:
        return Certificate.from_json(certificate)
    except ValueError:
        return None
