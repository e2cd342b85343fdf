"""Meshes in every format are read back with the areas of their polygons, or refused with the true reason."""

import contextlib
import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.clouds import obj as obj_files
from workbench.clouds import read_cloud
from workbench.clouds.decoding import open_text
from workbench.clouds.files import triangle_areas
from workbench.clouds.meshes import read_off, read_stl
from workbench.clouds.obj import read_obj
from workbench.clouds.ply import read_ply
from workbench.clouds.polygons import triangulate
from workbench.clouds.scanning import scan_obj

FILES = Path(__file__).parents[1] / "data" / "files"
ARROW = [[0, 0, 0], [4, -2, 0], [1, 0, 0], [4, 2, 0]]


def vector_area(corners):
    """Return a polygon's area as Newell's formula has it, independent of any triangles."""
    corners = np.asarray(corners) - corners[0]
    return float(np.linalg.norm(np.cross(corners, np.roll(corners, -1, axis=0)).sum(axis=0)) / 2)


def area(mesh):
    return float(triangle_areas(mesh.vertices, mesh.triangles).sum())


def obj(text):
    return read_obj(text.encode() if isinstance(text, str) else text, "a.obj")


def test_the_files_that_were_misread():
    tabs = read_cloud(FILES / "tabf.obj")
    assert tabs.sentence == "12 vertices, 3 faces (2 of more than three corners), 6 triangles"
    pentagon = tabs.points[[4, 5, 6, 7, 8]]
    areas = triangle_areas(tabs.points, tabs.faces)
    np.testing.assert_allclose([areas[:2].sum(), areas[2:5].sum(), areas[5]], [1, vector_area(pentagon), 1])
    upper = read_cloud(FILES / "up.stl")
    assert (len(upper.faces), upper.sentence) == (2, "2 triangles, STL in text")
    assert triangle_areas(upper.points, upper.faces).sum() == pytest.approx(1)
    long = read_cloud(FILES / "long.stl")
    assert triangle_areas(long.points, long.faces).sum() == pytest.approx(1)
    mixed = read_cloud(FILES / "quadtri.ply")
    assert mixed.sentence == "7 vertices, 2 faces (1 of more than three corners), 3 triangles; binary PLY"
    np.testing.assert_allclose(triangle_areas(mixed.points, mixed.faces).sum(), 1 + 2)


SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (SQUARE + "f 1 2 3 4", 1),
        (SQUARE + "f\t1\t2\t3\t4\r\n", 1),
        (SQUARE + "  f 1/1 2/2/2 3//3 4 # the last\n", 1),
        (SQUARE + "f -4 -3 -2 -1\nv 9 9 9\n", 1),
        (SQUARE.replace("v 1 1 0", "v 1 1 \\\n 0") + "f 1 2 \\\n3 \\\n4\n", 1),
        ("f 1 2 3 4\n" + SQUARE, 1),
        (SQUARE.upper() + "F 1 2 3", 0.5),
        (SQUARE + "fo 1 2 3", 0.5),
        (SQUARE.replace("v 1 1 0", "v 1 1 0 0.5 0.5 0.5") + "vt 0 0\nvn 0 0 1\ng f\ns off\nusemtl f\nf 1 2 3 4", 1),
        (SQUARE.replace("\n", "\r") + "f 1 2 3 4\r", 1),
        (SQUARE.replace("v 1 0 0", "v 1.0D+00 0 0") + "f 1 2 3 4", 1),
        ("".join(f"v {x} {y} {z}\n" for x, y, z in ARROW) + "f 2 3 4 1", 2 * 1),
        (("o Größe\n" + SQUARE + "f 1 2 3 4").encode("cp1252"), 1),
        ((SQUARE + "f 1 2 3 4").encode("utf-16"), 1),
    ],
)
def test_obj_statements(text, wanted):
    assert area(obj(text)) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SQUARE + "f 1 2", "line 5 of a.obj is not a face of three or more"),
        (SQUARE + "f 1 2 x", "line 5 of a.obj is not a face"),
        (SQUARE + "f 1 2 1_0", "line 5 of a.obj is not a face"),
        (SQUARE + "f 0 1 2", "line 5 of a.obj has the vertex number 0"),
        (SQUARE + "f 1 2 5", "line 5 of a.obj names vertex 5, and the file has 4"),
        (SQUARE + "f 1 2 -5", "line 5 of a.obj counts back beyond the first"),
        (SQUARE + "f 1 2 99999999999", "line 5 of a.obj has the vertex number 99999999999"),
        (SQUARE + "f1 2 3", "line 5 of a.obj begins with 'f1'"),
        (SQUARE + "f 1 3 2 4", "face 1 .4 corners. crosses itself"),
        (SQUARE + "f 1 2 \\", "ends with a backslash"),
        (SQUARE + "call other.obj", "free-form curves and surfaces and included files"),
        ("v 1 2\n", "line 1 of a.obj is not a vertex of three numbers"),
        ("v 1 2 nan\n", "vertex 1 of a.obj is .* NaN or infinite"),
        ("v 1,5 2 3\n", "line 1 of a.obj is not a vertex"),
        ("hello\n", "no line that starts with 'v '"),
    ],
)
def test_obj_refusals(text, message):
    with pytest.raises(ValueError, match=message):
        obj(text)


def test_obj_says_what_it_left_out():
    assert "left out: pfn" in obj(SQUARE + "pfn 3\nf 1 2 3 4").sentence


FACET = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 2 0 0\nvertex 0 1e0 0\nendloop\nendfacet\n"


def binary_stl(triangles, head=b"solid by chance"):
    body = b"".join(struct.pack("<12fH", 0, 0, 1, *np.ravel(triangle), 0) for triangle in triangles)
    return head.ljust(80, b" ") + struct.pack("<I", len(triangles)) + body


def test_stl():
    for text in (
        "solid\n" + FACET + "endsolid\n",
        "solid facet vertex 1 2 3 " + "/" * 5000 + "\n" + FACET + "endsolid facet\n",
        ("SOLID A\n" + FACET.upper() + "ENDSOLID A").replace("\n", "\r\n"),
        "  solid a\n" + FACET.replace("\n", "\n\t ") + "\nendsolid a\n",
        "solid a\nendsolid a\nsolid b\n" + FACET + "endsolid b\n",
        "\ufeffsolid a\n" + FACET.replace("1e0", "1D0") + "endsolid\n",
    ):
        assert area(read_stl(text.encode(), "a.stl")) == pytest.approx(1)
    assert area(read_stl(("solid\n" + FACET + "endsolid").encode("utf-16"), "a.stl")) == pytest.approx(1)
    triangles = [[[0, 0, 0], [2, 0, 0], [0, 1, 0]]] * 3
    assert read_stl(binary_stl(triangles), "a.stl").sentence == "3 triangles, binary STL"
    for data, message in (
        (b"solid\n" + FACET.encode(), "cut off: it ends after 'endfacet'"),
        (b"solid\n" + FACET.replace("vertex 2 0 0\n", "").encode() + b"endsolid", "ends a facet of 2 corners"),
        (b"solid\n" + FACET.replace("2 0 0", "2 0").encode() + b"endsolid", "line 5 of a.stl is not a vertex"),
        (b"solid\n" + FACET.replace("endloop\n", "").encode() + b"endsolid", "line 7 .* must be 'vertex' or 'endloop'"),
        (b"solid a\nendsolid a\n", "holds no triangles"),
        (binary_stl(triangles)[:-1], "counts 3 triangles, which take 234 bytes, and has 233"),
        (binary_stl(triangles) + b"\0", "not a whole STL"),
        (binary_stl([[[0, 0, np.nan]] * 3]), "triangle 1 of a.stl is .* NaN"),
        (b"nonsense", "does not begin with 'solid'"),
    ):
        with pytest.raises(ValueError, match=message):
            read_stl(data, "a.stl")


def test_off():
    body = "4 1 0\n0 0 0\n1 0 0\n1 1 0 # corner\n\n0 1 0\n4 0 1 2 3 255 0 0\n"
    for text in ("OFF\n" + body, "OFF " + body, "OFF" + body, "# made\nCOFF\n" + body, "NOFF\n" + body):
        assert area(read_off(text.encode(), "a.off")) == pytest.approx(1)
    for text, message in (
        ("4OFF\n" + body, "only three-dimensional"),
        ("OFF\n" + body.replace("4 0", "5 0"), "names vertex 255, and the file has 4"),
        ("OFF\n" + body.replace("2 3", "2 4"), "names vertex 4"),
        ("OFF\n9 1 0\n0 0 0\n", "vertex 2 of 9 is missing"),
        ("OFF\n1 0 0\n1_0 0 0\n", "not a row of numbers"),
        ("OFF\n1 x 0\n", "must give the numbers"),
        ("hello", "does not start with OFF"),
    ):
        with pytest.raises(ValueError, match=message):
            read_off(text.encode(), "a.off")


# ---- PLY ------------------------------------------------------------------------------------------------------------

PLY_TYPES = {"uchar": "u1", "int": "i4", "uint": "u4", "ushort": "u2", "short": "i2", "float": "f4", "double": "f8"}


def ply(elements, order, newline=b"\n"):
    """Write elements (name, properties, records) as a PLY file; a property is (name, type) or (name, count, type)."""
    sign = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}[order]
    head = ["ply", f"format {order} 1.0", "comment element face 9", "obj_info of no use"]
    body = []
    for name, properties, records in elements:
        head.append(f"element {name} {len(records)}")
        head += [
            f"property {kind[0]} {one}" if len(kind) == 1 else f"property list {kind[0]} {kind[1]} {one}"
            for one, *kind in properties
        ]
        for record in records:
            words, raw = [], b""
            for (_, *kind), value in zip(properties, record, strict=True):
                values = list(value) if len(kind) == 2 else [value]
                words += [str(len(values))] * (len(kind) == 2) + [repr(one) for one in values]
                if sign:
                    if len(kind) == 2:
                        raw += np.array([len(values)], sign + PLY_TYPES[kind[0]]).tobytes()
                    raw += np.array(values, sign + PLY_TYPES[kind[-1]]).tobytes()
            body.append(raw if sign else " ".join(words).encode() + newline)
    return newline.join([line.encode() for line in [*head, "end_header"]]) + newline + b"".join(body)


ORDERS = ["ascii", "binary_little_endian", "binary_big_endian"]
CORNERS = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 1.0, 0.0)]
XYZ = [("x", "double"), ("y", "double"), ("z", "double")]


@pytest.mark.parametrize("order", ORDERS)
def test_ply_strips_lists_and_foreign_elements(order):
    strips = ply(
        [("tristrips", [("vertex_indices", "int", "int")], [[[0, 1, 3, 2, -1, 0, 1, 2]]]), ("vertex", XYZ, CORNERS)],
        order,
    )
    mesh = read_ply(strips, "a.ply")
    assert area(mesh) == pytest.approx(1.5)
    corners = mesh.vertices[mesh.triangles]
    assert (np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] > 0).all()
    listed = ply([("vertex", [("near", "uchar", "int"), *XYZ], [([5] * i, *c) for i, c in enumerate(CORNERS)])], order)
    np.testing.assert_array_equal(read_ply(listed, "a.ply").vertices, CORNERS)


def test_ply_refusals():
    square = ("face", [("vertex_indices", "uchar", "int")], [[[0, 1, 2, 3]]])
    vertices = ("vertex", XYZ, CORNERS)
    whole = ply([vertices, square], "binary_little_endian")
    text = ply([vertices, square], "ascii")
    for data, message in (
        (whole[:-1], "cut off in face 1 of 1"),
        (whole[:-20], "cut off: its 4 records of 'vertex' take 96"),
        (text[:-10], "face 1 of 1 is missing"),
        (text.replace(b"4 0 1 2 3", b"4 0 1 2"), "line 16 of a.ply is not a face"),
        (text.replace(b"4 0 1 2 3", b"4 0 1 2 4"), "face 1 of a.ply names vertex 4"),
        (text.replace(b"4 0 1 2 3", b"4 0 1 2 -1"), "index outside"),
        (text.replace(b"4 0 1 2 3", b"2 0 1"), "line 16 of a.ply is not a face"),
        (text.replace(b"1.0 1.0 0.0", b"1.0 1.0"), "line 14 of a.ply is not a vertex of 3 numbers"),
        (text.replace(b"1.0 1.0 0.0", b"1.0 nan 0.0"), "vertex 3 of a.ply is .* NaN"),
        (text.replace(b"property double z\n", b""), "no element 'vertex' with the properties x, y and z"),
        (text.replace(b"double x", b"number x"), "declares a property in no type of PLY"),
        (text.replace(b"list uchar", b"list float"), "a length is a whole number"),
        (text.replace(b"format ascii 1.0", b"format morse 1.0"), "not a statement of PLY"),
        (text.replace(b"format ascii 1.0\n", b""), "no line 'format'"),
        (text.replace(b"element vertex 4", b"element vertex 99999999"), "promises more than the file holds"),
        (b"ply\n" + b"comment\n" * 40_000, "no line 'end_header'"),
        (b"plyx\n", "first line must be 'ply'"),
    ):
        with pytest.raises(ValueError, match=message):
            read_ply(data, "a.ply")


# ---- polygons -------------------------------------------------------------------------------------------------------


@st.composite
def polygons(draw):
    """Return a simple polygon (k, 3), often concave, somewhere in space."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["star", "comb", "spiral", "hole", "line corners"]))
    if kind == "star":
        angles = 2 * np.pi * (np.arange(draw(st.integers(3, 12))) + rng.uniform(-0.3, 0.3)) / 12
        angles = np.linspace(0, 2 * np.pi, len(angles), endpoint=False) + rng.uniform(0, 1)
        flat = rng.uniform(0.1, 1, len(angles))[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    elif kind == "comb":
        x = np.arange(draw(st.integers(2, 8)), dtype=float)
        up, down = rng.uniform(0.1, 5, len(x)), -rng.uniform(0.1, 5, len(x))
        flat = np.concatenate([np.stack([x, down], axis=1), np.stack([x, up], axis=1)[::-1]])
    elif kind == "spiral":
        t = np.linspace(0.5, 4 * np.pi, 40)
        inner, outer = (np.stack([r * np.cos(t), r * np.sin(t)], axis=1) for r in (t, t + 1))
        flat = np.concatenate([inner, outer[::-1]])
    elif kind == "hole":
        flat = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [1, 1], [1, 3], [3, 3], [3, 1], [1, 1]], float)
    else:
        flat = np.array([[0, 0], [1, 0], [2, 0], [2, 1], [2, 2], [1, 2], [1, 1], [0, 1]], float)
    flat = np.roll(flat, draw(st.integers(0, len(flat) - 1)), axis=0)[:: draw(st.sampled_from([1, -1]))]
    turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    scale = 10.0 ** draw(st.integers(-6, 6))
    return scale * (np.column_stack([flat, np.zeros(len(flat))]) @ turned.T + rng.normal(size=3))


def assert_areas(vertices, triangles, faces):
    """The triangles of each polygon, which come in its order, have its area, whatever its shape."""
    ends = np.cumsum([len(face) - 2 for face in faces])
    found = [float(part.sum()) for part in np.split(triangle_areas(vertices, triangles), ends)[:-1]]
    np.testing.assert_allclose(found, [vector_area(vertices[face]) for face in faces], rtol=1e-9)


@settings(max_examples=200, deadline=None)
@given(polygons())
def test_a_polygon_is_cut_inside_itself(polygon):
    triangles = triangulate(polygon, np.arange(len(polygon)), np.array([len(polygon)]))
    assert sorted(np.unique(triangles)) == list(range(len(polygon)))
    assert_areas(polygon, triangles, [np.arange(len(polygon))])


def test_large_and_crossing_polygons():
    k = 2000
    x = np.arange(k)
    flat = np.concatenate([np.stack([x, x % 2 * 10.0], 1), np.stack([x, x % 2 * 10.0 + 1], 1)[::-1]])
    zigzag = np.column_stack([flat, np.zeros(2 * k)]) * 1e100
    triangles = triangulate(zigzag, np.arange(2 * k), np.array([2 * k]))
    assert triangle_areas(zigzag / 1e100, triangles).sum() == pytest.approx(k - 1)
    bow = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0]], float)
    with pytest.raises(ValueError, match=r"face 2 \(4 corners\) crosses itself"):
        triangulate(bow, np.array([0, 1, 2, 0, 1, 2, 3]), np.array([3, 4]), "face")
    line = np.array([[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3]], float)
    assert triangle_areas(line, triangulate(line, np.arange(4), np.array([4]))).sum() == 0


@st.composite
def meshes(draw):
    parts = draw(st.lists(polygons(), min_size=1, max_size=4))
    vertices = np.concatenate(parts)
    starts = np.cumsum([0, *map(len, parts)])
    return vertices, [np.arange(a, b) for a, b in itertools.pairwise(starts)]


@settings(max_examples=100, deadline=None)
@given(meshes(), st.data())
def test_meshes_are_read_back_from_every_format(mesh, data):
    vertices, faces = mesh
    kind = data.draw(st.sampled_from(["obj", "off", "ply"]))
    if kind == "obj":
        gap = data.draw(st.sampled_from([" ", "\t", "   "]))
        end = data.draw(st.sampled_from(["\n", "\r\n", "\r", " # c\n"]))
        form = data.draw(st.sampled_from(["{0}", "{0}/1", "{0}//2", "{0}/1/2", "{1}"]))
        lines = [gap.join(["v", *map(repr, row)]) for row in vertices.tolist()]
        lines += [gap.join(["f", *(form.format(i + 1, i - len(vertices)) for i in face)]) for face in faces]
        raw = end.join([*lines, ""]).encode()
    elif kind == "off":
        lines = ["OFF", f"{len(vertices)} {len(faces)} 0", *(" ".join(map(repr, row)) for row in vertices.tolist())]
        raw = "\n".join([*lines, *(f"{len(face)} {' '.join(map(str, face))}" for face in faces)]).encode()
    else:
        count, item = (
            data.draw(st.sampled_from(["uchar", "int", "ushort"])),
            data.draw(st.sampled_from(["int", "uint"])),
        )
        extra = data.draw(st.booleans())
        vertex = ("vertex", [*XYZ, ("red", "uchar")], [(*row, 7) for row in vertices.tolist()])
        properties = [("flags", "uchar")] * extra + [("vertex_indices", count, item)]
        properties += [("uv", "uchar", "float"), ("q", "short")] * extra
        records = [([3] * extra) + [face.tolist()] + ([[0.5] * len(face), -1] * extra) for face in faces]
        edge = ("edge", [("a", "int"), ("b", "int")], [(0, 1)] * 2)
        order = data.draw(st.permutations([vertex, ("face", properties, records), edge]))
        raw = ply(order, data.draw(st.sampled_from(ORDERS)), data.draw(st.sampled_from([b"\n", b"\r\n"])))
    reading = read_cloud(raw, file_format=kind)
    np.testing.assert_array_equal(reading.points, vertices)
    assert_areas(reading.points, reading.faces, faces)


@settings(max_examples=50, deadline=None)
@given(polygons(), st.booleans(), st.booleans())
def test_stl_is_read_back(polygon, is_text, is_upper):
    corners = polygon[triangulate(polygon, np.arange(len(polygon)), np.array([len(polygon)]))].astype(np.float32)
    if is_text:
        facets = "".join(
            "facet normal 0 0 0\n outer loop\n"
            + "".join(f"  vertex {x!r} {y!r} {z!r}\n" for x, y, z in triangle.astype(float).tolist())
            + " endloop\nendfacet\n"
            for triangle in corners
        )
        raw = f"solid s\n{facets}endsolid s\n"
        raw = (raw.upper() if is_upper else raw).encode()
    else:
        raw = binary_stl(corners, b"solid" if is_upper else b"made by a program")
    reading = read_cloud(raw, file_format="stl")
    np.testing.assert_array_equal(reading.points.reshape(-1, 3, 3), corners)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["obj", "off", "ply", "stl"]), st.data())
def test_a_changed_file_is_read_or_refused_in_words(kind, data):
    text = ply([("vertex", XYZ, CORNERS), ("face", [("vertex_indices", "uchar", "int")], [[[0, 1, 2, 3]]])],
               data.draw(st.sampled_from(ORDERS)))  # fmt: skip
    valid = {"obj": (SQUARE + "f 1 2 3 4\n").encode(), "off": b"OFF 3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n", "ply": text}
    raw = bytearray(valid.get(kind) or ("solid\n" + FACET + "endsolid\n").encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not raw:
            return
    with contextlib.suppress(ValueError):
        reading = read_cloud(bytes(raw), file_format=kind)
        assert np.isfinite(reading.points).all()
        assert reading.faces is None or 0 <= reading.faces.min() <= reading.faces.max() < len(reading.points)


WORDS = st.sampled_from(["1", "2", "-1", "3/1", "1/2/3", "4//2", "+2", "0", "-9", "9", "x", "1_0", "99999999999", "٣"])
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str),
    st.sampled_from(["1.", ".5", "-0", "1D+01", "1e400", "123456789012345678901234567890", "9007199254740993"]),
    st.sampled_from(["nan", "inf", "1,5", "1e", ".", "+-1", "1_0", "0x1p0", "−1"]),
)
LINES = st.one_of(
    st.lists(NUMBERS, min_size=3, max_size=4).map(lambda numbers: "v " + " ".join(numbers)),
    st.lists(WORDS, min_size=3, max_size=5).map(lambda words: "f " + "\t".join(words)),
    st.sampled_from(
        ["", " ", "# a", "v 1 2 3 # b", "vt 0 0", "o Größe", "pfn 1", "v 1 2", "f 1 2 \\", "V 1 2 3", "fo 1 1 1"]
    ),
    st.sampled_from(
        ["curv 1", "f1 2 3", "\x0cv 1 2 3", "v\x0b1 2 3", "g a\xa0b", "usemtl a\\b", "v 1 2 3 4 5 6 7 8 9"]
    ),
)


@settings(max_examples=300)
@given(
    st.lists(LINES, max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
)
def test_a_scanned_obj_file_is_the_one_read_by_statement(lines, end, encoding):
    """The compiled reader and the one in Python agree on meshes, on sentences and on the words of every refusal."""
    text = end.join(["v 0 0 0", "v 1 0 0", "v 0 1 0", "v 2.5 1e-3 7", *lines])
    data = text.encode(encoding, errors="replace")

    def read(reader):
        try:
            mesh = reader(open_text(data, "a.obj"))
        except ValueError as error:
            return str(error)
        if mesh is None:  # left to the other reader
            return read(obj_files._by_statement)
        triangles = None if mesh.triangles is None else mesh.triangles.tolist()
        return mesh.vertices.tobytes(), triangles, mesh.sentence

    assert read(obj_files._scanned) == read(obj_files._by_statement)


def test_a_large_obj_file_is_scanned_and_its_errors_name_their_line():
    body = (SQUARE + "f -4 -3 -2 -1\n").encode() * 6000
    assert len(body) > obj_files.LARGE
    assert len(obj(body).triangles) == 12_000
    with pytest.raises(ValueError, match=r"line 30001 of a\.obj is not a face of three or more vertex numbers: '1 2'"):
        obj(body + b"f 1 2\n" + body)
    with pytest.raises(ValueError, match=r"line 30001 of a\.obj is not a vertex of three numbers: '1 2,5 3'"):
        obj(body + b"v 1 2,5 3\n" + body)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 20))
def test_scanned_numbers_are_rounded_as_they_should_be(value, digits):
    for text in (repr(value), f"{value:.{digits}e}", f"{value:.{digits}f}"):
        found = scan_obj(f"v {text} 0 0\n".encode())
        assert found.points[0, 0].tobytes() == np.float64(text).tobytes()
