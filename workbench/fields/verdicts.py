"""What the papers of this room claim and what we measure: each family has its own file of claims."""

from workbench.fields.core.verdicts import CLAIMS as CORE
from workbench.fields.downscaling.verdicts import CLAIMS as DOWNSCALING
from workbench.fields.latent.verdicts import CLAIMS as LATENT
from workbench.fields.population.verdicts import CLAIMS as POPULATION
from workbench.fields.sliced.verdicts import CLAIMS as SLICED
from workbench.verdicts import Claim, Verdict, judge, said_in

CLAIMS: tuple[Claim, ...] = (
    *said_in("Y. Lipman et al., arXiv 2210.02747 (flow matching)", CORE),
    *SLICED,
    *said_in("L. Atanackovic et al., arXiv 2408.14608 (populations)", POPULATION),
    *LATENT,
    *DOWNSCALING,
)


def verdicts() -> list[Verdict]:
    """Return the rows of the fields room's verdict table."""
    return judge(CLAIMS)
