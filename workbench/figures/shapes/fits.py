"""Fits of signals: the fit beside the signal, where it errs, quality seen and unseen, frontiers, orders and proofs."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

HANDLE = "corners of the box"
SEEN, UNSEEN = "training", "held out"
LUMA = np.array([0.2126, 0.7152, 0.0722])
GAP = 0.2
MOST_DRAWN = 4000
SHAPES_OF_PARTS = {SEEN: "circle", UNSEEN: "diamond"}


def fit_beside_signal(ds: xr.Dataset) -> Any:
    """Draw signal and fit: two pictures side by side (of a volume its middle layer), or two curves over x."""
    values = [_middle(ds, ds[name]) for name in ("signal_value", "fit_value")]
    if values[0].ndim == 2:
        return _curves(ds)
    titles = ("signal", "fit")
    parts: list[Any] = []
    for k, pixels in enumerate(values):
        left = -1 + k * (2 + GAP)
        bounds = (left, -1, left + 2, 1)
        parts.append(_flat(ds, pixels, bounds))
        parts.append(
            theme.styled(
                hv.Text(left + 1, 1.06, titles[k], valign="bottom"),
                bokeh={"color": theme.NEUTRAL, "text_font_size": "10pt"},
                matplotlib={"color": theme.NEUTRAL},
            )
        )
    return _bare(parts, f"{str(ds.attrs['signal'])[:40]}, {_label(ds)}", 2 + (2 + GAP))


def _bare(parts: list[Any], title: str, width: float) -> Any:
    framed = theme.frame(
        hv.Overlay(parts),
        title=title,
        xlabel="",
        ylabel="",
        xaxis=None,
        yaxis=None,
        xlim=(-1.05, -1 + width + 0.05),
        ylim=(-1.05, 1.25),
        aspect=1.9,
        equal_units=True,
        legend=None,
    )
    return theme.styled(framed, bokeh={"show_grid": False}, matplotlib={"show_grid": False})


def _label(ds: xr.Dataset) -> str:
    return str(ds.attrs.get("method_label", ds.attrs.get("method", "")))


def _middle(ds: xr.Dataset, values: xr.DataArray) -> np.ndarray:
    """Return the values of one or two dimensions, of a volume its middle layer, with the channel last."""
    return values.isel(layer=ds.sizes["layer"] // 2).values if "layer" in values.dims else values.values


def _flat(ds: xr.Dataset, pixels: np.ndarray, bounds: tuple[float, ...]) -> Any:
    """Return one picture: of a photograph in its colours, of a formula in a scale, of a distance signed."""
    if ds.attrs["kind"] == "photograph":
        shown = np.clip(pixels, 0, 1)
        shown = np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else shown
        return hv.RGB(shown.astype(float), ["across", "up"], bounds=bounds)
    image = hv.Image(pixels[::-1, :, 0].astype(float), ["across", "up"], "f", bounds=bounds)
    signed = ds.attrs["kind"] == "distance"
    limits = (float(ds.attrs["low"]), float(ds.attrs["high"]))
    clim = (-max(map(abs, limits)), max(map(abs, limits))) if signed else limits
    return theme.image(image, clim=clim, colormap=theme.DIVERGING if signed else None, colorbar=False)


def _curves(ds: xr.Dataset) -> Any:
    x, held = ds.x.values, ds.held.values
    signal, fit = (ds[name].values[:, 0].astype(float) for name in ("signal_value", "fit_value"))
    step = max(len(x) // MOST_DRAWN, 1)
    parts = [
        theme.markers(
            hv.Scatter((x[~held][::step], signal[~held][::step]), "x", "f", label=SEEN), theme.SERIES[0], size=5
        ),
        theme.markers(
            hv.Scatter((x[held][::step], signal[held][::step]), "x", "f", label=UNSEEN),
            theme.SERIES[1],
            size=6,
            marker="diamond",
        ),
        theme.line(hv.Curve((x[::step], fit[::step]), "x", "f", label="fit"), theme.SERIES[2]),
    ]
    title = f"{str(ds.attrs['signal'])[:40]}, {_label(ds)}"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="x", ylabel="f(x)", legend="bottom")


def fit_errors(ds: xr.Dataset) -> Any:
    """Draw where the fit errs; of a distance where its sign is proved, with the box and its corners to drag."""
    if "cell_sign" in ds:
        return _signs(ds)
    error = _middle(ds, ds.fit_value - ds.signal_value).astype(float)
    if error.ndim == 2:
        return _error_curve(ds, error[:, 0])
    weights = LUMA if error.shape[2] == 3 else np.ones(1)
    image = hv.Image((error @ weights)[::-1], ["across", "up"], "error", bounds=(-1, -1, 1, 1))
    parts = [theme.image(image, signed=True, label="fit − signal")]
    return _bare(parts, "Errors of the fit", 2)


def _error_curve(ds: xr.Dataset, error: np.ndarray) -> Any:
    x, held = ds.x.values, ds.held.values
    parts = [
        theme.markers(
            hv.Scatter((x[mask], np.maximum(np.abs(error[mask]), theme.SMALLEST)), "x", "error", label=name),
            theme.SERIES[k],
            size=5,
            marker=SHAPES_OF_PARTS[name],
        )
        for k, (name, mask) in enumerate(((SEEN, ~held), (UNSEEN, held)))
    ]
    return theme.frame(
        hv.Overlay(parts), title="Errors of the fit", xlabel="x", ylabel="|fit − signal|", logy=True, legend="bottom"
    )


def _signs(ds: xr.Dataset) -> Any:
    low, high = ds.box.values[:3], ds.box.values[3:]
    image = hv.Image(ds.cell_sign.values[::-1].astype(float), ["x", "y"], "sign", bounds=(-1, -1, 1, 1))
    corners = ([low[0], high[0], high[0], low[0], low[0]], [low[1], low[1], high[1], high[1], low[1]])
    proved = int(ds.box_sign) != 0
    handles = hv.Points(([low[0], high[0]], [low[1], high[1]], [0, 1]), ["x", "y"], "item", label=HANDLE)
    parts = [
        theme.image(image, signed=True, clim=(-1.5, 1.5), colorbar=False),
        theme.line(hv.Path([corners], ["x", "y"]), "black", width=2.5, dash="solid" if proved else "dotted"),
        theme.markers(handles, theme.SERIES[1], size=13, marker="diamond"),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="Proved inside (blue), outside (red), middle layer",
        xlabel="x",
        ylabel="y",
        xlim=(-1.0, 1.0),
        ylim=(-1.0, 1.0),
        equal_units=True,
        legend=None,
    )


def fit_quality(ds: xr.Dataset) -> Any:
    """Draw the ratio of each family on the samples it has seen and on those it has not."""
    labels = [str(name) for name in ds.rival_label.values]
    places = np.arange(len(labels), dtype=float)
    values = {part: ds.rival_psnr.sel(part=part).values for part in (SEEN, UNSEEN)}
    ends = np.column_stack([values[UNSEEN], places, values[SEEN], places])
    finite = np.isfinite(ends).all(axis=1)
    parts: list[Any] = [theme.line(hv.Segments(ends[finite], ["psnr", "place", "psnr1", "place1"]), theme.NEUTRAL)]
    for k, part in enumerate((SEEN, UNSEEN)):
        marks = hv.Scatter((values[part], places), "psnr", "place", label=part)
        parts.append(theme.markers(marks, theme.SERIES[k], size=12, marker=SHAPES_OF_PARTS[part]))
    return theme.frame(
        hv.Overlay(parts),
        title="Seen and unseen",
        xlabel="peak signal-to-noise ratio, dB",
        ylabel="",
        yticks=list(zip(places.tolist(), labels, strict=True)),
        ylim=(-0.6, len(labels) - 0.4),
        legend="bottom",
    )


def frontier(study: xr.Dataset, signal: str | None = None) -> Any:
    """Draw the ratio on unseen samples over numbers for every method, with the standard deviation over seeds.

    ``signal`` is one of the study's; else the mean over them is drawn.
    """
    return _over_numbers(_series(study, signal), signal)


def frontier_with(ds: xr.Dataset, study: xr.Dataset) -> Any:
    """Draw the study's frontier with the fit of a result as a diamond on it, if it is of one of the study's signals."""
    name = str(ds.attrs["signal"])
    signal = name if name in study.signal.values else None
    here = ([int(ds.parameters_used)], [float(ds.psnr.sel(part=UNSEEN))]) if signal else ([], [])
    mark = theme.markers(
        hv.Scatter(here, "numbers", "psnr", label="this fit"), theme.REFERENCE, size=15, marker="diamond"
    )
    return _over_numbers([*_series(study, signal), mark], signal)


def _series(study: xr.Dataset, signal: str | None) -> list[Any]:
    parts: list[Any] = []
    for k, name in enumerate(study.fit.values):
        ratio, used = study.psnr.sel(fit=name, part=UNSEEN), study.parameters_used.sel(fit=name)
        ratio, used = (one.sel(signal=signal) if signal else one.mean("signal") for one in (ratio, used))
        x, mean, spread = used.mean("run").values.astype(float), ratio.mean("run").values, ratio.std("run").values
        bars = hv.ErrorBars((x, mean, spread), "numbers", ["psnr", "spread"])
        parts.append(theme.error_bars(bars, theme.SERIES[k % len(theme.SERIES)]))
        parts += theme.marked_curve((x, mean), "numbers", "psnr", str(study.label.values[k]), k)
    return parts


def _over_numbers(parts: list[Any], signal: str | None) -> Any:
    return _with_long_legend(
        theme.frame(
            hv.Overlay(parts),
            title=f"Unseen samples of {signal}" if signal else "Unseen, three photographs",
            xlabel="numbers of the fit",
            ylabel="peak signal-to-noise ratio, dB",
            logx=True,
            legend="bottom",
            height=600,
        )
    )


def _with_long_legend(overlay: Any) -> Any:
    """Return an overlay whose legend stays; HoloViews drops that of more than 25 parts."""
    return theme.styled(overlay, bokeh={"legend_limit": 100}, matplotlib={"legend_limit": 100})


def frontier_seconds(study: xr.Dataset) -> Any:
    """Draw the ratio on unseen samples over processor seconds, a mark for every method and budget."""
    parts = []
    for k, name in enumerate(study.fit.values):
        seconds = study.fit_seconds.sel(fit=name).mean(("signal", "run")).values
        mean = study.psnr.sel(fit=name, part=UNSEEN).mean(("signal", "run")).values
        parts += theme.marked_curve((seconds, mean), "seconds", "psnr", str(study.label.values[k]), k)
    return theme.frame(
        hv.Overlay(parts),
        title="Unseen samples over time",
        xlabel="processor seconds",
        ylabel="peak signal-to-noise ratio, dB",
        logx=True,
        legend="bottom",
        height=430,
    )


def order_lines(ds: xr.Dataset) -> Any:
    """Draw the error of the best fit over the numbers, for each family on the first function of a study."""
    if "fit" not in ds.dims:
        parts = theme.marked_curve((ds["size"].values, ds.error.values), "numbers", "error", str(ds.attrs["method"]), 0)
        return _orders(hv.Overlay(parts), str(ds.attrs["formula"]))
    parts = []
    for k, name in enumerate(ds.fit.values):
        error = np.maximum(ds.error.sel(fit=name).values[0], 1e-16)
        parts += theme.marked_curve((ds["size"].values, error), "numbers", "error", str(ds.label.values[k]), k)
    return _orders(hv.Overlay(parts), str(ds.function_label.values[0]))


def _orders(overlay: Any, function: str) -> Any:
    return theme.frame(
        overlay,
        title=f"Best fits of {function}",
        xlabel="numbers",
        ylabel="root mean square error",
        logx=True,
        logy=True,
        legend="bottom",
        height=430,
    )
