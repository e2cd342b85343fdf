"""One table per family of methods: adding a method is adding one function and one line.

A registry maps a public name to an :class:`Entry` (the function, a label for people, its formula, what it costs
and where it comes from). Pages, notebooks, sweeps and benchmarks list the registry, so they pick up a new entry
by themselves::

    ESTIMATORS = Registry("estimator")

    @ESTIMATORS.add("monte-carlo", label="Monte Carlo", formula=r"\\frac{1}{L}\\sum_l f(\\theta_l)", reference="...")
    def monte_carlo(...): ...

Whatever else a page, a figure or a table wants to know of a method is a *fact* of its entry. A registry that declares
its facts refuses an entry that lacks a required one, brings one that nobody declared, or a value of another kind:

>>> GROUPS = {"radius": "softmax radii", "quadratic": "second order"}
>>> methods = Registry("predictor", facts={"group": Fact(str, choices=GROUPS, says="what it is drawn with")})
>>> @methods.add("bound", label="bound", group="radius")
... def bound(): ...
>>> methods["bound"].fact("group")
'radius'
>>> methods.add("wild", label="wild", group="raddius")(bound)
Traceback (most recent call last):
ValueError: unknown group of the predictor 'wild' 'raddius'. Did you mean 'radius'? Choose one of: radius, quadratic
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from workbench.checks import choice

Function = TypeVar("Function", bound=Callable[..., Any])


def is_latex(formula: str) -> bool:
    """Return whether a formula is LaTeX: it has a command, or plain ASCII with sub- or superscripts.

    >>> [is_latex(text) for text in (r"\\pi/\\Delta", "J_c = 0.44", "p ← min(1, r_max ρ_a/‖p‖) p", "64-128-10, ReLU")]
    [True, True, False, False]
    """
    return "\\" in formula or (formula.isascii() and ("_" in formula or "^" in formula))


@dataclass(frozen=True)
class Fact:
    """What a family wants to know of each of its methods: a kind of value, perhaps one of a few.

    ``says`` is what the fact means, for whoever adds a method; an optional fact may be left out.
    """

    kind: type | tuple[type, ...]
    choices: Iterable[str] = ()
    required: bool = True
    says: str = ""


class MissingFact(KeyError):
    """Raised for a fact that an entry does not have; unlike a plain ``KeyError`` it says which facts there are."""

    def __str__(self) -> str:
        return str(self.args[0])


class Facts(Mapping[str, Any]):
    """The facts of one entry, read-only; asking for one that is missing raises :class:`MissingFact`."""

    def __init__(self, owner: str, values: Mapping[str, Any]) -> None:
        self._owner, self._values = owner, dict(values)

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            raise MissingFact(
                f"{self._owner} has no fact {name!r}; it has {', '.join(self._values) or 'none'}. "
                f"Give {name}=… where it is added to the registry"
            )
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


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

    def fact(self, name: str) -> Any:
        """Return a fact of the method; :class:`MissingFact` says which there are."""
        return self.facts[name]


class Registry(Mapping[str, Entry]):
    """An ordered, read-only mapping from name to :class:`Entry`; unknown names get an error that lists the known."""

    def __init__(self, family: str, *, facts: Mapping[str, Fact] | None = None) -> None:
        self.family = family
        self.facts = facts
        """The declared facts of the family; None lets an entry bring any."""
        self._entries: dict[str, Entry] = {}

    def add(
        self, name: str, *, label: str, formula: str = "", reference: str = "", cost: str = "", **facts: Any
    ) -> Callable[[Function], Function]:
        """Return a decorator that enters a function under ``name``; a name can be taken once.

        Raises ``ValueError`` for a taken name, a required fact that is missing and a value that is not among the
        declared choices, ``TypeError`` for an undeclared fact and one of another kind.
        """
        self._check(name, facts)

        def enter(function: Function) -> Function:
            if name in self._entries:
                raise ValueError(f"the {self.family} {name!r} is registered already")
            found = Facts(f"the {self.family} {name!r}", facts)
            self._entries[name] = Entry(name, function, label, formula, reference, cost, found)
            return function

        return enter

    def _check(self, name: str, given: Mapping[str, Any]) -> None:
        if self.facts is None:
            return
        declared = ", ".join(self.facts) or "none"
        for key, value in given.items():
            if key not in self.facts:
                raise TypeError(f"the {self.family} {name!r} brings a fact {key!r}; the family has: {declared}")
            fact = self.facts[key]
            if not isinstance(value, fact.kind):
                kinds = fact.kind if isinstance(fact.kind, tuple) else (fact.kind,)
                wanted = " or ".join(kind.__name__ for kind in kinds)
                raise TypeError(f"{key} of the {self.family} {name!r} must be {wanted}, got {value!r}")
            if fact.choices:
                choice(f"{key} of the {self.family} {name!r}", value, fact.choices)
        missing = [key for key, fact in self.facts.items() if fact.required and key not in given]
        if missing:
            told = "; ".join(f"{key}: {self.facts[key].says or 'required'}" for key in missing)
            raise ValueError(f"the {self.family} {name!r} lacks {', '.join(missing)} ({told})")

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

    def _repr_markdown_(self) -> str:
        """The family as a table with formulas and references, which a notebook sets."""
        rows = [
            (f"`{e.name}`", e.label, f"${e.formula}$" if is_latex(e.formula) else e.formula, e.cost, e.reference)
            for e in self.values()
        ]
        head = (self.family, "label", "formula", "cost", "reference")
        table = [head, ("---",) * len(head), *rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table)
