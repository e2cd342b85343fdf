"""The checker: it accepts what holds, refuses every changed digit, and proves by itself."""

import ast
import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from flint import arb, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from test_games_weights import RING, TOY, random_bounds

import workbench.games.verifier as verifier
from workbench import games
from workbench.games.verifier import balls, exact, grammar, leaves
from workbench.games.verifier.document import Refused, digest


def toy_json():
    return games.certify(games.GALLERY["toy"]().game).to_json()


def cournot():
    example = games.GALLERY["isoelastic-cournot"](share=0.05)
    return games.certify(example.game, example.region)


def reseal(document):
    """Write the digest again, as somebody who forges a certificate would."""
    document["digest"] = digest(document)
    return document


ALLOWED = {"numpy", "flint"} | set(sys.stdlib_module_names)


def test_it_imports_nothing_of_how_it_was_found():
    """The standard library, numpy and flint, and relative names of its own folder; nothing else, in any function."""
    for file in Path(verifier.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                assert {a.name.split(".")[0] for a in node.names} <= ALLOWED, file
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1 or (node.level == 0 and node.module.split(".")[0] in ALLOWED), file
            elif isinstance(node, ast.Call):
                assert getattr(node.func, "id", getattr(node.func, "attr", "")) not in {"__import__", "import_module"}
                assert getattr(node.func, "id", "") not in {"eval", "exec", "compile"}


def test_it_runs_without_the_rest_of_the_workbench():
    """The process apart loads this one package: no other part of the workbench is among its modules."""
    code = (
        "import runpy, sys, io; sys.argv[1:] = ['5', str(2**40)]; sys.stdin = io.TextIOWrapper(io.BytesIO(b'{}'));"
        f"runpy.run_path({str(Path(verifier.__file__).parent / 'child.py')!r}, run_name='__main__');"
        "print([m for m in sys.modules if m.startswith(('workbench', 'scipy', 'xarray', 'torch'))], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["report"]["valid"] is False
    assert done.stderr.strip() == "[]"


def test_accepts_every_form(tmp_path):
    certificate = games.certify(TOY)
    text = certificate.to_json()
    path = certificate.save(tmp_path / "toy.json")
    for form in (certificate, text, text.encode(), path, json.loads(text), certificate.to_json(indent=None)):
        assert games.check(form) is True
    assert games.Certificate.from_json(text).to_json() == text


NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?")


@pytest.mark.parametrize("make", [toy_json, lambda: cournot().to_json(), lambda: games.certify(RING).to_json()])
def test_every_changed_digit_is_refused(make):
    text = make()
    rng = np.random.default_rng(0)
    digits = [m.start() for m in re.finditer(r"\d", text)]
    for at in rng.choice(digits, size=min(150, len(digits)), replace=False):
        changed = text[:at] + str((int(text[at]) + 1 + rng.integers(9)) % 10) + text[at + 1 :]
        if changed != text:
            assert not games.check(changed)


@pytest.mark.parametrize("change", ["17 digits", "duplicate", "nan", "cut", "foreign", "list"])
def test_malformed_files_are_refused(change):
    text = toy_json()
    broken = {
        "17 digits": text.replace('"margin": 0.2928932188134', '"margin": 0.29289321881340'),
        "duplicate": text.replace('"kind"', '"margin": 0.5,\n "kind"', 1),
        "nan": text.replace('"target": null', '"target": NaN'),
        "cut": text[: len(text) // 2],
        "foreign": "{}",
        "list": "[1]",
    }[change]
    assert broken != text
    report = games.verify(broken)
    assert not report
    assert report.message
    with pytest.raises(ValueError, match="no intact certificate"):
        games.Certificate.from_json(broken)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("margin", lambda m: m * 1.01, "margin"),
        ("margin", lambda m: m * (1 + 1e-12), "margin"),
        ("margin", lambda m: -m, "positive"),
        ("step_h0", lambda h: h * (1 + 1e-12), "step_h0"),
        ("step_h0", lambda h: h * 0.9, "step_h0"),
        ("step_paper", lambda h: h * (1 + 1e-9), "step_paper"),
        ("step_sharp", lambda h: h * (1 + 1e-9), "sharp step"),
        ("beta", lambda b: b * (1 - 1e-9), "Lipschitz"),
        ("weights", lambda w: [w[0], w[1] * (1 + 1e-9)], "weights"),
        ("z", lambda z: [z[0], -z[1]], "positive"),
        ("z", lambda z: [z[0], z[1] * 1.001], "row"),
        ("band", lambda b: [b[0] * (1 - 1e-9), b[1]], "band"),
        ("band", lambda b: [b[0], "inf"], "unbounded"),
        ("sharp_vector", lambda u: [0.0, u[1]], "positive"),
        ("kind", lambda k: "other", "unknown kind"),
        ("status", lambda k: "REFUSED", "status"),
        ("z", lambda z: z[:1], "list of 2"),
        ("game", lambda g: {**g, "matrix": [[1.0, 10.1], [0.05, 1.0]]}, "bounds do not hold"),
        ("game", lambda g: {**g, "type": "other"}, "unknown kind of game"),
        ("target", lambda t: 0.3, "target"),
        ("step_rk4", lambda h: h * 1.1, "step_rk4"),
        ("player_steps", lambda r: [r[0] * (1 + 1e-12), r[1]], "rate"),
    ],
)
def test_forged_claims_are_refused_by_arithmetic(key, value, message):
    document = json.loads(toy_json())
    document[key] = value(document[key])
    report = games.verify(reseal(document))
    assert not report.valid
    assert message in report.message


@pytest.mark.parametrize("method", ["aggregate", "leafwise"])
def test_forged_nonlinear_certificates_are_refused(method):
    example = games.GALLERY["isoelastic-cournot"](share=0.05)
    certificate = games.certify(example.game, example.region, method=method)
    original = json.loads(certificate.to_json())
    assert games.verify(original)

    def forged(change):
        document = json.loads(json.dumps(original))
        change(document)
        return games.verify(reseal(document))

    assert not forged(lambda d: d["region"].update(lower=[0.1, 0.1]))
    assert "cover" in forged(lambda d: d.update(tree=d["tree"][:-1])).message
    assert "left over" in forged(lambda d: d.update(tree=[*d["tree"], -1])).message
    assert "does not exist" in forged(lambda d: d.update(tree=[7, *d["tree"]])).message
    assert not forged(lambda d: d.update(tree=[-1])) or len(original["tree"]) == 1
    assert not forged(lambda d: d.update(margin=3.3 * d["margin"]))
    assert not forged(lambda d: d.update(step_sharp=2 * d["step_sharp"]))
    assert not forged(lambda d: d.update(beta=0.5 * d["beta"]))
    assert not forged(lambda d: d.update(step_paper=100.0))
    assert "unknown operation" in forged(
        lambda d: d["game"]["program"]["instructions"].append(["system", [0], 0])
    ).message or not forged(lambda d: d["game"]["program"]["instructions"].append(["system", [0], 0]))
    assert not forged(lambda d: d["game"].update(source="field"))


def test_a_refusal_is_proved_too():
    for bounds in (games.Bounds([1, 1], [1, 1], [[0, 2], [0.6, 0]]), games.Bounds([2] * 3, [2] * 3, 1 - np.eye(3))):
        certificate = games.certify(bounds)
        assert certificate.status is games.Status.REFUSED
        assert not games.check(certificate)
        assert games.check_refusal(certificate.to_json())
    document = json.loads(certificate.to_json())
    document["witness"]["vector"] = [1.0, 1.0, 0.9]
    assert not games.check_refusal(reseal(document))
    assert not games.check_refusal(games.certify(TOY))
    trap = games.GALLERY["vertex-trap"]()
    assert games.check_refusal(games.certify(trap.game, trap.region).to_json())


@settings(deadline=None, max_examples=150)
@given(random_bounds())
def test_what_certify_calls_certified_passes_and_a_better_margin_does_not(bounds):
    certificate = games.certify(bounds)
    assert games.check(certificate) == certificate.certified
    if certificate.certified:
        document = json.loads(certificate.to_json())
        document["margin"] *= 1.01
        if certificate.attained:
            assert not games.check(reseal(document))
    elif certificate.status is games.Status.REFUSED:
        assert games.check_refusal(certificate)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_exact_semidefiniteness_against_eigenvalues(seed, n):
    rng = np.random.default_rng(seed)
    root = rng.integers(-3, 4, (n, max(1, n - 1))).astype(float)
    gram = root @ root.T  # exactly semidefinite, singular for n > 1
    assert exact.semidefinite(exact.rational_matrix(gram))
    assert not exact.semidefinite(exact.rational_matrix(gram - 1e-9 * np.eye(n))) or n == 1
    assert exact.semidefinite(exact.rational_matrix(gram + np.eye(n)), strict=True)
    block = rng.normal(size=(n, 3))
    norm = float(np.linalg.norm(block, 2))
    assert exact.norm_at_most(exact.rational_matrix(block), exact.rational(norm * (1 + 1e-12)))
    assert not exact.norm_at_most(exact.rational_matrix(block), exact.rational(norm * (1 - 1e-12)))


def test_rows_are_decided_exactly_at_equality():
    three = exact.Couplings(np.array([0, 0, 1, 1, 2, 2]), np.array([1, 2, 0, 2, 0, 1]), np.ones(6), 3)
    two, ones = np.full(3, 2.0), np.ones(3)

    def failing(relation, factor):
        return exact.failing_row(two, three, ones, relation, exact.rational(float(factor)))

    assert failing(">=", 0) is None
    assert failing(">=", 5e-324) == 0
    assert failing(">", 0) == 0
    assert failing(">", -5e-324) is None
    assert failing("<=", 0) is None
    assert failing("<=", -5e-324) == 0
    assert failing("+<", 4) == 0
    assert failing("+<", np.nextafter(4.0, 5)) is None
    tenths = [0.0, 0.1, 0.2]
    total = three.exact_product(0, lambda j: exact.rational(tenths[j]))
    assert Fraction(int(total.p), int(total.q)) == Fraction(0.1) + Fraction(0.2)


def test_jets_against_symbolic_derivatives():
    e = games.expressions
    game = games.SmoothGame(
        [1, 2],
        costs=lambda x: [
            e.exp(x[0] * x[1]) / (1.0 + x[2] ** 2) + e.tanh(x[0]) ** 3,
            e.sin(x[1] * x[2]) * e.log(2.0 + x[0]) + e.sqrt(3.0 + x[1]) + e.sigmoid(x[2] - x[0]) - e.cos(x[1]) ** 2,
        ],
    )
    point = [0.3, -0.4, 0.7]
    ball = balls.jacobian(grammar.formulas(game.payload()), [arb(x) for x in point])
    exact_values = game.jacobian(point)
    for k in range(3):
        for l in range(3):
            assert abs(float(ball[k][l]) - exact_values[k, l]) < 1e-13
    with pytest.raises(Refused, match="not computed before"):
        grammar.formulas(
            {**game.payload(), "program": {"inputs": 3, "instructions": [["neg", [3], 0]], "outputs": [0]}}
        )


def test_formulas_must_be_defined_on_the_whole_box():
    e = games.expressions
    game = games.SmoothGame([1, 1], costs=lambda x: [x[0] ** 2 + e.log(x[1]), x[1] ** 2])
    assert games.certify(game, games.Box([-1, 1], [1, 2])).certified
    assert not games.certify(game, games.Box([-1, -1], [1, 2]), max_boxes=200).certified


def test_the_message_says_what_is_taken_as_given():
    assert "taken as given" in games.verify(games.certify(TOY)).message
    assert "taken as given" not in games.verify(toy_json()).message


def test_leaves_cover_without_gaps():
    boxes = list(leaves.leaves([0.0, 0.0], [1.0, 1.0], [0, 1, -1, -1, -1]))
    assert sum((h[0] - l[0]) * (h[1] - l[1]) for l, h in boxes) == 1
    assert boxes[0] == ([0.0, 0.0], [0.5, 0.5])
    assert fmpq(1, 2) == exact.rational(0.5)
