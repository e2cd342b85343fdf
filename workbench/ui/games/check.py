"""Drop a certificate; the checker, which knows nothing of how it was found, says what it is worth."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from workbench import data, games
from workbench.costs import Cost
from workbench.games import costs
from workbench.games.experiments.verification import NUMBERS
from workbench.progress import Progress
from workbench.ui.kit import check
from workbench.ui.kit.proof import proof_html


class CheckView(check.CheckView):
    """Verify a certificate."""

    title, slug = "Check", "check"
    help = (
        "The checker reads a certificate strictly and proves the numbers in it, in rational or ball arithmetic, in a "
        "process of its own that ends after half a minute. Until you drop a file it shows the certificate of the "
        "paper's toy. A plan's certificate (Robust decisions) is checked as well. Change a digit and drop it again."
    )
    experiment = "workbench.games.verification"

    def shipped(self) -> str:
        """Return the certificate of the paper's toy."""
        return _toy()

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time by the size of the file."""
        return costs.checking(0 if inputs["certificate"] is None else len(inputs["certificate"].data))

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Verify."""
        return games.verification(self.content(inputs), progress=progress)

    def report(self, ds: xr.Dataset) -> str:
        """Return the checker's report."""
        return report_html(ds)

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the checker says."""
        if bool(ds.valid):
            if np.isfinite(float(ds.at_least)):
                return (
                    f"The certificate holds: the plan is worth at least {float(ds.at_least):,.6g}, and no plan "
                    f"more than {float(ds.none_above):,.6g}."
                )
            return f"The certificate holds: margin {float(ds.margin):.6g}, proved."
        if bool(ds.refusal):
            return "It is a refusal, and its witness is verified: no metric weights reach the target."
        return f"Not a proof: {ds.message.item()}."


@lru_cache(maxsize=1)
def _toy() -> str:
    return data.path("games/toy.json").read_text()


def report_html(ds: xr.Dataset) -> str:
    """Return verdict, message, numbers, and what all that proves and does not, as HTML, every entry escaped."""
    rows = [
        ("what the checker says", str(ds.message.item())),
        ("what the file says of itself (not checked)", f"{ds.status.item()}: {ds.reason.item()[:1000]}"),
    ]
    rows += [
        (ds[name].attrs["long_name"] + ("" if bool(ds.valid) else " (claimed, not proved)"), f"{float(ds[name]):.10g}")
        for name in NUMBERS
        if np.isfinite(float(ds[name]))
    ]
    return proof_html(rows, ds)
