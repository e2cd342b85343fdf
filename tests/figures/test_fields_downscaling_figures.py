"""The pictures of downscaling show what the results hold."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import data, fields
from workbench.figures import fields as figures
from workbench.ui.kit.picture import plot_structure

BACKENDS = ("bokeh", "matplotlib")


@pytest.fixture(scope="module")
def study():
    return data.result("fields/downscaling.nc")


def test_closed_forms_and_own_rain_are_drawn():
    ds, other = fields.inflation_report(), fields.inflation_report(w=0.5, sampler="sde")
    own = fields.rain_report(fields.example_days())
    for figure in (
        figures.downscaling_gains(ds),
        figures.inflation_curves(ds, w=0.2),
        figures.return_levels(ds),
        figures.return_levels(own),
    ):
        for backend in BACKENDS:
            draw(figure, backend)
    for picture in (figures.downscaling_gains, figures.inflation_curves, figures.return_levels):
        assert plot_structure(picture(ds)) == plot_structure(picture(other))


def test_the_study_is_drawn(study):
    points = next(part for part in figures.downscaling_tails(study) if isinstance(part, hv.Scatter))
    assert len(points) >= 5 * study.sizes["seed"]
    assert np.abs(points["ratio"]).max() < 3
    for figure in (figures.downscaling_tails(study), figures.rain_maps(study, shown=1)):
        for backend in BACKENDS:
            draw(figure, backend)
    sheet = figures.rain_maps(study).dimension_values("mm", flat=False)
    np.testing.assert_allclose(np.nanmax(sheet[:, :16]), study.picture.sel(drawn="truth", shown=0).max())
