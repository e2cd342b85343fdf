"""Figures of covariances: outlines, studies and audits, read back."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import data, flows
from workbench.figures import flows as figures
from workbench.figures.flows.covariances import ellipse, path_unit


@pytest.fixture(scope="module")
def study():
    return data.result("flows/covariances_study.nc")


@pytest.fixture(scope="module")
def audit():
    return data.result("flows/covariances_audit.nc")


def test_an_outline_is_the_image_of_the_circle(rng):
    a = rng.normal(size=(2, 2))
    a = a @ a.T
    outline = ellipse(a, (3.0, -1.0)) - [3.0, -1.0]
    np.testing.assert_allclose(np.einsum("pi,ij,pj->p", outline, np.linalg.inv(a), outline), 1, rtol=1e-9)
    flat = ellipse(np.array([[4.0]]))
    assert np.abs(flat[:, 0]).max() == pytest.approx(2, rel=1e-2)
    assert not flat[:, 1].any()


def test_every_seed_is_a_dot_and_every_mean_has_two_errors(study):
    figure = figures.layer_accuracies(study)
    dots, means = (part for part in figure if isinstance(part, hv.Scatter))
    assert len(dots) == study.accuracy.size
    assert len(means) == study.sizes["layer"]
    bars = next(part for part in figure if isinstance(part, hv.ErrorBars))
    np.testing.assert_allclose(bars.dimension_values("accuracy"), study.mean_accuracy)
    np.testing.assert_allclose(bars.dimension_values("error"), 2 * study.standard_error)


def test_the_audit_leaves_out_where_pot_stops(audit):
    curves = [part for part in figures.audit_curves(audit) if isinstance(part, hv.Curve)]
    assert [curve.label.partition(":")[0] for curve in curves] == ["one step", "certified gap", "POT"]
    assert len(curves[0]) == len(curves[1]) == audit.sizes["condition"] > len(curves[2]) > 0
    np.testing.assert_allclose(curves[0].dimension_values("share of V"), audit.one_step_excess.median("repeat"))


def test_the_unit_of_the_paths_is_their_longest_axis():
    ds = flows.covariance_batch(first=np.diag([9.0, 1.0]), second=np.diag([1.0, 4.0]), count=3)
    assert path_unit(ds) == pytest.approx(3)


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_both_backends_draw(study, audit, backend):
    for element in (figures.layer_accuracies(study), figures.audit_curves(audit)):
        draw(element, backend)
