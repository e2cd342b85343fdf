"""The shipped study of random games: what each certificate accepts."""

import holoviews as hv
import xarray as xr

from workbench.figures import theme


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
        curves += theme.marked_curve(data, "coupling", "share", str(rung), k)
    labels = {"xlabel": "coupling", "ylabel": "share of games"}
    return theme.frame(hv.Overlay(curves), title=f"Certified random games{said}", ylim=(-0.03, 1.03), **labels)
