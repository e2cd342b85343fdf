"""Figures of spectra: they draw with both backends and show the numbers they are given."""

import numpy as np
import pytest
from drawing import draw

from workbench import data, metrics
from workbench.figures import metrics as figures

SHIPPED = {
    "spectra_training": figures.alpha_along_training,
    "spectra_unlearned": figures.erg_against_alpha,
    "spectra_table": figures.erg_against_alpha,
    "spectra_coverage": figures.coverage_of_bars,
}
OF_A_REPORT = (
    figures.tail_of_spectrum,
    figures.threshold_valley,
    figures.hill_plot,
    figures.alpha_and_noise,
    figures.layers_of_network,
)


@pytest.fixture(scope="module")
def reports():
    rng = np.random.default_rng(0)
    quick = {"bootstrap": 10, "repeats": 3, "splits": 3}
    return {
        "digits": metrics.spectrum_report(**quick),
        "fixed": metrics.spectrum_report(source="heavy", k=20, **quick),
        "small and square": metrics.spectrum_report(rng.normal(size=(22, 22)), **quick),
        "low rank": metrics.spectrum_report(rng.normal(size=(90, 24)) @ rng.normal(size=(24, 70)), **quick),
    }


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize("name", ["digits", "fixed", "small and square", "low rank"])
@pytest.mark.parametrize("figure", OF_A_REPORT, ids=lambda f: f.__name__)
def test_every_figure_of_a_report_draws(reports, figure, name, backend):
    draw(figure(reports[name]), backend)


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_studies_draw(name, backend):
    draw(SHIPPED[name](data.result(f"metrics/{name}.nc")), backend)


def part(overlay, label):
    return next(one for one in overlay if one.label == label)


def test_the_figures_show_their_numbers(reports):
    ds = reports["digits"]
    tail = figures.tail_of_spectrum(ds)
    np.testing.assert_array_equal(part(tail, "layer").dimension_values("eigenvalue"), np.sort(ds.eigenvalue))
    assert part(tail, "ERG threshold").dimension_values("eigenvalue")[0] == float(ds.erg_threshold)
    line = part(tail, "power law")
    slope = np.diff(np.log(line.dimension_values("share"))) / np.diff(np.log(line.dimension_values("eigenvalue")))
    np.testing.assert_allclose(slope[:20], 1 - float(ds.alpha), rtol=1e-6)
    taken = part(figures.threshold_valley(ds), "taken")
    assert taken.dimension_values("distance")[0] == np.nanmin(ds.distance_at)
    noise = part(figures.alpha_and_noise(ds), "entries shuffled")
    assert sorted(noise.dimension_values("α value")) == sorted(ds.shuffled.values)
    layers = part(figures.layers_of_network(ds), "α, exact interval")
    np.testing.assert_array_equal(layers.dimension_values("α"), ds.layer_alpha)
    shown = figures.layers_of_network(ds, chosen=ds.attrs["layer_told"])
    assert len(part(shown, "shown")) == 1


def test_the_number_of_parts_stands_while_a_hand_moves(reports):
    """A standing plot takes new numbers only if its parts stay the same."""
    for figure in OF_A_REPORT:
        assert len({len(list(figure(ds))) for ds in reports.values()}) == 1, figure.__name__


def test_scores_of_layers_draw_alone():
    rng = np.random.default_rng(1)
    draw(figures.layers_of_network(metrics.score_layers({"a": rng.normal(size=(40, 30))})), "bokeh")
