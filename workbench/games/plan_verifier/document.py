"""From bytes to plain JSON, strictly: bounded before it is read, whole numbers only, one entry a key, intact digest.

The digest finds accidents, not deceit: everybody can compute it. Shares no line with the verifier of games, so that
either can be read, and trusted, alone.
"""

import hashlib
import json
import re
from typing import Any

FORMAT = "workbench-robust-plan"
VERSION = 1
WITH_PRICES = 2
"""The version whose tree may also cut the price of nature's budget, and bound a leaf by a price of capacity."""
LARGEST_TEXT = 64 * 2**20
MOST_PARTS = 500_000  # strings, lists and objects together
MOST_NUMBERS = 4_000_000
DEEPEST = 4
_PART = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


class Refused(Exception):
    """The certificate does not prove what it says; the message says which claim failed, ``field`` names it."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of the document without its own ``digest`` entry, in canonical JSON.

    >>> digest({"plan": "101"}) == digest({"plan": "101", "digest": "whatever"})
    True
    """
    content = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read(text: str | bytes) -> dict[str, Any]:
    """Parse a certificate; raises :class:`Refused` for what is too large, too deep, no strict JSON or changed since.

    All numbers are integers below 2^63 in the form that Python writes; a fraction is a pair of them.
    """
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"a certificate is a text or bytes, got {type(text).__name__}")
    try:
        content = text.encode() if isinstance(text, str) else text
        _bounded(content)
        document = json.loads(
            content.decode("utf-8"),
            parse_float=_no_other_number,
            parse_constant=_no_other_number,
            parse_int=_strict_integer,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise Refused(f"the file is not strict JSON with whole numbers: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Refused(f"the file does not say that it is a {FORMAT}", "format")
    if document.get("digest") != digest(document):
        raise Refused(
            "the digest does not match the content: something was changed after the certificate was written", "digest"
        )
    return document


def _bounded(content: bytes) -> None:
    """Refuse by size, depth and number of parts before any object is made."""
    if len(content) > LARGEST_TEXT:
        raise Refused(f"the file has {len(content):,} bytes; certificates here have at most {LARGEST_TEXT:,}")
    parts, depth = content.count(b"[") + content.count(b"{") + content.count(b'"') // 2, 0
    if parts > MOST_PARTS or content.count(b",") > MOST_NUMBERS:
        raise Refused(f"the file has more than {MOST_PARTS:,} lists and texts, or {MOST_NUMBERS:,} numbers")
    for match in _PART.finditer(content):
        first = content[match.start()]
        depth += (first in b"[{") - (first in b"]}")
        if depth > DEEPEST:
            raise Refused(f"the file nests lists or objects more than {DEEPEST} deep; no certificate here does")


def _strict_integer(text: str) -> int:
    if len(text) > 20 or str(int(text)) != text or not -(2**63) < int(text) < 2**63:
        raise ValueError(f"the integer {text[:40]} is not in canonical form, or not below 2^63")
    return int(text)


def _no_other_number(text: str) -> float:
    raise ValueError(f"{text[:40]} is not a whole number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key appears twice")
    return document
