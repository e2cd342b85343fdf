"""The pictures of populations show what the results hold."""

import numpy as np
import pytest
from drawing import draw

from workbench import data
from workbench.fields.population.shipped import FIRST, FIRST_OWN, GAP, STUDIES
from workbench.figures import fields as figures


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_every_picture_is_drawn(backend):
    first = data.result(FIRST)
    for element in (
        figures.population_path(first, handles=True),
        figures.population_path(first, method="no-change", time=0.4),
        figures.population_distances(first),
        figures.gap_in_time(data.result(GAP)),
        figures.population_path(data.result(FIRST_OWN)),
        figures.own_population_distances(data.result(FIRST_OWN)),
        figures.own_population_gains(data.result(FIRST_OWN)),
        *(figures.population_gains(data.result(study)) for study in STUDIES.values()),
    ):
        draw(element, backend)


def test_a_path_is_that_of_the_method_and_the_time():
    ds = data.result(FIRST)
    overlay = figures.population_path(ds, method="meta-flow-matching", time=0.6)
    (shown,) = [part for part in overlay if part.label == "predicted"]
    wanted = ds.path.sel(field="meta-flow-matching").sel(time=0.6, method="nearest").values
    np.testing.assert_allclose(np.c_[shown["x"], shown["y"]], wanted)


def test_the_floor_is_drawn_where_there_is_one():
    ds = data.result(FIRST)
    (line,) = [part for part in figures.population_distances(ds) if part.label == "two samples of the truth"]
    np.testing.assert_allclose(line["distance"], float(ds.floor))
    without = ds.assign(floor=ds.floor * np.nan, fresh=ds.fresh * np.nan)
    (line,) = [part for part in figures.population_distances(without) if part.label == "two samples of the truth"]
    assert len(line) == 0


def test_own_populations_stand_where_their_numbers_say_and_few_have_no_bar():
    ds = data.result(FIRST_OWN)
    parts = {part.label: part for part in figures.own_population_gains(ds)}
    loss = float(ds.loss[0].mean())
    middles = parts["mean, 95 % interval over populations"]
    np.testing.assert_allclose(sorted(middles["gain"])[0], float(ds.mean_gain) / loss)
    few = ds.assign({name: ds[name] * np.nan for name in ("reach", "reach_control", "reach_distance")})
    (spans,) = [part for part in figures.own_population_gains(few) if type(part).__name__ == "Segments"]
    assert len(spans) == 0
    (each,) = [part for part in figures.own_population_distances(ds) if part.label == "each population"]
    assert len(each) == (ds.sizes["field"] + 1) * ds.sizes["population"]


def test_no_mark_is_cut_at_an_edge():
    for figure, ds in (
        (figures.population_distances, data.result(FIRST)),
        (figures.own_population_distances, data.result(FIRST_OWN)),
        (figures.own_population_gains, data.result(FIRST_OWN)),
        (figures.population_gains, data.result(STUDIES["letters"])),
    ):
        overlay = figure(ds)
        low, high = overlay.opts.get("plot", backend="bokeh").kwargs["xlim"]
        places = np.concatenate([part.dimension_values(0) for part in overlay if len(part)])
        assert low < np.nanmin(places) - 0.03 * (high - low)
        assert high > np.nanmax(places) + 0.03 * (high - low)
