"""What the papers of this room claim and what we measure: each family has its own file of claims."""

from workbench.metrics.embeddings.verdicts import CLAIMS as EMBEDDINGS
from workbench.metrics.rankings.verdicts import CLAIMS as RANKINGS
from workbench.metrics.rewards.verdicts import CLAIMS as REWARDS
from workbench.metrics.signals.verdicts import CLAIMS as SIGNALS
from workbench.metrics.spectra.verdicts import CLAIMS as SPECTRA
from workbench.verdicts import Claim, Verdict, judge, said_in

CLAIMS: tuple[Claim, ...] = (
    *said_in("M. McDermott et al., NeurIPS 2024, arXiv 2401.06091 (rankings)", RANKINGS),
    *said_in("J. Skalse et al., arXiv 2309.15257 (rewards)", REWARDS),
    *said_in("arXiv 2510.02514 (signals)", SIGNALS),
    *said_in("C. H. Martin and C. Hinrichs, arXiv 2507.17912 (spectra)", SPECTRA),
    *said_in("B. Chen and W. Deng, AAAI 2019, arXiv 1901.07169 (embeddings)", EMBEDDINGS),
)


def verdicts() -> list[Verdict]:
    """Return the rows of the metrics room's verdict table."""
    return judge(CLAIMS)
