"""What deciding against the worst case costs, told before it starts."""

from collections.abc import Sequence

from workbench.costs import Cost


def robust_plan(table: str | None, n: int, method: str, time_limit: float) -> Cost:
    """Estimate :func:`workbench.games.robust_plan`: a search that grows by a fifth with each item, to its limit.

    A network's plans take some mixed-integer programmes before that.

    >>> [robust_plan(None, n, "price-and-branch", 20.0).is_quick for n in (12, 60)]
    [True, False]
    """
    items = n if table is None else max(len(table.split("\n")) - 1, 1)
    learned = 2.5 + 0.1 * items if method.startswith("neural") else 0.0
    return Cost(0.05 + min(_searching(items) + learned, time_limit), 2e8 if items > 40 else 0.0)


def robust_race(
    kinds: Sequence[str], sizes: Sequence[int], methods: Sequence[str], instances: int, time_limit: float
) -> Cost:
    """Estimate :func:`workbench.games.robust_race`: each run to its limit, or what a search of its size takes."""
    runs = sum(min(0.05 + _searching(n), time_limit) for n in sizes)
    return Cost(0.5 + len(kinds) * len(methods) * instances * runs, 2e8 if max(sizes, default=0) > 40 else 0.0)


def budget_study(n: int, table: str | None, boxes: int, samples: int, time_limit: float) -> Cost:
    """Estimate :func:`workbench.games.budget_study`: your plan, the samples, the search, the boxes of its plan."""
    projects = n if table is None else max(len(table.split("\n")) - 1, 1)
    box = 4e-6 * max(projects / 8, 1.0)
    search = min(0.3 * 1.35 ** min(projects - 8, 40), time_limit)
    return Cost(0.2 + search + (boxes + 20_000) * box + 1.5e-5 * samples, 80.0 * boxes)


def _searching(items: int) -> float:
    """Return the seconds until a search has proved its plan best, as the hardest classes take them."""
    return 0.03 * 1.2 ** min(items - 12, 60)
