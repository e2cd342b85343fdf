"""The pictures of the shipped studies: the result of a sweep in, one figure out.

Each takes the Dataset as the sweep returns it, and names of labels to draw where there is more than one.
"""

from collections.abc import Callable, Sequence

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

MOST_SIZES = 6


def estimator_error(ds: xr.Dataset, pair: str | None = None) -> hv.Overlay:
    """Return relative RMSE of every estimator against the number of directions, for one pair of clouds; log–log.

    ``ds`` is a sweep of ``flows.compare_estimators`` over ``n_directions``.
    """
    pair = str(ds.pair.values[0]) if pair is None else pair
    errors = ds.relative_rmse.sel(pair=pair)
    curves = []
    for k, name in enumerate(ds.estimator.values):
        one = errors.sel(estimator=name).dropna("n_directions")
        if one.size:
            data = (one.n_directions.values, one.values)
            curves += _marked_curve(data, "n_directions", "relative_rmse", str(name), k)
    title = f"Error of SW₂² by estimator, {pair}"
    labels = {"xlabel": "directions L", "ylabel": "RMSE ÷ value"}
    return theme.frame(hv.Overlay(curves), title=title, logx=True, logy=True, **labels)


def curvature_growth(ds: xr.Dataset, J: float | None = None) -> hv.Overlay:
    """Return −R/n, ‖T‖²/4n and ‖tr T‖²/4n against L on a logarithmic axis, at the coupling of ``ds`` nearest to ``J``.

    ``ds`` is a sweep of ``fisher.ising_curvature`` over ``L`` (and perhaps ``J``). A straight line means R ~ n ln n.
    """
    ds, told = _at_coupling(ds, J)
    sites = ds.L.values.astype(float) ** 2
    parts = (
        ("−R/n", -ds.scalar_curvature.values / sites),
        ("‖tr T‖²/4n", ds.trace_norm.values / 4 / sites),
        ("‖T‖²/4n", ds.cumulant_norm.values / 4 / sites),
    )
    curves = [
        theme.line(hv.Curve((ds.L.values, values), "L", "per_site", label=name), theme.SERIES[k], dash=theme.DASHES[k])
        for k, (name, values) in enumerate(parts)
    ]
    title = f"Curvature per site of the L × L torus{told}"
    return theme.frame(hv.Overlay(curves), title=title, logx=True, xlabel="L", ylabel="per site")


def _at_coupling(ds: xr.Dataset, J: float | None) -> tuple[xr.Dataset, str]:
    if "J" not in ds.coords:
        return ds, ""
    if "J" in ds.dims:
        ds = ds.isel(J=ds.sizes["J"] // 2) if J is None else ds.sel(J=J, method="nearest")
    return ds, f", J = {float(ds.J):.6g}"


def curvature_across(ds: xr.Dataset, sizes: Sequence[int] | None = None) -> hv.Overlay:
    """Return R/n against J, a curve for each of up to six sizes, larger ones darker; J_c is marked.

    ``ds`` is a sweep of ``fisher.ising_curvature`` over ``L`` and ``J``. There is no peak at J_c to be seen.
    """
    from workbench.fisher import J_CRITICAL

    chosen = _spread(ds.L.values) if sizes is None else list(sizes)
    shades = hv.plotting.util.process_cmap("viridis_r", len(chosen) + 1)[1:]
    curves = []
    for shade, size in zip(shades, chosen, strict=True):
        values = ds.scalar_curvature.sel(L=size).values / size**2
        curves.append(theme.line(hv.Curve((ds.J.values, values), "J", "R/n", label=f"L = {size}"), shade))
    critical = theme.line(hv.VLine(J_CRITICAL), theme.NEUTRAL, dash="dashed", width=1)
    title = "Curvature per site across the coupling (dashed: J_c)"
    return theme.frame(hv.Overlay([*curves, critical]), title=title, xlabel="coupling J", ylabel="R/n")


def _spread(values: np.ndarray) -> list[int]:
    """Pick up to six of the sizes, evenly on a logarithmic scale, the ends included."""
    wanted = np.geomspace(values[0], values[-1], MOST_SIZES)
    return sorted({int(values[np.argmin(np.abs(np.log(values / size)))]) for size in wanted})


def spike_survival(ds: xr.Dataset, **where: str | bool) -> hv.Overlay:
    """Return the share of runs that survive a learning-rate spike against its size, one curve for each rule.

    ``ds`` is a sweep of ``studies.spike_survival`` over ``multiplier``. ``where`` fixes further axes (``network``,
    ``optimizer``, ``persistent``); those left open are averaged, and the title says so. A rule that the optimiser
    cannot be given (NaN) is left out.
    """
    share, said = _averaged(ds.survived, ("multiplier", "rule"), where)
    curves = []
    for k, rule in enumerate(ds.rule.values):
        values = share.sel(rule=rule).transpose("multiplier").values
        if np.isnan(values).all():
            continue
        curves += _marked_curve((ds.multiplier.values, values), "multiplier", "share", str(rule), k)
    title = "Runs that survive a spike" + said
    labels = {"xlabel": "learning rate too large by", "ylabel": "share of runs"}
    ticks = [(float(m), f"{m:g}") for m in ds.multiplier.values]
    limits = (0.8 * float(ds.multiplier.min()), 1.25 * float(ds.multiplier.max()))  # room for the outer marks
    return theme.frame(
        hv.Overlay(curves), title=title, logx=True, xlim=limits, xticks=ticks, ylim=(-0.03, 1.03), **labels
    )


def certified_share(ds: xr.Dataset, players: int | None = None, density: float | None = None) -> hv.Overlay:
    """Return the share of random games that each rung of the ladder certifies, against the coupling.

    ``ds`` is a sweep of ``studies.random_games`` over ``coupling``; ``players`` and ``density`` choose from further
    axes (the middle and the last if not given).
    """
    share, said = ds.share, ""
    for name, value, usual in (("players", players, ds.sizes.get("players", 1) // 2), ("density", density, -1)):
        if name in ds.dims:
            share = share.isel({name: usual}) if value is None else share.sel({name: value})
        if name in share.coords:
            said += f", {name} {float(share[name]):g}"
    if "repeat" in share.dims:
        share = share.mean("repeat")
    curves = []
    for k, rung in enumerate(ds.rung.values):
        data = (ds.coupling.values, share.sel(rung=rung).values)
        curves += _marked_curve(data, "coupling", "share", str(rung), k)
    labels = {"xlabel": "coupling", "ylabel": "share of games"}
    return theme.frame(hv.Overlay(curves), title=f"Certified random games{said}", ylim=(-0.03, 1.03), **labels)


def _averaged(values: xr.DataArray, kept: Sequence[str], where: dict[str, str | bool]) -> tuple[xr.DataArray, str]:
    fixed = {name: value for name, value in where.items() if name in values.dims}
    said = [f"{name} {value}" for name, value in fixed.items()]
    values = values.sel(fixed)
    open_axes = [str(dim) for dim in values.dims if dim not in kept]
    if open_axes:
        said.append("mean over " + (", ".join(open_axes) if len(open_axes) <= 2 else "all else"))
    return values.astype(float).mean(open_axes), "".join(f", {part}" for part in said)


def _marked_curve(data: tuple[np.ndarray, np.ndarray], across: str, up: str, label: str, k: int) -> list[hv.Element]:
    """The k-th series: a curve of its own colour and dash, thinner than those before so as not to hide them."""
    colour, dash = theme.SERIES[k % len(theme.SERIES)], theme.DASHES[k % len(theme.DASHES)]
    curve = theme.line(hv.Curve(data, across, up, label=label), colour, dash=dash, width=max(5 - 0.6 * k, 1.5))
    return [curve, theme.markers(hv.Scatter(data, across, up), colour, size=5)]


FIGURES: dict[str, tuple[Callable[..., hv.Element], tuple[str, ...]]] = {
    "workbench.flows.compare_estimators": (estimator_error, ("n_directions",)),
    "workbench.fisher.ising_curvature": (curvature_growth, ("L",)),
    "workbench.studies:spike_survival": (spike_survival, ("multiplier",)),
    "workbench.studies:random_games": (certified_share, ("coupling",)),
}
"""Swept function → its figure, and the axes it needs."""


def study_figure(ds: xr.Dataset) -> hv.Element | None:
    """Return the figure of a study, or None if this sweep is none of them."""
    swept = str(ds.attrs.get("swept_function", ""))
    if swept == "workbench.fisher.ising_curvature" and ds.sizes.get("J", 1) > 1 and "L" in ds.dims:
        return curvature_across(ds)
    figure, axes = FIGURES.get(swept, (None, ()))
    return figure(ds) if figure is not None and set(axes) <= set(map(str, ds.dims)) else None
