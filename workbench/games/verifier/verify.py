"""Verify a whole certificate: read it strictly, then prove every number in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.games.verifier import claims
from workbench.games.verifier.basin import basin_claim
from workbench.games.verifier.document import Refused, digest, read

PROVED = "margin, weights, band, steps and region are proved"
GIVEN = " for every game within its bounds, which are taken as given"


@dataclass(frozen=True)
class Report:
    """Whether a certificate holds, and the sentence that says why (or which claim failed)."""

    valid: bool
    message: str

    def __bool__(self) -> bool:
        return self.valid


def check(certificate: Any) -> bool:
    """Return whether the certificate is a proof of what it says.

    ``certificate`` is a Certificate, its JSON text or bytes, a Path to such a file, or the parsed document. Only a
    CERTIFIED certificate can pass: an ESTIMATED, REFUSED or UNKNOWN one proves no contraction. See :func:`verify`
    for the reason. Rational arithmetic; 10^4 players take well under a second.
    """
    return verify(certificate).valid


def verify(certificate: Any) -> Report:
    """Return a :class:`Report` on the certificate; never raises for a bad one."""
    return _report(certificate, _prove, PROVED)


def check_refusal(certificate: Any) -> Report:
    """Return whether a REFUSED certificate's witness proves that no metric weights reach the target margin."""
    return _report(certificate, claims.impossibility, "no weights can reach the target: the witness is verified")


def _report(certificate: Any, prove: Any, success: str) -> Report:
    try:
        document = _document(certificate)
        prove(document)
    except Refused as refusal:
        return Report(False, str(refusal))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, ZeroDivisionError) as error:
        return Report(False, f"the certificate is malformed: {type(error).__name__}: {error}")
    return Report(True, success + (GIVEN if document["game"]["type"] == "bounds" else ""))


def _document(certificate: Any) -> dict[str, Any]:
    if isinstance(certificate, Path):
        return read(certificate.read_bytes())
    if isinstance(certificate, (str, bytes)):
        return read(certificate)
    if isinstance(certificate, dict):
        if certificate.get("digest") != digest(certificate):
            raise Refused("the digest does not match the content")
        return certificate
    return certificate.document()


def _prove(document: dict[str, Any]) -> None:
    if document["status"] != "CERTIFIED":
        raise Refused(f"its status is {document['status']}: it does not claim a proof")
    if document["basin"] is not None:
        basin_claim(document)
    if document["kind"] == "leafwise":
        return claims.leafwise_claim(document)
    if document["kind"] != "perron":
        raise Refused(f"unknown kind of certificate {document['kind']!r}")
    if document["bounds"]["proved"] is not True:
        raise Refused("its bounds come from samples, which prove nothing")
    mu, ell, couplings = claims.bounds_of(document)
    claims.perron_claim(document, mu, couplings)
    claims.step_claims(document, mu, ell, couplings)
    claims.band_claim(document, mu, couplings)
    return claims.game_claim(document, mu, ell, couplings)
