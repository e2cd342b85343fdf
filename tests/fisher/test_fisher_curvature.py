"""The public curvature: every known value to 1e-9, engines against each other, and what the result carries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher, results

NORMS = ("scalar_curvature", "cumulant_norm", "trace_norm")


def test_known_values(exact):
    L, *expected = exact
    found = fisher.ising_curvature(L)
    for name, value in zip(NORMS, expected, strict=True):
        assert float(found[name]) == pytest.approx(value, rel=1e-9 if L > 4 else 5e-12), name


@pytest.mark.parametrize(("J", "J_vertical", "expected"), [(0.3, 0.55, -162.266282639), (0.5, 0.2, -35.206380679)])
@pytest.mark.parametrize("method", list(fisher.ENGINES))
def test_known_anisotropic_values(J, J_vertical, expected, method):
    assert float(fisher.ising_curvature(4, J, J_vertical, method).scalar_curvature) == pytest.approx(
        expected, abs=6e-10
    )


@pytest.mark.parametrize("args", [(3,), (8,), (9, 0.2), ((5, 8), 0.4, 0.6), (12, 0.3, 0.5), ((9, 6), -0.3, 0.4)])
def test_reduced_plain_and_torch_agree(args):
    found = [fisher.ising_curvature(*args, method=m, device="cpu") for m in ("pfaffian", "plain", "torch")]
    for other in found[1:]:
        for name in (*NORMS, "cumulant_density", "trace_density", "metric_eigenvalue"):
            np.testing.assert_allclose(other[name], found[0][name], rtol=1e-10, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("L", [3, 5, 6, (7, 4), (4, 6)])
def test_transfer_matrix_is_a_second_witness(L):
    for couplings in ((), (0.3, 0.5)):
        ours, theirs = (fisher.ising_curvature(L, *couplings, method=m) for m in ("pfaffian", "transfer-matrix"))
        for name in (*NORMS, "cumulant_density"):
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_transfer_matrix_at_eight():
    found = fisher.ising_curvature(8, method="transfer-matrix")
    assert float(found.scalar_curvature) == pytest.approx(-1272.141940854, rel=1e-10)


COUPLING = st.one_of(st.sampled_from([0.0, fisher.J_CRITICAL, -fisher.J_CRITICAL]), st.floats(-0.9, 0.9))


@settings(deadline=None, max_examples=15)
@given(st.sampled_from([3, (3, 4), (4, 3)]), COUPLING, COUPLING)
def test_any_coupling_against_dense_enumeration(L, J, J_vertical):
    found = fisher.ising_curvature(L, J, J_vertical)
    graph = fisher.GRAPHS["torus"](L)
    oracle = fisher.enumerate_curvature(graph, np.tile([J, J_vertical], graph.sites))
    for name in (*NORMS, "ricci_1", "ricci_2", "ricci_3", "ricci_4"):
        assert float(found[name]) == pytest.approx(float(oracle[name]), rel=1e-8, abs=1e-8), name


@settings(deadline=None, max_examples=10)
@given(st.integers(3, 8), st.integers(3, 8), st.floats(0.1, 0.7), st.floats(0.1, 0.7))
def test_turning_the_torus_changes_nothing(X, Y, J, J_vertical):
    one, other = fisher.ising_curvature((X, Y), J, J_vertical), fisher.ising_curvature((Y, X), J_vertical, J)
    assert float(one.scalar_curvature) == pytest.approx(float(other.scalar_curvature), rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(one.cumulant_density, other.cumulant_density.transpose("ky", "kx"), rtol=1e-8, atol=1e-8)


def test_densities_and_shells_add_up():
    ds = fisher.ising_curvature((6, 9), 0.4, 0.45)
    assert float(ds.cumulant_density.sum()) == pytest.approx(float(ds.cumulant_norm), rel=1e-12)
    assert float(ds.trace_density.sum()) == pytest.approx(float(ds.trace_norm), rel=1e-12)
    assert float(ds.shell_curvature.sum()) == pytest.approx(float(ds.scalar_curvature), rel=1e-12)
    at_zero = ds.metric_eigenvalue.sel(kx=0, ky=0)
    np.testing.assert_allclose(at_zero, np.linalg.eigvalsh(ds.zero_mode), rtol=1e-12)
    assert ds.kx.size == 6
    assert float(ds.kx.min()) == pytest.approx(-np.pi)


def test_result_survives_a_file(tmp_path):
    ds = fisher.ising_curvature(5)
    again = results.open(results.save(ds, tmp_path / "five.nc"))
    np.testing.assert_array_equal(again.metric_eigenvalue, ds.metric_eigenvalue)
    assert "fisher.ising_curvature(L=5" in results.python_lines(again)


def test_refusals():
    with pytest.raises(ValueError, match="doubled"):
        fisher.ising_curvature(2)
    with pytest.raises(ValueError, match="Did you mean 'pfaffian'"):
        fisher.ising_curvature(5, method="pfafian")
    with pytest.raises(ValueError, match="finite"):
        fisher.ising_curvature(5, float("nan"))
    with pytest.raises(ValueError, match="2\\^24 states"):
        fisher.ising_curvature(5, method="enumeration")
    with pytest.raises(ValueError, match="L_y ≤ 8"):
        fisher.ising_curvature(9, method="transfer-matrix")
    with pytest.raises(ValueError, match="memory"):
        fisher.ising_curvature(200, method="plain")
    with pytest.raises(ValueError, match="greater than 0"):
        fisher.ising_curvature(5, max_memory=0)


def test_a_missing_card_is_named():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a card")
    with pytest.raises(ValueError, match="finds no CUDA card"):
        fisher.ising_curvature(5, method="torch", device="cuda")


def test_cost_grows_with_the_fourth_power_and_memory_is_bounded():
    (t32, m32), (t64, m64), (_, m256) = (fisher.estimate_cost(L) for L in (32, 64, 256))
    assert t64 > 4 * t32
    assert m32 < m64 < m256 < 6e9
