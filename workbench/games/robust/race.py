"""Methods side by side on random instances: what each finds, what it proves, and in what time."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.games.plan_verifier import check
from workbench.games.robust.evaluate import bound
from workbench.games.robust.problem import CLASSES, MOST_ITEMS, knapsack
from workbench.games.robust.solve import LONGEST, METHODS, solve
from workbench.progress import Progress

CHECK_SECONDS = 60.0


@results.experiment
def robust_race(
    kinds: Sequence[str] = ("UN", "SC"),
    sizes: Sequence[int] = (10, 15),
    methods: Sequence[str] = ("greedy", "price-and-evaluate", "price-and-branch"),
    instances: int = 2,
    *,
    h: int = 40,
    deviation: float = 0.5,
    share: float = 0.1,
    time_limit: float = 5.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return what each method finds and proves on random knapsacks of each kind and size.

    Dimensions ``kind``, ``n`` (items), ``instance`` and ``method``: the exact worst-case ``profit`` of the plan, the
    certified ``bound`` on all plans, ``estimate`` (a bound beyond the certificate), ``gap`` = (bound - profit) /
    profit, ``seconds`` and whether the verifier proved it (``checked``); ``root`` is the bound before any search.
    Instance k of a kind and size has seed ``seed + k``. ``time_limit`` in seconds a run. Raises ``ValueError`` for
    unknown kinds or methods.

    >>> found = robust_race(["UN"], [8], instances=1)
    >>> float(found.gap.sel({"method": "price-and-branch"}).max()) < 1e-6
    True
    """
    for kind in kinds:
        checks.choice("kind", kind, CLASSES)
    for method in methods:
        METHODS[method]
    sizes = [checks.integer("sizes", n, minimum=1, maximum=MOST_ITEMS) for n in sizes]
    instances = checks.integer("instances", instances, minimum=1, maximum=1000)
    seed = checks.integer("seed", seed, minimum=0)
    time_limit = checks.real("time_limit", time_limit, exclusive_minimum=0.0, maximum=LONGEST)
    progress = progress or Progress()
    shape = (len(kinds), len(sizes), instances)
    root = np.empty(shape)
    found = {name: np.empty((*shape, len(methods))) for name in ("profit", "bound", "estimate", "seconds")}
    checked = np.zeros((*shape, len(methods)), bool)
    total = int(np.prod(shape))
    for done, place in enumerate(np.ndindex(shape)):
        k, size, instance = place
        problem = knapsack(kinds[k], sizes[size], h=h, deviation=deviation, share=share, seed=seed + instance)
        progress.update(done, total, f"{kinds[k]}, {sizes[size]} items")
        root[place] = bound(problem).value
        for m, method in enumerate(methods):
            progress.update(done, total, f"{kinds[k]}, {sizes[size]} items, {METHODS[method].label}")
            answer = solve(problem, method, time_limit=time_limit)
            for name, values in found.items():
                values[*place, m] = getattr(answer, name)
            checked[*place, m] = check(answer.certificate, seconds=CHECK_SECONDS)
    progress.update(total, total, "done")
    dims = ("kind", "n", "instance", "method")
    gap = np.maximum(found["bound"] - found["profit"], 0.0) / np.maximum(np.abs(found["profit"]), 1e-9)
    return results.dataset(
        {
            "profit": (dims, found["profit"], "exact worst-case profit"),
            "bound": (dims, found["bound"], "no plan is worth more"),
            "estimate": (dims, found["estimate"], "bound beyond the certificate"),
            "gap": (dims, gap, "certified gap"),
            "seconds": (dims, found["seconds"], "time", "s"),
            "checked": (dims, checked, "whether the verifier proved it"),
            "root": (dims[:3], root, "bound before any search"),
        },
        {
            "kind": (("kind",), list(kinds), "class of instances"),
            "n": (("n",), list(sizes), "items"),
            "instance": (("instance",), np.arange(instances), "instance"),
            "method": (("method",), list(methods), "method"),
        },
    )
