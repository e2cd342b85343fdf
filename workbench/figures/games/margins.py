"""The margin over the weight ratio, and the gains between players."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

PIECES = 20
MOST_EDGES = 24


def margin_band(ds: xr.Dataset) -> Any:
    """Draw the margin over the ratio of two metric weights, its band shaded, the best ratio marked."""
    low, high = ds.band.values
    ratios, margins = ds.ratio.values, ds.margin.values
    bottom = max(float(margins.min()), -4 * max(abs(float(ds.tau)), 1e-3))
    parts = []
    if np.isfinite(low):
        shown = (max(low, ratios[0]), min(high, ratios[-1]))
        parts.append(theme.band(hv.VSpan(*shown), theme.SERIES[2]))
    parts.append(theme.line(hv.Curve((ratios, margins), "ratio", "margin", label="margin α(w)"), theme.SERIES[0]))
    parts.append(theme.line(hv.HLine(float(ds.target)), theme.NEUTRAL, width=1, dash="dashed"))
    best = hv.Scatter([(float(ds.best_ratio), float(ds.tau))], "ratio", "margin", label="best weights")
    parts.append(theme.markers(best, theme.REFERENCE, size=10, marker="diamond"))
    top = float(ds.tau) + 0.15 * (float(ds.tau) - bottom) + 1e-9
    return theme.frame(
        hv.Overlay(parts),
        title="Margin over the ratio of metric weights",
        xlabel=ds.ratio.attrs["long_name"],
        ylabel="margin (rate of contraction)",
        logx=True,
        ylim=(bottom, top),
        legend="bottom_right",
    )


def gain_circle(ds: xr.Dataset) -> Any:
    """Draw the players on a circle and the strongest gains as bent lines, thicker for a larger gain."""
    count = ds.sizes["player"]
    angles = np.pi / 2 - 2 * np.pi * np.arange(count) / count
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    gains = np.where(np.isfinite(ds.gain.values), ds.gain.values, 0.0)
    largest = float(gains.max()) or 1.0
    order = np.dstack(np.unravel_index(np.argsort(-gains, axis=None)[:MOST_EDGES], gains.shape))[0]
    edges = [(to, source) for to, source in order if gains[to, source] > 0]
    bent = [_bent(places[source], places[to]) for to, source in edges]
    # one element of straight pieces in columns: a path of hundreds of curves takes a quarter of a second to draw
    widths = np.repeat([0.5 + 5 * gains[edge] / largest for edge in edges], PIECES)
    pieces = np.array(bent).reshape(-1, PIECES + 1, 2)
    ends = np.concatenate([pieces[:, :-1], pieces[:, 1:]], axis=2).reshape(-1, 4)
    paths = hv.Segments((*ends.T, widths), ["x0", "y0", "x1", "y1"], "width")
    styles = {"color": theme.SERIES[0], "alpha": 0.6}
    parts = [
        theme.styled(
            paths, bokeh={**styles, "line_width": hv.dim("width")}, matplotlib={**styles, "linewidth": hv.dim("width")}
        ),
        theme.markers(hv.Points([line[-PIECES // 5] for line in bent], ["x", "y"]), theme.SERIES[0], size=6),
    ]
    parts.append(theme.markers(hv.Points(places, ["x", "y"]), theme.SERIES[1], size=20))
    names = [str(number) for number in ds.player.values]
    labels = hv.Labels((places[:, 0], places[:, 1], names), ["x", "y"], "name")
    text = {"bokeh": {"text_font_size": "12px", "text_color": "black"}, "matplotlib": {"size": 10, "color": "black"}}
    parts.append(theme.styled(labels, **text))
    return theme.frame(
        hv.Overlay(parts),
        title=f"Gains, radius {float(ds.radius):.4g}",
        xlabel="",
        ylabel="",
        xlim=(-1.4, 1.4),
        ylim=(-1.4, 1.4),
        xticks=0,
        yticks=0,
        legend=None,
        height=420,
    )


def _bent(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A quadratic curve, bent to one side, so that both directions can be told apart."""
    across = np.array([end[1] - start[1], start[0] - end[0]])
    control = 0.5 * (start + end) + 0.18 * across
    t = np.linspace(0, 1, PIECES + 1)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def gain_table(ds: xr.Dataset) -> Any:
    """Return the players' constants as a table: curvature, weight, and what acts on them in all."""
    columns = {
        "player": [str(number) for number in ds.player.values],
        "μ": [f"{value:.4g}" for value in ds.mu.values],
        "ℓ": [f"{value:.4g}" for value in ds.ell.values],
        "sum of couplings": [f"{value:.4g}" for value in ds.coupling.sum("source").values],
        "metric weight": [f"{value:.4g}" for value in ds.weight.values],
    }
    table = hv.Table(columns, ["player"], list(columns)[1:])
    return theme.styled(table, bokeh={"width": 600, "height": 240}, matplotlib={"fig_inches": (8, 2.4)})
