"""Steps that are proved leaf by leaf: they hold for the game itself, and what is a little more is refused."""

import json
from functools import cache

import numpy as np
import pytest
import scipy.optimize
from certificate_oracle import false_proof
from test_games_checker_fuzz import sealed

from workbench import games
from workbench.games.certificates import leafwise
from workbench.games.certificates.boxes import LeafBounds
from workbench.games.certificates.leaf_steps import common_vector
from workbench.games.experiments.simulate import certified_factor

PARTS = ("step_h0", "rate_h0", "z", "player_steps", "rate_players", "step_rk4")


@cache
def lq():
    """The scalar LQ game on a box that bounds over the whole region refuse, and its certificate."""
    example = games.GALLERY["scalar-lq"](radius=0.1)
    assert not games.certify(example.game, example.region, method="aggregate").certified
    return example, games.certify(example.game, example.region, alpha=1.0)


def honest():
    return json.loads(lq()[1].to_json())


def test_every_step_is_claimed_and_meant():
    _, certificate = lq()
    assert certificate.kind == "leafwise"
    report = games.verify(certificate.to_json())
    assert report
    said = " ".join(report.proves)
    for number in (certificate.step_h0, certificate.rate_h0, certificate.step_rk4, certificate.rate_players):
        assert repr(float(number)) in said
    assert certificate.factor(certificate.step_h0) == 1 - certificate.step_h0 * certificate.rate_h0
    assert certificate.step_h0 > 5 * certificate.step_paper  # what the whole effort is for


def test_the_game_itself_moves_as_proved():
    """Pairs of points of the region: Euler, RK4 and rates by player, against what the certificate says of them."""
    example, c = lq()
    game, rng = example.game, np.random.default_rng(4)
    inner = games.Box(0.5 * (example.region.lower + example.region.centre),
                      0.5 * (example.region.upper + example.region.centre))  # fmt: skip
    x, y = inner.sample(400, rng), inner.sample(400, rng)

    def norm(difference):
        return np.sqrt(np.sum(c.weights * difference**2, axis=1))

    for share in (0.1, 0.5, 1.0):
        h = share * c.step_h0
        moved = norm((x - h * game.field(x)) - (y - h * game.field(y)))
        assert np.all(moved <= (1 - h * c.rate_h0) * norm(x - y) * (1 + 1e-12))

        def rk4(start, h=share * c.step_rk4):
            slopes = [game.field(start)]
            for part in (0.5, 0.5, 1.0):
                slopes.append(game.field(start - part * h * slopes[-1]))
            return start - h / 6 * (slopes[0] + 2 * slopes[1] + 2 * slopes[2] + slopes[3])

        assert np.all(norm(rk4(x) - rk4(y)) <= norm(x - y) * (1 + 1e-12))
    rates = c.player_steps * rng.random((400, 2))
    moved = np.abs((x - rates * game.field(x)) - (y - rates * game.field(y))) / c.z
    before = np.max(np.abs(x - y) / c.z, axis=1, keepdims=True)
    assert np.all(moved <= (1 - rates * c.rate_players) * before * (1 + 1e-12))


def test_a_run_uses_what_is_proved():
    _, c = lq()
    h = 0.5 * c.step_h0
    assert certified_factor(c, np.full(2, h), "euler") == c.factor(h)
    assert certified_factor(c, np.full(2, h), "rk4") == 1.0
    unequal = c.player_steps * np.array([1.0, 0.25])
    proved = certified_factor(c, unequal, "euler")
    assert proved == pytest.approx(1 - unequal.min() * c.rate_players)
    assert certified_factor(c, unequal, "delayed", delay=0) == proved
    assert certified_factor(c, unequal, "delayed", delay=3) == pytest.approx(proved**0.25)
    assert np.isnan(certified_factor(c, 1.1 * c.player_steps * [1, 0.5], "euler"))
    ds = games.simulate(
        "scalar-lq", {"radius": 0.1}, dynamics="delayed", delay=2, steps=40, step=unequal, certificate=c
    )
    bound = float(ds.distance_max[0]) * float(ds.certified_factor) ** ds.step.values
    assert np.all(ds.distance_max.values <= np.maximum(bound, 1e-12) * (1 + 1e-9))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"step_h0": 1.2}, "step_h0"), ({"rate_h0": 2.0}, "step_h0"), ({"rate_h0": 1e6}, "step_h0"),
        ({"step_h0": 1e300}, "step_h0"), ({"rate_h0": None}, "step_h0"), ({"step_h0": None}, "rate_h0"),
        ({"rate_h0": -1.0}, "rate_h0"), ({"step_rk4": 1.01}, "step_rk4"), ({"step_rk4": 0.5}, "step_rk4"),
        ({"rate_players": 2.0}, "player_steps"), ({"player_steps": 1.01}, "player_steps"),
        ({"z": None}, "player_steps"), ({"player_steps": None}, "z"), ({"rate_players": None}, "z"), ({"z": -1.0}, "z"),
        ({"rate_players": -0.5}, "rate_players"),
    ],
)  # fmt: skip
def test_a_little_more_is_refused(change, field):
    """Numbers are factors of the honest ones. A rate of 1e6 makes 1 − h rate negative: its square is no bound."""
    forged = honest()
    for key, factor in change.items():
        old = forged[key]
        forged[key] = None if factor is None else [factor * x for x in old] if isinstance(old, list) else factor * old
    report = games.verify(sealed(forged))
    assert not report
    assert report.field == field
    true_all_the_same = ({"step_rk4": 0.5}, {"player_steps": 1.01})  # not what the entries mean, or not proved
    assert change in true_all_the_same or false_proof(forged) is not None


def test_a_vector_for_other_players_is_refused():
    forged = honest()
    forged["z"] = [1.0, 50.0]
    assert games.verify(sealed(forged)).field == "player_steps"


def test_less_may_be_claimed():
    for names in (("step_h0", "rate_h0"), ("z", "player_steps", "rate_players"), ("step_rk4",), PARTS):
        assert games.verify(sealed({**honest(), **dict.fromkeys(names)})), names
    old = {key: value for key, value in honest().items() if key not in ("rate_h0", "rate_players", "scale")}
    old = {**old, "version": 1, **dict.fromkeys(("step_h0", "step_rk4", "z", "player_steps"))}
    assert games.verify(sealed(old))
    again = games.Certificate.from_json(sealed(old))
    assert np.isnan(again.factor(1e-6))
    assert games.check(again.to_json())
    assert not games.verify(sealed({**old, "step_h0": 1e-9}))  # version 1 has no rate that could go with it
    assert "rates of their own" in " ".join(games.verify(sealed(old)).not_proved)


def test_shorter_steps_are_proved_by_longer_ones():
    """|T_h| is convex in h and 1 at 0, so the pair (h, rate) proves (s h, rate) for every s < 1."""
    for share in (0.5, 1e-3):
        assert games.verify(sealed({**honest(), "step_h0": share * honest()["step_h0"]}))


def test_rk4_is_one_circle_contractive():
    """Dahlquist and Jeltsch's condition, B A + Aᵀ B − b bᵀ + B/r ≥ 0 at r = 1, and at no larger r."""
    a = np.diag([0.5, 0.5, 1.0], -1)
    b = np.array([1, 2, 2, 1]) / 6

    def lowest(r):
        return np.linalg.eigvalsh(np.diag(b) @ a + a.T @ np.diag(b) - np.outer(b, b) + np.diag(b) / r)[0]

    assert lowest(1.0) >= -1e-15
    assert lowest(1.01) < 0


def test_the_common_vector_is_the_best():
    """Against a linear programme at a few rates: one above what is found has no solution, one below has."""
    rng = np.random.default_rng(8)
    for players in (1, 2, 4):
        mu = rng.uniform(1, 3, (7, players))
        couplings = rng.uniform(0, 0.6, (7, players, players)) * (1 - np.eye(players))
        z, rate = common_vector(LeafBounds(mu, mu, couplings))
        assert np.all(mu - couplings @ z / z >= rate - 1e-12)
        rows = np.concatenate([np.diag(m) - k for m, k in zip(mu, couplings, strict=True)])
        for factor, status in ((1 - 1e-6, 0), (1 + 1e-6, 2)):
            shifted = rows - factor * rate * np.tile(np.eye(players), (7, 1))
            found = scipy.optimize.linprog(np.ones(players), -shifted, np.zeros(len(rows)), bounds=(1, 1e9))
            assert found.status == status, (players, factor)


def test_leaves_are_refined_for_rates_by_player(monkeypatch):
    """Eight leaves do for the margin; z, which sees the worst row of each, needs finer ones."""
    e = games.expressions

    def field(x):
        own = 1 + 0.3 * (x[2] - x[2] ** 2)
        turn = [0.95 * e.sigmoid(sign * 8 * (x[2] - 0.5)) for sign in (1, -1)]
        return [own * x[0] + turn[0] * x[1], own * x[1] + turn[1] * x[0], x[2]]

    game, box = games.SmoothGame([1] * 3, field=field), games.Box([-0.01, -0.01, 0], [0.01, 0.01, 1])
    c = games.certify(game, box, alpha=0.1, method="leafwise")
    assert c.certified
    assert 0 < c.rate_players < 0.068  # at points the best is 0.0671
    assert games.check(c.to_json())
    monkeypatch.setattr(leafwise, "_finer_for_players", lambda question, tree, *rest: tree)
    coarse = games.certify(game, box, alpha=0.1, method="leafwise")
    assert coarse.certified
    assert coarse.player_steps is None
    assert len(coarse.tree) < len(c.tree)
