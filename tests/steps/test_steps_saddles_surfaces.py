"""Surfaces against thirty-digit oracles and differences; certified stationary points; jets against closed forms."""

import numpy as np
import pytest

from workbench import steps
from workbench.steps.saddles.jets import variables
from workbench.steps.saddles.modes import internal_basis, spectrum
from workbench.steps.saddles.stationary import stationary_points
from workbench.steps.saddles.surfaces import SURFACES

MINIMA = [
    (-0.5582236346330243, 1.441725841804669, -146.699517209954),
    (0.6234994049308765, 0.02803775852868567, -108.1667241168524),
    (-0.05001082299820606, 0.4666941048719721, -80.76781812965903),
]
SADDLE = (-0.8220015587327321, 0.6243128028148714, -40.6648435086574)


@pytest.mark.parametrize(("name", "size"), [("mueller-brown", None), ("leps", None), ("lennard-jones", 5)])
def test_gradients_and_hessians_are_those_of_the_energy(name, size, rng):
    surface = SURFACES[name](size) if size else SURFACES[name]()
    x = surface.start + 0.03 * rng.normal(size=surface.size)
    h = 1e-5
    _, gradient = surface(x)
    slopes = [(surface(x + h * v)[0] - surface(x - h * v)[0]) / (2 * h) for v in np.eye(surface.size)]
    curvature = [(surface(x + h * v)[1] - surface(x - h * v)[1]) / (2 * h) for v in np.eye(surface.size)]
    scale = np.abs(surface.hessian(x)).max()
    assert np.abs(gradient - slopes).max() < 1e-8 * scale
    assert np.abs(surface.hessian(x) - curvature).max() < 1e-7 * scale


@pytest.mark.parametrize("point", [*MINIMA, SADDLE])
def test_mueller_brown_at_its_known_points(point):
    energy, gradient = SURFACES["mueller-brown"]()(point[:2])
    assert energy == pytest.approx(point[2], abs=1e-11)
    assert np.abs(gradient).max() < 1e-10


def test_clusters_start_at_their_published_minima():
    assert SURFACES["lennard-jones"](7)(SURFACES["lennard-jones"](7).start)[0] == pytest.approx(-16.505384168, abs=1e-8)
    assert SURFACES["lennard-jones"](13)(SURFACES["lennard-jones"](13).start)[0] == pytest.approx(-44.326801, abs=1e-5)
    cluster = SURFACES["lennard-jones"](7)
    found = spectrum(cluster.hessian(cluster.start), cluster.start, cluster.species)
    assert found.values.size == 15
    assert found.index() == 0


def test_a_jet_carries_the_chain_rule(rng):
    x = rng.uniform(0.5, 1.5, 2)

    def formula(x):
        a, b = variables(x)
        return ((a * b + 2.0) * (a - b).exp() + (a * a + b * b).sqrt() - 3.0 * a) * 0.5

    jet, h = formula(x.tolist()), 1e-5
    for k, v in enumerate(np.eye(2)):
        up, down = formula((x + h * v).tolist()), formula((x - h * v).tolist())
        assert jet.gradient[k] == pytest.approx((up.value - down.value) / (2 * h), abs=1e-8)
        assert np.allclose(jet.hessian[k], (np.array(up.gradient) - down.gradient) / (2 * h), atol=1e-8)


def test_all_stationary_points_of_mueller_brown_are_proved():
    ds = stationary_points("mueller-brown")
    assert bool(ds.complete)
    assert ds["index"].values.tolist() == [0, 0, 0, 1, 1]
    for k, (x, y, energy) in enumerate(MINIMA):
        assert np.allclose(ds.x[k], (x, y), atol=1e-13)
        assert float(ds.energy[k]) == pytest.approx(energy, abs=1e-11)
    assert np.allclose(ds.x[4], SADDLE[:2], atol=1e-13)
    assert np.allclose(ds.eigenvalues[4], (-750.8626628393, 490.2407080596), atol=1e-9)
    assert float(ds.radius.max()) < 1e-14
    # a second engine: 50-digit Newton from the midpoint of each enclosure stays within it
    import mpmath

    mpmath.mp.dps = 40
    from workbench.steps.saddles.surfaces import _A, _X0, _Y0, _a, _b, _c

    def energy(x, y):
        return sum(
            A * mpmath.exp(a * (x - u) ** 2 + b * (x - u) * (y - v) + c * (y - v) ** 2)
            for A, a, b, c, u, v in zip(_A, _a, _b, _c, _X0, _Y0, strict=True)
        )

    for k in range(5):
        start = [float(value) for value in ds.x[k]]
        slopes = [lambda x, y: mpmath.diff(energy, (x, y), (1, 0)), lambda x, y: mpmath.diff(energy, (x, y), (0, 1))]
        root = mpmath.findroot(slopes, start, tol=1e-40)
        for value, middle, radius in zip(root, start, ds.radius.values[k], strict=True):
            assert abs(value - middle) <= radius


def test_leps_has_one_saddle_in_its_box():
    ds = stationary_points("leps")
    assert bool(ds.complete)
    assert ds["index"].values.tolist() == [1]
    assert np.allclose(ds.x[0], (1.149, 0.862), atol=1e-3)
    assert float(ds.energy[0]) == pytest.approx(-3.177, abs=1e-3)


def test_a_smaller_box_holds_fewer_points_and_a_rim_point_is_not_claimed():
    found = stationary_points("mueller-brown", ((-1.0, -0.7), (0.5, 0.8)))
    assert found["index"].values.tolist() == [1]
    empty = stationary_points("mueller-brown", ((-2.0, -1.5), (-0.75, 0.0)))
    assert empty.sizes["point"] == 0
    assert bool(empty.complete)


def test_points_cannot_be_enumerated_without_a_formula():
    with pytest.raises(ValueError, match="searched, but not enumerated"):
        stationary_points(SURFACES["lennard-jones"](3))
    with pytest.raises(ValueError, match="low < high"):
        stationary_points("leps", ((1, 0), (0, 1)))


def test_nonsense_is_refused_before_any_call():
    surface = SURFACES["lennard-jones"](3)
    with pytest.raises(ValueError, match="must have shape"):
        surface(np.zeros(8))
    with pytest.raises(ValueError, match="NaN"):
        surface(np.full(9, np.nan))
    with pytest.raises(ValueError, match=r"atoms 0 and 2 are 0\.1"):
        surface([0, 0, 0, 1, 0, 0, 0.1, 0, 0])
    with pytest.raises(ValueError, match="must be at most"):
        SURFACES["lennard-jones"](1000)
    with pytest.raises(ValueError, match="mueller-brown"):
        steps.saddle("muller-brown")


def test_rigid_motions_are_six_or_five(rng):
    bent = rng.normal(size=12)
    assert internal_basis(bent, "HHHH").shape == (12, 6)
    line = np.outer(np.arange(4.0), rng.normal(size=3)).reshape(-1)
    assert internal_basis(line, "HHHH").shape == (12, 7)
    basis = internal_basis(bent, "HHHH")
    turned = np.cross([0.3, -0.2, 0.5], bent.reshape(-1, 3)).reshape(-1)
    assert np.abs(basis.T @ turned).max() < 1e-12


FORMULAS = {
    "power": lambda x, y: x**3 * y + x**2 - 2 * y**5 + x**0,
    "quotient": lambda x, y: x / (1 + y**2) + 2 / (3 + x) - y / 4,
    "wave": lambda x, y: x.sin() * y.cos() + (x * y).sin(),
    "logarithm": lambda x, y: (1 + x**2).log() * y.exp() + (2 + y).sqrt(),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_has_its_own_slopes(name, rng):
    surface = steps.plane_surface(name, FORMULAS[name], (0.3, 0.2), ((-1, 1), (-1, 1)))
    h = 1e-5
    for x in rng.uniform(-0.9, 0.9, (5, 2)):
        slopes = [(surface(x + h * v)[0] - surface(x - h * v)[0]) / (2 * h) for v in np.eye(2)]
        bends = [(surface(x + h * v)[1] - surface(x - h * v)[1]) / (2 * h) for v in np.eye(2)]
        assert np.allclose(surface(x)[1], slopes, atol=1e-8)
        assert np.allclose(surface.hessian(x), bends, atol=1e-8)


@pytest.mark.parametrize("name", FORMULAS)
def test_balls_enclose_every_point_of_their_box(name, rng):
    from flint import arb

    boxes = FORMULAS[name](*variables([arb(0.3, 0.1), arb(-0.2, 0.2)]))
    for _ in range(20):
        x, y = 0.3 + rng.uniform(-0.1, 0.1), -0.2 + rng.uniform(-0.2, 0.2)
        point = FORMULAS[name](*variables([x, y]))
        pairs = [(point.value, boxes.value), *zip(point.gradient, boxes.gradient, strict=True)]
        for row, enclosures in zip(point.hessian, boxes.hessian, strict=True):
            pairs += zip(row, enclosures, strict=True)
        for inside, box in pairs:
            assert (box + arb(0, 1e-12)).contains(arb(inside))


def test_the_three_hump_camel_has_its_known_points():
    """Minima at 0 and ±(1.7476, −0.8738) and two saddles: 4x − 4.2x³ + x⁵ − x/2 = 0 with y = −x/2."""
    camel = steps.plane_surface(
        "camel", lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2, (1, 0), ((-3, 3), (-3, 3))
    )
    proved = steps.stationary_points(camel)
    assert bool(proved.complete)
    roots = np.roots([1, 0, -4.2, 0, 3.5, 0])
    expected = np.sort(roots.real)
    assert np.allclose(np.sort(proved.x.values[:, 0]), expected, atol=1e-9)
    assert np.allclose(proved.x.values[:, 1], -proved.x.values[:, 0] / 2, atol=1e-9)
    assert sorted(proved["index"].values) == [0, 0, 0, 1, 1]


def test_a_plane_surface_is_checked_before_it_is_used():
    def bowl(x, y):
        return x**2 + y**2

    for start, box, words in (
        ((2, 0), ((-1, 1), (-1, 1)), "inside the box"),
        ((0, 0, 0), ((-1, 1), (-1, 1)), "two coordinates"),
        ((0, 0), ((1, -1), (-1, 1)), "low < high"),
        ((0, np.nan), ((-1, 1), (-1, 1)), "NaN"),
    ):
        with pytest.raises(ValueError, match=words):
            steps.plane_surface("bowl", bowl, start, box)
    with pytest.raises(TypeError, match="must return a jet"):
        steps.plane_surface("flat", lambda x, y: 1.0, (0, 0), ((-1, 1), (-1, 1)))
    with pytest.raises(ValueError, match="whole number from 0 to 64"):
        steps.plane_surface("root", lambda x, y: x**0.5, (0, 0), ((-1, 1), (-1, 1)))
    with pytest.raises(ValueError, match="positions of shape"):
        steps.pair_surface("pair", lambda r: (r, r, r), [[0, 0, 0]], "HH")
