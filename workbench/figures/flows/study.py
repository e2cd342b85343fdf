"""The shipped study of estimators: error against the number of directions."""

import holoviews as hv
import xarray as xr

from workbench.figures import theme


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
            curves += theme.marked_curve(data, "n_directions", "relative_rmse", str(name), k)
    title = f"Error of SW₂² by estimator, {pair}"
    labels = {"xlabel": "directions L", "ylabel": "RMSE ÷ value"}
    return theme.frame(hv.Overlay(curves), title=title, logx=True, logy=True, **labels)
