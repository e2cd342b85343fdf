"""The tables of a ranking: its scores with every reading of ties, and the exchanges that are worth most."""

from typing import Any

import numpy as np
import xarray as xr

from workbench.ui.kit.table import Rows, Table

INSIDE = 3
"""Exchanges that are listed for each group."""


class Numbers(Table):
    """Both scores of all items and of each group, with every reading of ties."""

    is_wide = True

    def __init__(self) -> None:
        super().__init__("Scores of all and of each group", _rows, text=("part",))


class BestRepairs(Table):
    """The exchanges of a negative and a positive that add most to AP, of all there are and inside each group."""

    is_wide = True

    def __init__(self) -> None:
        super().__init__("Exchanges that add most to AP", repair_rows)


def repair_rows(ds: xr.Dataset) -> Rows:
    """Return the ten best exchanges with what each adds to both scores, and the best three inside each group.

    Of a ranking with weights, none.
    """
    heads = ["among", "exchange the negative at rank", "with the positive at rank", "adds to AP", "adds to AUROC"]
    rows = [("all", "best", ds.isel(best=k)) for k in range(ds.sizes.get("best", 0))]
    for name in ds.inside.values if "inside" in ds else ():
        few = ds.sel(inside=name).isel(best=slice(INSIDE))
        rows += [(f"group {name}", "inside", few.isel(best=k)) for k in range(few.sizes["best"])]
    cells = [
        [among, f"{int(one[f'{kind}_upper_rank']):,}", f"{int(one[f'{kind}_lower_rank']):,}",
         f"{float(one[f'{kind}_ap_gain']):.4g}", f"{float(one[f'{kind}_auroc_gain']):.4g}"]
        for among, kind, one in rows
        if np.isfinite(float(one[f"{kind}_ap_gain"]))
    ]  # fmt: skip
    return Rows(heads, cells)


def with_error(value: Any, error: Any) -> str:
    """Return a score with its standard error, where it has one."""
    return f"{float(value):.3f} ± {float(error):.3f}" if np.isfinite(float(error)) else f"{float(value):.3f}"


def _rows(ds: xr.Dataset) -> Rows:
    heads = ["part", "positives", "negatives", "AUROC", "AP", "chance", "ties worst", "ties mean", "ties best",
             "PR trapezoids"]  # fmt: skip
    cells = []
    for k in range(ds.sizes["part"]):
        one = ds.isel(part=k)
        name = str(one.part.values)
        if not np.isfinite(float(one.auroc)):
            cells.append([name, f"{float(one.positives):g}", f"{float(one.negatives):g}", *["—"] * 7])
            continue
        rest = [float(one[key]) for key in ("chance", "ap_pessimistic", "ap_mean", "ap_optimistic", "ap_trapezoid")]
        cells.append(
            [name, f"{float(one.positives):g}", f"{float(one.negatives):g}", with_error(one.auroc, one.auroc_error),
             with_error(one.ap, one.ap_error), *(f"{value:.3f}" if np.isfinite(value) else "—" for value in rest)]
        )  # fmt: skip
    return Rows(heads, cells)
