"""Two Gaussians under the hand: the entropy along their geodesic, and the curvature that it tells of."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import fisher
from workbench.clouds import foreign
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

NONE, GAUSSIAN, BUMPS, FILE = "none", "gaussian", "bumps", "file"
REFERENCES = {
    "None: Lebesgue's measure": NONE,
    "Gaussian, N(0, 1.5²)": GAUSSIAN,
    "Two bumps": BUMPS,
    "Your own density on a line …": FILE,
}
LARGEST_UPLOAD = 4 * 2**20
ENDS = (("mean_0", "deviation_0"), ("mean_1", "deviation_1"))


class SkewerFile(ReadUpload):
    """An uploaded table: places and densities on a line."""

    def read(self, progress: Progress) -> tuple[fisher.Table, str]:
        """Read two columns."""
        table, sentence = foreign.read_table(self.data, self.name, progress=progress)
        if table.shape[1] != 2:
            raise ValueError(f"{self.name} has {table.shape[1]} columns; give two, places and densities")
        return fisher.Table(table[:, 0], table[:, 1]), sentence


class PairsView(View):
    """Entropic curvature between two Gaussians on a line."""

    title, slug = "Pairs", "pairs"
    help = (
        "Drag the two Gaussians: their distance is Euclid's in this picture and their geodesic the straight line. The "
        "entropy along it lies below its chord by what curvature makes of it. K has a part of the pair alone, which is "
        "never negative, and one of the reference: so it is an upper estimate of the curvature bound, and another pair "
        "gives another."
    )
    inputs = ("mean_0", "deviation_0", "mean_1", "deviation_1", "reference", "file", "t", "inverse")
    experiment = staticmethod(fisher.entropic_curvature)

    mean_0 = param.Number(default=-1.2, bounds=(-4.0, 4.0), step=0.05, label="First: mean")
    deviation_0 = param.Number(default=0.6, bounds=(0.1, 3.0), step=0.05, label="First: standard deviation")
    mean_1 = param.Number(default=1.4, bounds=(-4.0, 4.0), step=0.05, label="Second: mean")
    deviation_1 = param.Number(default=1.2, bounds=(0.1, 3.0), step=0.05, label="Second: standard deviation")
    reference = param.Selector(default=BUMPS, objects=REFERENCES, label="Reference measure")
    file = param.ClassSelector(class_=SkewerFile, default=None, allow_None=True)
    t = param.Number(default=0.5, bounds=(0.05, 0.95), step=0.05, label="Place t on the geodesic")
    inverse = param.Number(
        default=0.0, bounds=(0.0, 1.0), step=0.05, label="Dimension, 1/N", doc="0: N = ∞; the entropic CD(K, N)"
    )

    def controls(self) -> list[Any]:
        """Return the widgets; the chooser of a file stands where a file is asked for."""
        wanted = pn.bind(lambda reference: reference == FILE, self.param.reference)
        upload = file_field(self, "file", "CSV: places and densities", ".csv,.tsv,.txt", self.take_file, visible=wanted)
        rest = [widget_for(self, name) for name in self.inputs if name not in ("reference", "file")]
        return [widget_for(self, "reference"), upload, *rest]

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded table as the reference."""
        keep(self, "file", SkewerFile, name, data, LARGEST_UPLOAD)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file and two equal Gaussians."""
        if inputs["reference"] == FILE and inputs["file"] is None:
            raise ValueError("Choose a table with two columns: places and densities on a line.")
        if all(inputs[a] == inputs[b] for a, b in zip(*ENDS, strict=True)):
            raise ValueError("Both Gaussians are the same; drag one of them away.")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time."""
        return Cost(0.1)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment."""
        references = {
            NONE: lambda: None,
            GAUSSIAN: lambda: fisher.Normal(0.0, 1.5**2),
            BUMPS: lambda: fisher.Bumps([0.6, 0.4], [0.0, 2.5], [1.0, 0.7]),
            FILE: lambda: inputs["file"].contents(),
        }
        first, second = (fisher.Normal(inputs[mean], inputs[deviation] ** 2) for mean, deviation in ENDS)
        return {
            "mu0": first,
            "mu1": second,
            "reference": references[inputs["reference"]](),
            "t": inputs["t"],
            "N": 1 / inputs["inverse"] if inputs["inverse"] else np.inf,
        }

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the Gaussians of a shown result; its reference is a measure there and a name here."""
        found = {name: value for name, value in parameters.items() if name == "t"}
        N = parameters.get("N")
        found["inverse"] = 1 / N if isinstance(N, (int, float)) else 0.0
        for (mean, deviation), name in zip(ENDS, ("mu0", "mu1"), strict=True):
            given = parameters.get(name)
            if isinstance(given, Mapping) and len(np.ravel(given.get("covariance", []))) == 1:
                found[mean] = float(np.ravel(given["mean"])[0])
                found[deviation] = float(np.sqrt(np.ravel(given["covariance"])[0]))
        super()._adopt(found)

    def pictures(self) -> Sequence[Any]:
        """Return the half-plane under the hand, the densities, the entropy and the parts of K."""
        return [
            DraggedPair(self),
            Picture("Along the geodesic", figures.pair_densities, _densities_in_words, height=430),
            Picture("Entropy", figures.pair_entropy, _entropy_in_words),
            Picture("Parts", figures.pair_parts, _parts_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say K with its parts, and whether quadrature leaves anything of it open."""
        N = ds.attrs["N"]
        named = "∞" if str(N) == "inf" else f"{float(N):.3g}"
        whole = float(ds.internal) + float(ds.potential)
        text = (
            f"At N = ∞ this pair has K = {whole:.4f} = {float(ds.internal):.4f} (the pair's own) + "
            f"{float(ds.potential):.4f} (the reference)"
        )
        more = "" if named == "∞" else f"; at N = {named} it has K = {float(ds.value):.4f}"
        return f"{text}{more}. W = {float(np.sqrt(ds.W2)):.4f}; numerical error {float(ds.error):.0e}."


class DraggedPair(DraggedMarks):
    """The half-plane of Gaussians with two of them as marks."""

    def __init__(self, view: PairsView) -> None:
        super().__init__(
            "Two Gaussians", lambda _: figures.pair_plane(self.places()), _plane_in_words, self.move,
            axes=("mean", "deviation"), hint="Drag the Gaussians",
        )  # fmt: skip
        self._view = view

    def places(self) -> list[tuple[float, float]]:
        """Return both, as the controls have them: a mark stays under the hand while the pictures follow."""
        return [tuple(float(getattr(self._view, name)) for name in end) for end in ENDS]

    def move(self, item: int, x: float, y: float) -> None:
        """Take the place of a mark."""
        if not np.isfinite([x, y]).all() or item not in (0, 1):
            return
        changed = {}
        for name, value in zip(ENDS[item], (x, y), strict=True):
            low, high = self._view.param[name].bounds
            changed[name] = float(np.clip(round(value, 3), low, high))
        self._view.param.update(**changed)


def _plane_in_words(ds: xr.Dataset) -> str:
    return f"Distance W = {float(np.sqrt(ds.W2)):.4f}, the length of the line. Drag either end."


def _densities_in_words(ds: xr.Dataset) -> str:
    peaks = ds.density.max("node").values
    return f"The peak goes from {peaks[0]:.3f} over {peaks[len(peaks) // 2]:.3f} at t = ½ to {peaks[-1]:.3f}."


def _entropy_in_words(ds: xr.Dataset) -> str:
    low = float(ds.entropy.min())
    start, end = float(ds.entropy[0]), float(ds.entropy[-1])
    return f"E goes from {start:.4f} to {end:.4f} and is at least {low:.4f} between; dotted: constant K, equal at t."


def _parts_in_words(ds: xr.Dataset) -> str:
    values = ds.curvature.values[1:-1]
    return f"Along the geodesic K (N = ∞) runs from {values.min():.4f} to {values.max():.4f}: it depends on t as well."
