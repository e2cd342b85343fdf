"""The two-stage robust knapsack: its data, checked once; where it comes from; how it is written down.

Items are chosen now (x), before it is known which of them lose value. Nature then lowers the profits, and a chosen item
is produced as it is (y = 1), repaired to its full profit for more capacity (r = 1), or bought elsewhere at a loss
(y = 0). A. N. Arslan and B. Detienne, *Decomposition-based approaches for a class of two-stage robust binary
optimization problems*, INFORMS Journal on Computing 34, 2022.
"""

import csv
import io
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

COLUMNS = ("profit", "loss", "weight", "repair", "outsourcing")
CLASSES = {
    "UN": "uncorrelated",
    "WC": "weakly correlated",
    "ASC": "almost strongly correlated",
    "SC": "strongly correlated",
}
MOST_ITEMS = 400
LARGEST = 10**9
LARGEST_CAPACITY = 10**7
MOST_BUDGET_PARTS = 10**6
LONGEST_TEXT = 200_000
RANGE = 1000  # R of the published instances
STEPS = 100  # H of the published instances


@dataclass(frozen=True, eq=False)
class Knapsack:
    """A two-stage robust knapsack with n items; all entries are whole numbers, all vectors of shape (n,).

    ``profit`` p̄ in the best case, ``loss`` p̂ that an item loses at worst, ``weight`` c ≥ 1, ``repair`` t the further
    capacity of a repair, ``outsourcing`` f the price of an item that was promised and is not produced; ``capacity`` C;
    ``budget`` Γ, how many items may be fully hit at once. The profit of a plan x against ξ ∈ {0 ≤ ξ ≤ 1, Σξ ≤ Γ} is
    Σ (p̄ - f) x + max Σ (f - p̂ξ) y + p̂ξ r over r ≤ y ≤ x binary with Σ c y + t r ≤ C.

    Raises ``ValueError`` for fractions (give everything in the smallest unit, cents say), negative entries, other
    lengths and more than 400 items.

    >>> Knapsack([40, 20], [20, 9], [8, 5], [20, 4], [48, 25], capacity=20, budget=1).items
    2
    """

    profit: NDArray[np.int64]
    loss: NDArray[np.int64]
    weight: NDArray[np.int64]
    repair: NDArray[np.int64]
    outsourcing: NDArray[np.int64]
    capacity: int
    budget: float

    def __init__(
        self,
        profit: ArrayLike,
        loss: ArrayLike,
        weight: ArrayLike,
        repair: ArrayLike,
        outsourcing: ArrayLike,
        *,
        capacity: int,
        budget: float,
    ) -> None:
        given = dict(zip(COLUMNS, (profit, loss, weight, repair, outsourcing), strict=True))
        n = None
        for name, value in given.items():
            array = _whole(name, value, minimum=1 if name == "weight" else 0)
            n = n or array.size
            if array.size != n:
                raise ValueError(f"{name} has {array.size} entries and profit has {n}; give one of each per item")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if n > MOST_ITEMS:
            raise ValueError(f"at most {MOST_ITEMS} items are solved here, got {n}; leave out or join some")
        object.__setattr__(self, "capacity", checks.integer("capacity", capacity, minimum=0, maximum=LARGEST_CAPACITY))
        budget = checks.real("budget", budget, minimum=0.0, maximum=1e6)
        if abs(Fraction(budget).limit_denominator(MOST_BUDGET_PARTS) - Fraction(budget)) > 1e-12 * max(budget, 1e-3):
            raise ValueError(f"budget must have at most six decimals, or be a simple fraction, got {budget!r}")
        object.__setattr__(self, "budget", budget)

    @property
    def items(self) -> int:
        """The number of items n."""
        return self.profit.size

    @property
    def exact_budget(self) -> Fraction:
        """The budget as the fraction that is meant: 1.2 is 6/5."""
        return Fraction(self.budget).limit_denominator(MOST_BUDGET_PARTS)

    def plan(self, x: ArrayLike) -> NDArray[np.int8]:
        """Return ``x`` as a checked plan: n zeros and ones, also given as booleans or as a text like "101010"."""
        if isinstance(x, str):
            if set(x) - {"0", "1"}:
                raise ValueError(f"a plan as text holds only 0 and 1, got {x[:40]!r}")
            x = [int(letter) for letter in x]
        array = checks.finite_array("x", x, ndim=1)
        if array.size != self.items or not np.isin(array, (0, 1)).all():
            raise ValueError(f"x must hold {self.items} entries, each 0 or 1, got {array.size} ({array.tolist()[:8]}…)")
        return array.astype(np.int8)

    def to_csv(self) -> str:
        """Return the items as CSV with a header and a first column ``item``; :func:`read_csv` reads it."""
        out = io.StringIO()
        write = csv.writer(out, lineterminator="\n")
        write.writerow(("item", *COLUMNS))
        write.writerows((i + 1, *(int(getattr(self, name)[i]) for name in COLUMNS)) for i in range(self.items))
        return out.getvalue()

    def to_instance(self) -> str:
        """Return the problem in the format of the published instances: "n C Γ", then rows "p̄ p̂ t c f"."""
        rows = [f"{self.items} {self.capacity} {self.budget:.17g}"]
        columns = (self.profit, self.loss, self.repair, self.weight, self.outsourcing)
        return (
            "\n".join([*rows, *(" ".join(str(int(column[i])) for column in columns) for i in range(self.items))]) + "\n"
        )


def _whole(name: str, value: ArrayLike, *, minimum: int) -> NDArray[np.int64]:
    array = checks.finite_array(name, value, ndim=1)
    wrong = np.flatnonzero((array != np.round(array)) | (array < minimum) | (array > LARGEST))
    if wrong.size:
        i = int(wrong[0])
        raise ValueError(
            f"{name} must hold whole numbers from {minimum} to {LARGEST:,}, got {array[i]:g} for item {i + 1}; "
            "the exact answer counts in whole units, so give prices in the smallest unit (cents) and scale the weights"
        )
    return array.astype(np.int64)


def knapsack(
    kind: str,
    n: int = 20,
    *,
    h: int = 80,
    deviation: float = 0.5,
    share: float = 0.1,
    seed: int | np.random.Generator = 0,
) -> Knapsack:
    """Return a random instance of the published family, R = 1000 and H = 100.

    ``kind`` is one of "UN", "WC", "ASC", "SC" (how profits follow the weights); ``h`` sets the capacity
    h/(H+1) Σc, ``deviation`` δ the spread of p̂ around half of p̄, ``share`` the budget Γ/n. Same seed, same instance.

    >>> knapsack("SC", 20, seed=1).budget
    2.0
    """
    checks.choice("kind", kind, CLASSES)
    n = checks.integer("n", n, minimum=1, maximum=MOST_ITEMS)
    h = checks.integer("h", h, minimum=1, maximum=STEPS)
    deviation = checks.real("deviation", deviation, minimum=0.0, maximum=1.0)
    share = checks.real("share", share, minimum=0.0, maximum=1.0)
    draw = checks.generator(seed)
    c = np.maximum(np.rint(draw.uniform(1, RANGE, n)), 1)
    spread = draw.uniform(-1, 1, n)
    p = {
        "UN": draw.uniform(1, RANGE, n),
        "WC": c + spread * RANGE / 20,
        "ASC": c + RANGE / 10 + spread * RANGE / 1000,
        "SC": c + RANGE / 10,
    }[kind]
    p = np.maximum(np.rint(p), 1)
    hat = np.maximum(np.rint(p * draw.uniform((1 - deviation) / 2, (1 + deviation) / 2, n)), 1)
    f = np.maximum(np.rint(p * draw.uniform(1.1, 1.5, n)), 1)
    spread = draw.uniform(-1, 1, n)
    t = {
        "UN": draw.uniform(1, np.maximum(c, 1)),
        "WC": hat / 2 + spread * RANGE / 40,
        "ASC": hat / 2 + c / 10 + spread * RANGE / 1000,
        "SC": hat / 2 + c / 10,
    }[kind]
    t = np.maximum(np.rint(t), 1)
    return Knapsack(p, hat, c, t, f, capacity=int(h / (STEPS + 1) * c.sum()), budget=round(share * n, 9))


def read_instance(text: str) -> Knapsack:
    """Return the problem of a published instance file: "n C Γ", then n rows "p̄ p̂ t c f".

    >>> read_instance("2 20 1\\n40 20 20 8 48\\n20 9 4 5 25").weight.tolist()
    [8, 5]
    """
    lines = _lines("the instance", text)
    head = lines[0].split()
    if len(head) != 3:
        raise ValueError(f'the first line must be "n C Γ" (items, capacity, budget), got {lines[0][:60]!r}')
    n = checks.integer("n of the first line", finite_number(head[0], "the first line"), minimum=1, maximum=MOST_ITEMS)
    if len(lines) - 1 != n:
        raise ValueError(f"the first line says {n} items and {len(lines) - 1} rows follow")
    rows = []
    for k, line in enumerate(lines[1:], 2):
        entries = line.split()
        if len(entries) != 5:
            raise ValueError(f"line {k} must hold five numbers (p̄ p̂ t c f), got {line[:60]!r}")
        rows.append([finite_number(entry, f"line {k}") for entry in entries])
    profit, loss, repair, weight, outsourcing = zip(*rows, strict=True)
    return Knapsack(
        profit, loss, weight, repair, outsourcing,
        capacity=finite_number(head[1], "the first line"), budget=finite_number(head[2], "the first line"),
    )  # fmt: skip


def read_csv(text: str, *, capacity: int, budget: float) -> Knapsack:
    """Return the problem of a table of items: a header with profit, loss, weight, repair, outsourcing in any order.

    A column ``item`` (names) may stand beside them and is not used; other columns are refused.

    >>> read_csv("weight,profit,loss,repair,outsourcing\\n8,40,20,20,48", capacity=10, budget=1).profit.tolist()
    [40]
    """
    rows = list(csv.reader(_lines("the table", text)))
    head = [name.strip().lower() for name in rows[0]]
    unknown, missing = sorted({*head} - {*COLUMNS, "item"}), [name for name in COLUMNS if name not in head]
    if unknown or missing or len({*head}) != len(head):
        raise ValueError(
            f"the header must name each of {', '.join(COLUMNS)} once (and item, if you like); "
            f"unknown: {', '.join(unknown)[:80] or 'none'}, missing: {', '.join(missing) or 'none'}"
        )
    columns: dict[str, list[float]] = {name: [] for name in COLUMNS}
    for k, row in enumerate(rows[1:], 2):
        if len(row) != len(head):
            raise ValueError(f"row {k} has {len(row)} entries and the header has {len(head)}")
        for name, entry in zip(head, row, strict=True):
            if name in columns:
                columns[name].append(finite_number(entry, f"row {k}, column {name}"))
    if not columns["profit"]:
        raise ValueError("the table has a header and no items; give at least one row")
    return Knapsack(**columns, capacity=capacity, budget=budget)


def _lines(what: str, text: str) -> list[str]:
    if not isinstance(text, str):
        raise TypeError(f"{what} must be given as text, got {type(text).__name__}; read the file first")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{what} has {len(text):,} characters; {LONGEST_TEXT:,} are enough for {MOST_ITEMS} items")
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines:
        raise ValueError(f"{what} is empty")
    return lines


def finite_number(text: str, where: str) -> float:
    """Return the number that a text holds; ``ValueError`` that says ``where`` for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{where}: {text.strip()[:40]!r} is not a finite number")
    return value
