"""What the papers of this room claim and what we measure: each family has its own file of claims."""

from workbench.metrics.embeddings.verdicts import CLAIMS as EMBEDDINGS
from workbench.metrics.rankings.verdicts import CLAIMS as RANKINGS
from workbench.metrics.rewards.verdicts import CLAIMS as REWARDS
from workbench.metrics.signals.verdicts import CLAIMS as SIGNALS
from workbench.metrics.spectra.verdicts import CLAIMS as SPECTRA
from workbench.verdicts import Claim, Verdict, judge

CLAIMS: tuple[Claim, ...] = (*RANKINGS, *REWARDS, *SIGNALS, *SPECTRA, *EMBEDDINGS)


def verdicts() -> list[Verdict]:
    """Return the rows of the metrics room's verdict table."""
    return judge(CLAIMS)
