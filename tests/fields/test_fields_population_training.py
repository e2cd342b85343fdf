"""Networks of populations: gradients that are right, embeddings that know no order, trainings that repeat and learn."""

import numpy as np
import pytest

from workbench import data, fields
from workbench.fields.population.laws import Population, populations
from workbench.fields.population.methods import FIELDS, methods_for
from workbench.fields.population.network import (
    EMBEDDINGS,
    PopulationNetwork,
    prepare_cloud,
    read_population_network,
)
from workbench.fields.population.shipped import STUDIES, shipped_knowledge
from workbench.progress import Cancelled, Progress

TOLD = ("deep-sets", "graph")


@pytest.mark.parametrize("embedding", TOLD)
def test_the_gradient_of_an_embedding_is_its_difference_quotient(embedding):
    network = PopulationNetwork.fresh(2, embedding, width=8, depth=1, seed=1)
    rng = np.random.default_rng(0)
    clouds = [prepare_cloud(rng.normal(size=(n, 2)), embedding) for n in (9, 40, 23)]  # of unequal sizes
    weights = rng.normal(size=(3, 32)).astype(np.float32)

    def value(row):
        other = PopulationNetwork(embedding, network.outer, row)
        return float((other.embeddings(clouds)[0].astype(np.float64) * weights).sum())

    slopes = np.zeros(len(network.row) - network.first, np.float32)
    network.pull(network.embeddings(clouds)[1], weights, slopes)
    for _ in range(3):
        along = np.zeros_like(network.row)
        along[network.first :] = rng.normal(size=len(slopes))
        along /= np.linalg.norm(along)
        slope = (value(network.row + 0.01 * along) - value(network.row - 0.01 * along)) / 0.02
        assert float(slopes @ along[network.first :]) == pytest.approx(slope, rel=2e-3, abs=2e-4)


def test_the_gradient_of_a_whole_step_follows_the_loss_down():
    """One step of Adam moves every parameter against its gradient: the embedding's own too."""
    those = populations("mixtures", 4, 40)
    for embedding in TOLD:
        before = PopulationNetwork.fresh(2, embedding, width=8, depth=1, seed=np.random.default_rng([0, 0]))
        after = fields.train_populations(those, embedding, 1, width=8, depth=1, batch=16, rate=1e-3)
        moved = np.abs(after.row - before.row)
        assert (moved[before.first :] > 5e-4).mean() > 0.9
        assert moved.max() < 1.1e-3


@pytest.mark.parametrize("embedding", TOLD)
def test_an_embedding_knows_no_order_and_tells_clouds_apart(embedding):
    network = PopulationNetwork.fresh(2, embedding, seed=2)
    x = np.random.default_rng(5).normal(size=(60, 2))
    phi = network.embed(x)
    np.testing.assert_allclose(network.embed(x[::-1]), phi, atol=1e-5)
    assert np.abs(network.embed(x + 1) - phi).max() > 1e-3
    assert np.isfinite(network.embed(np.repeat(x[:5], 8, axis=0))).all()  # duplicate points
    if embedding == "graph":
        assert np.linalg.norm(phi) == pytest.approx(1, abs=1e-5)
        matrix = prepare_cloud(np.repeat(x[:5], 8, axis=0), "graph").neighbours
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
        assert (np.diag(matrix) > 0).all()


def test_meta_flow_matching_learns_what_flow_matching_cannot():
    """Blobs that overlap and move by their shape: the gap is large, and half of it is learnt in a second or two."""
    training, other = populations("mixtures", 40, 60), populations("mixtures", 12, 60, held_out=True)
    networks = {
        name: fields.train_populations(training, name, 600, width=48, depth=2, batch=48, rate=3e-3)
        for name in ("none", "deep-sets")
    }
    known = fields.Known(training, networks)

    def off(method):
        ends = [fields.predict(method, one, known)[-1].mean(axis=0) - one.target.mean(axis=0) for one in other]
        return np.linalg.norm(ends, axis=1)

    plain, told = off("flow-matching"), off("meta-flow-matching")
    assert told.mean() < 0.6 * plain.mean()
    assert (told < plain).sum() >= 10
    assert off("exact").mean() < 0.4


def test_a_training_repeats_is_cancelled_and_refuses_in_words():
    those = populations("swarm", 3, 30)
    small = {"width": 8, "depth": 1, "batch": 16}
    one, again, other = (fields.train_populations(those, "graph", 5, seed=s, **small).row for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        fields.train_populations(those, steps=20, progress=progress, **small)
    with pytest.raises(ValueError, match="2 populations or more"):
        fields.train_populations(those[:1])
    odd = Population("odd", np.zeros((4, 3)), np.zeros((4, 3)), True)
    with pytest.raises(ValueError, match="odd has other coordinates"):
        fields.train_populations([*those, odd])
    halves = Population("halves", np.zeros((4, 2)), np.zeros((5, 2)), True)
    with pytest.raises(ValueError, match="4 points before and 5 after"):
        fields.train_populations([*those, halves])
    with pytest.raises(ValueError, match="deep-sets"):
        fields.train_populations(those, "transformer")


def test_networks_are_saved_and_others_refused(tmp_path):
    network = PopulationNetwork.fresh(2, "graph", width=8, depth=1)
    network.save(tmp_path / "one.safetensors")
    found = read_population_network(tmp_path / "one.safetensors")
    np.testing.assert_array_equal(found.row, network.row)
    assert found.embedding == "graph"
    with pytest.raises(ValueError, match="no network of populations"):
        read_population_network(data.path("fields/five_blobs_32_200.safetensors"))
    with pytest.raises(ValueError, match="parameters, got"):
        PopulationNetwork("graph", network.outer, network.row[:-1])


@pytest.mark.parametrize("kind", STUDIES)
def test_the_shipped_study_pairs_over_populations_and_its_networks_are_the_first(kind):
    ds = data.result(STUDIES[kind])
    names = ds.field.values.tolist()
    assert names == list(methods_for(kind))
    base = names.index("flow-matching")
    gain = (ds.distance.values[base] - ds.distance.values).mean(axis=1)
    np.testing.assert_allclose(ds.gain.values, gain, atol=1e-12)
    np.testing.assert_allclose(ds.wins.values, (gain > 0).sum(axis=1))
    assert ds.sizes["seed"] == 3
    known = shipped_knowledge(kind)
    assert sorted(known.networks) == sorted(EMBEDDINGS)
    points = len(known.training[0].source)
    one = populations(kind, 1, points, held_out=True)[0]
    from workbench.transport import wasserstein

    for method in ("flow-matching", "meta-flow-matching"):
        end = fields.predict(method, one, known)[-1]
        wanted = ds.distance.values[names.index(method), 0, 0]
        assert wasserstein(end, one.target) ** 0.5 == pytest.approx(wanted, abs=1e-4)
    assert all(FIELDS[name].fact("knows") for name in names)
