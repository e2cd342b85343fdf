"""A circuit that somebody else has made: the small checker sums it again, and says what it proves."""

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from workbench import costs, data, shapes
from workbench.costs import Cost
from workbench.figures import shapes as figures
from workbench.ui.kit.check import CheckView
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.proof import proof_html

SHIPPED = "shapes/circuit.json"


class CircuitCheckView(CheckView):
    """Verify a circuit around a defect."""

    title, slug = "Check a circuit", "check-circuit"
    help = (
        "A document holds atoms, a closed walk among them, and the Burgers vector or rotation that it is said to "
        "enclose. The checker reads it strictly, proves in rational arithmetic that the walk goes from neighbour to "
        "neighbour, and sums it in whole numbers, in a process of its own that ends after half a minute. Until you "
        "drop a file it shows a circuit around an edge dislocation. Change a digit of one and drop it again."
    )
    experiment = staticmethod(shapes.circuit_verification)
    largest = 8 * 2**20

    def shipped(self) -> str:
        """Return the circuit of the tab “Crystal”."""
        return data.path(SHIPPED).read_text(encoding="utf-8")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time by the size of the file."""
        dropped = inputs["certificate"]
        return costs.of(shapes.circuit_verification, b"" if dropped is None else dropped.data) or Cost(1.0)

    def pictures(self) -> Sequence[Any]:
        """Return the report and the circuit."""
        return [*super().pictures(), Picture("The circuit", figures.circuit_walk, _walk_in_words, height=460)]

    def report(self, ds: xr.Dataset) -> str:
        """Return verdict, message and numbers of a check as HTML, every entry escaped."""
        rows = [("what the checker says", str(ds.message.item()))]
        if bool(ds.valid):
            rows += [
                (str(ds[name].attrs["long_name"]), str(ds[name].item())) for name in ("lattice", "kind") if name in ds
            ]
            rows += [(str(ds[name].attrs["long_name"]), f"{float(ds[name]):,.10g}") for name in ("bonds", "atoms")]
            rows.append((str(ds.angle.attrs["long_name"]), f"{float(ds.angle):+.0f}°"))
        return proof_html(rows, ds)

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the checker says."""
        if not bool(ds.valid):
            return f"Not a proof: {ds.message.item()}."
        told = f"The circuit of {int(ds.bonds)} steps is proved to enclose"
        if int(ds.rotation):
            return f"{told} a rotation, Ω = {float(ds.angle):+.0f}°, and so no Burgers vector of its own."
        return f"{told} b = ({', '.join(f'{int(one)}' for one in ds.burgers.values)}), Ω = 0."


def _walk_in_words(ds: xr.Dataset) -> str:
    if not ds.sizes["step"]:
        return "What proves nothing is not drawn."
    drawn = ds.sizes["atom"]
    few = f" {drawn:,} of {int(ds.atoms):,} atoms are drawn." if drawn < int(ds.atoms) else ""
    flat = "" if ds.sizes["axis"] == 2 else " The third axis is left out."
    return f"The walk from its square, counter-clockwise, in spacings; atoms that the file names in grey.{few}{flat}"
