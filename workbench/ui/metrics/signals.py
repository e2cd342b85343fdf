"""Signals: drag the bumps of a density and two points on it, and see what a distance that reads it makes of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, metrics
from workbench.costs import Cost
from workbench.figures import metrics as figures
from workbench.metrics import signals
from workbench.metrics.signals.blind import told
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.written import Written, in_letters, lists_of
from workbench.ui.metrics.yardsticks import FamilyView, Yardsticks

SNRS = {"∞, the full metric": "inf", "1000": "1000", "100": "100", "10": "10", "1": "1", "0.1": "0.1"}
EXAMPLES = {make().label: name for name, make in metrics.SIGNAL_EXAMPLES.items()}


def _in_letters(drawn: tuple) -> str:
    """Return what a hand has made of an example as an address holds it: its name, then lists of numbers."""
    return (
        f"{drawn[0]}~{in_letters(*signals.as_lists(signals.Drawn(*drawn[1:])))}" if drawn and len(drawn[4]) < 3 else ""
    )


def _from_letters(text: str) -> tuple:
    """Return what :func:`_in_letters` wrote; ``ValueError`` for anything that no hand could have made."""
    name, _, rest = text.partition("~")
    if name not in metrics.SIGNAL_EXAMPLES:
        raise ValueError(f"there is no example {name[:30]!r}; there are {', '.join(metrics.SIGNAL_EXAMPLES)}")
    return (name, *signals.from_lists(lists_of(rest)))


class SignalsView(FamilyView):
    """A density on a line or in the plane under the hand, and the distance of two points on it."""

    title, slug = "Signals", "signals"
    help = (
        "The information-estimation metric (IEM) sends two points through the same noise of every size and asks how "
        "differently the best denoiser errs on them. So it reads the density: drag the bumps (■), their widths (◆), "
        "and the points a and b (●)."
    )
    experiment = staticmethod(metrics.signal_report)
    inputs = ("example", "up_to", "first_weight", "drawn")

    example = param.Selector(default="two-bumps", objects=EXAMPLES, label="Density")
    up_to = param.Selector(
        default="inf", objects=SNRS, label="Noise down to SNR", doc="Finer differences than 1/√SNR count less"
    )
    first_weight = param.Number(
        default=0.0, bounds=(0, 0.95), step=0.05, label="Weight of the first bump", doc="0: as the example has it"
    )
    drawn = Written(
        default=(),
        write=_in_letters,
        read=_from_letters,
        label="the bumps and points dragged by hand",
        doc="the example that was changed by hand, and what it is now",
    )

    def state(self, inputs: Mapping[str, Any] | None = None) -> signals.Drawn:
        """Return the density and the points as the hand has left them."""
        inputs = self.values() if inputs is None else inputs
        example, drawn = inputs["example"], inputs["drawn"]
        found = signals.Drawn(*drawn[1:]) if drawn and drawn[0] == example else signals.signal_state(example)
        return signals.reweighted(found, inputs["first_weight"]) if inputs["first_weight"] > 0 else found

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse two points in one place."""
        found = self.state(inputs)
        if found.a == found.b:
            raise ValueError("a and b are one point; drag one of them away")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the density and the two points."""
        return {**self.state(inputs)._asdict(), "snr": float(inputs["up_to"])}

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; the first picture comes at a tenth of it."""
        return costs.of(metrics.signal_report, means=self.state(inputs).means) or Cost(1.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the density and points of a shown result as if the hand had made them."""
        super()._adopt({})
        snr = parameters.get("snr")
        names = ("weights", "means", "covariances", "a", "b")
        given = [parameters.get(name) for name in names]
        try:
            found = signals.drawn(metrics.Mixture(*given[:3]), *given[3:])
            snr = "inf" if str(snr) == "inf" else f"{float(snr):g}"
        except (TypeError, ValueError):
            return
        self._adopting = True
        try:
            self.first_weight = 0.0
            self.drawn = (self.example, *found)
            if snr in SNRS.values():
                self.up_to = snr
        finally:
            self._adopting = False

    # ---- what a hand does ------------------------------------------------------------------------------------------

    def move(self, item: int, x: float, y: float) -> None:
        """Take a handle from the visitor's hand."""
        if not (np.isfinite(x) and np.isfinite(y)):
            return
        try:
            found = signals.dragged(self.state(), item, round(x, 4), round(y, 4))
        except ValueError as error:
            self.complaint = str(error)
            return
        with param.parameterized.batch_call_watchers(self):
            self.first_weight = 0.0
            self.drawn = (self.example, *found)

    def reset(self) -> None:
        """Take back everything that the hand has done."""
        with param.parameterized.batch_call_watchers(self):
            self.first_weight = 0.0
            self.drawn = ()

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets and the button that takes all back."""
        button = pmui.Button(label="Take all back", variant="outlined", size="small", sizing_mode="stretch_width")
        button.on_click(lambda _: self.reset())
        return [*(widget_for(self, name) for name in ("example", "up_to", "first_weight")), button]

    def pictures(self) -> Sequence[Any]:
        """Return the density under the hand, the distance from a, the spectrum, the lengths and the tables."""
        return [
            DraggedMarks("The density", self._density, self._density_in_words, self.move, hint="Drag bumps and points"),
            Picture("Distance from a", figures.distance_from_a, _map_in_words, height=430),
            Picture("Spectrum", figures.snr_spectrum, _spectrum_in_words),
            Picture("Lengths", figures.signal_lengths, _lengths_in_words),
            Yardsticks("distances of signals"),
        ]

    def _density(self, ds: xr.Dataset) -> Any:
        return figures.signal_density(ds, handles=signals.handles(self.state()))

    def _density_in_words(self, ds: xr.Dataset) -> str:
        places = " and ".join(told(point) for point in ds.point.values)
        text = f"{ds.sizes['component']} bumps; a and b at {places}."
        if bool(ds.outside.any()):
            names = [str(name) for name in ds.end.values[ds.outside.values]]
            text += (
                f" {' and '.join(names)} lies outside the density, {float(ds.surprise.max()):.1f} standard deviations "
                "from the nearest bump: there the metric is that bump's alone."
            )
        return f"{text} Pink: the eighth of the way that the metric sees most."

    def sentence(self, ds: xr.Dataset) -> str:
        """Compare the distance of the points with that of an eighth of the way across the ridge, and with the path."""
        distance, ridge, apart = float(ds.distance), float(ds.ridge_distance), float(ds.euclidean)
        limit = "" if np.isinf(float(ds.up_to)) else f" (noise down to SNR {float(ds.up_to):g})"
        text = (
            f"a to b: IEM {distance:.4g} ± {float(ds.error):.0e} for {apart:.3g}{limit}; {apart / 8:.3g} across the "
            f"ridge at {told(ds.ridge.values.mean(axis=0))}: {ridge:.4g}."
        )
        if ridge > distance:
            text += " IEM calls the far pair closer: their neighbourhoods look alike."
        if "length" in ds:
            text += f" The shortest path is {float(ds.length):.4g} long, {float(ds.length) / distance:.2f} times that."
        return text


def _map_in_words(ds: xr.Dataset) -> str:
    values = ds.distance_map.values
    if values.ndim == 1:
        rises = np.diff(np.sign(np.diff(values)))
        turns = int(np.count_nonzero(rises))
        more = f" It turns {turns} time{'s' if turns != 1 else ''}: farther along is not always farther away."
        return f"IEM from a reaches {values.max():.3g} on this stretch.{more if turns > 1 else ''}"
    return (
        f"IEM from a reaches {values.max():.3g} here. White: lines of equal distance, and ellipses of equal small "
        "steps; green: the shortest path."
    )


def _spectrum_in_words(ds: xr.Dataset) -> str:
    peak = float(ds.snr[int(np.argmax(ds.share.values))])
    defect = float(ds.balance - ds.information)
    check = ""
    if np.isinf(float(ds.up_to)) and np.isfinite(defect):
        told = round(float(ds.balance), 9) + 0.0  # what rounding leaves of nothing is nothing
        check = f" Check: denoising errors give log p(b) − log p(a) = {told:.6g}, off by {max(abs(defect), 1e-16):.0e}."
    return f"Most of the difference is made near SNR {peak:.3g}, a blur of {peak**-0.5:.2g}.{check}"


def _lengths_in_words(ds: xr.Dataset) -> str:
    text = f"a to b {float(ds.distance):.4g}; an eighth of the way across the ridge {float(ds.ridge_distance):.4g}"
    if "length" not in ds:
        return f"{text}."
    return (
        f"{text}; the shortest path {float(ds.length):.5g} ± {float(ds.length_error):.0e}, the straight one "
        f"{float(ds.straight):.5g}. No path is shorter than the distance; how much longer says how curved space is."
    )
