"""The second, small program: it verifies a certificate and knows nothing of how it was found.

It imports nothing else of the workbench, and reads a certificate as if its author meant to deceive: :mod:`.document`
reads strict JSON, :mod:`.grammar` turns it into the typed, immutable objects of :mod:`.model`, :mod:`.work` bounds the
cost, and only then are claims proved, in rationals where the certificate is about numbers and in python-flint's balls
(F. Johansson, *Arb: efficient arbitrary-precision midpoint-radius interval arithmetic*, 2017) where it is about a
formula on a box. What is not decided is not proved. :mod:`.meaning` says what "valid" means.
"""

from .apart import examine_apart
from .verify import Examination, Report, check, check_refusal, examine, verify

__all__ = ["Examination", "Report", "check", "check_refusal", "examine", "examine_apart", "verify"]
