"""Reading a certificate strictly: canonical numbers, no duplicate keys, and a digest over everything."""

import hashlib
import json
from typing import Any

FORMAT = "workbench-games-certificate"
LARGEST_TEXT = 400 * 2**20


class Refused(Exception):
    """The certificate does not prove what it says; the message says which claim failed."""


def digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of the document without its own ``digest`` entry, in canonical JSON."""
    content = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read(text: str | bytes) -> dict[str, Any]:
    """Parse a certificate; every float must be written exactly as Python writes it, so no digit is idle."""
    if len(text) > LARGEST_TEXT:
        raise Refused(f"the file has {len(text):,} bytes; certificates here have at most {LARGEST_TEXT:,}")
    try:
        document = json.loads(
            text, parse_float=_strict_float, parse_constant=_no_constant, object_pairs_hook=_unique_keys
        )
    except (ValueError, RecursionError) as error:
        raise Refused(f"the file is not strict JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Refused(f"the file does not say that it is a {FORMAT}")
    if document.get("digest") != digest(document):
        raise Refused("the digest does not match the content: something was changed after the certificate was written")
    return document


def _strict_float(text: str) -> float:
    value = float(text)
    if repr(value) != text:
        raise ValueError(f"the number {text} is not in canonical form ({value!r})")
    return value


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not allowed")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key appears twice")
    return dict(pairs)
