"""The proof of a worst-case regret: its download beside the result, and a tab where anybody's is checked."""

import html
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from workbench import costs, data, metrics
from workbench.costs import Cost
from workbench.ui.kit.check import CheckView
from workbench.ui.kit.picture import CAPTION
from workbench.ui.kit.proof import CertificateFile, proof_html

SHIPPED = "metrics/rewards_lake.nc"


def regret_certificate() -> CertificateFile:
    """Return what shows the certificate of a result; those saved before certificates were part of them have none."""
    return CertificateFile(
        "regret.json", lambda ds: str(ds.certificate.item()) if "certificate" in ds else "", _told, style=CAPTION
    )


def _told(ds: xr.Dataset, text: str) -> str:
    why = str(ds.uncertified.item()) if "uncertified" in ds else "this result was saved without one"
    return f"<p>{html.escape(certificate_in_words(text) or f'No certificate: {why}.')}</p>"


def certificate_in_words(text: str) -> str:
    """Say what a certificate claims, or nothing of an empty one."""
    if not text:
        return ""
    claims = json.loads(text)
    return (
        f"The certificate proves {claims['lower']!r} ≤ W ≤ {claims['upper']!r} to whoever trusts rational "
        "arithmetic and no more; the tab “Check a regret” takes the file."
    )


class RegretCheckView(CheckView):
    """Verify a certificate of a worst-case regret."""

    title, slug = "Check a regret", "check-regret"
    help = (
        "A certificate holds a world, two rewards and witnesses for how wrong a policy can go. The checker reads it "
        "strictly and proves the interval in rational arithmetic, in a process of its own that ends after half a "
        "minute. Until you drop a file it shows that of the frozen lake. Change a digit of one and drop it again."
    )
    experiment = staticmethod(metrics.regret_verification)

    def shipped(self) -> str:
        """Return the certificate of the frozen lake."""
        return str(data.result(SHIPPED).certificate.item())

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time by the size of the file."""
        dropped = inputs["certificate"]
        return costs.of(metrics.regret_verification, b"" if dropped is None else dropped.data) or Cost(1.0)

    def report(self, ds: xr.Dataset) -> str:
        """Return the checker's report."""
        return report_html(ds)

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the checker says."""
        if not bool(ds.valid):
            return f"Not a proof: {ds.message.item()}."
        low, high = float(ds.lower), float(ds.upper)  # in full: a bound that is rounded is proved no more
        return f"The certificate holds: {low!r} ≤ W ≤ {high!r} is proved for a world of {int(ds.states):,} states."


def report_html(ds: xr.Dataset) -> str:
    """Return verdict, message and numbers of a check as HTML, every entry escaped."""
    names = ("states", "actions", "discount", "claimed_lower", "claimed_upper")
    rows = [("what the checker says", str(ds.message.item()))]
    rows += [
        (str(ds[name].attrs["long_name"]), f"{float(ds[name])!r}") for name in names if np.isfinite(float(ds[name]))
    ]
    return proof_html(rows, ds)
