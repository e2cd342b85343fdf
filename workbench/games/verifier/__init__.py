"""The second, small program: it verifies a certificate and knows nothing of how it was found.

It imports nothing else of the workbench. Arithmetic is exact (rational) where the certificate is about numbers, and
python-flint's ball arithmetic (F. Johansson, *Arb: efficient arbitrary-precision midpoint-radius interval
arithmetic*, 2017) where it is about a formula on a box.
"""

from workbench.games.verifier.verify import Report, check, check_refusal, verify

__all__ = ["Report", "check", "check_refusal", "verify"]
