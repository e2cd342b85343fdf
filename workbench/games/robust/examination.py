"""A stranger's certificate of a plan, proved or refused in a process apart."""

from typing import Any

from workbench import isolated
from workbench.games.plan_verifier import FORMAT, Refused, verify
from workbench.games.plan_verifier.document import LARGEST_TEXT, read
from workbench.games.plan_verifier.grammar import parse
from workbench.games.verifier import Examination, Report
from workbench.isolated import Limits, Stopped
from workbench.progress import Progress

MOST_NAMED = 40  # items named in a sentence


def is_plan(content: Any) -> bool:
    """Return whether a file's text or bytes say that it is a plan's certificate.

    >>> is_plan('{"format": "workbench-robust-plan"}'), is_plan(b"{}")
    (True, False)
    """
    if isinstance(content, str):
        return f'"{FORMAT}"' in content
    return isinstance(content, (bytes, bytearray)) and f'"{FORMAT}"'.encode() in content


def examine_plan(content: str | bytes, *, seconds: float, memory: int, progress: Progress | None = None) -> Examination:
    """Return what the plan verifier says of a file's content, from a process that is ended after ``seconds``.

    The same kind of answer as :func:`~workbench.games.verifier.examine_apart`; ``claims`` holds what the file says of
    its plan: ``at_least``, ``at_most`` and ``none_above``. Nothing of it is proved unless the report is valid.
    """
    no = Report(False, "a plan's certificate holds no refusal")
    if len(content) > LARGEST_TEXT:
        told = f"the file has {len(content):,} bytes; certificates here have at most {LARGEST_TEXT:,}"
        return Examination(Report(False, told, "size"), no)
    try:
        found = isolated.call(examined, content, seconds, limits=Limits(seconds, memory), progress=progress)
    except isolated.Busy:
        raise
    except Stopped as error:
        return Examination(Report(False, f"the check came to no end: {error}", "size"), no)
    report = Report(
        found["valid"], found["message"], found["field"], tuple(found["proves"]), tuple(found["not_proved"])
    )
    return Examination(report, no, found["claims"])


def examined(content: str | bytes, seconds: float) -> dict[str, Any]:
    """Return the plan verifier's report on a certificate and the numbers that it claims, as plain data."""
    claims: dict[str, Any] = {}
    try:
        document = parse(read(content))
        claims = {name: _number(getattr(document, name)) for name in ("at_least", "at_most", "none_above")}
        claims |= {"status": "PLAN", "reason": f"a plan of {len(document.plan)} items and a tree"}
        report = verify(content, seconds=seconds)
    except Refused as error:
        return {
            "valid": False,
            "message": str(error),
            "field": error.field,
            "proves": [],
            "not_proved": [],
            "claims": claims,
        }
    taken = [str(k + 1) for k, chosen in enumerate(report.plan) if chosen]
    named = ", ".join(taken[:MOST_NAMED]) + (", …" if len(taken) > MOST_NAMED else "") or "nothing"
    return {
        "valid": True,
        "message": str(report),
        "field": "",
        "proves": [
            f"For the items, the capacity and the budget in the file: the plan that takes {named} is worth at least "
            f"{report.at_least!r} whatever happens.",
            f"Against one scenario it is worth no more than {report.at_most!r}.",
            f"No plan of these items is worth more than {report.none_above!r} in its worst case "
            f"({report.leaves:,} parts, each against a scenario of its own).",
        ],
        "not_proved": [
            "That the items, the capacity and the budget in the file are yours: compare them.",
            "That reality stays within the budget of losses.",
        ],
        "claims": claims,
    }


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("nan")
