"""The pictures of fields show what the results hold."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import data, fields
from workbench.figures import fields as figures
from workbench.figures.choose import figure_for

BACKENDS = ("bokeh", "matplotlib")


@pytest.fixture(scope="module")
def report():
    return data.result("fields/first_fields.nc")


def parts(overlay, kind):
    return [part for part in overlay if isinstance(part, kind)]


def test_arrows_point_along_the_fields_and_none_crosses_the_canvas(report):
    figure = figures.field_arrows(report, handles=True)
    exact, memory, learned = parts(figure, hv.Segments)
    for part, name in ((exact, "exact"), (memory, "memoriser"), (learned, "learned")):
        steps = np.c_[part["to_x"] - part["x"], part["to_y"] - part["y"]]
        values = report[f"arrow_{name}"].values[0].reshape(-1, 2)
        turned = np.abs(steps[:, 0] * values[:, 1] - steps[:, 1] * values[:, 0])
        assert turned.max() < 1e-9 * np.abs(values).max()
        cell = float(report.x[1] - report.x[0])
        assert np.linalg.norm(steps, axis=1).max() <= 1.4 * cell * (1 + 1e-9)
    (handles,) = parts(figure, hv.Points)
    assert handles.label == figures.HANDLES
    assert np.array_equal(np.c_[handles["x"], handles["y"]], report.centre.values)
    for backend in BACKENDS:
        draw(figure, backend)


def test_a_law_without_a_network_keeps_the_plot_standing(report):
    from workbench.ui.kit.picture import plot_structure

    other = fields.field_report("moons", points=20, time=0.2)
    figure = figures.field_arrows(other, handles=True)
    assert len(parts(figure, hv.Segments)[2]) == 0
    assert plot_structure(figure) == plot_structure(figures.field_arrows(report, handles=True))
    for backend in BACKENDS:
        draw(figure, backend)
        draw(figures.path_ends(other), backend)


@pytest.mark.parametrize("name", ["first_fields", "first_training", "training", "first_budget", "budgets"])
def test_what_ships_is_drawn(name):
    ds = data.result(f"fields/{name}.nc")
    for backend in BACKENDS:
        draw(figure_for(ds), backend)


def test_every_other_picture_is_drawn(report):
    training, budget = data.result("fields/first_training.nc"), data.result("fields/first_budget.nc")
    study = data.result("fields/training.nc").sel(points=32)
    for element in (
        figures.field_arrows(training, time=0.7),
        figures.training_losses(training),
        figures.training_distances(study, step=800),
        figures.path_ends(report),
        figures.flow_ends(budget),
        figures.field_error_in_time(budget),
        figures.irreducible_bar(fields.irreducible_loss("gaussian", "gaussian")),
    ):
        for backend in BACKENDS:
            draw(element, backend)


def test_generators_are_drawn():
    ds = data.result("fields/generators.nc")
    for element in (figures.generator_distances(ds), figures.gradient_variances(ds), figures.generated_digits(ds)):
        for backend in BACKENDS:
            draw(element, backend)
    (image,) = [figures.generated_digits(ds, method="orthogonal")]
    sheet = image.dimension_values("grey", flat=False)
    assert sheet.shape == (72, 72)
    assert np.isclose(sheet.max(), ds.picture.sel(estimator="orthogonal").max())
