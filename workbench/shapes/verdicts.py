"""What the papers of this room claim and what we measure: each family has its own file of claims."""

from workbench.shapes.correspondences.verdicts import CLAIMS as CORRESPONDENCES
from workbench.shapes.defects.verdicts import CLAIMS as DEFECTS
from workbench.shapes.fits.verdicts import CLAIMS as FITS
from workbench.shapes.shadow.verdicts import CLAIMS as SHADOW
from workbench.shapes.surfaces.verdicts import CLAIMS as SURFACES
from workbench.verdicts import Claim, Verdict, judge, said_in

CLAIMS: tuple[Claim, ...] = (
    *said_in("arXiv 2602.01408 (defects)", DEFECTS),
    *said_in("arXiv 2506.01603 (graphs)", SHADOW),
    *said_in("arXiv 2305.17555 (surfaces)", SURFACES),
    *said_in("arXiv 2503.10000 (fits)", FITS),
    *said_in("arXiv 2403.01781 (correspondences)", CORRESPONDENCES),
)


def verdicts() -> list[Verdict]:
    """Return the rows of the shapes room's verdict table."""
    return judge(CLAIMS)
