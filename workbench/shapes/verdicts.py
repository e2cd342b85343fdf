"""What the papers of this room claim and what we measure: each family has its own file of claims."""

from workbench.shapes.correspondences.verdicts import CLAIMS as CORRESPONDENCES
from workbench.shapes.defects.verdicts import CLAIMS as DEFECTS
from workbench.shapes.fits.verdicts import CLAIMS as FITS
from workbench.shapes.shadow.verdicts import CLAIMS as SHADOW
from workbench.shapes.surfaces.verdicts import CLAIMS as SURFACES
from workbench.verdicts import Claim, Verdict, judge

CLAIMS: tuple[Claim, ...] = (
    *DEFECTS,
    *SHADOW,
    *SURFACES,
    *FITS,
    *CORRESPONDENCES,
)


def verdicts() -> list[Verdict]:
    """Return the rows of the shapes room's verdict table."""
    return judge(CLAIMS)
