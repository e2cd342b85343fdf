"""Estimators: fed with every state at its exact weight they must return the exact curvature."""

import itertools

import numpy as np
import pytest

from workbench import fisher
from workbench.fisher import monte_carlo as mc
from workbench.fisher.monte_carlo.estimators import Geometry, Sums, cumulants, estimate
from workbench.fisher.monte_carlo.models import neighbours
from workbench.fisher.monte_carlo.momenta import triples
from workbench.fisher.tensors import invariants


def all_states(model, shape):
    """Bond fields (states, d, *shape) of every colouring and their log weights at criticality."""
    n = int(np.prod(shape))
    near = neighbours(shape)[:, : len(shape)]
    spins = np.array(list(itertools.product(range(model.colours), repeat=n - 1)), dtype=np.int8)
    spins = np.concatenate([np.zeros((len(spins), 1), dtype=np.int8), spins], axis=1)
    same = (spins[:, :, None] == spins[:, near]).transpose(0, 2, 1)
    fields = model.scale * same + model.offset
    return fields.reshape(len(spins), len(shape), *shape), model.critical * fields.sum(axis=(1, 2))


def exact_sums(model, shape):
    """Sums in which every state counts with its probability: add the fields one by one, scaled."""
    geometry = Geometry(shape, triples(shape))
    fields, energies = all_states(model, shape)
    weights = np.exp(energies - energies.max())
    weights /= weights.sum()
    total = geometry.empty()
    for energy in np.unique(energies.round(9)):  # equal energies share a weight, so they go in as one batch
        chosen = np.isclose(energies, energy)
        part = geometry.empty()
        geometry.add(part, fields[chosen])
        w = weights[chosen][0]
        total = total + Sums(*(w * getattr(part, name) for name in part.__dataclass_fields__))
    return geometry, total, fields, weights


@pytest.mark.parametrize(("name", "expected"), [("ising-2d", -105.641849566), ("potts-3", -79.850478)])
def test_exact_probabilities_give_the_exact_curvature(name, expected):
    geometry, total, _, _ = exact_sums(mc.MODELS[name](), (3, 3))
    assert float(total.count) == pytest.approx(1)
    assert estimate(geometry, total, total).scalar_curvature == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize("name", ["ising-2d", "potts-3"])
def test_the_dense_definition(name):
    geometry, total, fields, weights = exact_sums(mc.MODELS[name](), (3, 3))
    flat = fields.reshape(len(fields), -1)
    centred = flat - weights @ flat
    F = (centred * weights[:, None]).T @ centred
    T = np.einsum("s,sa,sb,sc->abc", weights, centred, centred, centred, optimize=True)
    dense, ours = invariants(F, T), estimate(geometry, total, total)
    assert ours.cumulant_norm == pytest.approx(dense.cumulant_norm, rel=1e-9)
    assert ours.trace_norm == pytest.approx(dense.trace_norm, rel=1e-9)


def test_triples_touching_zero_momentum_equal_the_response():
    """T̃(0, q, −q) is both a triple and a response; the two are accumulated apart."""
    model = mc.MODELS["ising-2d"]()
    geometry = Geometry((4, 4), triples((4, 4)))
    chain = mc.Chain(model, 4, seed=2)
    sums = geometry.empty()
    for _ in range(3):
        geometry.add(sums, chain.take(32)[0])
    found = cumulants(geometry, sums)
    legs = geometry.triples.legs
    for p in np.flatnonzero(legs[:, 0] == 0):
        q = legs[p, 1]
        expected = found.response[:, q] * geometry.signs[:, q]
        if q != 0 and legs[p, 1] == legs[p, 2]:  # q = −q
            np.testing.assert_allclose(found.triple[p], expected, atol=1e-9)
        elif q:
            symmetric = (found.triple[p] + 0) - expected
            np.testing.assert_allclose(symmetric, 0, atol=1e-9)


def test_sums_add_and_subtract():
    geometry = Geometry((3, 3), triples((3, 3)))
    chain = mc.Chain(mc.MODELS["ising-2d"](), 3, seed=0)
    a, b, both = geometry.empty(), geometry.empty(), geometry.empty()
    first, second = chain.take(8)[0], chain.take(8)[0]
    geometry.add(a, first)
    geometry.add(b, second)
    geometry.add(both, np.concatenate([first, second]))
    np.testing.assert_allclose((a + b).triple, both.triple, atol=1e-9)
    np.testing.assert_allclose((both - b).power, a.power, atol=1e-9)


def test_halves_are_unbiased_where_squares_are_not():
    """Few samples: T₁·T₂ scatters around the truth, T·T is far above it."""
    model, geometry = mc.MODELS["ising-2d"](), Geometry((3, 3), triples((3, 3)))
    product, square = [], []
    for seed in range(60):
        chain = mc.Chain(model, 3, seed=seed)
        chain.thermalise(50)
        halves = [geometry.empty(), geometry.empty()]
        for half in halves:
            geometry.add(half, chain.take(400, 5)[0])
        product.append(estimate(geometry, *halves).cumulant_norm)
        square.append(estimate(geometry, halves[0], halves[0]).cumulant_norm)
    exact = float(fisher.ising_curvature(3).cumulant_norm)
    error = np.std(product) / np.sqrt(60)
    assert abs(np.mean(product) - exact) < 4 * error + 0.05 * exact
    assert np.mean(square) > np.mean(product)


def test_too_few_samples_are_refused():
    geometry = Geometry((6, 6), triples((6, 6)))
    chain = mc.Chain(mc.MODELS["ising-2d"](), 6)
    sums = geometry.empty()
    geometry.add(sums, chain.take(1)[0])
    with pytest.raises(ValueError, match="too few"):
        estimate(geometry, sums, sums)
