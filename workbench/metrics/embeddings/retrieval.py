"""How well neighbours in an embedding share a class: R@1, MAP@R and precision at R, ties averaged, with intervals.

MAP@R (Musgrave, Belongie, Lim, "A metric learning reality check", arXiv 2003.08505): for a query with R others of its
class, (1/R) Σ_{k ≤ R} precision(k) [the k-th neighbour is of the class]. Sorting ties by their index would favour the
class that comes first in the data; here a tie stands for the mean over all its orders, in closed form.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics.embeddings.confusion import check_pairs
from workbench.metrics.embeddings.inputs import Floats, Labelled, labelled, unit_rows
from workbench.metrics.embeddings.kernels import judge, squared_rows
from workbench.parallel import THREADS, for_each
from workbench.progress import Progress

SCORES = {"recall_at_1": "R@1", "map_at_r": "MAP@R", "precision_at_r": "precision at R"}
MOST_REPLICATES, MOST_NEAR = 20_000, 100
FEW_ITEMS = 2000
MOST_AT_ONCE = 2_000_000
"""Distances in memory at once, for each thread."""
LEVEL = 0.95


@results.experiment
def retrieval(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    normalised: bool = False,
    neighbours: int = 0,
    replicates: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Ask for each item whether its nearest others, by Euclidean distance, are of its class.

    ``features`` (n, d) and ``labels`` (n,); ``normalised`` compares directions (the ranking by cosine). An item alone
    in its class has nothing to find: it is no query, and ``left_out`` counts such items. Returns ``recall_at_1``,
    ``map_at_r``, ``precision_at_r``, each with its standard error and a 95 % interval from ``replicates`` resamples of
    the queries (``…_low``, ``…_high``; what that means is other queries of the *same* classes: for other classes, see
    :func:`zero_shot`); their values of each query and class; the ``neighbours`` nearest items of each query. Same seed,
    same result. Raises ``ValueError`` as :func:`labelled`, and where no class has two items. Cost: n² (d/8 + 5) ns,
    10 ms for 1000 items.

    >>> found = retrieval([[0.0], [0.1], [1.0], [0.2]], ["a", "a", "b", "b"], replicates=0)
    >>> float(found.recall_at_1)  # the second item is as near to the first as to the last
    0.625
    """
    given = labelled(features, labels, least_classes=1)
    replicates = checks.integer("replicates", replicates, minimum=0, maximum=MOST_REPLICATES)
    near = checks.integer("neighbours", neighbours, minimum=0, maximum=min(MOST_NEAR, len(given.codes) - 1))
    rng = checks.generator(seed)
    progress = progress or Progress()
    if given.counts.max() < 2:
        raise ValueError(
            f"each of the {len(given.classes)} classes has one item, so no query has anything to find; give classes of "
            "two items or more"
        )
    check_pairs(len(given.codes), given.features.shape[1])
    queries, values, close = found_by(given, normalised=normalised, near=near, progress=progress)
    return results.dataset(*retrieval_variables(given, queries, values, close, replicates, rng))


def retrieval_variables(
    given: Labelled,
    queries: NDArray[np.int64],
    values: Floats,
    close: NDArray[np.int64],
    replicates: int,
    rng: np.random.Generator,
) -> tuple[dict, dict]:
    """Return the variables and coordinates of :func:`retrieval`."""
    variables: dict = {}
    low, high = resampled(values, replicates, rng)
    own = given.codes[queries]
    each = np.bincount(own, minlength=len(given.classes))
    for k, (name, label) in enumerate(SCORES.items()):
        mean = values[:, k].mean()
        error = values[:, k].std(ddof=1) / np.sqrt(len(queries)) if len(queries) > 1 else np.nan
        with np.errstate(invalid="ignore"):
            by_class = np.bincount(own, values[:, k], minlength=len(given.classes)) / np.where(each, each, np.nan)
        variables |= {
            name: ((), mean, label),
            f"{name}_error": ((), error, f"standard error of {label} over queries"),
            f"{name}_low": ((), low[k], f"lower end of the 95 % interval of {label} over queries"),
            f"{name}_high": ((), high[k], f"upper end of the 95 % interval of {label} over queries"),
            f"{name}_of_query": (("query",), values[:, k], f"{label} of the query"),
            f"{name}_of_class": (("class",), by_class, f"{label}, mean over the queries of the class"),
        }
    variables["left_out"] = ((), len(given.codes) - len(queries), "items alone in their class, which are no queries")
    variables["class_of_query"] = (("query",), own, "class of the query, a number")
    coordinates = {
        "query": (("query",), queries, "query, a row of the input"),
        "class": (("class",), np.array(given.classes), "class"),
    }
    if close.shape[1]:
        variables["neighbour"] = (("query", "place"), close, "nearest items, rows of the input")
        coordinates["place"] = (("place",), np.arange(1, close.shape[1] + 1), "place among the neighbours")
    return variables, coordinates


def resampled(values: Floats, replicates: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the ends of 95 % percentile intervals of the means over queries; NaN without replicates."""
    if not replicates:
        return np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    n = len(values)
    means = np.empty((replicates, values.shape[1]))
    for k in range(replicates):
        means[k] = np.bincount(rng.integers(0, n, n), minlength=n) @ values / n
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def found_by(
    given: Labelled, *, normalised: bool = False, near: int = 0, progress: Progress | None = None
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Return the queries, the scores of each (query, 3), and its nearest items (query, near).

    Distances are sorted by value alone, all of them and those to the query's class: that says where ties are, and is
    many times as fast as sorting the items.
    """
    features = unit_rows("features", given.features) if normalised else given.features
    x = np.ascontiguousarray(features.T)
    rows = [np.flatnonzero(given.codes == kind) for kind in range(len(given.classes))]
    queries = np.flatnonzero(given.counts[given.codes] > 1)
    values = np.full((len(given.codes), len(SCORES)), np.nan)
    close = np.empty((len(given.codes), near), dtype=np.int64)
    block = max(MOST_AT_ONCE // len(given.codes), 1)
    tasks = [
        (part, own)
        for own in rows
        if len(own) > 1
        for part in np.array_split(own, -(-len(own) // block))
    ]  # fmt: skip

    def ask(task: tuple[NDArray[np.int64], NDArray[np.int64]]) -> None:
        part, own = task
        squares = np.empty((len(part), x.shape[1]))
        squared_rows(x, part, squares)
        relevant = np.sort(squares[:, own], axis=1)
        if near:
            close[part] = _nearest(squares, part, near)
        squares.sort(axis=1)
        found = np.empty((len(part), len(SCORES)))
        judge(squares, relevant, found)
        values[part] = found

    if len(given.codes) <= FEW_ITEMS or THREADS == 1:
        meter = progress or Progress()
        for k, task in enumerate(tasks):
            meter.update(k, len(tasks), "queries")
            ask(task)
    else:
        for_each(ask, tasks, progress or Progress(), message="queries")
    return queries, values[queries], close[queries]


def _nearest(squares: Floats, part: NDArray[np.int64], near: int) -> NDArray[np.int64]:
    """Return the nearest items of each row but itself, ties by their place in the data."""
    others = squares.copy()
    others[np.arange(len(part)), part] = np.inf
    chosen = np.sort(np.argpartition(others, near - 1, axis=1)[:, :near], axis=1)
    order = np.argsort(np.take_along_axis(others, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)


def scores(given: Labelled, *, normalised: bool = False) -> Floats:
    """Return R@1, MAP@R and precision at R (3,), means over the queries."""
    return found_by(given, normalised=normalised)[1].mean(axis=0)
