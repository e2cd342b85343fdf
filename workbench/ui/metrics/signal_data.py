"""One's own signals: points under a density that was fitted to them, and photographs under one of their patches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, data, metrics
from workbench.clouds import foreign
from workbench.costs import Cost
from workbench.figures import metrics as figures
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, check_size, file_chooser, reading_line
from workbench.ui.metrics.yardsticks import FamilyView

SHIPPED, FILE = "shipped", "file"
TABLES = ".csv,.tsv,.txt,.npy,.npz"
PICTURES = ".png,.jpg,.jpeg"
LARGEST = 32 * 2**20
LONGEST = 1024
"""Pixels a side beyond which a picture is shrunk; its middle is what is looked at."""
SHIPPED_STUDY = "metrics/signals_photographs.nc"


class PointsFile(ReadUpload):
    """An uploaded table or array, each row a signal."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Read all of the file, in a process apart."""
        reading = foreign.read_cloud(self.data, self.name, max_bytes=LARGEST, progress=progress)
        return reading.points, reading.sentence


class PictureFile(ReadUpload):
    """An uploaded PNG or JPEG."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Read the picture as grey values in [0, 1], in a process apart."""
        bounds = {"longest": LONGEST, "max_bytes": LARGEST}
        found = foreign.read_picture(self.data, self.name, **bounds, progress=progress)
        return metrics.as_grey(found.pixels).values, f"{found.sentence}; range 0…1 of its file, grey"


class _OwnFile(FamilyView):
    """What both tabs share: the choice between what ships and one's own file."""

    kind: Any = ReadUpload
    what = ""
    accepted = ""

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file."""
        try:
            check_size(name, data, LARGEST)
        except ValueError as error:
            self.complaint = str(error)
        else:
            self.file = self.kind(name, data)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["source"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose {self.what} ({self.accepted}).")

    def controls(self) -> list[Any]:
        """Return the widgets, and the chooser of a file where one is asked for."""
        wanted = pn.bind(lambda source: source == FILE, self.param.source)
        chooser = file_chooser(self.what[0].upper() + self.what[1:], self.accepted, self.take_file)
        upload = pn.Column(chooser, reading_line(self, "file"), visible=wanted, sizing_mode="stretch_width", margin=0)
        rest = [widget_for(self, name) for name in self.inputs if name not in ("source", "file")]
        return [widget_for(self, "source"), upload, *rest]

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; where the data came from is not among them."""
        super()._adopt({name: value for name, value in parameters.items() if name not in ("source", "file")})


class SignalPointsView(_OwnFile):
    """A cloud of points in any dimension, a mixture fitted to it, and the distances under that."""

    title, slug = "Your signals", "signal-points"
    kind, what, accepted = PointsFile, "a table or an array, each row a signal", TABLES
    help = (
        "Bring a table (CSV) or an array (NPY) with a signal in each row. A Gaussian mixture is fitted to it, with as "
        "many bumps as predict points kept out of the fit, and the distances of the signals under it make a map."
    )
    experiment = staticmethod(metrics.points_report)
    inputs = ("source", "file", "most", "count", "samples", "seed")

    source = param.Selector(default=SHIPPED, objects={"Two moons": SHIPPED, "Your own file …": FILE}, label="Signals")
    file = param.ClassSelector(class_=PointsFile, default=None, allow_None=True)
    most = param.Selector(default=8, objects=[1, 2, 4, 8, 16, 32], label="Bumps, at most")
    count = param.Integer(default=120, bounds=(10, 400), label="Signals compared", doc="a random part of all")
    samples = param.Selector(
        default=128, objects=[32, 64, 128, 256, 512, 1024], label="Noise vectors", doc="above two dimensions"
    )
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same fit and same signals")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file by its size."""
        if inputs["source"] == FILE and inputs["file"] is not None:
            return Cost(1.0 + 20 * len(inputs["file"].data) / 2**20)
        return costs.of(metrics.points_report, components=_tried(inputs["most"]), count=inputs["count"]) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the points of the file, or none for the moons, and the numbers of bumps to try."""
        points = inputs["file"].contents() if inputs["source"] == FILE else None
        return {
            "points": points,
            "components": _tried(inputs["most"]),
            **{name: inputs[name] for name in ("count", "samples", "seed")},
        }

    def pictures(self) -> Sequence[Any]:
        """Return the points, the map, the pairs and the fit."""
        return [
            Picture("Points", figures.points_in_plane, _points_in_words),
            Picture("Map", figures.signal_map, _map_in_words),
            Picture("Pairs", figures.against_euclid, _pairs_in_words),
            Picture("Fit", figures.held_out_fit, _fit_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how often both distances name one neighbour, and which pairs they judge most differently."""
        fooled, split = (ds[name].values.astype(int) for name in ("fooled", "split"))
        return (
            f"Under {ds.sizes['component']} bumps fitted to {int(ds.total):,} signals of {ds.sizes['row']} numbers, "
            f"{float(ds.same_neighbour):.0%} of {ds.sizes['point']} have one nearest neighbour by IEM and by Euclid. "
            f"Told apart least for how far they are: rows {_rows(ds, fooled)} ({_both(ds, fooled)}); most: rows "
            f"{_rows(ds, split)} ({_both(ds, split)})."
        )


class PhotographsView(_OwnFile):
    """A photograph spoiled in seven ways by one amount, ordered by the metric, with SSIM beside."""

    title, slug = "Photographs", "photographs"
    kind, what, accepted = PictureFile, "a PNG or JPEG", PICTURES
    help = (
        "Seven ways to spoil a picture, all by the same RMSE, in the order of the metric under a mixture of 8 × 8 grey "
        "patches that has seen no judgement of any person. SSIM stands beside; it is no person either."
    )
    experiment = staticmethod(metrics.photograph_study)
    inputs = ("source", "file", "rmse", "samples", "seed")

    source = param.Selector(
        default=SHIPPED,
        objects={"Unseen parts of two photographs": SHIPPED, "Your own picture …": FILE},
        label="Picture",
    )
    file = param.ClassSelector(class_=PictureFile, default=None, allow_None=True)
    rmse = param.Number(default=0.04, bounds=(0.005, 0.1), step=0.005, label="Error (RMSE of values in 0…1)")
    samples = param.Selector(default=128, objects=[16, 32, 64, 128, 256], label="Noise vectors")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same noise")

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped study for its settings."""
        shipped = (SHIPPED, 0.04, 128, 0)
        given = tuple(inputs[name] for name in ("source", "rmse", "samples", "seed"))
        return data.result(SHIPPED_STUDY) if given == shipped else None

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time: a picture of one's own has more patches."""
        own = inputs["source"] == FILE
        return costs.of(metrics.photograph_study, b"" if own else None, crops=4, samples=inputs["samples"]) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the picture of the file, or four crops of those that ship."""
        picture = inputs["file"].contents() if inputs["source"] == FILE else None
        return {"picture": picture, "crops": 4, **{name: inputs[name] for name in ("rmse", "samples", "seed")}}

    def pictures(self) -> Sequence[Any]:
        """Return the row of pictures, the distances and SSIM."""
        row = Picture("Equal errors", figures.distortion_row, _row_in_words, height=420)
        row.is_wide = True
        return [
            row,
            Picture("Distances", figures.distortion_distances, _bars_in_words),
            Picture("Beside SSIM", figures.beside_ssim, _ssim_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Give the distances of all distortions, rising, and how the picture was read."""
        order = ds.iem.argsort().values
        parts = [f"{ds.label.values[k]} {float(ds.iem[k]):.2f} ± {float(ds.iem_error[k]):.1g}" for k in order]
        return f"At RMSE {float(ds.rmse[0]):g}: {', '.join(parts)}. Read: {ds.attrs.get('reading', 'as it came')}."


def _tried(most: int) -> tuple[int, ...]:
    return tuple(k for k in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32) if k <= most)


def _rows(ds: xr.Dataset, pair: Any) -> str:
    return " and ".join(str(int(ds.number[k])) for k in pair)


def _both(ds: xr.Dataset, pair: Any) -> str:
    i, j = pair
    return f"IEM {float(ds.distance[i, j]):.3g} for {float(ds.euclidean[i, j]):.3g}"


def _points_in_words(ds: xr.Dataset) -> str:
    more = f" The first two of {ds.sizes['row']} coordinates." if ds.sizes["row"] > 2 else ""
    far = int((ds.surprise > ds.sizes["row"] ** 0.5 + 4).sum())
    odd = f" {far} lie far from every bump: of them the density says little." if far else ""
    return f"Colour: log density. Outlines: one standard deviation of each bump.{more}{odd}"


def _map_in_words(ds: xr.Dataset) -> str:
    return f"Two axes carry {float(ds.explained.sum()):.0%} of the squared distances; the rest cannot be seen here."


def _pairs_in_words(ds: xr.Dataset) -> str:
    share = (ds.error / ds.distance.where(ds.distance > 0)).values
    if not np.isfinite(share).any():
        return "Every pair once."
    return f"Every pair once. The distances are known to {np.nanmax(share):.1%} or better."


def _fit_in_words(ds: xr.Dataset) -> str:
    return f"{ds.sizes['component']} bumps predict the signals best that were kept out of the fit, a fifth of all."


def _row_in_words(ds: xr.Dataset) -> str:
    return "Each picture differs from the original by the same RMSE; its number is the distance per patch."


def _bars_in_words(ds: xr.Dataset) -> str:
    what = "over noise and crops" if bool(ds.iem_spread.notnull().all()) else "over noise"
    return f"95 % intervals {what}; {int(ds.attrs.get('patches', 0))} patches of 8 × 8 pixels each."


def _ssim_in_words(ds: xr.Dataset) -> str:
    order = ds.label.values[ds.ssim.argsort().values]
    return f"SSIM finds {order[0]} the worst and {order[-1]} the best."
