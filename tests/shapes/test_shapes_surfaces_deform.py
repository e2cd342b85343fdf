"""Deformations: gradients, certificates against what they bound, and a checker that trusts nothing."""

import numpy as np
import pytest

from workbench import results, shapes
from workbench.shapes.meshes import Surface, box, ellipsoid, icosphere, sheet, two_sheets
from workbench.shapes.surfaces.distances import distances_to
from workbench.shapes.surfaces.fields import FIELDS, bspline, determinant_bounds, neural
from workbench.shapes.surfaces.measures import area_distance, varifold, varifold_distance, vertex_gradient
from workbench.transport.designs import design_table, root_rule
from workbench.transport.estimators.base import random_rotations


def random_field(kind, scale=0.03, seed=0):
    field = bspline(np.zeros(3), 1.0, 3, 0, control=6) if kind == "bspline" else neural(np.zeros(3), 1.0, 3, 0)
    rng = np.random.default_rng(seed)
    for value in field.arrays.values():
        value += scale * rng.normal(size=value.shape)
    return field


@pytest.fixture(scope="module")
def run():
    return shapes.deform("icosphere", "ellipsoid", iterations=25, steps=3, control=8, rate=2e-3)


# ---- gradients -----------------------------------------------------------------------------------------------------


def slope(function, place, step, h=1e-6):
    return (function(place + h * step) - function(place - h * step)) / (2 * h)


@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_pulls_back_what_it_carries(kind):
    field, rng = random_field(kind), np.random.default_rng(1)
    points, weights = rng.uniform(-1, 1, size=(20, 3)), rng.normal(size=(20, 3))
    found = field.pull(field.carry(points), weights)
    for name, value in field.arrays.items():
        step = rng.normal(size=value.shape)

        def moved(t, name=name, value=value, step=step):
            field.arrays[name] = value + t * step
            result = (field.carry(points)[-1] * weights).sum()
            field.arrays[name] = value
            return result

        assert slope(moved, 0.0, 1.0) == pytest.approx((found[name] * step).sum(), rel=1e-5, abs=1e-9)


def test_losses_have_the_gradient_of_their_value():
    mesh, target = shapes.surface("walnut", 42), ellipsoid(42)
    lines, weights = root_rule(63)
    lines = lines @ random_rotations(1, 6, np.random.default_rng(1))[0]  # as they are, they make ties
    step = np.random.default_rng(0).normal(size=mesh.vertices.shape)
    other = varifold(target, 0.3)

    def of_varifold(vertices):
        return varifold_distance(mesh.moved_to(vertices), other, 0.3, lines, weights)

    def of_area(vertices):
        return area_distance(mesh.moved_to(vertices), target, design_table(10), np.full(10, 0.1))

    def of_cramer(vertices):
        return area_distance(mesh.moved_to(vertices), target, design_table(10), np.full(10, 0.1), of="cramer")

    for loss in (of_varifold, of_area, of_cramer):
        gradient = loss(mesh.vertices)[1]
        measured = slope(lambda v, loss=loss: loss(v)[0], mesh.vertices, step)
        assert measured == pytest.approx((gradient * step).sum(), rel=2e-5)


def test_the_area_pulls_its_own_vertices():
    mesh, step = icosphere(42), np.random.default_rng(2).normal(size=(42, 3))
    gradient = vertex_gradient(mesh, by_area=np.ones(len(mesh.faces)))
    assert slope(lambda v: mesh.moved_to(v).area, mesh.vertices, step) == pytest.approx((gradient * step).sum())


# ---- certificates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FIELDS)
def test_bounds_are_above_every_sampled_jacobian(kind):
    field = random_field(kind, 0.06)
    rho, rng, h = field.lipschitz(), np.random.default_rng(4), 1e-6
    points = rng.uniform(-1.6, 1.6, size=(3000, 3))
    start = field.carry(points)
    for k in range(3):
        before = start[k]
        columns = []
        for axis in range(3):
            offset = h * np.eye(3)[axis]
            one = random_field(kind, 0.06)
            if kind == "bspline":
                one.arrays["spline"] = field.arrays["spline"][k : k + 1]
                up, down = one.carry(before + offset)[1], one.carry(before - offset)[1]
            else:
                up = before + offset + field.half / field.steps * field._velocity(before + offset, k)[0]
                down = before - offset + field.half / field.steps * field._velocity(before - offset, k)[0]
            columns.append((up - down) / (2 * h))
        jacobian = np.stack(columns, axis=2)
        norms = np.linalg.norm(jacobian - np.eye(3), 2, axis=(1, 2))
        assert norms.max() <= rho[k] + 1e-7
        if kind == "bspline":
            det = np.linalg.det(jacobian)
            assert (1 - rho[k]) ** 3 - 1e-7 <= det.min() <= det.max() <= (1 + rho[k]) ** 3 + 1e-7


def test_the_bound_of_a_smooth_field_is_not_idle():
    """A bump z += a exp(−r²/2s²) has ρ = a/(s√e); its spline comes near that."""
    field = bspline(np.zeros(3), 1.0, 1, 0, control=24)
    places = field.origin + field.spacing * np.stack(np.meshgrid(*3 * [np.arange(24)], indexing="ij"), axis=-1)
    field.arrays["spline"][0, ..., 2] = 0.1 * np.exp(-((places / 0.4) ** 2).sum(axis=-1) / 2)
    true = 0.1 / 0.4 / np.sqrt(np.e)
    assert true * 0.9 < field.lipschitz()[0] < 1.7 * true


def test_a_spline_field_moves_nothing_outside_and_zeros_nothing_at_all():
    field = random_field("bspline", 0.2)
    far = np.array([[3.0, 0, 0], [0, -3.0, 0.1]])
    np.testing.assert_array_equal(field.carry(far)[-1], far)
    still = bspline(np.zeros(3), 1.0, 2, 0)
    assert still.lipschitz().tolist() == [0, 0]
    assert determinant_bounds(still.lipschitz()) == pytest.approx((1, 1))
    assert determinant_bounds(np.array([0.2, 1.0]))[0] == 0


@pytest.mark.parametrize("kind", FIELDS)
def test_steps_beyond_the_limit_are_scaled_back(kind):
    field = random_field(kind, 3.0)
    assert field.lipschitz().max() > 0.9
    field.restrain(0.9)
    assert 0.89 < field.lipschitz().max() <= 0.9 + 1e-9


def test_a_run_comes_nearer_and_says_what_is_proved(run):
    assert run.assd[1] < 0.5 * run.assd[0]
    assert run.sw1[1] < 0.5 * run.sw1[0]
    assert (run.rho <= 0.9 + 1e-9).all()
    assert 0 < run.det_low <= 1 <= run.det_high
    proof = shapes.certify_deformation(run)
    np.testing.assert_allclose(proof.rho, run.rho)
    assert (proof.deviation, proof.crossings, proof.is_diffeomorphism) == (0, 0, True)
    assert "The map is a diffeomorphism: 3 steps" in proof.sentence
    again = shapes.deform("icosphere", "ellipsoid", iterations=25, steps=3, control=8, rate=2e-3)
    np.testing.assert_array_equal(run.vertices, again.vertices)


@pytest.mark.parametrize("loss", ["surface", "cramer", "samples", "chamfer"])
def test_every_loss_pulls(loss):
    ds = shapes.deform(icosphere(162), ellipsoid(162), loss=loss, iterations=20, steps=2, control=8, rate=5e-3)
    assert ds.assd[1] < 0.9 * ds.assd[0]


def test_a_neural_field_is_trained_and_certified_too():
    ds = shapes.deform(icosphere(162), ellipsoid(162), field="mlp", iterations=40, steps=4, rate=5e-3)
    assert ds.assd[1] < 0.9 * ds.assd[0]
    assert shapes.certify_deformation(ds).is_diffeomorphism


def test_a_result_that_was_saved_is_certified_the_same(run, tmp_path):
    results.save(run, tmp_path / "run.nc")
    assert shapes.certify_deformation(results.open(tmp_path / "run.nc")).deviation == 0


def forged(run, name, change):
    copy = run.copy(deep=True)
    copy[name].values[...] = change(copy[name].values)
    return copy


def test_the_checker_believes_nothing_that_the_result_says_of_itself(run):
    honest = shapes.certify_deformation(run)
    lied = forged(forged(run, "rho", lambda v: 0 * v), "crossings", lambda v: 0 * v)
    np.testing.assert_array_equal(shapes.certify_deformation(lied).rho, honest.rho)
    wild = forged(run, "spline", lambda v: 40 * v)
    with pytest.raises(ValueError, match="it was changed"):
        shapes.certify_deformation(wild)
    moved = forged(run, "vertices", lambda v: v + 1e-3 * (np.arange(len(v))[:, None, None] == len(v) - 1))
    with pytest.raises(ValueError, match="it was changed"):
        shapes.certify_deformation(moved)
    for name, told in (("spline", "no spline"), ("vertices", "has no vertices"), ("origin", "lacks the origin")):
        with pytest.raises(ValueError, match=told):
            shapes.certify_deformation(run.drop_vars(name))
    with pytest.raises(ValueError, match="NaN"):
        shapes.certify_deformation(forged(run, "spline", lambda v: np.nan * v))


# ---- traps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"target": icosphere(42, centre=(9, 0, 0))}, r"the centroids are 9 apart, 9\.\d half-sizes"),
        ({"target": Surface(np.eye(3), [[0, 1, 1]])}, "has no area"),
        ({"loss": "chamfre"}, "Did you mean 'chamfer'"),
        ({"field": "rbf"}, "unknown field"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"seconds": 0.0}, "seconds must be positive"),
        (
            {"source": Surface(icosphere(12).vertices, icosphere(12).faces[[0, *range(20)]])},
            "edges are passed in the same direction",
        ),
    ],
)
def test_traps_are_refused_in_words(arguments, told):
    with pytest.raises(ValueError, match=told):
        shapes.deform(**({"source": icosphere(42), "target": icosphere(42), "iterations": 1} | arguments))


# ---- distances -----------------------------------------------------------------------------------------------------


def test_distances_to_a_surface_are_those_to_every_triangle():
    mesh, rng = box((1, 2, 3)), np.random.default_rng(0)
    points = rng.uniform(-3, 3, size=(300, 3))
    outside = np.linalg.norm(np.maximum(np.abs(points) - [0.5, 1, 1.5], 0), axis=1)
    inside = (np.array([0.5, 1, 1.5]) - np.abs(points)).min(axis=1)
    np.testing.assert_allclose(distances_to(points, mesh), np.where(outside > 0, outside, inside), atol=1e-12)
    fine = shapes.surface("walnut", 642)
    brute = [np.sqrt(((points[:5, None] - fine.barycentres) ** 2).sum(-1)).min()]
    assert distances_to(points[:5], fine).max() <= np.max(brute) + 5
    uneven, even = (two_sheets(289, splits=k) for k in (0, 4))  # one set of points; one large triangle, or many small
    np.testing.assert_allclose(distances_to(points, uneven), distances_to(points, even), atol=1e-12)


def test_errors_of_known_pairs():
    errors = shapes.surface_errors(icosphere(642), icosphere(642, radius=1.1))
    assert errors.vertex == pytest.approx(0.1)
    assert errors.assd == pytest.approx(0.1, rel=0.03)
    assert errors.assd <= errors.hd90 <= errors.hd
    assert np.isnan(shapes.surface_errors(sheet(9), sheet(16)).vertex)
