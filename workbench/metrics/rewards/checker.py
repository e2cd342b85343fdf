"""The second, small program: it proves an interval for a worst-case regret and knows nothing of how it was found.

It imports nothing of the workbench: Python's own library, and python-flint for rationals. A certificate is read as if
its author meant to deceive: strict JSON of bounded size, a closed grammar, frozen typed objects, and only then claims,
each proved exactly. Every comparison is between rationals; what is not decided is not proved.

What a file means. Every number is the double that it is written as. In a row of probabilities (and in the start) the
first of the largest entries counts as what the others leave of 1, which may differ from what is written by 2⁻³⁰ at
most: so rows sum to 1 exactly. The claims are about expected rewards r(s, a).

Why it is true. For any V, max J ≤ μ₀V + δ/(1−γ) with δ the largest excess of r + γτV over V, and likewise below. For
any x ≥ 0 with flow residual e there is a policy whose visits differ from x by at most |e|₁/(1−γ) in all, so its return
is ⟨r, x⟩ but for max|r| |e|₁/(1−γ). And W ≤ ρ(R₁ − λR₂)/ρ(R₁) for every λ ≥ 0.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from flint import fmpq

FORMAT, VERSION = "workbench-regret-certificate", 1
LARGEST_TEXT = 48 * 2**20
MOST_NUMBERS = 2_500_000
MOST_LISTS = 40
MOST_ENTRIES = 400_000
LONGEST_NUMBER = 32
LARGEST, SMALLEST = 1e100, 1e-100
KEPT = fmpq(1, 2**30)
VALUES = ("best_1", "worst_1", "best_mixed", "worst_mixed")
VISITS = ("best_1", "worst_1", "first", "second")
KEYS = (
    "format", "version", "states", "actions", "discount", "start", "row_ends", "columns", "probabilities",
    "reward_1", "reward_2", "factor", "values", "visits", "lower", "upper",
)  # fmt: skip


class Refused(Exception):
    """The certificate does not prove what it says; the message says which claim failed."""


@dataclass(frozen=True)
class Report:
    """Whether the claims hold, why or why not, what was proved, and what to read beside the word "valid"."""

    valid: bool
    message: str
    lower: float = 0.0
    upper: float = 1.0
    not_proved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.valid


NOT_PROVED = (
    "That the transitions, the start and the rewards in the file are those of anything outside it.",
    "That r(s, a) is the mean of some R(s, a, s'): the file holds expected rewards.",
)


@dataclass(frozen=True)
class Row:
    """The next states of one state and action, and their exact probabilities, which sum to 1."""

    states: tuple[int, ...]
    chances: tuple[fmpq, ...]


@dataclass(frozen=True)
class Document:
    """A whole certificate: made by :func:`parse` alone, every index exists, every number is a rational."""

    states: int
    actions: int
    discount: fmpq
    start: tuple[fmpq, ...]
    rows: tuple[Row, ...]
    rewards: tuple[tuple[fmpq, ...], tuple[fmpq, ...]]
    factor: fmpq
    values: tuple[tuple[fmpq, ...], ...]
    visits: tuple[tuple[fmpq, ...], ...]
    lower: fmpq
    upper: fmpq


def check(certificate: str | bytes | Path) -> Report:
    """Return a :class:`Report` on a certificate, its JSON text or a path to it; never raises for a bad one.

    10⁴ states with 4 actions take some two seconds. Raises ``FileNotFoundError`` for a path that leads to no file.
    """
    content = content_of(certificate)
    try:
        document = parse(read(content))
        lower, upper = bounds(document)
        if not document.lower <= lower:
            raise Refused(f"lower: the policies prove W ≥ {_told(lower)} and no more")
        if not upper <= document.upper:
            raise Refused(f"upper: the factor proves W ≤ {_told(upper)} and no less")
    except Refused as error:
        return Report(False, str(error))
    except Exception as error:  # a checker that fails has proved nothing
        return Report(False, f"the certificate is malformed: {type(error).__name__}: {str(error)[:200]}")
    low, high = as_double(document.lower), as_double(document.upper)
    return Report(True, f"{low!r} ≤ W ≤ {high!r} is proved", low, high, NOT_PROVED)


def bounds(document: Document) -> tuple[fmpq, fmpq]:
    """Return the lower and the upper end for W that the witnesses in the file prove, exactly."""
    first, second = document.rewards
    factor = document.factor
    mixed = tuple(a - factor * b for a, b in zip(first, second, strict=True))
    most = _at_most(document, first, document.values[0]) - _at_least(document, first, document.values[1])
    visits = [_visits(document, x) for x in document.visits]
    least = _surely(first, visits[0], visits[1])
    if not least > 0:
        raise Refused("the first two occupancies do not prove that reward 1 tells any policies apart: W is not defined")
    upper = _at_most(document, mixed, document.values[2]) - _at_least(document, mixed, document.values[3])
    lower = fmpq(0)
    if _surely(second, visits[3], visits[2]) >= 0:
        lower = max(lower, _surely(first, visits[2], visits[3]) / most)
    elif document.lower > 0:
        raise Refused("lower: it is not proved that reward 2 likes the second policy at least as well as the first")
    return lower, min(upper / least, fmpq(1))


# ---- proofs ---------------------------------------------------------------------------------------------------------


def _ahead(row: Row, values: tuple[fmpq, ...]) -> fmpq:
    return sum((p * values[s] for s, p in zip(row.states, row.chances, strict=True)), fmpq(0))


def _worth(document: Document, values: tuple[fmpq, ...]) -> fmpq:
    return sum((p * v for p, v in zip(document.start, values, strict=True) if p), fmpq(0))


def _excess(document: Document, reward: tuple[fmpq, ...], values: tuple[fmpq, ...], sign: int) -> fmpq:
    """Return max(0, the largest sign · (r + γ τ V − V)) over all states and actions, over 1 − γ."""
    worst = fmpq(0)
    for k, row in enumerate(document.rows):
        over = sign * (reward[k] + document.discount * _ahead(row, values) - values[k // document.actions])
        if over > worst:
            worst = over
    return worst / (1 - document.discount)


def _at_most(document: Document, reward: tuple[fmpq, ...], values: tuple[fmpq, ...]) -> fmpq:
    """Return a number that no policy's return exceeds."""
    return _worth(document, values) + _excess(document, reward, values, 1)


def _at_least(document: Document, reward: tuple[fmpq, ...], values: tuple[fmpq, ...]) -> fmpq:
    """Return a number below which no policy's return falls."""
    return _worth(document, values) - _excess(document, reward, values, -1)


def _visits(document: Document, x: tuple[fmpq, ...]) -> tuple[tuple[fmpq, ...], fmpq]:
    """Return visits, and by how much in all those of some policy differ from them at most."""
    left = list(document.start)
    for k, (row, amount) in enumerate(zip(document.rows, x, strict=True)):
        if not amount:
            continue
        left[k // document.actions] -= amount
        moved = document.discount * amount
        for s, p in zip(row.states, row.chances, strict=True):
            left[s] += moved * p
    return x, sum((abs(one) for one in left), fmpq(0)) / (1 - document.discount)


Visits = tuple[tuple[fmpq, ...], fmpq]


def _surely(reward: tuple[fmpq, ...], more: Visits, less: Visits) -> fmpq:
    """Return by how much a policy of the first visits surely earns more than one of the second."""
    gap = sum((r * (a - b) for r, a, b in zip(reward, more[0], less[0], strict=True) if a or b), fmpq(0))
    return gap - max(abs(r) for r in reward) * (more[1] + less[1])


# ---- the closed grammar ---------------------------------------------------------------------------------------------


def parse(plain: Any) -> Document:
    """Return the certificate as a :class:`Document`; raises :class:`Refused` if it is not in the grammar."""
    entries = _keyed(plain, KEYS, "the certificate")
    if entries["format"] != FORMAT or type(entries["version"]) is not int or entries["version"] != VERSION:
        raise Refused(f"this checker reads version {VERSION} of {FORMAT} and no other")
    states, actions = (_count(entries[name], name) for name in ("states", "actions"))
    rows = states * actions
    if rows > MOST_ENTRIES:
        raise Refused(f"{rows:,} states × actions are more than the {MOST_ENTRIES:,} that are checked here")
    discount = _number(entries["discount"], "discount", 0)
    if not discount < 1:
        raise Refused("the discount is not below 1")
    start = _numbers(entries["start"], states, "start", 0)
    values = _keyed(entries["values"], VALUES, "values")
    visits = _keyed(entries["visits"], VISITS, "visits")
    document = Document(
        states=states,
        actions=actions,
        discount=discount,
        start=_completed(start, "the start"),
        rows=_rows(entries, states, rows),
        rewards=tuple(_numbers(entries[name], rows, name) for name in ("reward_1", "reward_2")),
        factor=_number(entries["factor"], "factor", 0),
        values=tuple(_numbers(values[name], states, f"values of {name}") for name in VALUES),
        visits=tuple(_numbers(visits[name], rows, f"visits of {name}", 0) for name in VISITS),
        lower=_number(entries["lower"], "lower", 0),
        upper=_number(entries["upper"], "upper", 0),
    )
    if not document.lower <= document.upper <= 1:
        raise Refused("the claims are not 0 ≤ lower ≤ upper ≤ 1")
    return document


def _rows(entries: Mapping[str, Any], states: int, rows: int) -> tuple[Row, ...]:
    columns, ends = entries["columns"], entries["row_ends"]
    if type(columns) is not list or type(ends) is not list or len(ends) != rows:
        raise Refused(f"row_ends must be a list of {rows:,} integers, columns a list")
    if len(columns) > MOST_ENTRIES:
        raise Refused(f"{len(columns):,} transitions are more than the {MOST_ENTRIES:,} that are checked here")
    chances = _numbers(entries["probabilities"], len(columns), "probabilities", 0)
    if any(type(k) is not int for k in ends) or any(type(s) is not int or not 0 <= s < states for s in columns):
        raise Refused("row_ends and columns hold what is no integer, or no state")
    found, begin = [], 0
    for k, end in enumerate(ends):
        if not begin < end <= len(columns):
            raise Refused(f"row {k} has no transitions, or ends before it begins")
        after = tuple(columns[begin:end])
        if any(a >= b for a, b in pairwise(after)):
            raise Refused(f"the next states of row {k} do not rise")
        found.append(Row(after, _completed(chances[begin:end], f"row {k}")))
        begin = end
    if begin != len(columns):
        raise Refused("there are transitions after the last row")
    return tuple(found)


def _completed(chances: tuple[fmpq, ...], where: str) -> tuple[fmpq, ...]:
    """Return probabilities whose largest is what the others leave of 1."""
    largest = chances.index(max(chances))
    rest = 1 - sum((p for k, p in enumerate(chances) if k != largest), fmpq(0))
    if not (rest > 0 and abs(rest - chances[largest]) <= KEPT):
        raise Refused(f"the probabilities of {where} do not sum to 1")
    return (*chances[:largest], rest, *chances[largest + 1 :])


def _keyed(plain: Any, keys: tuple[str, ...], where: str) -> dict[str, Any]:
    if type(plain) is not dict or set(plain) != set(keys):
        told = sorted(map(str, set(plain) ^ set(keys)))[:5] if type(plain) is dict else type(plain).__name__
        raise Refused(f"{where} has not exactly the entries of its grammar: {str(told)[:200]}")
    return plain


def _count(value: Any, where: str) -> int:
    if type(value) is not int or not 0 < value <= MOST_ENTRIES:
        raise Refused(f"{where} is no count from 1 to {MOST_ENTRIES:,}")
    return value


def _numbers(value: Any, count: int, where: str, minimum: int | None = None) -> tuple[fmpq, ...]:
    if type(value) is not list or len(value) != count:
        raise Refused(f"{where} must be a list of {count:,} numbers")
    return tuple(_number(one, where, minimum) for one in value)


def _number(value: Any, where: str, minimum: int | None = None) -> fmpq:
    """Return a double, or an integer that one holds, as the rational that it is."""
    if type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not float or not (value == 0 or SMALLEST <= abs(value) <= LARGEST):
        raise Refused(f"{where} holds what is no number that is 0 or of size {SMALLEST:g} to {LARGEST:g}")
    if minimum is not None and not value >= minimum:
        raise Refused(f"{where} holds {value!r}, below {minimum}")
    return fmpq(*value.as_integer_ratio())


# ---- strict JSON ----------------------------------------------------------------------------------------------------


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document without its own ``digest``: it finds accidents, not deceit."""
    content = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read(content: bytes) -> dict[str, Any]:
    """Return the document without its digest; every number written as Python writes it, every key once."""
    if len(content) > LARGEST_TEXT:
        raise Refused(f"the file has {len(content):,} bytes; certificates here have at most {LARGEST_TEXT:,}")
    if content.count(b"[") + content.count(b"{") > MOST_LISTS or content.count(b'"') > 4 * MOST_LISTS:
        raise Refused("the file holds more lists, objects or texts than a certificate has")
    if content.count(b",") > MOST_NUMBERS:
        raise Refused(f"the file holds more than {MOST_NUMBERS:,} numbers")
    try:
        document = json.loads(
            content.decode("utf-8"),
            parse_float=_written(float),
            parse_int=_written(int),
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError) as error:
        raise Refused(f"the file is not strict JSON: {str(error)[:200]}") from None
    if type(document) is not dict or document.get("digest") != digest(document):
        raise Refused("the digest does not match the content: something was changed after the certificate was written")
    return {key: value for key, value in document.items() if key != "digest"}


def _written(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def number(text: str) -> Any:
        value = kind(text) if len(text) <= LONGEST_NUMBER else None
        if value is None or repr(value) != text:
            raise ValueError(f"the number {text[:40]} is not written as Python writes it")
        return value

    return number


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not allowed")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def content_of(certificate: Any) -> bytes:
    """Return the bytes of a certificate: its text, its bytes, or what stands at a path, up to one beyond the most."""
    if isinstance(certificate, str) and certificate.lstrip()[:1] == "{":
        return certificate.encode("utf-8", "surrogatepass")
    if isinstance(certificate, (bytes, bytearray)):
        return bytes(certificate)
    if not isinstance(certificate, (str, Path)):
        raise TypeError(f"a certificate is JSON text, bytes or a path, got {type(certificate).__name__}")
    path = Path(certificate)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        raise FileNotFoundError(f"there is no file {str(certificate)[:200]!r}; give the JSON text, or a path to it")
    with path.open("rb") as file:
        return file.read(LARGEST_TEXT + 1)


def as_double(value: fmpq) -> float:
    """Return a rational as the nearest double."""
    return int(value.p) / int(value.q)


def _told(value: fmpq) -> str:
    return f"{as_double(value):.15g}"
