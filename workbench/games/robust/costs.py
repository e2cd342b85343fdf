"""What deciding against the worst case costs, told before it starts."""

from collections.abc import Sequence

from workbench.costs import Cost


def robust_plan(table: str | None, n: int, time_limit: float) -> Cost:
    """Estimate :func:`workbench.games.robust_plan`: a search that grows by a fifth with each item, to its limit.

    >>> robust_plan(None, 12, 20.0).is_quick, robust_plan(None, 60, 20.0).is_quick
    (True, False)
    """
    items = n if table is None else max(len(table.split("\n")) - 1, 1)
    return Cost(0.05 + min(_searching(items), time_limit), 2e8 if items > 40 else 0.0)


def robust_race(
    kinds: Sequence[str], sizes: Sequence[int], methods: Sequence[str], instances: int, time_limit: float
) -> Cost:
    """Estimate :func:`workbench.games.robust_race`: each run to its limit, or what a search of its size takes."""
    runs = sum(min(0.05 + _searching(n), time_limit) for n in sizes)
    return Cost(0.5 + len(kinds) * len(methods) * instances * runs, 2e8 if max(sizes, default=0) > 40 else 0.0)


def budget_study(n: int, boxes: int, time_limit: float) -> Cost:
    """Estimate :func:`workbench.games.budget_study`: the search, then the boxes of its plan."""
    search = min(0.3 * 1.35 ** min(n - 8, 40), time_limit)
    return Cost(0.2 + search + boxes * 4e-6 * max(n / 8, 1.0), 80.0 * boxes)


def _searching(items: int) -> float:
    """Return the seconds until a search has proved its plan best, as the hardest classes take them."""
    return 0.03 * 1.2 ** min(items - 12, 60)
