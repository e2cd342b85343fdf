"""What the papers of this room claim and what we measure: each family has its own file of claims."""

from workbench.fields.core.verdicts import CLAIMS as CORE
from workbench.fields.downscaling.verdicts import CLAIMS as DOWNSCALING
from workbench.fields.sliced.verdicts import CLAIMS as SLICED
from workbench.verdicts import Claim, Verdict, judge

CLAIMS: tuple[Claim, ...] = (*CORE, *SLICED, *DOWNSCALING)


def verdicts() -> list[Verdict]:
    """Return the rows of the fields room's verdict table."""
    return judge(CLAIMS)
