"""Simple ways to embed unseen classes, which a learned embedding should beat: none of them is trained with a loss."""

import functools
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NeighborhoodComponentsAnalysis

from workbench.metrics.embeddings.inputs import Floats, Labelled, labelled
from workbench.metrics.embeddings.training import DIMENSIONS, fresh
from workbench.registry import Fact, Registry

MOST_FOR_NCA = 1200
"""Seen items that neighbourhood components analysis looks at, drawn where there are more: it takes all pairs."""
NCA_STEPS = 10
"""Steps of its optimiser; 30 give the same scores on digits within 0.003."""

EMBEDDING_BASELINES = Registry(
    "baseline",
    facts={
        "short": Fact(str, says="name in legends and table heads"),
        "normalised": Fact(bool, says="whether directions are compared, as of the networks"),
    },
)
"""Features of unseen items without metric learning, by name: functions of (seen, unseen, seed)."""


@functools.cache
def digits() -> Labelled:
    """Return scikit-learn's handwritten digits: 1797 pictures of 8 × 8, values 0 to 16, ten classes."""
    found = load_digits()
    return labelled(found.data, found.target)


@EMBEDDING_BASELINES.add("raw", label="Raw features", short="raw features", normalised=False)
def raw(seen: Labelled, unseen: Labelled, seed: int = 0) -> Floats:
    """Return the features as they are: of pictures, the pixels."""
    return unseen.features


@EMBEDDING_BASELINES.add("pca", label="Principal components of the seen classes", short="PCA", normalised=False)
def pca(seen: Labelled, unseen: Labelled, seed: int = 0) -> Floats:
    """Return the first principal components of the seen items, as many as the networks have dimensions."""
    count = min(DIMENSIONS, *seen.features.shape)
    found = PCA(count, svd_solver="full").fit(seen.features)
    return found.transform(unseen.features)


@EMBEDDING_BASELINES.add("random", label="The network before training", short="untrained network", normalised=True)
def random(seen: Labelled, unseen: Labelled, seed: int = 0) -> Floats:
    """Return the embeddings of the network that training begins with."""
    return fresh(seen, seed).embed(unseen.features)


@EMBEDDING_BASELINES.add("lda", label="Linear discriminants of the seen classes", short="LDA", normalised=False)
def lda(seen: Labelled, unseen: Labelled, seed: int = 0) -> Floats:
    """Return the linear discriminants of the seen classes, their covariance shrunk (Ledoit and Wolf)."""
    found = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(seen.features, seen.codes)
    return found.transform(unseen.features)


@EMBEDDING_BASELINES.add(
    "nca",
    label="Neighbourhood components of the seen classes",
    short="NCA",
    reference="Goldberger, Hinton, Roweis, Salakhutdinov 2004",
    normalised=False,
)
def nca(seen: Labelled, unseen: Labelled, seed: int = 0) -> Floats:
    """Return neighbourhood components, from the principal ones, after ten steps of its optimiser."""
    x, y = seen.features, seen.codes
    if len(x) > MOST_FOR_NCA:
        chosen = np.sort(np.random.default_rng(seed).choice(len(x), MOST_FOR_NCA, replace=False))
        x, y = x[chosen], y[chosen]
    shift = x.mean(axis=0)
    scale = float(np.sqrt(np.mean((x - shift) ** 2))) or 1.0
    count = min(DIMENSIONS, *x.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten steps are meant
        found = NeighborhoodComponentsAnalysis(count, init="pca", max_iter=NCA_STEPS, random_state=0)
        found.fit((x - shift) / scale, y)
    return found.transform((unseen.features - shift) / scale)
