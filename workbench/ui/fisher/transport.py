"""Where the matter of a density came from: exact periodic transport, with its residual as a certificate."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import param
import xarray as xr

from workbench import costs, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.progress import Progress
from workbench.ui.fisher.web import FILE, KINDS, SHAPES, FieldFile, check_file, check_scale, file_controls
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

SIZES = ["64²", "128²", "256²"]
LARGEST = 256 * 256


class TransportView(View):
    """The optimal map from a density to the uniform one."""

    title, slug = "Transport", "transport"
    help = (
        "The one map that makes the density uniform at the least cost, as in the reconstruction of where galaxies came "
        "from; unregularised, by Newton's method. The residual says how exactly it does. Where peaks are too steep for "
        "the grid the residual stalls, and nothing is claimed: smooth, or lower the rms."
    )
    inputs = ("kind", "file", "box", "size", "slope", "sigma", "smoothing", "floor", "seed")
    experiment = staticmethod(fisher.periodic_reconstruction)
    registries: ClassVar[dict[str, Any]] = {}

    kind = param.Selector(default="zeldovich", objects=KINDS, label="Density")
    file = param.ClassSelector(class_=FieldFile, default=None, allow_None=True)
    box = param.Number(
        default=1.0, bounds=(1e-6, None), label="Side of the box", doc="Of positions, and of all lengths"
    )
    size = param.Selector(default="64²", objects=SIZES, label="Cells")
    slope = param.Number(default=-1.5, bounds=(-3.0, 2.0), step=0.1, label="Slope n of the spectrum kⁿ")
    sigma = param.Number(default=0.3, bounds=(0.05, 2.0), step=0.05, label="rms of linear ρ (of ln ρ, of ρ)")
    smoothing = param.Number(default=0.04, bounds=(0.004, 0.1), step=0.002, label="Smoothing R", doc="Of the box")
    floor = param.Number(
        default=0.0,
        bounds=(0.0, 0.1),
        step=0.001,
        label="Least density",
        doc="Share of the mean. 0: none, refuse instead",
    )
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same field")

    def controls(self) -> list[Any]:
        """Return the widgets; those that the chosen density does not read are hidden."""
        random, own = (True, False), (False, True)
        return file_controls(
            self, {"box": own, "floor": own, "size": random, "slope": random, "sigma": random, "seed": random}
        )

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file and a smoothing below a cell."""
        check_file(inputs)
        check_scale(inputs)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file goes by its size."""
        if inputs["kind"] == FILE:
            return Cost(1.9 if inputs["file"] is None or len(inputs["file"].data) < 600_000 else 10.0)
        shape = SHAPES[inputs["size"]]
        made = costs.of(fisher.field, kind=inputs["kind"], shape=shape) or Cost(0.5)
        return made + (costs.of(fisher.periodic_reconstruction, np.empty(shape)) or Cost(1.0))

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Make or read the density, and transport it."""
        if inputs["kind"] != FILE:
            named = {name: inputs[name] for name in ("slope", "sigma", "smoothing", "seed")}
            rho = fisher.field(inputs["kind"], SHAPES[inputs["size"]], **named).density.values
            return fisher.periodic_reconstruction(rho, progress=progress)
        box = inputs["box"]
        rho = inputs["file"].density(box)
        if rho.size > LARGEST:
            raise ValueError(
                f"{inputs['file'].name} has {rho.size:,} cells; this tab transports up to {LARGEST:,} (256²). Average "
                "blocks of cells, or call fisher.periodic_transport in Python"
            )
        return fisher.periodic_reconstruction(
            rho, box=box, smoothing=inputs["smoothing"] * box, floor=inputs["floor"] or None, progress=progress
        )

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take nothing but the box of a shown result: its density stands there as a digest."""
        super()._adopt({name: value for name, value in parameters.items() if name == "box"})

    def pictures(self) -> Sequence[Any]:
        """Return the density with its displacements, the certificate and the entropy along the geodesic."""
        return [
            Picture("Displacement", figures.transport_map, _map_in_words, height=figures.BESIDE + 40),
            Picture("Certificate", figures.transport_residuals, _residuals_in_words),
            Picture("Entropy", figures.transport_entropy, _entropy_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say W and the residual behind it; or that it is refused, and why."""
        if not bool(ds.converged):
            return f"Refused: {ds.attrs['reason']}. No W² is claimed."
        return (
            f"W = {float(np.sqrt(ds.W2)):.6g} to the uniform density, with ln ρ reproduced to {float(ds.residual):.0e} "
            f"in every cell after {ds.sizes['step'] - 1} Newton steps; the least stretch is "
            f"{float(ds.least_stretch):.3f}, so no two cells meet. The whole box has K = {float(ds.curvature):.4g}; "
            f"linear theory says {float(ds.linear):.4g}."
        )


def _map_in_words(ds: xr.Dataset) -> str:
    longest = float(np.sqrt((ds.displacement**2).sum("axis")).max())
    return f"Contrast {float(ds.density.max()):.3g} at most; the longest displacement is {longest:.3g}."


def _residuals_in_words(ds: xr.Dataset) -> str:
    verdict = "it converged" if bool(ds.converged) else "it stalled, and is refused"
    return f"From {float(ds.residuals[0]):.1e} to {float(ds.residual):.1e}: {verdict}."


def _entropy_in_words(ds: xr.Dataset) -> str:
    if not bool(ds.converged):
        return "There is no geodesic to show without a map."
    return f"KL to the uniform density rises to {float(ds.entropy[-1]):.4f}; below its chord, as it is convex."
