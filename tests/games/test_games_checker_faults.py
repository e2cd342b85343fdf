"""Forged certificates that were once accepted, one test each: what the checker accepts must be true."""

import json
import math
import os
import sys
import time
from itertools import product

import numpy as np
import pytest
from certificate_oracle import false_proof
from test_games_checker_fuzz import sealed, seeds

from workbench import data, games
from workbench.games.verifier import document, examine_apart, grammar, work
from workbench.games.verifier.document import Refused
from workbench.progress import Cancelled, Progress


def toy():
    return json.loads(data.path("games/toy.json").read_text())


def refused(forged, field=None):
    """Both questions about a forged document are answered no; returns the first answer."""
    text = sealed(forged)
    report = games.verify(text)
    assert not report.valid
    assert not games.check_refusal(text).valid
    assert report.message
    assert report.proves == report.not_proved == ()
    if field is not None:
        assert report.field == field, report
    return report


# ---- comparisons that meet what is no number --------------------------------------------------------------------


def test_an_overflowing_vector_does_not_prove_a_small_beta():
    """beta = 1e-3 and a step of 5.9e5 for the toy, whose true step is 0.2."""
    forged = toy()
    couplings = forged["bounds"]
    couplings["rows"], couplings["columns"] = [0, 1, *couplings["rows"]], [1, 0, *couplings["columns"]]
    couplings["values"] = [0.0, 0.0, *couplings["values"]]
    forged["beta"], forged["beta_vector"] = 1e-3, [1.7e308, 1.7e308]
    forged["step_paper"] = forged["step_rk4"] = 2 * forged["margin"] / forged["beta"] ** 2
    refused(forged)
    couplings["rows"], couplings["columns"], couplings["values"] = [0, 1], [1, 0], [10.0, 0.05]
    refused(forged, "beta_vector")
    for large in (1e300, 1e200, 1e-300, 5e-324):
        forged["beta_vector"] = [large, large]
        refused(forged, "beta")


@pytest.mark.parametrize("name", ["beta", "margin", "step_paper", "step_h0", "step_sharp", "step_rk4", "tau", "target"])
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1.7e308, -1e301, "inf", "1e400000000", True, 2**63, [1.0]]
)
def test_a_number_is_a_finite_number(name, value):
    forged = toy()
    forged[name] = value
    refused(forged)


@pytest.mark.parametrize("name", ["z", "v", "weights", "beta_vector", "sharp_vector", "player_steps"])
@pytest.mark.parametrize("value", [math.nan, math.inf, 1.7e308, 0.0, -1.0, "1.0", None, False])
def test_an_entry_of_a_vector_is_a_finite_positive_number(name, value):
    forged = toy()
    forged[name][1] = value
    refused(forged)


def test_vectors_at_the_edge_of_the_numbers_are_decided_in_rationals():
    """Products that overflow or vanish in floating point: the true claim passes, the false one does not."""
    honest = toy()
    for scale in (1e-290, 1e280):
        document_ = json.loads(json.dumps(honest))
        for name in ("z", "v", "beta_vector", "sharp_vector"):
            document_[name] = [x * scale for x in document_[name]]
        document_["margin"] = document_["target"] = 0.29
        document_["step_paper"] = 2 * 0.29 / document_["beta"] ** 2 * (1 - 1e-15)
        document_["attained"], document_["tau"] = False, honest["tau"]
        document_["weights"] = [1.0, document_["v"][1] / document_["z"][1] * (document_["z"][0] / document_["v"][0])]
        document_["band"] = None
        assert games.verify(sealed(document_)).valid, games.verify(sealed(document_)).message
        document_["beta"] *= 0.999
        document_["step_paper"] = 2 * 0.29 / document_["beta"] ** 2 * (1 - 1e-15)
        refused(document_, "beta")


# ---- programs that the writer would never write -----------------------------------------------------------------


def smooth():
    """x^2/2 - 1/x by an exponent of -1: a certificate of margin 1 for a game that has 1 - 2/x^3."""
    e = games.expressions
    game = games.SmoothGame([1, 1], costs=lambda x: [x[0] ** 2 / 2 - 0.0 * e.exp(x[1]), x[1] ** 2 / 2])
    return json.loads(games.certify(game, games.Box([0.5, 0.5], [1.5, 1.5])).to_json())


def test_an_exponent_below_two_is_no_formula():
    forged = smooth()
    assert games.check(sealed(forged))
    program = forged["game"]["program"]
    for exponent in (-1, 0, 1, 65, -2, 2.0, True, "2", None, 2**62):
        program["instructions"] = [
            ["var", [], 0], ["var", [], 1], ["pow", [0], 2], ["const", [], 0.5], ["mul", [2, 3], 0],
            ["pow", [0], exponent], ["sub", [4, 5], 0], ["pow", [1], 2], ["mul", [7, 3], 0],
        ]  # fmt: skip
        program["outputs"] = [6, 8]
        report = refused(forged)
        assert "exponent" in report.message
    assert "within mu and ell" in false_proof(
        {**forged, "game": {**forged["game"], "program": _with(program, 5, 2, -1)}}
    )


def _with(program, number, place, value):
    instructions = [list(entry) for entry in program["instructions"]]
    instructions[number][place] = value
    return {**program, "instructions": instructions}


@pytest.mark.parametrize(
    "instruction",
    [
        ["system", [0], 0], ["pow", [], 2], ["pow", [0, 0], 2], ["add", [0], 0], ["add", [0, 1, 1], 0],
        ["mul", [0, 99], 0],
        ["mul", [0, -1], 0], ["mul", [0, 1.0], 0], ["mul", [0, True], 0], ["mul", [0, 1], 1], ["exp", [0], 0.0],
        ["var", [], 2], ["var", [], -1], ["var", [], 0.0], ["var", [0], 0], ["const", [], "1"], ["const", [], None],
        ["const", [], 1e301], ["const", [0], 1.0], ["exp", 0, 0], ["exp", [0]], ["exp", [0], 0, 0], [0, [0], 0],
        "exp", None, [], {"exp": 1}, [["exp"], [0], 0],
    ],
)  # fmt: skip
def test_every_part_of_an_instruction_is_checked(instruction):
    plain = games.SmoothGame([1, 1], costs=lambda x: [x[0] ** 2, x[1] ** 2]).payload()
    grammar.formulas(plain)
    plain["program"]["instructions"].append(instruction)
    with pytest.raises(Refused) as told:
        grammar.formulas(plain)
    assert "instruction 4" in str(told.value)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": 3}, {"inputs": 2.0}, {"inputs": True}, {"outputs": [0]}, {"outputs": [0, 9]}, {"outputs": [0, -1]},
        {"outputs": [0, 1, 1]}, {"outputs": None}, {"outputs": [0, 1.0]}, {"instructions": []}, {"instructions": None},
    ],
)  # fmt: skip
def test_the_counts_of_a_program_are_checked(change):
    plain = games.SmoothGame([1, 1], costs=lambda x: [x[0] ** 2, x[1] ** 2]).payload()
    for whole in (
        {**plain, "program": {**plain["program"], **change}},
        {**plain, "sizes": [2]},
        {**plain, "sizes": [1, 0, 1]},
    ):
        with pytest.raises(Refused):
            grammar.formulas(whole)


# ---- one meaning for a document ---------------------------------------------------------------------------------


def test_a_coupling_that_is_listed_twice_is_refused():
    """The band took the last entry, the margin the sum: a band from 1e-6 where the form has eigenvalue -9.05."""
    forged = toy()
    couplings = forged["bounds"]
    couplings["rows"], couplings["columns"] = [0, 0, 1], [1, 1, 0]
    couplings["values"] = [10.0, 0.0, 0.05]
    forged["band"] = [1e-6, forged["band"][1]]
    assert "twice" in refused(forged).message


def test_ragged_payoffs_are_refused():
    honest = seeds()["normal form"]
    for payoffs in (
        [[[1.0, 0.0], [0.0]], [[0.0, 1.0], [2.0, 0.0]]],
        [[[1.0, 0.0], [0.0, 2.0]], [[0.0, 1.0, 5.0], [2.0, 0.0, 5.0]]],
        [[[1.0, 0.0], [0.0, 2.0]]],
        [[[1.0, 0.0], [0.0, 2.0]], [0.0, 1.0]],
        [[[1.0, 0.0], [0.0, [2.0]]], [[0.0, 1.0], [2.0, 0.0]]],
        [[], []],
        [[[]], [[]]],
    ):
        refused({**honest, "game": {**honest["game"], "payoffs": payoffs}})


@pytest.mark.parametrize("version", [0, 3, 1.0, 2.0, "1", True, None, 10**9])
def test_any_other_version_is_refused(version):
    refused({**toy(), "version": version}, "version")


@pytest.mark.parametrize("key", sorted(toy().keys() - {"digest"}))
def test_a_key_that_is_missing_or_unknown_or_double_is_refused(key):
    honest = toy()
    refused({k: v for k, v in honest.items() if k != key})
    refused({**honest, f"{key}_": honest[key]})
    text = sealed(honest)
    double = text.replace(f'"{key}":', f'"{key}": null, "{key}":', 1)
    assert double != text
    assert not games.verify(double).valid


@pytest.mark.parametrize("where", ["bounds", "game", "region", "program", "basin", "witness"])
def test_inner_objects_have_a_closed_schema_too(where):
    honest = seeds()["refused point"] if where == "witness" else seeds()["basin"]
    if where == "bounds":
        honest = toy()
    for change in ("unknown", "missing"):
        forged = json.loads(json.dumps(honest))
        inner = forged["game"]["program"] if where == "program" else forged[where]
        if change == "unknown":
            inner["note"] = 1
        else:
            inner.pop(next(iter(inner)))
        refused(forged)


# ---- claims that were not looked at -----------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [0.2, 0.29, 0.3, 5.0, -1.0, 0.0])
def test_tau_is_the_best_margin(tau):
    refused({**toy(), "tau": tau})
    refused({**toy(), "tau": tau, "attained": False}, "tau")


def test_a_wide_bound_does_not_make_any_tau_true():
    """The tolerance was relative to the largest coupling: one of 1e300 let every tau pass."""
    honest = seeds()["refused matrix"]
    assert games.check_refusal(sealed(honest))
    for number in (0, 1):
        forged = json.loads(json.dumps(honest))
        forged["bounds"]["values"][number] = 1e300
        refused(forged)
        assert games.check_refusal(sealed(forged)).field == "tau"
        assert games.check_refusal(sealed({**forged, "tau": None}))  # the game is refused all the same
    for factor in (1 + 1e-6, 1 - 1e-6):
        refused({**toy(), "tau": toy()["tau"] * factor})


def test_tau_is_proved_where_coupling_runs_one_way():
    certificate = games.certify(games.Bounds([1, 2], [1, 2], [[0, 3], [0, 0]]))
    assert certificate.certified
    assert certificate.tau == pytest.approx(1)
    assert not certificate.attained
    honest = json.loads(certificate.to_json())
    refused({**honest, "attained": True}, "attained")
    refused({**honest, "tau": 0.995}, "tau")
    refused({**honest, "tau": 1.01}, "tau")
    refused({**honest, "tau": None, "attained": True}, "attained")
    assert games.check(sealed({**honest, "tau": None}))  # it claims less


@pytest.mark.parametrize("factor", [1.001, 2.0, 0.5, 20.0])
def test_the_paper_step_of_a_leafwise_certificate_is_that_of_its_formula(factor):
    honest = json.loads(data.path("games/cournot.json").read_text())
    refused({**honest, "step_paper": honest["step_paper"] * factor}, "step_paper")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tau", 1.2), ("attained", True), ("z", [1.0, 1.0]), ("v", [1.0, 1.0]), ("beta_vector", [1.0, 1.0]),
        ("sharp_vector", [1.0, 1.0]), ("step_h0", 0.07), ("step_rk4", 0.01), ("player_steps", [0.01, 0.01]),
        ("band", [0.5, 2.0]), ("witness", {"vector": [1.0, 1.0], "ceiling": 0.0}),
    ],
)  # fmt: skip
def test_a_leafwise_certificate_cannot_claim_what_is_not_proved(key, value):
    refused({**json.loads(data.path("games/cournot.json").read_text()), key: value}, key)


def test_a_band_without_end_needs_positive_curvature_too():
    """Both ends special, so that no comparison was made: mu = (1, 2), target 1.5."""
    honest = json.loads(games.certify(games.Bounds([2, 2], [2, 2], [[0, 0], [0, 0]]), alpha=1.5).to_json())
    assert games.check(sealed({**honest, "band": [0.0, "inf"]}))
    for mu in ([1.0, 2.0], [2.0, 1.5]):
        refused({**honest, "band": [0.0, "inf"], "bounds": {**honest["bounds"], "mu": mu}})


@pytest.mark.parametrize(
    "band", [[0.0, 100.0], ["inf", "inf"], [100.0, 40.0], [1.0], [40.0, 100.0, 200.0], ["40.0", 100.0]]
)
def test_the_ends_of_a_band_are_two_numbers_in_order(band):
    refused({**toy(), "band": band}, "band" if band != ["inf", "inf"] and "40.0" not in band else None)


# ---- refusals ---------------------------------------------------------------------------------------------------


def trap():
    return json.loads(data.path("games/trap.json").read_text())


def test_a_witness_outside_the_region_rules_nothing_out():
    """F_1 = 0.9 x - tanh y contracts far from zero; the point (0, 0) is not in that region."""
    forged = trap()
    assert games.check_refusal(sealed(forged))
    forged["region"] = {"lower": [2.0, 2.0], "upper": [3.0, 3.0]}
    refused(forged)
    assert "not in the region" in games.check_refusal(sealed(forged)).message
    forged["region"] = None
    refused(forged)


def test_no_file_is_proof_and_refusal():
    for name, honest in seeds().items():
        text = sealed(honest)
        assert games.check(text) != games.check_refusal(text).valid, name
    hybrid = {**toy(), "witness": {"point": [0.0, 0.0], "vector": [1.0, 1.0], "ceiling": 0.0}}
    refused(hybrid, "witness")
    for status, name in product(("CERTIFIED", "REFUSED", "ESTIMATED", "UNKNOWN"), seeds()):
        text = sealed({**seeds()[name], "status": status})
        assert not (games.check(text) and games.check_refusal(text))


def test_wide_bounds_do_not_refuse_a_game():
    """The toy with couplings of 100 in its bounds: those allow no weights, the game does."""
    forged = json.loads(games.certify(games.Bounds([1, 1], [1, 1], [[0, 100], [100, 0]])).to_json())
    assert games.check_refusal(sealed(forged))
    forged["game"] = toy()["game"]
    refused(forged)
    payoffs = seeds()["normal form"]["game"]
    forged["bounds"].update(mu=[2.0, 2.0], ell=[2.0, 2.0])
    forged.update(game=payoffs, tau=-98.0)
    refused(forged)
    forged.update(game=seeds()["aggregate"]["game"], region=seeds()["aggregate"]["region"], tree=[-1])
    refused(forged)


def test_the_ceiling_of_a_point_is_proved():
    forged = trap()
    forged["witness"]["ceiling"] = -0.2  # true: -0.1
    refused(forged)
    forged["witness"]["ceiling"] = 0.1
    refused(forged)
    assert "target" in games.check_refusal(sealed(forged)).message


@pytest.mark.parametrize(
    ("key", "value"), [("margin", 5.0), ("weights", [1.0, 1.0]), ("step_paper", 1.0), ("tau", 3.0), ("tau", -0.3)]
)
def test_a_refusal_claims_nothing_besides(key, value):
    refused({**trap(), key: value})


def test_what_a_refusal_proves_is_said():
    for name, words in (
        ("refused point", "region"),
        ("refused bounds", "within the bounds"),
        ("refused payoffs", "‖PAP‖"),
    ):
        report = games.check_refusal(sealed(seeds()[name]))
        assert words in report.proves[0]
        assert report.not_proved
    assert "three actions" in games.check_refusal(sealed(seeds()["refused payoffs"])).not_proved[-1]


# ---- cost ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["1e400000000", "1e-400000000", "9" * 5000, "1/3", "0x10", "Infinity", "nan"])
def test_a_string_is_no_number(end):
    """It reached Fraction(str), which computes 10^k for as long as it takes."""
    started = time.process_time()
    refused({**toy(), "band": [end, 100.0]}, None)
    refused({**toy(), "band": [40.0, end]}, None)
    honest = json.loads(data.path("games/cournot.json").read_text())
    refused({**honest, "basin": {**honest["basin"], "radius": end}})
    assert time.process_time() - started < 60  # it was minutes, without end


def long_formulas(leaves, instructions):
    """A certificate of 2^15 leaves and 8000 instructions in 277 kB: cheap to send, dear to check."""
    plain = json.loads(json.dumps(seeds()["aggregate"]))
    steps = [["var", [], 0], ["var", [], 1]]
    steps += [["sin" if k % 2 else "exp", [k + 1], 0] if k % 3 else ["tanh", [k + 1], 0] for k in range(instructions)]
    plain["game"]["program"] = {"inputs": 2, "instructions": steps, "outputs": [len(steps) - 1, 1]}

    def tree(depth):
        return [-1] if depth == 0 else [depth % 2, *tree(depth - 1), *tree(depth - 1)]

    plain["tree"] = tree(leaves)
    return sealed(plain)


def test_leaves_times_instructions_is_bounded_before_work():
    text = long_formulas(15, 8000)
    assert len(text) < 400_000
    estimated = work.estimate(grammar.parse(document.read(text)))
    assert estimated.seconds > 100
    report = games.verify(text, seconds=30)
    assert report.field == "size"
    assert "would take about" in report.message


def test_a_product_of_many_variables_is_bounded_before_work():
    """Its second derivatives are 180,000 balls an instruction: it took 4.3 GB."""
    d = 600
    steps = [["var", [], k] for k in range(d)] + [["mul", [0, 1], 0]]
    steps += [["mul", [d + k, k + 2], 0] for k in range(d - 2)]
    plain = json.loads(json.dumps(seeds()["leafwise"]))
    plain["game"] = {
        "type": "smooth", "sizes": [d], "source": "costs",
        "program": {"inputs": d, "instructions": steps, "outputs": [len(steps) - 1]},
    }  # fmt: skip
    plain.update(tree=[-1], weights=[1.0], z=None, player_steps=None, region={"lower": [1.0] * d, "upper": [1.1] * d})
    estimated = work.estimate(grammar.parse(plain))
    assert estimated.seconds > 20
    assert games.verify(sealed(plain), seconds=10).field == "size"
    operations, alive = work.evaluation(grammar.parse(plain).game.program, 2)
    assert alive < 200e6  # finished results are given back: not 600 Hessians at once
    assert operations > 1e7


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[]," * 2_000_000, '"a",' * 2_000_000, '"' + "\\" * 999_999]
)
def test_depth_and_parts_are_bounded_before_they_are_read(text):
    assert not games.verify(text.encode()).valid
    with pytest.raises(Refused):
        document.read(text)


def test_the_limit_is_a_positive_number():
    for seconds in (0, -1, math.nan, "1", None, True):
        with pytest.raises(ValueError, match="positive number"):
            games.check(toy(), seconds=seconds)
    assert games.check(data.path("games/toy.json").read_text(), seconds=math.inf)


# ---- in a process of its own --------------------------------------------------------------------------------------


def test_apart_and_here_say_the_same():
    for name in ("shipped toy", "shipped trap", "basin", "one-way", "refused matrix"):
        text = sealed(seeds()[name])
        found = examine_apart(text)
        assert found.report == games.verify(text)
        assert found.refusal.valid == games.check_refusal(text).valid
        assert found.claims["status"] == seeds()[name]["status"]
    assert examine_apart(b"{}").report.message == games.verify(b"{}").message
    assert examine_apart(b"{}").claims == {}


def test_a_large_file_arrives_whole_and_is_refused_by_its_cost():
    text = long_formulas(15, 8000)
    report = examine_apart(text, seconds=20).report
    assert "would take about" in report.message
    large = text + " " * 2**23
    assert "would take about" in examine_apart(large, seconds=20).report.message


def test_a_check_that_takes_too_long_is_ended():
    """The estimate is switched off by asking for all the time there is; the watcher then ends the process."""
    text = long_formulas(15, 8000)
    looks = []

    def watch(spent):
        looks.append(spent)
        if len(looks) == 2:
            progress.cancel()
        progress.update(0, 1)

    progress = Progress()
    with pytest.raises(Cancelled):
        examine_apart(text, seconds=math.inf, watch=watch)
    assert len(looks) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="limits of addresses are kept by Linux alone")
def test_a_check_that_takes_too_much_memory_is_ended():
    found = examine_apart(sealed(toy()), memory=2**27)  # too little for NumPy itself
    assert not found.report.valid
    assert "memory" in found.report.message
    assert found.report.field == "size"


def test_a_dead_or_lying_process_proves_nothing(monkeypatch):
    from workbench.games.verifier import apart

    monkeypatch.setattr(apart.sys, "executable", "/bin/true" if os.path.exists("/bin/true") else "/usr/bin/true")
    found = examine_apart(sealed(toy()))
    assert not found.report.valid
    assert "without an answer" in found.report.message


# ---- paths and forms ----------------------------------------------------------------------------------------------


def test_a_string_may_be_a_path(tmp_path, monkeypatch):
    """games.check("c.json") said False of a valid certificate."""
    certificate = games.certify(games.Bounds([1, 1], [1, 1], [[0, 10], [0.05, 0]]))
    path = certificate.save(tmp_path / "c.json")
    monkeypatch.chdir(tmp_path)
    assert games.check("c.json")
    assert games.check(str(path))
    assert games.check(path)
    assert games.check(path.read_text())
    assert games.check("\n " + path.read_text())
    for nothing in ("d.json", str(tmp_path), tmp_path / "d.json", "toy\x00.json", "x" * 10_000):
        with pytest.raises(FileNotFoundError, match="there is no file"):
            games.check(nothing)
    assert not games.check("")
    assert not games.check("[1]")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_only_a_plain_file_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(FileNotFoundError):
        games.check(tmp_path / "pipe.json")


def test_typed_objects_cannot_be_changed():
    parsed = grammar.parse(toy())
    with pytest.raises(AttributeError):
        parsed.margin = 5.0
    arrays = (parsed.z, parsed.v, parsed.bounds.mu, parsed.bounds.couplings.values, parsed.game.matrix)
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0
    plain = toy()
    parsed = grammar.parse(plain)
    plain["z"][0], plain["game"]["matrix"][0][0] = 99.0, 99.0
    assert parsed.z[0] != 99
    assert np.all(parsed.game.matrix != 99)


def test_valid_is_explained_for_every_kind():
    for name, honest in seeds().items():
        text = sealed(honest)
        report = games.verify(text) if honest["status"] == "CERTIFIED" else games.check_refusal(text)
        assert report.proves, name
        assert any("author's words" in sentence for sentence in report.not_proved), name
    said = " ".join(games.verify(sealed(seeds()["basin"])).proves)
    assert "exactly one equilibrium" in said
    assert "equilibrium exists" not in " ".join(games.verify(sealed(seeds()["basin"])).not_proved)
    assert "equilibrium exists" in " ".join(games.verify(sealed(seeds()["leafwise"])).not_proved)
