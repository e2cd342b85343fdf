"""One table per family of methods: adding a method is adding one function and one line.

A registry maps a public name to an :class:`Entry` (the function, a label for people, its formula, what it costs
and where it comes from). Pages, notebooks, sweeps and benchmarks list the registry, so they pick up a new entry
by themselves::

    ESTIMATORS = Registry("estimator")

    @ESTIMATORS.add("monte-carlo", label="Monte Carlo", formula=r"\\frac1L\\sum_l f(\\theta_l)", reference="...")
    def monte_carlo(...): ...
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from workbench.checks import choice

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Entry:
    """One method of a family, with what a person needs to choose it."""

    name: str
    function: Callable[..., Any]
    label: str
    formula: str = ""
    reference: str = ""
    cost: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method itself."""
        return self.function(*args, **kwargs)


class Registry(Mapping[str, Entry]):
    """An ordered, read-only mapping from name to :class:`Entry`; unknown names get an error that lists the known."""

    def __init__(self, family: str) -> None:
        self.family = family
        self._entries: dict[str, Entry] = {}

    def add(
        self, name: str, *, label: str, formula: str = "", reference: str = "", cost: str = "", **facts: Any
    ) -> Callable[[Function], Function]:
        """Return a decorator that enters a function under ``name``; a name can be taken once."""

        def enter(function: Function) -> Function:
            if name in self._entries:
                raise ValueError(f"the {self.family} {name!r} is registered already")
            self._entries[name] = Entry(name, function, label, formula, reference, cost, facts)
            return function

        return enter

    def __getitem__(self, name: str) -> Entry:
        return self._entries[choice(self.family, name, self._entries)]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Registry({self.family!r}: {', '.join(self._entries)})"
