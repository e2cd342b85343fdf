"""Verify a whole certificate: read it strictly, turn it into typed objects, then prove every number in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any

import numpy as np

from . import meaning, work
from .basin import basin_claim
from .document import LARGEST_TEXT, Refused, digest, read
from .games import game_claim
from .grammar import parse
from .leafwise import leafwise_claims
from .model import Document
from .perron import CANNOT, exact_weight, nothing_else, perron_claims
from .refusal import impossibility

PROVED = "margin, weights, band, steps and region are proved"
IMPOSSIBLE = "no weights can reach the target: the witness is verified"
GIVEN = " for every game within its bounds, which are taken as given"
SHOWN_WEIGHTS = 1000


@dataclass(frozen=True)
class Report:
    """Whether a certificate holds, the sentence that says why (or which claim failed), and what that means.

    ``field`` names the entry that failed, "" if none did or it was none in particular. ``proves`` and ``not_proved``
    are what to read beside the word "valid"; both are empty if it is not.
    """

    valid: bool
    message: str
    field: str = ""
    proves: tuple[str, ...] = ()
    not_proved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.valid


@dataclass(frozen=True)
class Examination:
    """Both answers of the checker on one file, and what the file claims (as read; proved only if ``report`` is)."""

    report: Report
    refusal: Report
    claims: Mapping[str, Any] = field(default_factory=dict)


def check(certificate: Any, *, seconds: float = work.SECONDS) -> bool:
    """Return whether the certificate is a proof of what it says.

    ``certificate`` is a Certificate, its JSON text or bytes, a path to such a file (a string that does not begin like
    JSON is a path), or the parsed document. ``seconds`` bounds the estimated time, which is known before any work: a
    document that needs more is not checked, and so not valid. Only a CERTIFIED certificate can pass: an ESTIMATED,
    REFUSED or UNKNOWN one proves no contraction. See :func:`verify` for the reason. Rational arithmetic; 10^4 players
    take well under a second. Raises ``FileNotFoundError`` for a path that leads to no file.

    Example
    -------
    >>> from workbench import games
    >>> certificate = games.certify(games.Bounds([1, 1], [1, 1], [[0, 10], [0.05, 0]]))
    >>> games.check(certificate), games.check(certificate.to_json().replace("0.05", "0.06"))
    (True, False)
    """
    return verify(certificate, seconds=seconds).valid


def verify(certificate: Any, *, seconds: float = work.SECONDS) -> Report:
    """Return a :class:`Report` on the certificate; never raises for a bad one. Arguments as :func:`check`.

    Example
    -------
    >>> from workbench import games
    >>> report = games.verify(games.certify(games.Bounds([1, 1], [1, 1], [[0, 10], [0.05, 0]])))
    >>> report.not_proved[0]
    'That any game, and which, keeps the bounds: they are taken as given.'
    """
    return examine(certificate, seconds=seconds, refusal=False).report


def check_refusal(certificate: Any, *, seconds: float = work.SECONDS) -> Report:
    """Return whether a REFUSED certificate's witness proves that no metric weights reach the target margin."""
    return examine(certificate, seconds=seconds, report=False).refusal


def examine(
    certificate: Any, *, seconds: float = work.SECONDS, report: bool = True, refusal: bool = True
) -> Examination:
    """Return both answers, reading the certificate once."""
    limit, content = work.allowed(seconds), content_of(certificate)
    try:
        document = _document(content)
    except Exception as error:
        no = _refused(error)
        return Examination(no, no)
    given = GIVEN if type(document.game).__name__ == "BoundsOnly" else ""
    return Examination(
        _report(document, limit, prove, PROVED + given, meaning.of_certificate) if report else NOT_ASKED,
        _report(document, limit, impossibility, IMPOSSIBLE + given, meaning.of_refusal) if refusal else NOT_ASKED,
        claims(document),
    )


NOT_ASKED = Report(False, "nobody asked")


def claims(document: Document) -> dict[str, Any]:
    """Return what the document says, as plain data."""
    names = ("status", "reason", "margin", "step_paper", "step_h0", "step_sharp")
    weights = [] if document.weights is None else document.weights[:SHOWN_WEIGHTS].tolist()
    return {**{name: getattr(document, name) for name in names}, "weights": weights}


def prove(document: Document) -> None:
    """Prove every claim of a CERTIFIED certificate, or raise :class:`Refused`."""
    if document.status != "CERTIFIED":
        raise Refused(f"its status is {document.status}: it does not claim a proof", "status")
    if document.kind == "leafwise":
        leafwise_claims(document)
    else:
        nothing_else(document, CANNOT)
        if document.bounds is None or not document.bounds.proved:
            raise Refused("its bounds are missing, or come from samples, which prove nothing", "bounds")
        perron_claims(document, document.bounds)
        game_claim(document, document.bounds)
    basin_claim(document, exact_weight(document))


def _report(
    document: Document,
    seconds: float,
    proof: Callable[[Document], None],
    success: str,
    meant: Callable[[Document], meaning.Meaning],
) -> Report:
    try:
        # The status first: nothing is computed for a document that does not claim what is asked.
        if document.status in ("CERTIFIED", "REFUSED"):
            work.within(document, seconds)
        with np.errstate(all="ignore"):
            proof(document)
    except Exception as error:
        return _refused(error)
    told = meant(document)
    return Report(True, success, "", told.proves, told.not_proved)


def _refused(error: Exception) -> Report:
    """A claim that failed, or a checker that did: either way nothing is proved."""
    if isinstance(error, Refused):
        return Report(False, str(error), error.field)
    if isinstance(error, MemoryError):
        return Report(False, "checking this certificate takes more memory than is allowed here", "size")
    return Report(False, f"the certificate is malformed: {type(error).__name__}: {str(error)[:200]}")


def content_of(certificate: Any) -> Any:
    """Return text, bytes, a document or an object that has one; files are read here."""
    if isinstance(certificate, str):
        if not certificate.strip() or certificate.lstrip()[0] in "{[":
            return certificate
        certificate = Path(certificate)
    if isinstance(certificate, Path):
        return _bytes(certificate)
    return certificate


def _bytes(path: Path) -> bytes:
    try:
        found = path.stat()
    except (OSError, ValueError):
        found = None
    if found is None or not S_ISREG(found.st_mode):
        raise FileNotFoundError(
            f"there is no file {str(path)[:200]!r}; give the certificate's JSON text, or a path to it"
        )
    with path.open("rb") as file:
        return file.read(LARGEST_TEXT + 1)


def _document(content: Any) -> Document:
    if isinstance(content, (str, bytes, bytearray)):
        return parse(read(content))
    if isinstance(content, dict):
        if content.get("digest") != digest(content):
            raise Refused("the digest does not match the content")
        return parse(content)
    return parse(content.document())
