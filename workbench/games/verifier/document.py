"""From bytes to plain JSON, strictly: bounded before it is read, canonical numbers, one entry a key, an intact digest.

What comes out of :func:`read` is still a stranger's JSON; only :mod:`.grammar` looks at it, and hands out typed
objects. The digest finds accidents, not deceit: everybody can compute it.
"""

import hashlib
import json
import re
from typing import Any

FORMAT = "workbench-games-certificate"
VERSION = 2
READABLE = (1, 2)  # version 1 lacks the entries that grammar.py lists as new
LARGEST_TEXT = 400 * 2**20
DEEPEST = 40  # payoff tables nest once a player
MOST_PARTS = 1_000_000  # strings, lists and objects together: each costs far more memory than text
LONGEST_NUMBER = 32
_PART = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


class Refused(Exception):
    """The certificate does not prove what it says; the message says which claim failed, ``field`` names it."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of the document without its own ``digest`` entry, in canonical JSON.

    >>> digest({"margin": 1.0}) == digest({"margin": 1.0, "digest": "whatever"})
    True
    """
    content = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read(text: str | bytes) -> dict[str, Any]:
    """Parse a certificate; every number must be written exactly as Python writes it, so no digit is idle.

    Raises :class:`Refused` for a text that is too large, too deep, no strict JSON (NaN, Infinity, a key twice), no
    certificate, or changed since its digest was written.
    """
    try:
        content = text.encode() if isinstance(text, str) else bytes(text)
        _bounded(content)
        document = json.loads(
            content.decode("utf-8"),
            parse_float=_strict_float,
            parse_int=_strict_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise Refused(f"the file is not strict JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Refused(f"the file does not say that it is a {FORMAT}")
    if document.get("digest") != digest(document):
        raise Refused("the digest does not match the content: something was changed after the certificate was written")
    return document


def _bounded(content: bytes) -> None:
    """Refuse by size, depth and number of parts before any object is made."""
    if len(content) > LARGEST_TEXT:
        raise Refused(f"the file has {len(content):,} bytes; certificates here have at most {LARGEST_TEXT:,}")
    parts, depth = content.count(b"[") + content.count(b"{") + content.count(b'"') // 2, 0
    if parts > MOST_PARTS:
        raise Refused(f"the file has {parts:,} lists, objects and texts; certificates here have at most {MOST_PARTS:,}")
    for match in _PART.finditer(content):
        first = content[match.start()]
        depth += (first in b"[{") - (first in b"]}")
        if depth > DEEPEST:
            raise Refused(f"the file nests lists or objects more than {DEEPEST} deep; no certificate here does")


def _strict_float(text: str) -> float:
    value = float(text) if len(text) <= LONGEST_NUMBER else None
    if value is None or repr(value) != text:
        raise ValueError(f"the number {text[:40]} is not in canonical form (Python writes {value!r})")
    return value


def _strict_integer(text: str) -> int:
    if len(text) > 20 or str(int(text)) != text or not -(2**63) < int(text) < 2**63:
        raise ValueError(f"the integer {text[:40]} is not in canonical form, or not below 2^63")
    return int(text)


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not allowed")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key appears twice")
    return document
