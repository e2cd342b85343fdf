"""Cluster updates: the exact distribution on a tiny lattice, the exact energy on a larger one, the same run again."""

import itertools

import numpy as np
import pytest
from scipy import stats

from workbench import fisher
from workbench.fisher import monte_carlo as mc
from workbench.fisher.monte_carlo.models import neighbours


@pytest.mark.parametrize("algorithm", list(mc.ALGORITHMS))
@pytest.mark.parametrize(("model", "J"), [("ising-2d", 0.2), ("potts-3", 0.4)])
def test_energy_histogram_is_the_boltzmann_distribution(algorithm, model, J):
    """χ² of satisfied-bond counts on the 3 × 3 torus against enumeration, samples spaced to be independent."""
    made = mc.MODELS[model]()
    chain = mc.Chain(made, 3, J, algorithm, seed=3)
    chain.thermalise(50)
    near = neighbours((3, 3))[:, :2]
    colourings = np.array(list(itertools.product(range(made.colours), repeat=9)), dtype=np.int8)
    satisfied = (colourings[:, :, None] == colourings[:, near]).sum(axis=(1, 2))
    weights = np.exp(made.scale * J * satisfied)
    probability = np.bincount(satisfied, weights, minlength=19) / weights.sum()
    fields, _, _ = chain.take(20_000, 6)
    counts = np.bincount(((fields - made.offset) / made.scale).sum(axis=(1, 2, 3)).round().astype(int), minlength=19)
    common = probability * 20_000 > 20
    chi2 = ((counts - 20_000 * probability)[common] ** 2 / (20_000 * probability)[common]).sum()
    assert stats.chi2.sf(chi2, common.sum() - 1) > 1e-3


@pytest.mark.parametrize("algorithm", list(mc.ALGORITHMS))
def test_critical_energy_is_exact(algorithm):
    chain = mc.Chain(mc.MODELS["ising-2d"](), 16, algorithm=algorithm, seed=1)
    chain.thermalise(200)
    series = chain.take(6000, 1)[0].mean(axis=(1, 2, 3))
    exact = float(fisher.ising_curvature(16).mean_energy[0])
    assert abs(series.mean() - exact) < 4 * mc.blocked_error(series)


@pytest.mark.parametrize("algorithm", ["swendsen_wang", "wolff"])
def test_public_sampler_gives_the_same_energy(algorithm):
    """mcising is not a dependency; where it is installed the two must agree within their errors."""
    mcising = pytest.importorskip("mcising", reason="the public sampler mcising is not installed")
    L, J = 12, 0.4
    config = mcising.SimulationConfig(
        lattice=mcising.LatticeConfig(size=L), algorithm=mcising.Algorithm(algorithm), seed=5, temperatures=(1 / J,),
        n_sweeps=8000, n_thermalization=300, measurement_interval=1, store_configs=False,
    )  # fmt: skip
    (theirs,) = mcising.Simulation(config).run(show_progress=False).energy.values()
    theirs = -theirs / 2  # energy of a site to mean energy of its two bonds, with the other sign
    chain = mc.Chain(mc.MODELS["ising-2d"](), L, J, algorithm.replace("_", "-"), seed=1)
    chain.thermalise(200)
    ours = chain.take(8000)[0].mean(axis=(1, 2, 3))
    error = np.hypot(mc.blocked_error(ours), mc.blocked_error(theirs))
    assert abs(ours.mean() - theirs.mean()) < 4 * error
    assert abs(ours.mean() - float(fisher.ising_curvature(L, J).mean_energy[0])) < 4 * mc.blocked_error(ours)


def test_same_seed_same_chain_and_sweeps_add_up():
    a, b = (mc.Chain(mc.MODELS["potts-4"](), 6, seed=9) for _ in range(2))
    a.sweep(10)
    for _ in range(10):
        b.sweep(1)
    np.testing.assert_array_equal(a.spins, b.spins)
    np.testing.assert_array_equal(a.state, b.state)
    other = mc.Chain(mc.MODELS["potts-4"](), 6, seed=10)
    other.sweep(10)
    assert (other.spins != a.spins).any()


def test_neighbours_of_a_cube():
    near = neighbours((3, 3, 3))
    assert near.shape == (27, 6)
    for axis in range(3):
        np.testing.assert_array_equal(near[near[:, axis], axis + 3], np.arange(27))


def test_bond_fields_and_order():
    chain = mc.Chain(mc.MODELS["ising-2d"](), 4, J=5.0)
    fields, order, _ = chain.take(3)
    assert fields.shape == (3, 2, 4, 4)
    assert (fields == 1).all()
    assert (order == 1).all()


def test_refusals():
    model = mc.MODELS["ising-2d"]()
    with pytest.raises(ValueError, match="doubled"):
        mc.Chain(model, 2)
    with pytest.raises(ValueError, match="greater than 0"):
        mc.Chain(model, 4, J=0.0)
    with pytest.raises(ValueError, match="Did you mean 'wolff'"):
        mc.Chain(model, 4, algorithm="wolf")
