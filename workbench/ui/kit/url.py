"""A page's state in its address: read with suspicion, written as the visitor moves."""

import json
import math
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import param

from workbench.ui.kit.written import LONGEST_WRITTEN, Written

LONGEST_VALUE = 400
"""Letters of a value, but of what a hand has written (:class:`Written`)."""
LONGEST_QUERY = 20_000
MOST_FIELDS = 100


def read_state(search: str) -> dict[str, str]:
    """Return the query of a URL as strings, without overlong values, repeated names and what exceeds 100 fields."""
    fields = search.lstrip("?")[:LONGEST_QUERY].split("&", MOST_FIELDS)[:MOST_FIELDS]
    found = parse_qsl("&".join(fields), keep_blank_values=True)
    return {name: value for name, value in reversed(found) if len(value) <= LONGEST_WRITTEN}


def apply_state(target: param.Parameterized, names: Iterable[str], state: dict[str, str]) -> list[str]:
    """Set the named parameters of ``target`` from URL strings; return one sentence for each value refused.

    A value is refused if it cannot be read, is not finite, or breaks the parameter's own bounds or choices; that
    parameter then keeps its value.
    """
    complaints = []
    for name in names:
        if name not in state:
            continue
        parameter = target.param[name]
        try:
            if len(state[name]) > LONGEST_VALUE and not isinstance(parameter, Written):
                raise ValueError(f"more than {LONGEST_VALUE} letters")
            value = _read(parameter, state[name])
            setattr(target, name, value)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            if isinstance(parameter, Written):
                complaints.append(
                    f"What the address says of {parameter.label} cannot be taken ({error}); they stay as they were."
                )
                continue
            complaints.append(
                f"The address asks for {parameter.label or name} = {state[name][:40]!r}, which is not allowed "
                f"({allowed(parameter)}); using {_write(parameter, getattr(target, name))} instead."
            )
    return complaints


def write_state(target: param.Parameterized, names: Iterable[str]) -> dict[str, str]:
    """Return the named parameters that differ from their defaults, as URL strings.

    What a hand has written is left out where it is longer than an address can hold.
    """
    found = {}
    for name in names:
        parameter, value = target.param[name], getattr(target, name)
        if _same(value, parameter.default) or (isinstance(parameter, Written) and not parameter.fits(value)):
            continue
        found[name] = _write(parameter, value)
    return found


def query(state: dict[str, str]) -> str:
    """Return ``?a=1&b=2``, or an empty string."""
    return f"?{urlencode(state)}" if state else ""


def allowed(parameter: param.Parameter) -> str:
    """Say in words what a parameter accepts."""
    if isinstance(parameter, (param.Selector, param.ListSelector)):
        return "one of " + ", ".join(str(choice) for choice in _choices(parameter))
    low, high = getattr(parameter, "bounds", None) or (None, None)
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None or high is not None:
        return f"at least {low}" if low is not None else f"at most {high}"
    return f"a {type(parameter).__name__.lower()}"


def _choices(parameter: Any) -> dict[str, Any]:
    """Map the text of each choice in a URL to its value."""
    return {str(value): value for value in parameter.objects}


def _read(parameter: param.Parameter, text: str) -> Any:
    if isinstance(parameter, Written):
        return parameter.read(text)
    if isinstance(parameter, param.ListSelector):
        return [_choices(parameter)[part] for part in text.split(",") if part]
    if isinstance(parameter, param.Selector):
        return _choices(parameter)[text]
    if isinstance(parameter, param.String):
        return text
    value = json.loads(text)
    if isinstance(parameter, param.Boolean) != isinstance(value, bool):
        raise ValueError(text)
    numbers = value if isinstance(value, list) else [value]
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        raise ValueError(text)
    return tuple(value) if isinstance(value, list) and not isinstance(parameter, param.List) else value


def _write(parameter: param.Parameter, value: Any) -> str:
    if isinstance(parameter, Written):
        return parameter.write(value)
    if isinstance(parameter, param.ListSelector):
        return ",".join(str(entry) for entry in value)
    if isinstance(parameter, (param.Selector, param.String)):
        return str(value)
    return json.dumps(value)


def _same(first: Any, second: Any) -> bool:
    return bool(first == second)
