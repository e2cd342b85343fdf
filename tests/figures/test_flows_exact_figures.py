"""Figures of exact transport: their data, read back, on both backends."""

import holoviews as hv
import numpy as np
import pytest

from workbench import flows
from workbench.figures import flows as figures


@pytest.fixture(scope="module")
def race():
    return flows.compare_solvers(n=40, log_eta=2)


@pytest.fixture(scope="module")
def table():
    return flows.sns_experiment(("random",), (50.0,), ("sns 10/n", "newton"), n=30, repeats=2)


def test_errors_have_a_curve_for_each_solver(race):
    curves = [part for part in figures.solver_errors(race) if isinstance(part, hv.Curve)]
    assert [curve.label for curve in curves] == [figures.SOLVER_LABELS[str(name)] for name in race.solver.values]
    newton = race.sel(solver="newton").dropna("record", subset=["iteration"])
    np.testing.assert_allclose(curves[2].dimension_values("error"), newton.error.values)


def test_bounds_enclose_the_line_of_the_optimum(race):
    figure = figures.bounds_closing(race)
    curves = [part for part in figure if isinstance(part, hv.Curve)]
    assert curves[-1].label == "optimum, proved"
    optimum = float(race.optimum)
    assert (curves[-1].dimension_values("bound") == optimum).all()
    for area in (part for part in figure if isinstance(part, hv.Area)):
        assert area.dimension_values("bound").max() <= optimum * (1 + 1e-12)
        assert area.dimension_values("upper").min() >= optimum * (1 - 1e-12)


def test_plan_and_kept_entries(race):
    lines = next(part for part in figures.optimal_plan(race) if isinstance(part, hv.Segments))
    assert len(lines) == race.sizes["line"]
    np.testing.assert_allclose(lines.dimension_values("x1"), race.y.values[race.line_target.values, 0])
    kept = figures.kept_entries(race)
    assert len(kept) == race.sizes["kept"]
    assert kept.dimension_values("log10 mass").max() <= 0


def test_a_cost_matrix_has_no_lines(rng):
    ds = flows.compare_solvers(None, None, cost=rng.random((10, 10)), log_eta=1)
    assert len(figures.optimal_plan(ds)) == 0


def test_the_table_tells_means_and_deviations(table):
    drawn = figures.table_of_solvers(table)
    assert list(drawn.dimension_values("solver")) == ["sns 10/n", "newton"]
    steps = table.newton_steps.sel(variant="newton").values.ravel()
    assert drawn.dimension_values("Newton")[1] == f"{steps.mean():.3g} ± {steps.std(ddof=1):.2g}"
    marks = next(part for part in figures.newton_steps(table) if isinstance(part, hv.Scatter))
    total = (table.sinkhorn_steps + table.newton_steps).mean("repeat").values.ravel()
    np.testing.assert_allclose(marks.dimension_values("steps"), total)


def test_growth(rng):
    ds = flows.exact_scaling(sizes=(30, 60))
    curves = [part for part in figures.exact_growth(ds) if isinstance(part, hv.Curve)]
    assert [curve.label for curve in curves] == ["exact, proved", "n²"]


@pytest.fixture(scope="module")
def decay():
    return flows.sparsity_decay(etas=(20.0, 3000.0), densities=(1, 2), n=6, steps=40)


def test_sparsity_has_a_curve_for_each_density_and_the_bound_where_it_is_known(decay):
    curves = [part for part in figures.sparsity_decay(decay) if isinstance(part, hv.Curve)]
    assert [curve.label for curve in curves if curve.label] == ["1 a point", "2 a point", "bound on the limit"]
    wanted = np.maximum(decay.outside.isel(eta=-1, density=0).values, 1e-17)
    np.testing.assert_allclose(curves[0].dimension_values("outside"), wanted)
    dotted = [curve.dimension_values("outside")[0] for curve in curves if not curve.label]
    np.testing.assert_allclose(dotted, np.maximum(decay.limit.isel(eta=-1).values, 1e-17))
    blurred = [part.label for part in figures.sparsity_decay(decay, eta=20.0) if isinstance(part, hv.Curve)]
    assert "bound on the limit" not in blurred


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_both_backends_draw(race, table, decay, backend):
    for element in (
        figures.solver_errors(race),
        figures.bounds_closing(race),
        figures.kept_entries(race),
        figures.sparsity_decay(decay),
        figures.optimal_plan(race),
        figures.newton_steps(table),
        figures.table_of_solvers(table),
    ):
        state = hv.renderer(backend).get_plot(element).state
        assert state is not None
