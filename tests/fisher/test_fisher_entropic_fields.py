"""Periodic grids, random fields and fields from files: derivatives, known displacements, refusals."""

import io

import numpy as np
import pytest
from PIL import Image

from workbench import fisher
from workbench.fisher.entropic.fields import displaced_density, mode_variances
from workbench.fisher.entropic.grid import Grid, checked_density, grid_of
from workbench.fisher.entropic.symmetric import cofactors, contracted, determinant, least_eigenvalue, matrices, solve


@pytest.mark.parametrize("shape", [(12, 16), (9, 8), (8, 10, 7)])
def test_derivatives_of_waves_are_exact(shape):
    grid = Grid(shape, 2.0)
    places = np.meshgrid(*(grid.positions(axis) for axis in range(grid.dimension)), indexing="ij")
    lengths = [n * grid.cell for n in shape]
    phase = sum(2 * np.pi * m * x / L for m, x, L in zip((1, -2, 1), places, lengths, strict=False))
    wave = np.sin(phase)
    k = [2 * np.pi * m / L for m, L in zip((1, -2, 1), lengths, strict=False)]
    spectrum = grid.forward(wave)
    for axis, slope in enumerate(grid.gradient(spectrum)):
        np.testing.assert_allclose(slope, k[axis] * np.cos(phase), atol=1e-11)
    second = grid.second(spectrum)
    for row, name in enumerate(grid.components):
        i, j = ("xyz".index(letter) for letter in name)
        np.testing.assert_allclose(second[row], -k[i] * k[j] * wave, atol=1e-10)
    step = np.array([0.13, -0.4, 0.7])[: grid.dimension]
    moved = grid.backward(grid.moved(spectrum, step))
    np.testing.assert_allclose(moved, np.sin(phase + np.dot(k, step)), atol=1e-12)


def test_nyquists_row_is_kept_for_even_and_dropped_for_odd_derivatives():
    grid = Grid((8, 8))
    wave = np.cos(np.pi * np.arange(8))[:, None] * np.ones(8)
    spectrum = grid.forward(wave)
    assert np.abs(grid.gradient(spectrum)[0]).max() == 0
    second = grid.second(spectrum)
    np.testing.assert_allclose(second[0], -((np.pi * 8) ** 2) * wave)
    assert np.abs(second[2]).max() < 1e-10
    half_a_cell = grid.backward(grid.moved(spectrum, (0.5 / 8, 0)))
    np.testing.assert_allclose(half_a_cell, 0, atol=1e-14)


def test_a_finite_reach_is_the_difference_it_says():
    grid = Grid((32, 32))
    values = np.random.default_rng(0).normal(size=grid.shape)
    spectrum = grid.blurred(grid.forward(values), 0.05)
    h = 3 * grid.cell
    field = grid.backward(spectrum)
    found = grid.second(spectrum, h)
    np.testing.assert_allclose(
        found[0], (np.roll(field, 3, 0) + np.roll(field, -3, 0) - 2 * field) / h**2, atol=1e-10 * np.abs(found).max()
    )
    diagonal = h * np.array([1, 1]) / np.sqrt(2)
    other = h * np.array([1, -1]) / np.sqrt(2)

    def along(step):
        return sum(grid.backward(grid.moved(spectrum, sign * step)) for sign in (1, -1)) / h**2

    np.testing.assert_allclose(found[2], (along(diagonal) - along(other)) / 2, atol=1e-10 * np.abs(found).max())


@pytest.mark.parametrize("d", [2, 3])
def test_small_matrices_by_components(d):
    rng = np.random.default_rng(1)
    full = rng.normal(size=(20, d, d))
    full = full + np.swapaxes(full, 1, 2)
    pairs = ((0, 0), (1, 1), (0, 1)) if d == 2 else ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    parts = np.stack([full[:, i, j] for i, j in pairs])
    np.testing.assert_array_equal(matrices(parts), full)
    shifted = full + 0.3 * np.eye(d)
    np.testing.assert_allclose(determinant(parts, 0.3), np.linalg.det(shifted))
    np.testing.assert_allclose(
        matrices(cofactors(parts, 0.3)), np.linalg.det(shifted)[:, None, None] * np.linalg.inv(shifted), atol=1e-10
    )
    np.testing.assert_allclose(least_eigenvalue(parts, 0.3), np.linalg.eigvalsh(shifted)[:, 0], atol=1e-13)
    right = rng.normal(size=(d, 20))
    np.testing.assert_allclose(solve(parts, right, 0.3).T, np.linalg.solve(shifted, right.T[..., None])[..., 0])
    np.testing.assert_allclose(contracted(parts, parts), np.trace(full @ full, axis1=1, axis2=2))


@pytest.mark.parametrize("shape", [(32, 48), (15, 15), (12, 12, 16)])
def test_the_expected_variance_is_the_one_asked_for(shape):
    grid = Grid(shape)
    variances = mode_variances(grid, -1.0, 2 * grid.cell)
    assert (variances * grid.weights()).sum() / grid.cells == pytest.approx(1.0)
    draws = [fisher.field("lognormal", shape, sigma=0.7, smoothing=2 * grid.cell, seed=s).density for s in range(60)]
    found = np.log(draws)
    assert found.var(axis=0, ddof=1).mean() == pytest.approx(0.49, rel=0.1)
    assert found.mean() == pytest.approx(-0.49 / 2, abs=0.05)


def test_fields_are_repeatable_and_seeds_differ():
    one, same, other = (fisher.field(shape=(16, 16), smoothing=0.1, seed=s).density for s in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_a_known_displacement_has_its_known_density():
    grid = Grid((48, 48))
    x = grid.positions(0)
    amplitude = 0.5
    potential = amplitude * np.cos(2 * np.pi * x)[:, None] / (2 * np.pi) ** 2 * np.ones(48)
    rho = displaced_density(grid, potential)
    q = np.linspace(0, 1, 200_001)
    moved = q - amplitude * np.sin(2 * np.pi * q) / (2 * np.pi)
    exact = np.interp(x, moved, 1 / (1 - amplitude * np.cos(2 * np.pi * q)))
    np.testing.assert_allclose(rho, exact[:, None] * np.ones(48), rtol=1e-6)
    assert rho.mean() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shape", [(48, 48), (16, 16, 16)])
def test_moved_matter_keeps_its_mass_and_crossed_streams_are_refused(shape):
    rho = fisher.field("zeldovich", shape, sigma=0.25, smoothing=0.1).density
    assert float(rho.mean()) == pytest.approx(1, abs=3e-3)
    with pytest.raises(ValueError, match="streams cross"):
        fisher.field("zeldovich", shape, sigma=2.0, smoothing=0.1)


def test_what_cannot_be_a_field_is_refused():
    with pytest.raises(ValueError, match="falls to"):
        fisher.field("gaussian", (32, 32), sigma=1.0, smoothing=0.05)
    with pytest.raises(ValueError, match="less than a cell"):
        fisher.field(shape=(16, 16), smoothing=0.01)
    with pytest.raises(ValueError, match=r"unknown field 'lognormall'.*Did you mean 'lognormal'"):
        fisher.field("lognormall")
    with pytest.raises(ValueError, match="two or three dimensions"):
        grid_of((8, 8, 8, 8))
    with pytest.raises(ValueError, match="up to 16,777,216"):
        grid_of((10**6, 10**6))
    with pytest.raises(ValueError, match=r"16 of 16 cells|no mass"):
        checked_density(np.zeros((4, 4)))
    with pytest.raises(ValueError, match=r"1 of 16 cells below 0 \(the first at \(1, 2\)\)"):
        checked_density(np.where(np.arange(16).reshape(4, 4) == 6, -0.1, 1.0), zeros=True)
    with pytest.raises(ValueError, match="cancel"):
        checked_density(np.array([[1.0, -1.0] * 2] * 4), zeros=True, floor=0.1)
    lifted, _ = checked_density(np.eye(4), floor=0.5)
    assert lifted.min() == 0.5


# ---- files ---------------------------------------------------------------------------------------------------------


def saved(array, **named):
    stream = io.BytesIO()
    np.savez(stream, **named) if named else np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("apart", [False, True])
def test_arrays_pictures_and_positions_are_read(apart):
    cube = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    found = fisher.read_field(saved(cube), name="a.npy", apart=apart)
    np.testing.assert_array_equal(found.density(), cube)
    assert found.sentence == "4 × 5 × 6 cells; float32"
    many = fisher.read_field(saved(None, density=cube[..., 0], other=cube), name="a.npz", apart=apart)
    np.testing.assert_array_equal(many.density(), cube[..., 0])
    stream = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(stream, "PNG")
    picture = fisher.read_field(stream.getvalue(), name="a.png", apart=apart)
    assert picture.density().shape == (8, 6)
    assert picture.density()[0, 0] == pytest.approx(40 / 255)  # the lower left corner
    places = fisher.read_field(b"0,25;0,5\n0,75;1,0\n", name="a.csv", apart=apart)
    assert places.density(box=1.0, side=4).sum() == pytest.approx(16)
    with pytest.raises(ValueError, match="how long its periodic box is"):
        places.density()


def test_files_that_are_no_fields_are_refused(tmp_path):
    with pytest.raises(ValueError, match="1 dimensions"):
        fisher.read_field(saved(np.ones(5)), name="a.npy")
    with pytest.raises(ValueError, match="pickled objects are never read"):
        fisher.read_field(saved(np.array([{}], dtype=object)), name="a.npy")
    with pytest.raises(ValueError, match="no file of a field"):
        fisher.read_field(b"x", name="a.fits")
    with pytest.raises(ValueError, match="up to 0 MiB"):
        fisher.read_field(b"1,2\n" * 100, name="a.csv", max_bytes=100)
    with pytest.raises(ValueError, match="name the one to take 'density'"):
        fisher.read_field(saved(None, a=np.ones((4, 4)), b=np.ones((4, 4))), name="a.npz")
    with pytest.raises(ValueError, match="has 4 columns"):
        fisher.read_field(b"1,2,3,4\n", name="a.csv")
    with pytest.raises(FileNotFoundError):
        fisher.read_field(tmp_path / "none.npy")
    promised = saved(np.ones((4, 4)))[:-8]
    with pytest.raises(ValueError, match="cut off"):
        fisher.read_field(promised, name="a.npy")


def test_positions_are_spread_linearly_and_wrap_round():
    found = fisher.cloud_in_cell([[0.25, 3.5]], 4.0, 4)
    expected = np.zeros((4, 4))
    expected[0, 3], expected[0, 0], expected[1, 3], expected[1, 0] = 0.375, 0.375, 0.125, 0.125
    np.testing.assert_allclose(found, 16 * expected)
    rng = np.random.default_rng(0)
    cube = fisher.cloud_in_cell(rng.random((500, 3)), 1.0, 6)
    assert cube.mean() == pytest.approx(1)
    with pytest.raises(ValueError, match=r"1 of 2 positions lie outside .* \(row 2: 1, 5\)"):
        fisher.cloud_in_cell([[1, 1], [1, 5]], 4.0, 4)
    with pytest.raises(ValueError, match="two or three columns"):
        fisher.cloud_in_cell(np.ones((3, 5)), 4.0, 4)
