"""The exact sliced distances of continuous surfaces: known answers, invariances, samples, the gradient."""

import numpy as np
import pytest

from workbench import transport
from workbench.clouds.files import sample_mesh
from workbench.shapes.meshes import Surface, box, icosphere, sheet, subdivide, surface
from workbench.transport.designs import design_table
from workbench.transport.surfaces import surface_lines


def parts(mesh):
    return mesh.vertices, mesh.faces


@pytest.fixture(scope="module")
def table():
    return design_table(60)


TRIANGLES = (
    ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]),
    ([[1, 1, 0], [0, 1, 0], [1, 0, 0]], [[0, 1, 2]]),
)


def test_a_tie_is_a_confluent_knot():
    """Densities 2(1 − t) and 2t along x: W₁ = 1/3, ∫D² = 2/15; W₂² = ∫(1 − √(1−u) − √u)² du = 3 − 8/3 − … by hand."""
    found = surface_lines(*TRIANGLES, [[1, 0, 0]], second=True)
    assert found.w1[0] == pytest.approx(1 / 3, abs=1e-12)
    assert found.cramer[0] == pytest.approx(2 / 15, abs=1e-12)
    # ∫(1 − √(1−u) − √u)² = 1 + ½ + ½ − 4/3 − 4/3 + 2∫√(u(1−u)) = −2/3 + π/4
    assert found.w2_squared[0] == pytest.approx(np.pi / 4 - 2 / 3, abs=1e-9)
    assert found.residual[0] < 1e-13


def test_a_face_across_the_direction_is_an_atom():
    low, high = sheet(9, side=1.0), sheet(9, side=1.0, height=0.7)
    found = surface_lines(parts(low), parts(high), [[0, 0, 1]], second=True)
    assert [found.w1[0], found.cramer[0], found.w2_squared[0]] == pytest.approx([0.7, 0.7, 0.49])


def test_concentric_spheres_are_uniform_along_every_direction(table):
    inner, outer = icosphere(10242, radius=1.0), icosphere(10242, radius=1.5)
    found = surface_lines(parts(inner), parts(outer), table[:6], second=True)
    np.testing.assert_allclose(found.w1, 0.25, rtol=2e-3)
    np.testing.assert_allclose(found.w2_squared, 0.25 / 3, rtol=4e-3)
    # scaling a mesh about its centroid by s: exactly (s − 1)² Var_θ
    mesh = icosphere(162)
    scaled = surface_lines(parts(mesh), (1.5 * mesh.vertices, mesh.faces), table[:6], second=True)
    a, b, c = np.moveaxis(mesh.corners, 1, 0)
    second = sum(np.einsum("f,fi,fj->ij", mesh.areas, p, q) * (2 if p is q else 1) for p in (a, b, c) for q in (a, b, c))  # noqa: E501 # fmt: skip
    variance = np.einsum("li,ij,lj->l", table[:6], second / 12 / mesh.area, table[:6])
    np.testing.assert_allclose(scaled.w2_squared, 0.25 * variance, rtol=1e-9)
    assert (scaled.w2_error < 1e-8).all()


def test_a_translation_costs_its_shadow(table):
    mesh, shift = surface("walnut", 162), np.array([0.3, -0.1, 0.2])
    found = surface_lines(parts(mesh), (mesh.vertices + shift, mesh.faces), table, second=True)
    along = np.abs(table @ shift)
    np.testing.assert_allclose(found.w1, along, atol=1e-9)
    np.testing.assert_allclose(found.w2_squared, along**2, atol=1e-8)
    assert found.w1.mean() == pytest.approx(np.linalg.norm(shift) / 2, rel=2e-3)


def test_cutting_and_renumbering_change_nothing(table):
    ball, brick = icosphere(162), box()
    first = surface_lines(parts(ball), parts(brick), table)
    finer = surface_lines(parts(subdivide(ball, 2)), parts(subdivide(brick, 3)), table)
    np.testing.assert_allclose(finer.w1, first.w1, atol=1e-9)
    assert finer.w1.mean() == pytest.approx(first.w1.mean(), rel=1e-10)
    np.testing.assert_allclose(finer.cramer, first.cramer, atol=1e-9)
    order = np.random.default_rng(0).permutation(len(ball.vertices))
    renumbered = ball.vertices[order], np.argsort(order)[ball.faces][::-1]
    np.testing.assert_allclose(surface_lines(renumbered, parts(brick), table).w1, first.w1, atol=1e-9)
    assert finer.residual.max() < 1e-8


def test_a_surface_and_its_double_cover_are_one_measure(table):
    mesh = icosphere(42)
    double = mesh.vertices, np.concatenate([mesh.faces, mesh.faces])
    assert surface_lines(parts(mesh), double, table).w1.max() < 1e-12


def test_the_cramer_distance_is_the_energy_distance():
    """E_θ ∫D² = ¼ (2E|X−Y| − E|X−X'| − E|Y−Y'|) in R³, by points of both surfaces."""
    ball, brick = icosphere(162, centre=(0.5, 0, 0)), box()
    exact = surface_lines(parts(brick), parts(ball), design_table(400) if design_table(400) is not None else design_table(300)).cramer.mean()  # noqa: E501 # fmt: skip
    rng = np.random.default_rng(1)
    x, x2, y, y2 = (sample_mesh(*parts(mesh), 100_000, rng) for mesh in (brick, brick, ball, ball))
    gap = np.linalg.norm(x - y, axis=1) + np.linalg.norm(x2 - y2, axis=1)
    gap -= np.linalg.norm(x - x2, axis=1) + np.linalg.norm(y - y2, axis=1)
    assert abs(gap.mean() / 4 - exact) < 4 * gap.std() / 4 / np.sqrt(len(gap))
    assert exact == pytest.approx(0.05215, abs=2e-4)


def test_samples_agree_within_their_error(table):
    a, b = surface("walnut", 162), box((1, 1.5, 2))
    rng = np.random.default_rng(3)
    draws = [
        transport.projected_costs(*(sample_mesh(*parts(m), 4000, rng) for m in (a, b)), table, p=2).mean()
        for _ in range(8)
    ]
    exact = surface_lines(parts(a), parts(b), table, second=True).w2_squared.mean()
    assert abs(np.mean(draws) - exact) < 4 * np.std(draws, ddof=1) / np.sqrt(8) + 3e-4  # samples are biased upwards


@pytest.mark.parametrize("of", ["w1", "cramer"])
@pytest.mark.parametrize("size", [42, 642])  # many knots within a face, and few
def test_the_gradient_is_that_of_the_value(table, of, size):
    mesh, other = surface("walnut", size), parts(subdivide(box((1, 1.5, 2)), 2 if size == 42 else 1))
    theta, weights = table[:7], np.linspace(0.5, 1, 7)
    rng, h = np.random.default_rng(0), 1e-6
    found = surface_lines(parts(mesh), other, theta, weights, gradient=True, of=of)
    shares = mesh.areas / mesh.area
    step = rng.normal(size=mesh.vertices.shape)

    def value(t):
        moved = mesh.moved_to(mesh.vertices + t * step)
        return float(weights @ getattr(surface_lines(parts(moved), other, theta), of)), moved.areas / moved.area

    (up, shares_up), (down, shares_down) = value(h), value(-h)
    slope = (found.gradient * step).sum() + found.by_share @ (shares_up - shares_down) / (2 * h)
    assert (up - down) / (2 * h) == pytest.approx(slope, rel=1e-5)
    assert shares.sum() == pytest.approx(1)
    nothing = surface_lines(parts(mesh), parts(mesh), theta, gradient=True, of=of)
    assert np.abs(nothing.gradient).max() < 1e-12


def test_the_cramer_gradient_takes_areas_as_they_are():
    """Of masses alone: moving mass from one face to another, its vertices staying where they are."""
    mesh, other = surface("walnut", 42), parts(box((1, 1.5, 2)))
    theta = design_table(10)
    found = surface_lines(parts(mesh), other, theta, gradient=True, of="cramer")
    # a third copy of faces 0 to 9 gives them three times their mass, by the quadratic ∫D² to the last bit
    many = np.concatenate([mesh.faces, mesh.faces[:10]])
    shares = mesh.areas / mesh.area

    def value(mass):
        """Return ∫D² of shares (1 − mass) · all + mass · the first ten, by its values at three masses."""
        part = shares[:10].sum()
        at = [0.0, part / (1 + part)]
        known = [
            surface_lines(parts(mesh), other, theta).cramer.mean(),
            surface_lines((mesh.vertices, many), other, theta).cramer.mean(),
        ]
        whole = surface_lines((mesh.vertices, mesh.faces[:10]), other, theta).cramer.mean()
        return np.polyval(np.polyfit([*at, 1.0], [*known, whole], 2), mass)

    toward = np.zeros(len(shares))
    toward[:10] = shares[:10] / shares[:10].sum()
    assert found.by_share @ (toward - shares) == pytest.approx((value(1e-4) - value(-1e-4)) / 2e-4, rel=1e-6)


def test_an_atom_is_drawn_by_the_mean_of_both_sides():
    """A face across the direction, of half the mass: d∫D²/dt = −(D(t−) + D(t+)) · mass."""
    points = [[0, 0, 0.3], [1, 0, 0.3], [0, 1, 0.3], [0, 0, 0], [1, 0, 0], [0, 0, 1]]
    mesh = Surface(points, [[0, 1, 2], [3, 4, 5]])
    other, along = parts(sheet(9, side=1.0, height=0.8)), [[0, 0, 1]]
    found = surface_lines(parts(mesh), other, along, gradient=True, of="cramer").gradient[:3, 2].sum()
    up, down = (
        surface_lines((mesh.vertices + np.outer([1, 1, 1, 0, 0, 0], [0, 0, h]), mesh.faces), other, along).cramer[0]
        for h in (1e-6, -1e-6)
    )
    assert found == pytest.approx((up - down) / 2e-6, rel=1e-6)


def test_the_second_distance_lies_between_its_bounds(table):
    mesh, other = surface("walnut", 162), box((1, 1.5, 2))
    widths = []
    for cuts in (0, 2):
        x, y = subdivide(mesh, cuts), subdivide(other, cuts)
        found = surface_lines(parts(x), parts(y), table[:9], second=True)
        slack = 1e-12 + found.w2_error
        assert (found.w2_low - slack <= found.w2_squared).all()
        assert (found.w2_squared <= found.w2_high + slack).all()
        widths.append((found.w2_high - found.w2_low).max() / found.w2_squared.max())
    assert widths[1] < 0.3 * widths[0] < 0.01
    one = surface_lines(*TRIANGLES, [[1, 0, 0]], second=True)  # by hand: (1/3)² and two variances of 1/18
    assert (one.w2_low[0], one.w2_high[0]) == pytest.approx((1 / 9, 2 / 9), abs=1e-12)
    right = np.array([0.3, 0, 0])
    shifted = surface_lines(parts(mesh), (mesh.vertices + right, mesh.faces), [[1, 0, 0]], second=True)
    assert shifted.w2_low[0] == pytest.approx(0.09, abs=1e-9)  # equal spreads: the bound is the value


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"x": ([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 1, 2]])}, "x has no area"),
        ({"x": ([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 3]])}, "must name vertices 0 to 2"),
        ({"directions": [[1.0, 1, 0]]}, "unit vectors"),
        ({"weights": [1.0, 2.0]}, r"weights must be \(1,\)"),
        ({"y": ([[0.0, 0], [1, 0], [0, 1]], [[0, 1, 2]])}, r"vertices \(n, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, told):
    with pytest.raises(ValueError, match=told):
        surface_lines(**({"x": TRIANGLES[0], "y": TRIANGLES[1], "directions": [[1.0, 0, 0]]} | change))


def test_a_surface_is_what_its_triangles_are():
    with pytest.raises(ValueError, match="the largest coordinate"):
        Surface(1e120 * np.eye(3), [[0, 1, 2]])
