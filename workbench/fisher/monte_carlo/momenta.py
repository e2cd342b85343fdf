"""Momentum triples of a periodic lattice, each counted once for its permutations and its inversion."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Triples:
    """``legs`` (P, 3): flat momentum indices i ≤ j ≤ l adding up to zero; ``weight`` (P,): the ordered pairs each
    stands for.

    The weights add up to n².
    """

    legs: NDArray[np.int32]
    weight: NDArray


def negatives(shape: tuple[int, ...]) -> NDArray:
    """Return for each flat momentum index that of −k.

    >>> negatives((4,)).tolist()
    [0, 3, 2, 1]
    """
    coordinates = np.unravel_index(np.arange(math.prod(shape)), shape)
    return np.ravel_multi_index([-c % size for c, size in zip(coordinates, shape, strict=True)], shape)


def triples(shape: tuple[int, ...]) -> Triples:
    """List all triples of momenta that add up to zero, up to permutation and inversion; O(n²)."""
    n = math.prod(shape)
    minus = negatives(shape)
    coordinates = np.array(np.unravel_index(np.arange(n), shape)).T
    legs = []
    for i in range(n):
        j = np.arange(i, n)
        closing = np.ravel_multi_index(tuple((-(coordinates[i] + coordinates[j]) % shape).T), shape)
        keep = closing >= j
        legs.append(np.stack([np.full(keep.sum(), i), j[keep], closing[keep]], axis=1))
    listed = np.concatenate(legs)
    inverted = np.sort(minus[listed], axis=1)
    code, inverted_code = _code(listed, n), _code(inverted, n)
    listed, own_inverse = listed[code <= inverted_code], (code == inverted_code)[code <= inverted_code]
    equal = (listed[:, :-1] == listed[:, 1:]).sum(axis=1)
    permutations = np.array([6.0, 3.0, 1.0])[equal]
    return Triples(listed.astype(np.int32), permutations * np.where(own_inverse, 1, 2))


def _code(legs: NDArray, n: int) -> NDArray:
    return (legs[:, 0].astype(np.int64) * n + legs[:, 1]) * n + legs[:, 2]


def centring_phases(shape: tuple[int, ...]) -> NDArray:
    """Return e^(−i k_α/2) for each direction α as (d, *shape): momenta measured from bond centres."""
    out = []
    for axis, size in enumerate(shape):
        phase = np.exp(-1j * np.pi * np.arange(size) / size)
        out.append(np.broadcast_to(phase.reshape([-1 if a == axis else 1 for a in range(len(shape))]), shape))
    return np.array(out)


def reversal_signs(shape: tuple[int, ...]) -> NDArray:
    """Return (d, n) signs with b̃_α(−k) = sign_α(k) · conj b̃_α(k), which the half-step phases leave behind."""
    coordinates = np.array(np.unravel_index(np.arange(math.prod(shape)), shape))
    return np.where(coordinates == 0, 1.0, -1.0)
