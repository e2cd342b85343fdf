"""What deciding against the worst case costs, told before it starts."""

from workbench.costs import Cost


def robust_plan(table: str | None, n: int, time_limit: float) -> Cost:
    """Estimate :func:`workbench.games.robust_plan`: a search that grows by a third with each item, to its limit.

    >>> robust_plan(None, 12, 20.0).is_quick, robust_plan(None, 30, 20.0).is_quick
    (True, False)
    """
    items = n if table is None else max(len(table.split("\n")) - 1, 1)
    return Cost(0.1 + min(0.25 * 1.4 ** min(items - 12, 60), time_limit), 2e8 if items > 40 else 0.0)
