"""Torsion and non-metricity of fields whose traces are known in closed form."""

import numpy as np
import pytest

from workbench import data, shapes
from workbench.shapes.defects import dictionaries


@pytest.fixture(scope="module")
def study():
    return shapes.defect_dictionaries()


def test_a_cone_has_the_fluxes_of_the_closed_form(study):
    beta = 1 - study.wedge / 360
    polar, other = study.sel(frame="polar"), study.sel(frame="isothermal")
    np.testing.assert_allclose(polar.first_flux, 0, atol=1e-10)
    np.testing.assert_allclose(polar.second_flux, np.pi * (beta**2 - 1) / beta**2, rtol=1e-9)
    np.testing.assert_allclose(other.first_flux, 4 * np.pi * (1 - beta), rtol=1e-9)
    np.testing.assert_allclose(other.second_flux, 2 * np.pi * (1 - beta), rtol=1e-9)
    assert float(polar.second_flux.sel(wedge=60.0)) == pytest.approx(-1.3823007676, abs=1e-9)
    assert float(polar.second_flux.sel(wedge=-60.0)) == pytest.approx(0.8334837653, abs=1e-9)
    assert float(study.spread.max()) < 1e-8


def test_shares_sum_to_one_and_do_not_depend_on_axes_or_lengths(study):
    np.testing.assert_allclose(study.axial + study.vector + study.tensor, 1)
    np.testing.assert_allclose(
        study.sel(character=90.0)[["axial", "vector", "tensor"]].to_array(), [0, 0.5, 0.5], atol=1e-15
    )
    np.testing.assert_allclose(
        study.sel(character=0.0)[["axial", "vector", "tensor"]].to_array(), [1 / 3, 0, 2 / 3], atol=1e-15
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        b, t = rng.normal(size=(2, 3))
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        np.testing.assert_allclose(shapes.torsion_shares(b, t), shapes.torsion_shares(1e-200 * turn @ b, 3 * turn @ t))


def test_a_point_source_has_traces_of_second_order():
    field = shapes.sampled_frame([[1.3, 0.4]], dictionaries.point_source(0.01))
    found = shapes.nonmetricity_traces(field)
    np.testing.assert_allclose(found.first_in_lattice[0], [8.1688258e-5, 2.5134848e-5], rtol=1e-7)
    np.testing.assert_allclose(found.first, 2 * found.second, rtol=1e-3)
    np.testing.assert_allclose(shapes.torsion_parts(field).torsion, 0, atol=1e-9)  # u is a function: no dislocation


def test_fields_that_are_uniform_have_neither():
    rng = np.random.default_rng(1)
    strained = np.linalg.qr(rng.normal(size=(3, 3)))[0] @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3)))
    field = shapes.sampled_frame(rng.normal(size=(5, 3)), lambda x: np.broadcast_to(strained, (len(x), 3, 3)))
    assert np.abs(shapes.torsion_parts(field).nye).max() < 1e-10
    for trace in shapes.nonmetricity_traces(field):
        assert np.abs(trace).max() < 1e-10


def test_the_parts_of_torsion_are_those_of_its_own_definition():
    """Against d of the coframe in closed form: J = 1 + x·A, so T_mn = A_m e_n − A_n e_m."""
    rng = np.random.default_rng(2)
    slope = 0.1 * rng.normal(size=(3, 3, 3))
    field = shapes.sampled_frame(np.zeros((1, 3)), lambda x: np.eye(3) + np.einsum("aim,nm->nai", slope, x))
    found = shapes.torsion_parts(field)
    curl = np.stack([slope[:, n, m] - slope[:, m, n] for m, n in ((1, 2), (2, 0), (0, 1))], -1)
    np.testing.assert_allclose(found.torsion[0], curl, atol=1e-12)
    np.testing.assert_allclose(found.axial + found.vector + found.tensor, (found.nye**2).sum((1, 2)))


def test_what_no_field_can_be_is_refused():
    with pytest.raises(ValueError, match="not all 0"):
        shapes.torsion_shares([0, 0, 0], [0, 0, 1])
    with pytest.raises(ValueError, match="±300°"):
        shapes.defect_dictionaries(wedges=[0.0])
    with pytest.raises(ValueError, match="lie within ±0"):
        shapes.defect_dictionaries(strengths=[2.0])
    with pytest.raises(ValueError, match="it must return"):
        shapes.sampled_frame([[0.0, 1.0]], lambda x: np.eye(2)[None, :1])


def test_the_shipped_study_is_the_computed_one(study):
    shipped = data.result("shapes/defects_dictionaries.nc")
    for name in study.data_vars:
        np.testing.assert_allclose(shipped[name], study[name], atol=1e-9)
