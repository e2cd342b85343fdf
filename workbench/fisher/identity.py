"""The algebraic identity behind the paper's "R₃ = −R₁/2, R₄ = −R₂/2": it holds for any symmetric T whatever."""

import itertools

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fisher.tensors import connection_terms, invariants


@results.experiment
def random_ricci_terms(m: int = 6, draws: int = 8, seed: int | np.random.Generator = 0) -> xr.Dataset:
    """Draw random metrics and random symmetric tensors T of dimension ``m`` and return their four Ricci terms.

    The metric is A Aᵀ/m + ½ with Gaussian A, T a symmetrised Gaussian tensor: nothing in them knows of a lattice. Each
    term is contracted from the Christoffel symbols by itself (O(m⁴)). The ratios R₃/R₁ and R₄/R₂ are −½ all the same,
    so seeing them in data is no evidence that the data are right.

    >>> ds = random_ricci_terms(3, draws=2, seed=1)
    >>> sorted(str(name) for name in ds.data_vars)
    ['ratio_3_1', 'ratio_4_2', 'ricci_term', 'scalar_curvature']
    """
    m, draws = checks.integer("m", m, minimum=1, maximum=40), checks.integer("draws", draws, minimum=1, maximum=1000)
    rng = checks.generator(seed)
    terms, curvature = np.empty((draws, 4)), np.empty(draws)
    for i in range(draws):
        A, T = rng.normal(size=(m, m)), rng.normal(size=(m, m, m))
        T = sum(T.transpose(order) for order in itertools.permutations(range(3))) / 6
        metric = A @ A.T / m + np.eye(m) / 2
        terms[i], curvature[i] = connection_terms(metric, T), invariants(metric, T).scalar_curvature
    return results.dataset(
        {
            "ricci_term": (("draw", "term"), terms, "Ricci term"),
            "scalar_curvature": (("draw",), curvature, "scalar curvature R from ‖T‖² and ‖tr T‖²"),
            "ratio_3_1": (("draw",), terms[:, 2] / terms[:, 0], "R₃/R₁"),
            "ratio_4_2": (("draw",), terms[:, 3] / terms[:, 1], "R₄/R₂"),
        },
        {
            "draw": (("draw",), np.arange(draws), "random draw"),
            "term": (("term",), ["R1", "R2", "R3", "R4"], "term"),
        },
    )
