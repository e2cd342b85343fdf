"""Exact and entropic transport: errors and bounds against steps, entries that matter, the plan, the paper's table."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

SOLVER_LABELS = {"sinkhorn": "Sinkhorn", "sns": "SNS, sparse Newton", "newton": "Newton, ε-scaled"}


def solver_errors(ds: xr.Dataset) -> Any:
    """Draw the L1 error of the marginals against Sinkhorn and Newton steps, for every solver; log–log."""
    parts = []
    for k, name, row in _solvers(ds):
        error = np.maximum(row.error.values, 1e-17)
        parts += theme.marked_curve((row.iteration.values, error), "iteration", "error", SOLVER_LABELS[name], k)
    title = "How far the plan is from its marginals"
    labels = {"xlabel": "Sinkhorn and Newton steps", "ylabel": "L1 error"}
    return theme.frame(hv.Overlay(parts), title=title, logx=True, logy=True, legend="bottom_left", **labels)


def bounds_closing(ds: xr.Dataset) -> Any:
    """Draw both bounds on the unregularised optimum against steps, best so far, and the proved optimum."""
    parts = []
    optimum = float(ds.optimum)
    last = 1.0
    for k, name, row in _solvers(ds):
        colour, at = theme.SERIES[k], row.iteration.values
        last = max(last, at.max(initial=1.0))
        low, high = row.lower_bound.values, row.upper_bound.values
        parts.append(theme.band(hv.Area((at, low, high), "iteration", ["bound", "upper"]), colour, alpha=0.12))
        ends = np.append(at, np.append(np.nan, at)), np.concatenate([low, [np.nan], high])  # both bounds in one curve
        curve = hv.Curve(ends, "iteration", "bound", label=SOLVER_LABELS[name].partition(",")[0])
        parts.append(theme.line(curve, colour, dash=theme.DASHES[k]))
    proved = hv.Curve(([1.0, max(last, 2.0)], [optimum, optimum]), "iteration", "bound", label="optimum, proved")
    parts.append(theme.line(proved, theme.REFERENCE, width=1.5, dash="dashed"))
    size = abs(optimum) or float(np.nanmax(np.abs(ds.upper_bound.values))) or 1.0
    lowest = max(float(np.nanmin(ds.lower_bound.values)), optimum - 0.6 * size)
    return theme.frame(
        hv.Overlay(parts),
        title="What each iterate proves",
        xlabel="Sinkhorn and Newton steps",
        ylabel="cost",
        logx=True,
        ylim=(lowest - 0.05 * size, optimum + 0.8 * size),
        legend="bottom",
        legend_cols=2,
    )


def kept_entries(ds: xr.Dataset) -> Any:
    """Draw the entries of the plan that the sparse Hessian keeps, columns in the order of the exact plan."""
    mass = np.log10(np.maximum(ds.kept_mass.values, 1e-300))
    points = hv.Points((ds.kept_column.values, ds.kept_row.values, mass), ["column", "row"], "log10 mass")
    drawn = theme.markers(points, "log10 mass", size=3)
    drawn = theme.styled(
        drawn,
        bokeh={"cmap": theme.SEQUENTIAL, "colorbar": True},
        matplotlib={"cmap": theme.SEQUENTIAL, "colorbar": True},
    )
    return theme.frame(drawn, title="Entries of the Hessian that are kept", xlabel="target", ylabel="source")


def sparsity_decay(ds: xr.Dataset, eta: float | None = None) -> Any:
    """Draw the mass outside the largest entries of Sinkhorn's plans against its steps, for one η; log–log.

    ``eta`` names one of the result's, by default its last. A dotted line marks what the converged plan leaves outside;
    where the vertices of the problem are known, a dashed one the bound on that.
    """
    one = ds.isel(eta=-1) if eta is None else ds.sel(eta=eta)
    at, parts = one.iteration.values.astype(float), []
    least = 1e-17
    for k, density in enumerate(one.density.values):
        row = one.sel(density=density)
        label = f"{density:g} a point"
        parts += theme.marked_curve((at, np.maximum(row.outside.values, least)), "step", "outside", label, k)
        limit = max(float(row.limit), least)
        rest = hv.Curve(([at[0], at[-1]], [limit, limit]), "step", "outside")
        parts.append(theme.line(rest, theme.SERIES[k % len(theme.SERIES)], width=1, dash="dotted"))
    if np.isfinite(one.bound):
        bound = hv.Curve(([at[0], at[-1]], [float(one.bound)] * 2), "step", "outside", label="bound on the limit")
        parts.append(theme.line(bound, theme.REFERENCE, width=1.5, dash="dashed"))
    return theme.frame(
        hv.Overlay(parts),
        title=f"Mass outside the largest entries, η = {float(one.eta):g}",
        xlabel="Sinkhorn steps",
        ylabel="mass outside",
        logx=True,
        logy=True,
        legend="bottom",
    )


def optimal_plan(ds: xr.Dataset) -> Any:
    """Draw both clouds and the lines of the optimal plan, in the first two coordinates; nothing for a cost matrix."""
    if "line" not in ds.dims:
        return theme.frame(hv.Points([], ["x0", "y0"]), title="The optimal plan", xlabel="", ylabel="")
    x, y = (_flat(ds[name].values) for name in ("x", "y"))
    start, end = x[ds.line_source.values], y[ds.line_target.values]
    ends = ["x0", "y0", "x1", "y1"]
    lines = theme.line(hv.Segments((*start.T, *end.T), ends), theme.NEUTRAL, width=0.8, alpha=0.6)
    sources = theme.markers(hv.Points(x, ["x0", "y0"], label="from"), theme.SERIES[0], size=4)
    targets = theme.markers(hv.Points(y, ["x0", "y0"], label="to"), theme.SERIES[1], size=4, marker="square")
    return theme.frame(
        lines * sources * targets,
        title="The optimal plan",
        xlabel="first axis",
        ylabel="second axis",
        legend="top_left",
    )


def _flat(points: np.ndarray) -> np.ndarray:
    return points[:, :2] if points.shape[1] > 1 else np.column_stack([points[:, 0], np.zeros(len(points))])


def _solvers(ds: xr.Dataset) -> Any:
    """Yield number, name and recorded iterates of every solver; none of one that is still to come.

    All are drawn from the start, so that a plot made for the first answer stands when the others arrive.
    """
    for k, name in enumerate(SOLVER_LABELS):
        if name in ds.solver:
            yield k, name, ds.sel(solver=name).dropna("record", subset=["iteration"])
        else:
            yield k, name, ds.isel(solver=0, record=slice(0))


def newton_steps(ds: xr.Dataset) -> Any:
    """Draw steps (Sinkhorn's and Newton's) of every variant of ``sns_experiment``: mean and standard deviation.

    Variants stand along the axis, cases side by side; hollow marks are those that did not converge on every matrix.
    """
    case = str(ds.case.values[0])
    one = ds.sel(case=case).isel(eta=0)
    steps = one.sinkhorn_steps + one.newton_steps
    names = [str(name) for name in one.variant.values]
    mean = np.maximum(steps.mean("repeat").values, 1)
    spread = np.minimum(steps.std("repeat", ddof=1 if one.sizes["repeat"] > 1 else 0).values, 0.9 * mean)
    bars = theme.markers(hv.Scatter((names, mean), "variant", "steps"), theme.SERIES[0], size=9)
    errors = theme.error_bars(hv.ErrorBars((names, mean, spread), "variant", ["steps", "spread"]), theme.SERIES[0])
    return theme.frame(
        errors * bars,
        title=f"Steps until the end, {case}, η = {float(one.eta):g}",
        xlabel="",
        ylabel="steps",
        logy=True,
        xrotation=40,
        legend=None,
    )


def table_of_solvers(ds: xr.Dataset) -> Any:
    """Return ``sns_experiment`` as a table: steps, time, error, and how far from the true optimum; mean ± deviation."""
    rows = []
    for case in ds.case.values:
        for eta in ds.eta.values:
            for name in ds.variant.values:
                one = ds.sel(case=case, eta=eta, variant=name)
                converged = f"{int(one.converged.sum())} of {one.sizes['repeat']}"
                cells = [_spread(one[key].values) for key in ("sinkhorn_steps", "newton_steps", "cg_steps", "seconds")]
                error = f"{float(one.marginal_error.median()):.0e}"
                rows.append((str(case), f"{eta:g}", str(name), *cells, converged, error, _spread(100 * one.excess)))
    head = ["case", "η", "solver", "Sinkhorn", "Newton", "CG", "CPU s", "converged", "L1 error", "above optimum (%)"]
    table = hv.Table(rows, head[:3], head[3:])
    return theme.styled(
        table,
        bokeh={"width": 900, "height": 520},
        matplotlib={"fig_inches": (12, 8), "max_value_len": 26, "max_rows": 80},
    )


def _spread(values: Any) -> str:
    values = np.asarray(values, dtype=float)
    deviation = values.std(ddof=1) if len(values) > 1 else 0.0
    return f"{values.mean():.3g} ± {deviation:.2g}"


def exact_growth(ds: xr.Dataset) -> Any:
    """Draw the processor time of exact transport against the number of points, beside quadratic growth; log–log."""
    size, seconds = ds["size"].values, ds.seconds.values
    parts = theme.marked_curve((size, seconds), "size", "seconds", "exact, proved", 0)
    quadratic = hv.Curve((size, seconds[-1] * (size / size[-1]) ** 2.0), "size", "seconds", label="n²")
    parts.append(theme.line(quadratic, theme.NEUTRAL, dash="dotted"))
    title = "Exact transport as the clouds grow"
    labels = {"xlabel": "points in each cloud", "ylabel": "CPU seconds"}
    return theme.frame(hv.Overlay(parts), title=title, logx=True, logy=True, legend="top_left", **labels)
