"""The studies behind the verdicts: methods over pairs and seeds, and the ablation that the paper's title makes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.correspondences import maps
from workbench.shapes.correspondences.examples import PAIRS, Pair, shape_pair
from workbench.shapes.correspondences.laplacian import Basis
from workbench.shapes.correspondences.matching import MATCHERS, STEP, bases, described, match
from workbench.shapes.correspondences.quality import all_distances, best_in_basis, carried_faces, coverage

FOUR = ("helicoid-catenoid", "remeshed", "regrown", "partial")
AXIOMATIC = ("descriptors", "fmap", "zoomout", "sinkhorn")
TERMS = ("none", "published", "area", "refined")
READOUTS = ("feature", "map", "zoomout")
REFINE = 15
Floats = NDArray[np.float64]


@results.experiment
def matcher_study(
    pairs: Sequence[str] = (*FOUR, "symmetric"),
    methods: Sequence[str] = AXIOMATIC,
    seeds: Sequence[int] = tuple(range(10)),
    n: int = 400,
    k: int = 20,
    k_final: int = 60,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare methods on pairs with exact truth over seeds, each of which makes other triangulations.

    Returns over (pair, matcher, seed) the ``mean`` error (over √area, by area of Y), ``mirrored`` (against the truth
    after a symmetry; NaN where there is none), ``flipped``, ``collapsed`` and ``coverage``; over (pair, seed) the
    ``floor`` of the basis of ``k_final`` functions and the ``quantisation``. Raises as :func:`shape_pair` and
    :func:`match`. Cost: two seconds for a pair and seed at n = 400, and what the methods take.

    >>> ds = matcher_study(("remeshed",), ("fmap", "zoomout"), (0,), n=120, k=15, k_final=30)
    >>> ds["mean"].shape, bool(ds.floor[0, 0] <= ds["mean"][0, 1, 0])
    ((1, 2, 1), True)
    """
    progress = progress or Progress()
    for name in pairs:
        checks.choice("pair", name, PAIRS)
    for name in methods:
        checks.choice("matcher", name, MATCHERS)
    shape = (len(pairs), len(methods), len(seeds))
    names = ("mean", "mirrored", "flipped", "collapsed", "coverage")
    found = {name: np.full(shape, np.nan) for name in names}
    floor, quantisation = np.empty((shape[0], shape[2])), np.empty((shape[0], shape[2]))
    for i, name in enumerate(pairs):
        for s, seed in enumerate(seeds):
            pair = shape_pair(name, n, seed=seed)
            of_x, of_y = bases(pair.x, pair.y, k_final, scale=pair.scale)
            floor[i, s] = _mean(pair, best_in_basis(pair.truth, of_x, of_y, k_final))
            quantisation[i, s] = pair.quantisation
            for j, method in enumerate(methods):
                done = (i * shape[2] + s) * shape[1] + j
                progress.update(done, np.prod(shape), f"{name}, {method}")
                got = match(pair.x, pair.y, method=method, k=k, k_final=k_final, seed=seed, **_brought(pair))
                faces = carried_faces(pair.x, pair.y, got.points)
                found["mean"][i, j, s] = _mean(pair, got.points)
                if pair.others:
                    found["mirrored"][i, j, s] = min(_mean(pair, got.points, other) for other in pair.others)
                found["flipped"][i, j, s], found["collapsed"][i, j, s] = faces.flipped, faces.collapsed
                found["coverage"][i, j, s] = coverage(pair.x, got.points)
    progress.update(1, 1, "done")
    all_three = ("pair", "matcher", "seed")
    return results.dataset(
        {
            "mean": (all_three, found["mean"], "mean error over √area"),
            "mirrored": (all_three, found["mirrored"], "mean error against the mirrored truth over √area"),
            "flipped": (all_three, found["flipped"], "share of flipped triangles by area"),
            "collapsed": (all_three, found["collapsed"], "share of collapsed triangles by area"),
            "coverage": (all_three, found["coverage"], "share of the area of X that has an image"),
            "floor": (("pair", "seed"), floor, "mean error of the truth written in the basis"),
            "quantisation": (("pair", "seed"), quantisation, "distance from the exact truth to its vertex over √area"),
        },
        {
            "pair": (("pair",), list(pairs), "pair"),
            "matcher": (("matcher",), list(methods), "method"),
            "seed": (("seed",), np.asarray(seeds, dtype=np.int64), "seed"),
        },
    )


@results.experiment
def transport_term_study(
    pairs: Sequence[str] = FOUR,
    terms: Sequence[str] = TERMS,
    seeds: Sequence[int] = tuple(range(18)),
    n: int = 300,
    k: int = 40,
    k_final: int = 60,
    iterations: int = 60,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure what the sliced Wasserstein term adds to the losses of functional maps, on pairs with exact truth.

    A seed makes the triangulations and the start of the network; all ``terms`` share both, so differences are paired:
    "none", "published", "area" (weights, no Π), "both-ways", and "refined" (published, then the paper's 15 steps
    with Sinkhorn's plan). Returns ``error`` over (pair, term, seed, readout), the mean over √area by area of Y, for the
    nearest "feature", the "map" C = Φ_Y⁺ΠΦ_X and that after "zoomout" to ``k_final``; and ``axiomatic`` (pair, seed),
    that of wave kernels, functional map and ZoomOut without training.

    Raises as :func:`shape_pair`. Cost: 2 s for each training at n = 300. The paper: arXiv 2403.01781.

    >>> ds = transport_term_study(("remeshed",), ("none", "area"), (0,), n=80, k=12, k_final=20, iterations=3)
    >>> ds.error.shape, bool(np.isfinite(ds.error).all())
    ((1, 2, 1, 3), True)
    """
    from workbench.shapes.correspondences import network  # torch takes seconds to import

    progress = progress or Progress()
    for name in pairs:
        checks.choice("pair", name, PAIRS)
    for name in terms:
        checks.choice("transport term", name, [*network.TERMS, "refined"])
    k = checks.integer("k", k, minimum=2, maximum=n // 2)
    k_final = checks.integer("k_final", k_final, minimum=k, maximum=n // 2)
    iterations = checks.integer("iterations", iterations, minimum=1, maximum=2_000)
    error = np.empty((len(pairs), len(terms), len(seeds), len(READOUTS)))
    axiomatic = np.empty((len(pairs), len(seeds)))
    total = error[..., 0].size
    for i, name in enumerate(pairs):
        for s, seed in enumerate(seeds):
            pair = shape_pair(name, n, seed=seed)
            x, y = bases(pair.x, pair.y, k_final, scale=pair.scale)
            a, b = described(x, y, "wks", pair.landmarks)
            axiomatic[i, s] = _mean(pair, match(pair.x, pair.y, k=min(20, k), k_final=k_final, **_brought(pair)).points)
            for j, term in enumerate(terms):
                progress.update((i * len(seeds) + s) * len(terms) + j, total, f"{name}, {term}")
                refined = term == "refined"
                trained = network.train(
                    x.first(k),
                    y.first(k),
                    a,
                    b,
                    term="published" if refined else term,
                    iterations=iterations,
                    refine=REFINE if refined else 0,
                    seed=seed,
                )
                error[i, j, s] = [_mean(pair, one) for one in _read_out(trained, x, y, k_final)]
    progress.update(1, 1, "done")
    return results.dataset(
        {
            "error": (("pair", "term", "seed", "readout"), error, "mean error over √area"),
            "axiomatic": (("pair", "seed"), axiomatic, "mean error without training over √area"),
        },
        {
            "pair": (("pair",), list(pairs), "pair"),
            "term": (("term",), list(terms), "transport term"),
            "seed": (("seed",), np.asarray(seeds, dtype=np.int64), "seed"),
            "readout": (("readout",), list(READOUTS), "how the map is read out"),
        },
    )


def _brought(pair: Pair) -> dict[str, Any]:
    """Return the settings that a pair brings."""
    return {"scale": pair.scale, "landmarks": pair.landmarks}


def _read_out(trained, x: Basis, y: Basis, k_final: int) -> list[NDArray[np.int64]]:
    """Return the point maps of trained features: the nearest of unit length, the map, and the map after ZoomOut."""
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (trained.of_x, trained.of_y)]
    refined = maps.zoomed(trained.c, x, y, k_final, STEP, Progress())
    return [maps.nearest(*unit), maps.to_points(trained.c, x, y), maps.to_points(refined, x, y)]


def _mean(pair: Pair, points: NDArray[np.int64], truth: NDArray[np.int64] | None = None) -> float:
    """Return the mean error by area of Y."""
    of_map = all_distances(pair.x)[pair.truth if truth is None else truth, points]
    return float(of_map @ pair.y.masses / pair.y.area)
