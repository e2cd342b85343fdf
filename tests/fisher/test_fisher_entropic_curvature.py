"""The curvature of fields: the probe, the local measure, the dimension, the classes, the flow with scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher.entropic.curvature import desmoothed, log_hessian, window_hessian
from workbench.fisher.entropic.grid import Grid
from workbench.fisher.entropic.symmetric import matrices, web

LINE = fisher.Bumps([0.6, 0.4], [0.0, 2.5], [1.0, 0.7])


@pytest.fixture(scope="module")
def rho():
    return fisher.field("lognormal", (48, 48), sigma=1.0, smoothing=0.06, seed=1).density.values


def test_the_translation_probe_has_its_known_value():
    x = np.arange(800) * 0.05 - 20
    density = np.exp(LINE.log_density(x[:, None]))[:, None] * np.ones(4)
    ds = fisher.curvature_field(density, probe=0.5, width=0.3, box=40.0)
    at = ds.curvature.sel(component="xx").values[424, 0]  # x = 1.2
    assert at == pytest.approx(-0.9275335566286582, abs=1e-9)
    # the same by the entropy of the pair itself, along another route altogether
    ends = fisher.Normal(0.7, 0.09), fisher.Normal(1.7, 0.09)
    pair = fisher.entropic_curvature(*ends, reference=LINE)
    assert float(pair.value) == pytest.approx(at, abs=1e-9)
    assert float(pair.internal) == pytest.approx(0, abs=1e-12)


def test_a_short_reach_is_the_hessian_and_the_dimension_is_the_slider(rho):
    grid = Grid(rho.shape)
    exact = log_hessian(rho, grid, 0, 0, 0, np.inf)
    off = [np.abs(log_hessian(rho, grid, 0, h, 0, np.inf) - exact).max() for h in (0.02, 0.01)]
    assert off[0] / off[1] == pytest.approx(4, rel=0.05)
    for N in (3.0, 5.0, 40.0):
        local, probed = (log_hessian(rho, grid, 0, h, 0, N) for h in (0.0, 1e-3))
        np.testing.assert_allclose(probed, local, atol=1e-3 * np.abs(local).max())
    far = log_hessian(rho, grid, 0, 0.03, 0, 1e8)
    np.testing.assert_allclose(far, log_hessian(rho, grid, 0, 0.03, 0, np.inf), atol=1e-4 * np.abs(far).max())


def test_at_d_plus_one_it_is_the_hessian_of_the_density():
    rho = fisher.field(shape=(64, 64), sigma=0.5, smoothing=0.08, seed=1).density.values
    grid = Grid(rho.shape)
    direct = -grid.second(grid.forward(rho)) / rho
    np.testing.assert_allclose(log_hessian(rho, grid, 0, 0, 0, 3), direct, atol=1e-5 * np.abs(direct).max())
    # at a finite reach: ρ is a cosine's arc there
    h = 2 * grid.cell
    found = log_hessian(rho, grid, 0, h, 0, 3)[0]
    ratio = (np.roll(rho, 2, 0) + np.roll(rho, -2, 0)) / 2 / rho
    arcs = np.where(ratio < 1, np.arccos(np.minimum(ratio, 1)) ** 2, -(np.arccosh(np.maximum(ratio, 1)) ** 2)) / h**2
    np.testing.assert_allclose(found, arcs, atol=1e-7 * np.abs(arcs).max())


def test_finite_n_of_the_probe_is_that_of_the_pair():
    """In one direction the arc of a cosine is the entropic CD(K, m) of two narrow measures."""
    x = np.arange(400) * 0.05 - 10
    density = np.exp(LINE.log_density(x[:, None]))[:, None] * np.ones(4)
    ds = fisher.curvature_field(density, probe=0.5, width=0.3, N=2 + 4, box=20.0)
    at = float(ds.curvature.sel(component="xx").values[224, 0])
    pair = fisher.entropic_curvature(fisher.Normal(0.7, 0.09), fisher.Normal(1.7, 0.09), reference=LINE, N=4)
    assert float(pair.value) == pytest.approx(at, abs=1e-8)


def test_the_local_measure_is_the_covariance_in_a_window():
    grid = Grid((64, 64))
    x = grid.positions(0)
    places = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1)
    rho = sum(
        w * np.exp(-(((places - m) ** 2) / (2 * np.array(s) ** 2)).sum(axis=-1))
        for w, m, s in (
            (1, (0.45, 0.5), (0.1, 0.07)),
            (0.5, (0.6, 0.55), (0.06, 0.12)),
            (0.3, (0.5, 0.4), (0.09, 0.09)),
        )
    )
    R = 0.05
    ds = fisher.curvature_field(rho, tensor="local-measure", smoothing=R)
    for i, j in ((30, 31), (36, 28), (40, 40)):
        off = (places - places[i, j] + 0.5) % 1 - 0.5
        mass = rho * np.exp(-(off**2).sum(axis=-1) / (2 * R**2))
        mean = (mass[..., None] * off).sum(axis=(0, 1)) / mass.sum()
        spread = np.einsum("xy,xyi,xyj->ij", mass, off, off) / mass.sum() - np.outer(mean, mean)
        exact = np.linalg.inv(spread) - np.eye(2) / R**2
        found = matrices(ds.curvature.values[:, i, j])
        np.testing.assert_allclose(found, exact, atol=1e-8 * np.abs(exact).max())


@pytest.mark.parametrize("d", [2, 3])
def test_desmoothing_is_the_matrix_formula(d):
    rng = np.random.default_rng(0)
    full = rng.normal(size=(50, d, d)) * 0.1
    full = full + np.swapaxes(full, 1, 2)
    pairs = ((0, 0), (1, 1), (0, 1)) if d == 2 else ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    parts = np.stack([full[:, i, j] for i, j in pairs])
    exact = full @ np.linalg.inv(np.eye(d) - 0.25 * full)
    np.testing.assert_allclose(matrices(desmoothed(parts, 0.5)), exact, atol=1e-13)


def test_halos_stand_still_when_the_smoothing_is_taken_out():
    x = np.minimum(np.arange(64), 64 - np.arange(64)) / 64
    width = 0.06
    halo = np.exp(-(x[:, None] ** 2 + x**2) / 2 / width**2) + 1e-12
    radii = [0.02, 0.04, 0.06]
    ds = fisher.scale_flow(halo, radii)
    np.testing.assert_allclose(ds.raw, 1 / (width**2 + np.square(radii)), rtol=1e-6)
    np.testing.assert_allclose(ds.desmoothed, width**-2, rtol=1e-6)
    np.testing.assert_array_equal(ds.place, 0)
    with pytest.raises(ValueError, match="lengths from a cell"):
        fisher.scale_flow(halo, [0.001])
    with pytest.raises(ValueError, match="place has 1 numbers"):
        fisher.scale_flow(halo, radii, place=[1])


def test_the_scale_flow_obeys_its_equation():
    """∂ₛH = ½ΔH − H² − (∇V·∇)H at s = R²."""
    rho = fisher.field(shape=(64, 64), sigma=0.7, smoothing=0.06, seed=1).density.values
    grid, R, step = Grid(rho.shape), 0.06, 1e-6
    before, here, after = (window_hessian(rho, grid, np.sqrt(R**2 + sign * step)) for sign in (-1, 0, 1))
    smooth = grid.backward(grid.blurred(grid.forward(rho), R))
    slope = grid.gradient(grid.forward(-np.log(smooth)))
    square = matrices(here) @ matrices(here)
    for row, (i, j) in enumerate(((0, 0), (1, 1), (0, 1))):
        spectrum = grid.forward(here[row])
        laplacian = grid.second(spectrum)[:2].sum(axis=0)
        drift = sum(a * b for a, b in zip(slope, grid.gradient(spectrum), strict=True))
        right = laplacian / 2 - square[..., i, j] - drift
        left = (after[row] - before[row]) / (2 * step)
        np.testing.assert_allclose(left, right, atol=2e-4 * np.abs(right).max())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 3]), st.floats(-2, 2))
def test_signs_count_eigenvalues(seed, d, threshold):
    parts = np.random.default_rng(seed).normal(size=(3 if d == 2 else 6, 400))
    counted = (np.linalg.eigvalsh(matrices(parts)) > threshold).sum(axis=-1)
    np.testing.assert_array_equal(web(parts, threshold=threshold), counted)


def test_signs_count_where_eigenvalues_are_zero_or_equal():
    rows = [
        np.diag(v).astype(float)
        for v in ((1, 1, 1), (0, 0, 0), (1, 0, -1), (0, 0, 2), (-1, -1, 0), (0, -1, 0), (1, 1, 0))
    ]
    parts = np.stack([[m[i, j] for m in rows] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))])
    assert web(parts).tolist() == [3, 0, 1, 1, 0, 0, 2]
    assert web([[1.0, 0.0, 0.0, -1.0], [0.0, 0.0, 1.0, 0.0], [0.0] * 4]).tolist() == [1, 0, 1, 0]
    with pytest.raises(ValueError, match="3 components"):
        web(np.ones((4, 10)))


def test_classes_of_many_cells_are_those_of_few():
    parts = np.random.default_rng(0).normal(size=(6, 64, 64, 64))
    whole = fisher.web(parts)
    np.testing.assert_array_equal(whole[10], fisher.web(parts[:, 10].reshape(6, -1)).reshape(64, 64))


def test_invariances(rho):
    one = fisher.curvature_field(rho, probe=0.03)
    np.testing.assert_allclose(fisher.curvature_field(7 * rho, probe=0.03).curvature, one.curvature, atol=1e-8)
    turned = fisher.curvature_field(rho.T, probe=0.03)
    np.testing.assert_allclose(turned.curvature[0], one.curvature[1].T, atol=1e-8)
    larger = fisher.curvature_field(rho, probe=0.3, box=10.0)
    np.testing.assert_allclose(100 * larger.curvature, one.curvature, atol=1e-7)
    cube = np.repeat(rho[:, :, None], 8, axis=2)
    flat = fisher.curvature_field(cube).curvature
    np.testing.assert_allclose(flat.sel(component="xy")[..., 0], fisher.curvature_field(rho).curvature[2], atol=1e-8)
    assert np.abs(flat.sel(component="zz")).max() < 1e-8


def test_what_cannot_be_curved_is_refused(rho):
    empty = np.where(rho < 0.2, 0, rho)
    with pytest.raises(ValueError, match="smooth it, or give floor"):
        fisher.curvature_field(empty)
    assert fisher.curvature_field(empty, smoothing=0.1).web.shape == rho.shape
    assert fisher.curvature_field(empty, floor=0.1).web.shape == rho.shape
    with pytest.raises(ValueError, match="N must be at least 3"):
        fisher.curvature_field(rho, N=2)
    with pytest.raises(ValueError, match="give smoothing=R > 0"):
        fisher.curvature_field(rho, tensor="local-measure")
    with pytest.raises(ValueError, match="unknown tensor"):
        fisher.curvature_field(rho, tensor="hessian")
    with pytest.raises(ValueError, match="NaN"):
        fisher.curvature_field(np.full((8, 8), np.nan))
    spike = np.zeros((16, 16))
    spike[3, 3] = 1
    with pytest.raises(ValueError, match="smooth more"):
        fisher.curvature_field(spike, smoothing=0.02)


def test_the_report_holds_what_the_page_shows(rho):
    ds = fisher.web_report(shape=(64, 64), smoothing=0.05, probe=0.05, width=0.02, seed=2)
    assert abs(float(ds.z)) < 4
    np.testing.assert_allclose(ds.shares.sum("positive"), 1)
    assert (np.diff(ds.raw) < 0).all()
    own = fisher.web_report(rho, smoothing=0.05, N=3)
    assert float(own.changed) == 0
    assert not own.attrs["law_known"]
    cube = fisher.web_report(shape=(16, 16, 16), smoothing=0.1, sigma=0.5)
    assert cube.web.shape == (16, 16)
    assert cube.sizes["positive"] == 4


def test_the_verdicts_follow_from_the_numbers():
    from workbench.fisher.entropic.verdicts import CLAIMS

    numbers = [claim.measure() for claim in CLAIMS]
    words = [claim.verdict(found).outcome.word for claim, found in zip(CLAIMS, numbers, strict=True)]
    assert words == [
        "holds",
        "holds in part",
        "holds in part",
        "does not hold",
        "holds in part",
        "holds",
        "holds in part",
    ]
    changed = [
        {"falls": 2.0},
        {"worst": 4.0},
        {"above": -0.1},
        {"least": 0.01},
        {"large": 0.5},
        {"clean": 1e-3},
        {"off": 1e-4},
    ]
    others = [
        claim.verdict({**found, **new}).outcome.word for claim, found, new in zip(CLAIMS, numbers, changed, strict=True)
    ]
    assert others == [
        *("does not hold", "does not hold", "does not hold", "holds", "holds", "does not hold", "does not hold")
    ]
