"""Losses that pull items of a class together and push classes apart, each with its gradient in the embedding.

A loss takes a batch of embeddings f (B, d) and its :class:`Pairs`, and returns (value, gradient (B, d)). All but N-pair
look at directions u = f/|f|; N-pair takes lengths of 10, as in the paper's code. Gradients are written out by hand, in
NumPy, so that a step of a small network takes a tenth of what a graph of operations takes; the tests hold them against
automatic differentiation.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from workbench.metrics.embeddings.inputs import Floats
from workbench.registry import Fact, Registry

Loss = Callable[[Floats, "Pairs"], tuple[float, Floats]]
ALPHA, BETA, NEGATIVE_COST = 2.0, 0.5, 25.0
"""Of the binomial deviance, as in the paper's code."""
LENGTH = 10.0
"""Of N-pair features, as in the paper's code."""
TRIPLET_MARGIN, CONTRASTIVE_MARGIN = 0.1, 1.0


@dataclass(frozen=True)
class Pairs:
    """Which items of a batch share a class: masks (B, B), without the diagonal, and all ordered positive pairs."""

    positive: NDArray[np.bool_]
    negative: NDArray[np.bool_]
    anchors: NDArray[np.int64]
    partners: NDArray[np.int64]

    @classmethod
    def of(cls, codes: NDArray[np.int64]) -> "Pairs":
        """Return the pairs of a batch; ``ValueError`` where it has no pair of either kind."""
        same = codes[:, None] == codes[None, :]
        positive = same & ~np.eye(len(codes), dtype=bool)
        if not positive.any():
            raise ValueError("no two items of the batch share a class; draw at least two of a class")
        if same.all():
            raise ValueError("all items of the batch are of one class, so there are no pairs to push apart")
        anchors, partners = np.nonzero(positive)
        return cls(positive, ~same, anchors, partners)


EMBEDDING_LOSSES = Registry("embedding loss", facts={"short": Fact(str, says="name in legends and table heads")})
"""The losses that the confusion term is added to, by name: each a function of embeddings (B, d) and :class:`Pairs`."""


@EMBEDDING_LOSSES.add(
    "binomial",
    label="Binomial deviance",
    short="binomial",
    formula=r"\langle\ln(1+e^{-2(s-0.5)})\rangle_{+}+\langle\ln(1+e^{50(s-0.5)})\rangle_{-}",
    reference="Yi, Lei, Li 2014; parameters of the paper's code",
)
def binomial(f: Floats, pairs: Pairs) -> tuple[float, Floats]:
    """Return the binomial deviance of the cosines: α = 2, β = 0.5, negatives weighed 25."""
    u, lengths = _units(f)
    s = u @ u.T - BETA
    positive, negative = pairs.positive, pairs.negative
    count_p, count_n = len(pairs.anchors), int(negative.sum())
    up, down = -ALPHA * s, ALPHA * NEGATIVE_COST * s
    value = _softplus(up[positive]).sum() / count_p + _softplus(down[negative]).sum() / count_n
    slope = np.where(positive, -ALPHA / count_p * expit(up), 0.0)
    slope += np.where(negative, ALPHA * NEGATIVE_COST / count_n * expit(down), 0.0)
    return float(value), _through(u, lengths, 2 * slope @ u)


@EMBEDDING_LOSSES.add(
    "n-pair",
    label="N-pair",
    short="N-pair",
    formula=r"\langle\ln(1+\sum_{k:-}e^{f_i f_k-f_i f_j})\rangle_{(i,j):+}, |f| = 10",
    reference="Sohn 2016; lengths of the paper's code",
)
def n_pair(f: Floats, pairs: Pairs) -> tuple[float, Floats]:
    """Return N-pair's loss over all ordered positive pairs, every item of another class as a negative."""
    u, lengths = _units(f)
    s = LENGTH**2 * (u @ u.T)
    masked = np.where(pairs.negative, s, -np.inf)
    top = masked.max(axis=1)
    weights = np.exp(masked - top[:, None])
    total = weights.sum(axis=1)
    rivals = top + np.log(total)
    over = rivals[pairs.anchors] - s[pairs.anchors, pairs.partners]
    count = len(over)
    pull = expit(over) / count
    slope = (np.bincount(pairs.anchors, pull, minlength=len(f)) / total)[:, None] * weights
    slope[pairs.anchors, pairs.partners] -= pull
    return float(_softplus(over).mean()), _through(u, lengths, LENGTH**2 * (slope + slope.T) @ u)


@EMBEDDING_LOSSES.add(
    "triplet",
    label="Triplet",
    short="triplet",
    formula=r"\langle\max(0, 0.1+|u_i-u_j|^2-|u_i-u_k|^2)\rangle_{\mathrm{active}}",
    reference="Schroff, Kalenichenko, Philbin 2015; margin of the paper's code",
)
def triplet(f: Floats, pairs: Pairs) -> tuple[float, Floats]:
    """Return the triplet loss over all triplets of the batch, mean over those that are not yet in order."""
    u, lengths = _units(f)
    s = u @ u.T  # |u_i − u_j|² = 2 − 2 s
    over = TRIPLET_MARGIN + 2 * (s[pairs.anchors] - s[pairs.anchors, pairs.partners][:, None])
    active = pairs.negative[pairs.anchors] & (over > 0)
    count = int(active.sum())
    if not count:
        return 0.0, np.zeros_like(f)
    slope = np.zeros_like(s)
    np.add.at(slope, pairs.anchors, active * (2.0 / count))
    slope[pairs.anchors, pairs.partners] -= 2.0 / count * active.sum(axis=1)
    return float(over[active].sum() / count), _through(u, lengths, (slope + slope.T) @ u)


@EMBEDDING_LOSSES.add(
    "contrastive",
    label="Contrastive",
    short="contrastive",
    formula=r"\langle|u_i-u_j|^2\rangle_{+}+\langle\max(0, 1-|u_i-u_j|)^2\rangle_{-}",
    reference="Hadsell, Chopra, LeCun 2006",
)
def contrastive(f: Floats, pairs: Pairs) -> tuple[float, Floats]:
    """Return the contrastive loss of unit vectors with margin 1, positives and negatives each as a mean."""
    u, lengths = _units(f)
    squares = np.maximum(2 - 2 * (u @ u.T), 0.0)
    apart = np.sqrt(squares)
    positive, negative = pairs.positive, pairs.negative
    short = np.where(negative, np.maximum(CONTRASTIVE_MARGIN - apart, 0.0), 0.0)
    count_p, count_n = len(pairs.anchors), int(negative.sum())
    value = squares[positive].sum() / count_p + (short**2).sum() / count_n
    # in s: d(2 − 2s)/ds = −2, d|u_i − u_j|/ds = −1/|u_i − u_j|, at coincident points 0
    slope = np.where(positive, -2.0 / count_p, 0.0)
    slope += np.where(apart > 0, 2 * short / (np.where(apart > 0, apart, 1.0) * count_n), 0.0)
    return float(value), _through(u, lengths, 2 * slope @ u)


def _units(f: Floats) -> tuple[Floats, Floats]:
    lengths = np.sqrt(np.einsum("ij,ij->i", f, f))[:, None]
    lengths = np.where(lengths > 0, lengths, 1.0)  # a zero vector has no direction: it stays, and pulls at nobody
    return f / lengths, lengths


def _through(u: Floats, lengths: Floats, slope: Floats) -> Floats:
    """Return the gradient in f of what has the gradient ``slope`` in u = f/|f|."""
    return (slope - np.einsum("ij,ij->i", u, slope)[:, None] * u) / lengths


def _softplus(x: Floats) -> Floats:
    return np.logaddexp(0.0, x)
