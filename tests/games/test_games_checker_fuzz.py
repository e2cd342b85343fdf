"""Certificates with changed claims: wherever a second engine says that a claim is false, the checker must refuse.

Changes are made to the parsed document and the digest is written anew, as a forger would. Single changes of every entry
and pairs of them; shipped certificates, one of each kind of game, proofs and refusals.
"""

import copy
import hashlib
import json
import math
from collections import Counter
from functools import cache

import numpy as np
import pytest
from certificate_oracle import Meaningless, false_proof, false_refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import data, games

FACTORS = (1 + 1e-6, 1 - 1e-6, 1.01, 0.99, 2.0, 0.5, -1.0)
SETS = (0.0, -1.0, 1.0, 1e-300, 1e300, 1.7e308, math.inf, -math.inf, math.nan, None, "inf", True, 5, 2**62, 10**400)


def _payoffs():
    return games.NormalFormGame([[[1, 0], [0, 2]], [[0, 1], [2, 0]]], temperature=2.0)


@cache
def seeds():
    """One small certificate of each kind, as parsed documents."""
    e = games.expressions
    sine = games.SmoothGame(
        [1, 1], costs=lambda x: [x[0] ** 2 + e.sin(x[0] * x[1]), x[1] ** 2 + 0.3 * x[0] * e.exp(x[1])]
    )
    waves = games.SmoothGame(
        [1, 1],
        costs=lambda x: [1e200 * (x[0] ** 2 + e.sin(x[0] * x[1])), 1e200 * (x[1] ** 2 + 0.3 * x[0] * e.exp(x[1]))],
    )
    blocks = games.SmoothGame(
        [1, 2],
        costs=lambda x: [
            x[0] ** 2 + 0.2 * x[0] * x[1],
            x[1] ** 2 + x[2] ** 2 + 0.5 * x[1] * x[2] + 0.1 * e.tanh(x[0]) * x[2] + 0.05 * x[1] ** 4,
        ],
    )
    box, cube = games.Box([-0.3, -0.3], [0.3, 0.3]), games.Box([-0.5] * 3, [0.5] * 3)
    with_basin = games.with_basin(sine, games.certify(sine, box, 0.2, method="leafwise"))
    trap = games.GALLERY["vertex-trap"]()
    dirac = games.GALLERY["dirac-gan"]()
    saddle = games.GALLERY["strict-saddle-lq"]()
    rng = np.random.default_rng(5)
    wide = rng.normal(size=(5, 5)) * 0.3 + 2 * np.eye(5)
    wide[:2, :2] = (wide[:2, :2] + wide[:2, :2].T) / 2
    wide[2:, 2:] = (wide[2:, 2:] + wide[2:, 2:].T) / 2
    made = {
        "bounds": games.certify(games.Bounds([1, 1], [1, 1], [[0, 10], [0.05, 0]])),
        "target": games.certify(games.Bounds([2, 0.5], [5, 1.5], [[0, 3], [0.2, 0]]), alpha=0.1),
        "ring": games.certify(games.Bounds([1] * 3, [1] * 3, [[0, 4, 0], [0, 0, 0.5], [0.3, 0, 0]])),
        "one-way": games.certify(games.Bounds([1, 2], [1, 2], [[0, 3], [0, 0]])),
        "quadratic": games.certify(games.GALLERY["lq-wgan"]().game),
        "blocks of a matrix": games.certify(games.QuadraticGame(wide, sizes=[2, 3])),
        "normal form": games.certify(_payoffs()),
        "aggregate": games.certify(sine, box, method="aggregate"),
        "field": games.certify(dirac.game, dirac.region),
        "leafwise": games.certify(blocks, cube, 0.1, method="leafwise"),
        "basin": with_basin,
        "other units": games.certify(
            games.Bounds([2e200, 1e200], [3e200, 4e200], [[0, 5e200], [2e199, 0]]), alpha=1e199
        ),
        "other variables": games.certify(games.Bounds([1, 1], [1, 2], [[0, 1e16], [5e-18, 0]])),
        "leaves in other units": games.certify(waves, box, 5e199, method="leafwise"),
        "refused in other units": games.certify(games.Bounds([1e-200] * 2, [1e-200] * 2, [[0, 2e-200], [6e-201, 0]])),
        "refused bounds": games.certify(games.Bounds([1, 1], [1, 1], [[0, 2], [0.6, 0]])),
        "refused target": games.certify(games.Bounds([1, 1], [1, 1], [[0, 0.5], [0.6, 0]]), alpha=0.9),
        "refused matrix": games.certify(games.GALLERY["bilinear"]().game),
        "refused blocks": games.certify(games.QuadraticGame(wide - 1.9 * np.eye(5), sizes=[2, 3])),
        "refused payoffs": games.certify(games.NormalFormGame([[[1, 0], [0, 2]], [[0, 1], [2, 0]]], temperature=0.3)),
        "refused point": games.certify(trap.game, trap.region),
        "refused saddle": games.certify(saddle.game, saddle.region),
    }
    documents = {name: json.loads(certificate.to_json()) for name, certificate in made.items()}
    for name in ("toy", "cournot", "trap"):
        documents[f"shipped {name}"] = json.loads(data.path(f"games/{name}.json").read_text())
    return documents


def sealed(document):
    """The JSON text with a digest that fits; what is no JSON number goes in as Python writes it."""
    content = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps({**content, "digest": hashlib.sha256(text.encode()).hexdigest()})


def spots(value, path=()):
    """The paths of all entries, those inside lists and objects too."""
    if path and path[0] in ("reason", "digest"):
        return
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from spots(entry, (*path, key))


def changes(old):
    """What an entry may be changed into."""
    if isinstance(old, bool):
        return [not old, None, 1]
    if isinstance(old, int):
        return [old + 1, old - 1, -old - 1, 64, 10**6, 2**63, float(old), None]
    if isinstance(old, float):
        return [old * f for f in FACTORS] + list(SETS)
    if isinstance(old, str):
        words = ("add", "sub", "mul", "div", "neg", "exp", "tanh", "sin", "sqrt", "pow", "const", "var", "system")
        words += (
            "costs",
            "field",
            "CERTIFIED",
            "REFUSED",
            "perron",
            "leafwise",
            "bounds",
            "quadratic",
            "smooth",
            "inf",
        )
        return [word for word in words if word != old] + [None, 0]
    if isinstance(old, list):
        bigger = [*old, old[-1]] if old else [0]
        return [
            old[:-1],
            bigger,
            old[::-1],
            [old, old],
            [],
            None,
            *([[old[1], old[0], *old[2:]]] if len(old) > 1 else []),
        ]
    if isinstance(old, dict):
        return [{**old, "extra": 1}, dict(list(old.items())[1:]), None, [old]]
    return [0.0, 1.0, -1.0, 1e300, "inf", True, [], [1.0, 1.0], [0.5, 2.0], {}]


def at(document, path):
    for key in path:
        document = document[key]
    return document


def changed(document, edits):
    """A copy with every (path, value) put in; None if a path is gone after an earlier change."""
    result = copy.deepcopy(document)
    for path, value in edits:
        try:
            place = at(result, path[:-1])
            at(place, path[-1:])  # an object takes any new key, but this one must still be there
            place[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            return None
    return result


def judge(document, counts):
    """Ask both engines; a false claim that is accepted fails at once, with what the second engine found."""
    text = sealed(document)
    proof, refusal = games.verify(text), games.check_refusal(text)
    assert not (proof.valid and refusal.valid)
    findings = []
    for report, false in ((proof, false_proof), (refusal, false_refusal)):
        try:
            finding = false(document)
        except Meaningless as nothing:
            finding = f"no meaning: {nothing}"
        except (mpmath_trouble(), np.linalg.LinAlgError):
            finding = None
        findings.append(finding)
        assert not (finding and report.valid), (finding, text[:3000])
    counts["false" if all(findings) else "not known to be false"] += 1  # neither a true proof nor a true refusal
    counts["accepted" if proof.valid or refusal.valid else "refused"] += 1


def mpmath_trouble():
    import mpmath

    return mpmath.libmp.NoConvergence


def singles(document):
    return [(path, value) for path in spots(document) for value in changes(at(document, path))]


def test_the_second_engine_finds_nothing_false_in_what_is_true():
    for name, document in seeds().items():
        kind = "REFUSED" if name.startswith("refused") or "trap" in name else "CERTIFIED"
        assert document["status"] == kind, (name, document["reason"])
        text = sealed(document)
        report = games.verify(text) if kind == "CERTIFIED" else games.check_refusal(text)
        assert report.valid, (name, report.message)
        assert (false_proof if kind == "CERTIFIED" else false_refusal)(document) is None, name


def run(name, number_of_singles, number_of_pairs, seed=0):
    document, rng, counts = seeds()[name], np.random.default_rng(seed), Counter()
    every = singles(document)
    chosen = (
        every
        if number_of_singles >= len(every)
        else [every[k] for k in rng.choice(len(every), number_of_singles, replace=False)]
    )
    for edit in chosen:
        judge(changed(document, [edit]), counts)
    for _ in range(number_of_pairs):
        pair = [every[k] for k in rng.integers(0, len(every), 2)]
        if (other := changed(document, pair)) is not None:
            judge(other, counts)
    return counts


@pytest.mark.parametrize("name", list(seeds()))
def test_changed_claims_that_are_false_are_refused(name):
    counts = run(name, 70, 40)
    assert counts["false"] > 50


NEW = ("step_h0", "rate_h0", "step_rk4", "player_steps", "rate_players", "z", "scale", "version")


@pytest.mark.parametrize("name", ["leafwise", "other units", "leaves in other units", "refused in other units"])
def test_every_change_of_what_version_2_brought(name):
    """Changes of the steps leaf by leaf, the scale and the version, some with a change of another entry."""
    document, counts = seeds()[name], Counter()
    every, rng = singles(document), np.random.default_rng(2)
    chosen = [edit for edit in every if edit[0][0] in NEW]
    for edit in chosen:
        more = [every[rng.integers(len(every))]] if rng.random() < 0.3 else []
        other = changed(document, [edit, *more]) if rng.random() < 0.6 else None
        if other is not None:
            judge(other, counts)
    assert counts["false"] > 30


def small(document):
    """A few telling changes of each entry, so that all their pairs can be tried."""
    kept = []
    for path in spots(document):
        old = at(document, path)
        if isinstance(old, float):
            kept += [(path, old * f) for f in (1 + 1e-6, 1 - 1e-6, 2.0, -1.0)] + [(path, 1e300)]
        elif not isinstance(old, (list, dict)):
            kept += [(path, value) for value in changes(old)[:2]]
    return kept


def all_pairs(name, every=1, counts=None):
    document, counts = seeds()[name], Counter() if counts is None else counts
    edits, number = small(document), 0
    for i, first in enumerate(edits):
        for second in edits[i + 1 :]:
            number += 1
            if number % every == 0 and first[0] != second[0]:
                judge(changed(document, [first, second]), counts)
    return counts


def test_pairs_of_changes_of_the_toy():
    counts = all_pairs("shipped toy", every=23)
    assert counts["false"] > 500


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shipped toy", "bounds", "target", "one-way", "refused bounds", "refused matrix"])
def test_all_pairs_of_single_changes(name):
    counts = all_pairs(name)
    print(name, dict(counts))
    assert counts["false"] > 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", list(seeds()))
def test_many_changed_claims(name):
    slow = seeds()[name]["tree"] is not None  # boxes of a region: each check takes a hundred times as long
    counts = run(name, 400 if slow else 1500, 400 if slow else 1500, seed=1)
    print(name, dict(counts))


# ---- malformed documents -----------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["inf", "1e400000000", "nan", "-inf", "1/3", 10**30, -0.0, 5e-324]),
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(seeds())), st.integers(0, 10**6), ANYTHING)
def test_anything_in_any_place_is_judged_without_an_error(name, number, value):
    document = seeds()[name]
    paths = list(spots(document))
    judge(changed(document, [(paths[number % len(paths)], value)]), Counter())


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200),
        ANYTHING.map(lambda x: json.dumps(x)),
        ANYTHING.map(lambda x: {"format": "workbench-games-certificate", "version": 2, "x": x}).map(sealed),
    )
)
def test_any_bytes_are_refused_with_a_sentence(content):
    content = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    report = games.verify(content)
    assert not report.valid
    assert report.message


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_bytes_changed_cut_or_doubled_are_refused(draw):
    text = data.path("games/toy.json").read_bytes()
    at_byte = draw.draw(st.integers(0, len(text) - 1))
    kind = draw.draw(st.sampled_from(["cut", "byte", "double"]))
    other = {
        "cut": text[:at_byte],
        "byte": text[:at_byte] + draw.draw(st.binary(min_size=1, max_size=3)) + text[at_byte + 1 :],
        "double": text[:at_byte] + text[at_byte:] + text[at_byte:],
    }[kind]
    same = True
    try:
        same = json.loads(other) == json.loads(text)
    except ValueError:
        same = False
    if not same:
        assert not games.verify(other).valid
