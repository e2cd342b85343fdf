"""The small checker against documents whose author means to deceive: what is false is refused, whatever was changed."""

import ast
import copy
import json
from pathlib import Path

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.defects import checker
from workbench.shapes.defects.holonomy import from_walk
from workbench.shapes.defects.triangles import Triangulation, develop, walk_around


@pytest.fixture(scope="module")
def documents():
    flat = shapes.holonomy(shapes.insert(shapes.crystal("triangular", 9), "edge", burgers=[1, 0]), radius=4)
    screw = shapes.holonomy(shapes.insert(shapes.crystal("sc", 6), "screw"), radius=3)
    return {"triangles": json.loads(flat.document()), "bonds": json.loads(screw.document())}


def changed(document, path, value):
    made = copy.deepcopy(document)
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(made)


def test_it_imports_nothing_of_the_workbench():
    tree = ast.parse(Path(checker.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(name.startswith("workbench") for name in names)


def test_true_documents_are_proved(documents, tmp_path):
    assert shapes.check_circuit(json.dumps(documents["triangles"])).burgers == (1, 0)
    path = tmp_path / "circuit.json"
    path.write_text(json.dumps(documents["bonds"]))
    found = shapes.check_circuit(path)
    assert (found.valid, found.burgers, found.rotation) == (True, (0, 0, 1), 0)
    assert found.not_proved
    wedge = shapes.holonomy(shapes.insert(shapes.crystal("triangular", 9), "wedge"), radius=4)
    assert shapes.check_circuit(wedge.document()).rotation == 5


FALSE = {
    "triangles": [
        (("shift",), [0, 0]),
        (("shift",), [-1, 1]),
        (("rotation",), 1),
        (("spacing",), 3.0),
        (("spacing",), -1.0),
        (("spacing",), 1e300),
        (("order",), 4),
        (("version",), True),
        (("version",), 2),
        (("kind",), "bonds"),
        (("walk",), []),
        (("walk", 3), [0, 0, 1]),
        (("walk", 3), [0, 1]),
        (("walk", 3, 0), 10**9),
        (("walk", 3, 0), -1),
        (("walk", 3, 0), True),
        (("walk", 3, 0), 1.0),
        (("atoms", 0), [1e5, 0.0]),
        (("atoms", 0, 0), "1e400000000"),
        (("atoms", 0, 0), None),
    ],
    "bonds": [
        (("burgers",), [0, 0, 0]),
        (("burgers",), [0, 0, -1]),
        (("burgers",), [0, 1]),
        (("winds",), [0]),
        (("winds",), [2]),
        (("period_labels",), [[0, 0, 0]]),
        (("period_labels",), [[0, 0, 2]]),
        (("periods",), []),
        (("periods", 0), [0.0, 0.0, 2.0]),
        (("lattice",), "bcc"),
        (("lattice",), ["sc"]),
        (("labels", 2), [0, 0, 0]),
        (("labels", 2), [5, 0, 0]),
        (("labels", 2), [0, 0]),
        (("path", 4), [0.0, 0.0, 0.0]),
        (("nodes", 2, "labels"), []),
        (("nodes", 2, "frame"), [[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
        (("nodes", 2, "frame"), [[0.0] * 3] * 3),
        (("nodes", 2, "vectors", 0), [9.0, 0.0, 0.0]),
    ],
}
ALL = [pytest.param(kind, *one, id=f"{kind}-{'.'.join(map(str, one[0]))}-{k}") for kind, rows in FALSE.items()
       for k, one in enumerate(rows)]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value"), ALL)
def test_a_false_document_is_refused(documents, kind, path, value):
    report = shapes.check_circuit(changed(documents[kind], path, value))
    assert not report.valid
    assert report.burgers is None
    assert report.message


def test_random_changes_never_prove_another_burgers_vector(documents):
    """Integers changed by chance, anywhere: the report is a refusal, or still the truth."""
    rng = np.random.default_rng(0)
    truth = {"triangles": (1, 0), "bonds": (0, 0, 1)}
    refused = 0
    for kind, document in documents.items():
        text = json.dumps(document)
        for _ in range(70):
            made = json.loads(text)
            if kind == "triangles":
                rows = made["walk"]
                what = rng.integers(4)
                k = int(rng.integers(1, len(rows) - 1))
                if what == 0:
                    rows[k] = rows[k][::-1]
                elif what == 1:
                    del rows[k]
                elif what == 2:
                    rows[k][int(rng.integers(3))] = int(rng.integers(len(made["atoms"])))
                else:
                    rows.insert(k, rows[int(rng.integers(len(rows)))])
                made["shift"] = [int(rng.integers(-2, 3)), int(rng.integers(-2, 3))] if what else made["shift"]
            else:
                k = int(rng.integers(len(made["labels"])))
                made["labels"][k] = [int(one) for one in rng.permutation([1, 0, 0]) * rng.choice([1, -1])]
                if rng.random() < 0.5:
                    made["nodes"][k]["frame"] = (np.array(made["nodes"][k]["frame"])[rng.permutation(3)]).tolist()
                total = -np.array(made["labels"]).sum(0) + made["winds"][0] * np.array(made["period_labels"][0])
                made["burgers"] = total.tolist()
            report = shapes.check_circuit(json.dumps(made))
            assert not report.valid or report.burgers == truth[kind]
            refused += not report.valid
    assert refused > 90


def test_a_perfect_crystal_cannot_be_given_a_charge_by_joining_others_than_neighbours():
    """Diagonals flipped in a perfect lattice make a 5–7 pair; the walk between the two would have b ≠ 0."""
    made = shapes.crystal("triangular", 8)
    mesh = shapes.triangulate(made)
    found = 0
    rng = np.random.default_rng(5)
    inner = np.flatnonzero(mesh.is_inner)
    for _ in range(60):
        tri = mesh.triangles.copy()
        for _ in range(3):  # flip the diagonal of a rhombus
            t = int(rng.integers(len(tri)))
            u, v, w = (int(one) for one in np.roll(tri[t], rng.integers(3)))
            other = [k for k in range(len(tri)) if k != t and {u, v} <= set(tri[k].tolist())]
            if not other or not {u, v, w} <= set(inner.tolist()):
                continue
            (x,) = set(tri[other[0]].tolist()) - {u, v}
            tri[t], tri[other[0]] = [w, u, x], [x, v, w]
        flipped = Triangulation(made, tri)
        for atom in set(tri[(flipped.degrees[tri] != 6).any(1)].ravel().tolist()) & set(inner.tolist()):
            walk = walk_around(flipped, np.array([atom]))
            if walk is None or develop(walk) == (0, (0, 0)):
                continue
            found += 1
            document = from_walk(flipped, walk, limited=False).document()
            assert not shapes.check_circuit(document).valid
    assert found > 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ('{"kind": "triangles", "kind": "bonds"}', "twice"),
        ('{"kind": NaN}', "NaN is no number"),
        ('{"kind": 1' + "0" * 40 + "}", "too many digits"),
        ("[" * 100_000, "no JSON"),
        ('{"kind": "triangles"}', "exactly the entries"),
        ('{"kind": "spheres"}', "no circuit"),
        ("{}" + " " * (checker.LARGEST_TEXT + 1), "larger than"),
        (b"{\xff", "no UTF-8"),
    ],
)
def test_what_is_no_document_is_refused(text, words):
    if text.startswith("[") if isinstance(text, str) else False:
        text = '{"kind": ' + text
    report = shapes.check_circuit(text)
    assert not report.valid
    assert words in report.message


def test_a_path_that_leads_nowhere_is_said():
    with pytest.raises(FileNotFoundError):
        shapes.check_circuit("nowhere.json")
