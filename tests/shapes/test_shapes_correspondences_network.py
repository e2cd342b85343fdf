"""The paper's losses and terms: against the plain formulas, blind where they are blind, the same for the same seed."""

import numpy as np
import pytest
import torch

from workbench import data, shapes
from workbench.shapes import verdicts as room
from workbench.shapes.correspondences import maps, network, verdicts
from workbench.shapes.correspondences.matching import bases, described
from workbench.verdicts import Outcome


@pytest.fixture(scope="module")
def sides():
    pair = shapes.shape_pair("remeshed", 100, seed=3)
    x, y = bases(pair.x, pair.y, 20)
    return pair, x.first(20), y.first(20), *described(x, y, "wks")


def trained(sides, **settings):
    _, x, y, a, b = sides
    return network.train(x, y, a, b, iterations=settings.pop("iterations", 4), **settings)


def test_the_map_in_torch_is_the_map_in_numpy(sides):
    _, x, y, *_ = sides
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 64)), rng.normal(size=(20, 64))
    mask = maps.resolvent_mask(x.values, y.values)
    found = network.solved(*(torch.from_numpy(one) for one in (a, b, mask)), mu=100.0)
    assert np.allclose(found.numpy(), maps.solve_map(a, b, mask, 100.0), atol=1e-5)


def test_soft_maps_are_rows_of_shares_that_follow_the_cosine():
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.randn(n, 8, generator=rng) for n in (5, 7))
    forth, back = network.soft_maps(a, b)
    assert torch.allclose(forth.sum(dim=1), torch.ones(5))
    assert torch.allclose(back.sum(dim=1), torch.ones(7))
    cosines = torch.nn.functional.cosine_similarity(a[:, None], b[None], dim=2)
    assert torch.allclose(forth, torch.softmax(cosines / 0.07, dim=1), atol=1e-6)
    assert torch.equal(forth.argmax(dim=1), cosines.argmax(dim=1))


def test_the_losses_vanish_for_a_surface_and_itself_with_a_sharp_soft_map(sides):
    _, x, _, a, _ = sides
    side = network._side(x, a, a.mean(axis=0), a.std(axis=0))
    mask = torch.from_numpy(maps.resolvent_mask(x.values, x.values)).float()

    def loss(soft, rank=20):
        # features that determine the map: the eigenfunctions themselves
        functions, rng = side.functions, np.random.default_rng(0)
        state = network.State(side, side, functions, functions, soft, soft, soft, soft, rng, rank)
        return float(network.map_losses(state, (mask, mask)))

    exact = torch.eye(100)
    assert loss(exact) < 1e-6
    assert loss(exact[torch.randperm(100, generator=torch.Generator().manual_seed(1))]) > 1
    # of a part with 12 functions the other 8 diagonal entries should be 0: each is wrong by 1 in two losses
    assert loss(exact, rank=12) == pytest.approx(16.0, rel=1e-4)


def test_the_published_term_is_blind_to_the_order_of_features(sides):
    _, x, _, a, _ = sides
    side = network._side(x, a, a.mean(axis=0), a.std(axis=0))
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(size=(100, 64))).float()
    scrambled = torch.eye(100)[rng.permutation(100)]
    state = network.State(side, side, features, features, scrambled, scrambled, scrambled, scrambled, rng, 20)
    assert float(network.published(state)) < 1e-5
    far = network.State(side, side, features, features + 1.0, scrambled, scrambled, scrambled, scrambled, rng, 20)
    assert float(network.published(far)) == pytest.approx(1.0, rel=0.15)  # |t|/√d of a shift by t = (1, …, 1)
    assert float(network.by_area(far)) == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize("term", list(network.TERMS))
def test_every_term_trains_and_the_same_seed_gives_the_same_features(sides, term):
    state = torch.get_rng_state()
    one, other = trained(sides, term=term, seed=2), trained(sides, term=term, seed=2)
    assert torch.equal(torch.get_rng_state(), state)  # nobody else's random numbers were used
    assert np.array_equal(one.of_x, other.of_x)
    assert np.array_equal(one.losses, other.losses)
    assert not np.array_equal(one.of_x, trained(sides, term=term, seed=3).of_x)
    assert one.losses.shape == (4,)
    assert one.c.shape == (20, 20)


def test_training_lowers_its_loss_and_the_refinement_goes_on(sides):
    found = trained(sides, iterations=25, refine=2, seed=0)
    assert found.losses.shape == (27,)
    assert np.isfinite(found.losses).all()
    assert found.losses[24] < 0.8 * found.losses[0]
    with pytest.raises(ValueError, match="unknown transport term 'sliced'"):
        trained(sides, term="sliced")


def test_features_match_better_than_chance(sides):
    pair = sides[0]
    found = shapes.match(pair.x, pair.y, method="ot-features", k=20, k_final=30, iterations=25)
    ds = shapes.correspondence_error(pair, found)
    assert float(ds["mean"]) < 0.25


# ---- studies and verdicts -------------------------------------------------------------------------------------------


def test_shipped_studies_hold_what_the_verdicts_read():
    term, methods = data.result(verdicts.TERM), data.result(verdicts.METHODS)
    assert np.isfinite(term.error).all()
    assert {"none", "published", "area", "refined"} <= set(term.term.values)
    assert np.isfinite(methods["mean"]).all()
    assert float((methods.floor / methods["mean"].min("matcher")).max()) < 1.3  # hardly a map beats its basis


@pytest.mark.parametrize("claim", verdicts.CLAIMS, ids=lambda claim: claim.says[:40])
def test_every_claim_has_a_sentence_and_an_outcome(claim):
    row = claim.verdict()
    assert row.outcome in Outcome
    assert "nan" not in row.measured
    assert claim.says in {one.says for one in room.CLAIMS}


def test_another_number_gives_another_outcome():
    claim = verdicts.CLAIMS[0]
    numbers = dict(claim.measure())

    def outcome(low, high, late_low, late_high):
        given = {"low": low, "high": high, "late_low": late_low, "late_high": late_high}
        return claim.verdict({**numbers, **given}).outcome

    assert outcome(-3, -1, -3, -1) is Outcome.HOLDS
    assert outcome(-3, -1, -3, 1) is Outcome.PARTLY
    assert outcome(1, 3, 1, 3) is Outcome.FAILS
    assert outcome(-3, 1, -3, 1) is Outcome.OPEN
    assert outcome(float("nan"), 1, -3, 1) is Outcome.OPEN


def test_a_cell_of_the_shipped_study_is_found_again():
    shipped = data.result(verdicts.METHODS)
    again = shapes.matcher_study(("partial",), ("zoomout",), (1,))
    there = shipped.sel(pair="partial", matcher="zoomout", seed=1)
    assert float(again["mean"].squeeze()) == pytest.approx(float(there["mean"]), rel=0.05)
    assert float(again.floor.squeeze()) == pytest.approx(float(there.floor), rel=0.05)
