"""What many saddle searches say: how many succeed at what price, where each start leads, and what training costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import data
from workbench.figures.choose import figure_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.study import StudyView
from workbench.ui.kit.table import Rows, Table

STUDIES = {
    "Müller–Brown: success within calls": ("saddles_planes", "mueller-brown"),
    "LEPS: success within calls": ("saddles_planes", "leps"),
    "Lennard-Jones, 7 atoms: success within calls": ("saddles_clusters", "lennard-jones-7"),
    "Lennard-Jones, 13 atoms: success within calls": ("saddles_lj13", "lennard-jones-13"),
    "Müller–Brown: which saddle a start reaches": ("saddle_basins", ""),
    "Calls against cost: training with and without pruning": ("saddle_pruning", ""),
}
KEYS = {label: "/".join(part for part in parts if part) for label, parts in STUDIES.items()}


class SaddleStudy(StudyView):
    """Shipped studies of saddle searches."""

    title, slug = "Study: saddles", "saddle-study"
    help = (
        "Every method starts at the same places. A search succeeds if it ends at a first-order saddle, on a plane at "
        "one that is proved; a failure is not dropped, it counts as never arriving and at what it cost. Made by "
        "`data/make_steps_saddles.py`."
    )
    inputs = ("shown",)
    columns = 1

    shown = param.Selector(default="saddles_planes/mueller-brown", objects=KEYS, label="Study")

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset:
        """Open the shipped result, of one surface where it holds several."""
        name, _, surface = inputs["shown"].partition("/")
        ds = data.result(f"steps/{name}.nc")
        return ds.sel({"surface": [surface]}) if surface else ds

    def pictures(self) -> Sequence[Any]:
        """The picture of the study and its numbers."""
        return [Picture("Study", figure_for, _in_words, height=480), Table("Numbers", _rows, text=("method", "saddle"))]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the study says of the surrogate."""
        if "rate" in ds:
            one = ds.isel(surface=0)
            told = []
            for method in one.method.values:
                row = one.sel({"method": method})
                spent = float(row.calls_per_saddle)
                told.append(f"{method} {int(row.success.sum())} of {row.sizes['start']} at {spent:.0f} calls each")
            return f"{one.surface.item()}, saddles reached: {'; '.join(told)}."
        if "saddle" in ds:
            reached = ds.saddle.values
            shares = ", ".join(f"{int((reached == n).sum())} saddle {n + 1}" for n in range(ds.sizes["number"]))
            none = int((reached < 0).sum())
            return f"Of {reached.size} starts {shares} and {none} none; the saddles are proved, so each end has a name."
        last = ds.isel(count=-1)
        return (
            f"At {int(last['count'])} calls, training the hyper-parameters on all of them takes "
            f"{float(last.seconds_all / last.seconds_pruned):.1f} times as long as on a pruned set, which leaves no "
            f"call farther than {float(last.radius):.2g} {last.radius.attrs['units']} from one that was kept."
        )


def _in_words(ds: xr.Dataset) -> str:
    if "rate" in ds:
        return "Each curve ends at the share that succeeds at all; a failure never arrives, however long it ran."
    if "saddle" in ds:
        return (
            f"Dark: no saddle is reached; the brighter, the higher the saddle. White squares: the {ds.sizes['number']} "
            f"proved saddles. Median of the calls over all starts: {float(ds.calls.median()):.0f}."
        )
    return "CPU time of one training, choosing the subset included, against the number of calls so far."


def _rows(ds: xr.Dataset) -> Rows:
    if "rate" in ds:
        one = ds.isel(surface=0)
        heads = ["method", "saddles", "share (95 %)", "median calls", "calls per saddle (95 %)", "wrong end"]
        cells = []
        for method in one.method.values:
            row = one.sel({"method": method})
            low, high = float(row.calls_per_saddle_low), float(row.calls_per_saddle_high)
            cells.append(
                [
                    str(method),
                    f"{int(row.success.sum())} of {row.sizes['start']}",
                    f"{float(row.rate):.2f} [{float(row.rate_low):.2f}, {float(row.rate_high):.2f}]",
                    f"{float(row.median_calls):.0f}",
                    f"{float(row.calls_per_saddle):.0f} [{low:.0f}, {high:.0f}]",
                    int(row.wrong),
                ]
            )
        return Rows(heads, cells)
    if "saddle" in ds:
        reached = ds.saddle.values
        cells = []
        for n in (*range(ds.sizes["number"]), -1):
            here = reached == n
            place = ", ".join(f"{v:.3f}" for v in ds.proved.values[n]) if n >= 0 else "none"
            median = f"{float(ds.calls.where(here).median()):.0f}" if here.any() else "—"
            cells.append([place, int(here.sum()), f"{here.mean():.1%}", median])
        return Rows(["saddle", "starts", "share", "median calls"], cells)
    heads = ["calls", "all, CPU s", "pruned, CPU s", "ratio", "covering radius"]
    rows = [
        [int(n), *(f"{float(v):.3g}" for v in (a, b, a / b, r))]
        for n, a, b, r in zip(
            ds["count"].values, ds.seconds_all.values, ds.seconds_pruned.values, ds.radius.values, strict=True
        )
    ]
    return Rows(heads, rows)
