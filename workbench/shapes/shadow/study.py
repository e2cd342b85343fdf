"""The studies behind the verdicts: scales inside and outside the theorem's window, and complexes against shadows."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.shadow.constants import LARGEST_XI, graph_constants
from workbench.shapes.shadow.distortion import distortion_bound
from workbench.shapes.shadow.graphs import largest_gap, planar_graph, sample_graph
from workbench.shapes.shadow.report import UNKNOWN, betti_or_unknown, numbered
from workbench.shapes.shadow.shadows import rips_shadow

FOUR = ("square", "theta", "isosceles", "bow-tie")
INSIDE = 0.9999
"""How far inside a strict bound the runs of the theorem stay."""
ARRANGED_EDGES = 60_000


@results.experiment
def theorem_runs(
    graphs: Sequence[str] = FOUR,
    xi: float = 1 / 12,
    arranged: int = ARRANGED_EDGES,
    theorem: str = "T3",
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Test a theorem inside its window: evenly spaced samples at the largest scales that it allows.

    ``theorem`` is "T3", for polygonal graphs (ξ ≤ 1/12), or "T1", for the complex alone (ξ < 1/4), whose condition on
    the large-scale distortion is proved for the graph. Returns per graph the sample size ``n``, both scales,
    ``density`` = d_H/(ξε/2) < 1, ``distortion``, what the graph's is at most, beside ``distortion_limit`` (∞ where the
    theorem asks for none), ``edges``, the Betti numbers of the complex, and those of the shadow (exact; −1 where the
    complex has more than ``arranged`` edges), beside the ``truth``. Raises ``ValueError`` for unknown graphs, and for a
    ξ at which the window is empty. Cost: half a minute for the square's 1.4 million crossings; T1 a second a graph.

    >>> ds = theorem_runs(("square",), arranged=0)
    >>> int(ds.n[0]), ds.betti_complex.values.tolist(), bool(ds.density[0] < 1)
    (1204, [[1, 1, 0]], True)
    """
    progress = progress or Progress()
    theorem = checks.choice("theorem", theorem, ("T1", "T3"))
    xi = checks.real("xi", xi, exclusive_minimum=0, maximum=1 / 12 if theorem == "T3" else LARGEST_XI)
    rows = []
    for k, name in enumerate(graphs):
        progress.update(k, len(graphs), name)
        graph = planar_graph(name)
        asked = graph_constants(graph, xi).sel(theorem=theorem)
        beta = INSIDE * float(asked.beta_limit)
        epsilon = INSIDE * float(asked.epsilon_share) * beta
        n = max(int(asked.points_needed), len(graph.vertices))
        while largest_gap(graph, n) >= xi * epsilon:  # edges are divided evenly, each by itself
            n += 1
        shadow = rips_shadow(sample_graph(graph, n), beta, epsilon=epsilon)
        known = len(shadow.edges) <= arranged
        rows.append(
            {
                "n": n,
                "beta": beta,
                "epsilon": epsilon,
                "density": largest_gap(graph, n) / (xi * epsilon),
                "distortion": distortion_bound(graph, beta, epsilon),
                "limit": float(asked.distortion_limit) if theorem == "T1" else np.inf,
                "edges": len(shadow.edges),
                "complex": betti_or_unknown(shadow),
                "shadow": shadow.betti_shadow if known else (UNKNOWN, UNKNOWN),
                "truth": graph.betti,
            }
        )
    progress.update(1, 1, "done")
    column = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    return numbered(
        {
            "n": (("graph",), column["n"], "points"),
            "beta": (("graph",), column["beta"], "β"),
            "epsilon": (("graph",), column["epsilon"], "ε"),
            "density": (("graph",), column["density"], "Hausdorff distance to the graph over ξε/2"),
            "distortion": (("graph",), column["distortion"], "the large-scale distortion is at most this"),
            "distortion_limit": (("graph",), column["limit"], "largest distortion that the theorem allows"),
            "edges": (("graph",), column["edges"], "edges of the complex"),
            "betti_complex": (("graph", "degree"), column["complex"], "Betti numbers of the complex"),
            "betti_shadow": (("graph", "shadow_degree"), column["shadow"], "Betti numbers of the shadow"),
            "truth": (("graph", "shadow_degree"), column["truth"], "Betti numbers of the graph"),
        },
        {"graph": (("graph",), list(graphs), "graph")},
    )


@results.experiment
def shadow_scales(
    graphs: Sequence[str] = FOUR,
    shares: Sequence[float] = (0.03, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3),
    n: int = 60,
    hop: float = 2.3,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute complex, shadow and certificate over β as a share of the systole, and the Euclidean complex beside them.

    ``hop`` is ε in largest gaps of the evenly spaced sample of ``n`` points. Returns over (graph, share) ``complex``,
    ``euclidean`` (b₀, b₁, b₂ each), ``shadow`` (b₀, b₁, exact), ``cells`` and ``failing`` of the certificate, and per
    graph ``truth``, ``allowed`` (the third theorem's largest share) and ``points_needed``.
    Raises ``ValueError`` for shares beyond 0.5, where triangles are too many. Cost: up to 5 s for an entry.

    >>> ds = shadow_scales(("isosceles",), (0.15,), n=60)
    >>> ds.shadow.values.tolist(), ds.euclidean.values.tolist(), int(ds.failing.sum())
    ([[[1, 1]]], [[[1, 0, 0]]], 0)
    """
    progress = progress or Progress()
    grid = checks.finite_array("shares", shares, ndim=1)
    checks.real("the largest of shares", grid.max(), maximum=0.5)
    checks.real("the smallest of shares", grid.min(), exclusive_minimum=0)
    hop = checks.real("hop", hop, exclusive_minimum=1)
    shape = (len(graphs), len(grid))
    found = {name: np.zeros((*shape, 3), dtype=np.int64) for name in ("complex", "euclidean")}
    found |= {"shadow": np.zeros((*shape, 2), dtype=np.int64)}
    found |= {name: np.zeros(shape, dtype=np.int64) for name in ("cells", "failing")}
    allowed, needed, truth = [], [], []
    for i, name in enumerate(graphs):
        graph = planar_graph(name)
        points, third = sample_graph(graph, n), graph_constants(graph).sel(theorem="T3")
        systole, gap = float(third.systole), largest_gap(graph, n)
        allowed.append(float(third.beta_limit) / systole)
        needed.append(float(third.points_needed))
        truth.append(graph.betti)
        for j, share in enumerate(grid):
            progress.update(i * len(grid) + j, shape[0] * shape[1], name)
            shadow = rips_shadow(points, share * systole, epsilon=hop * gap)
            found["complex"][i, j] = betti_or_unknown(shadow)
            found["euclidean"][i, j] = betti_or_unknown(rips_shadow(points, share * systole))
            found["shadow"][i, j] = shadow.betti_shadow
            found["cells"][i, j], found["failing"][i, j] = shadow.apex.cells, shadow.apex.failing.size
    progress.update(1, 1, "done")
    both = ("graph", "share")
    return numbered(
        {
            "complex": ((*both, "degree"), found["complex"], "Betti numbers of the complex"),
            "euclidean": ((*both, "degree"), found["euclidean"], "Betti numbers, Euclidean distances"),
            "shadow": ((*both, "shadow_degree"), found["shadow"], "Betti numbers of the shadow"),
            "cells": (both, found["cells"], "cells of the arrangement"),
            "failing": (both, found["failing"], "cells without an apex"),
            "truth": (("graph", "shadow_degree"), np.array(truth), "Betti numbers of the graph"),
            "allowed": (("graph",), np.array(allowed), "largest β/ℓ that the third theorem allows"),
            "points_needed": (("graph",), np.array(needed), "points that the third theorem needs"),
        },
        {"graph": (("graph",), list(graphs), "graph"), "share": (("share",), grid, "β/ℓ")},
    )


@results.experiment
def rips_agreement(
    samples: int = 160,
    n: int = 30,
    low: float = 0.15,
    high: float = 0.3,
    seed: int = 0,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare b₀ and b₁ of Euclidean Rips complexes with those of their shadows, on random points of the unit square.

    By a theorem (Chambers, de Silva, Erickson, Ghrist 2010) they agree for every finite sample of the plane and every
    β; here the complex is counted by collapses and ranks and the shadow by its arrangement, so agreement tests both.
    Returns per sample ``beta``, ``complex`` (b₀, b₁, b₂), ``shadow`` (b₀, b₁) and ``crossings``.
    Raises ``ValueError`` for sizes beyond limits. Cost: 10 ms a sample.

    >>> ds = rips_agreement(5, seed=1)
    >>> bool((ds.complex.values[:, :2] == ds.shadow.values).all())
    True
    """
    progress = progress or Progress()
    samples = checks.integer("samples", samples, minimum=1, maximum=100_000)
    n = checks.integer("n", n, minimum=2, maximum=500)
    low = checks.real("low", low, exclusive_minimum=0)
    high = checks.real("high", high, minimum=low, maximum=0.5)
    rng = checks.generator(seed)
    rows = []
    for k in range(samples):
        shadow = rips_shadow(rng.random((n, 2)), rng.uniform(low, high))
        rows.append((shadow.beta, shadow.betti_complex, shadow.betti_shadow, shadow.arrangement.crossings))
        progress.update(k + 1, samples)
    beta, of_complex, of_shadow, crossings = (np.array(column) for column in zip(*rows, strict=True))
    return numbered(
        {
            "beta": (("sample",), beta, "β"),
            "complex": (("sample", "degree"), of_complex, "Betti numbers of the complex"),
            "shadow": (("sample", "shadow_degree"), of_shadow, "Betti numbers of the shadow"),
            "crossings": (("sample",), crossings, "crossings of the edges"),
        },
        {"sample": (("sample",), np.arange(samples), "sample")},
    )
