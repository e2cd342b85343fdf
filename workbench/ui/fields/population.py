"""Populations: one that no training saw, where every method takes it, and what the study over many of them says."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, data, fields
from workbench.costs import Cost
from workbench.fields.population.report import FARTHEST, FRAMES
from workbench.fields.population.shipped import FIRST, GAP, SETTINGS, STUDIES
from workbench.figures import fields as figures
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View
from workbench.ui.kit.written import Written, in_letters, lists_of

HAND = "hand"
KINDS = {"Letters out of a blur": "letters", "Swarms": "swarm", "A swarm placed by hand": HAND}
METHODS = {entry.label: name for name, entry in fields.FIELDS.items() if name != "flow-matching-optimum"}
PLACES = ((-2.0, 0.5), (1.5, 1.5), (0.5, -1.8))
TIMES = [round(float(t), 2) for t in np.linspace(0, 1, FRAMES)]


def _from_letters(text: str) -> tuple:
    """Return places of blobs as an address holds them; ``ValueError`` for another number, or one too far away."""
    places = tuple(lists_of(text))
    if len(places) != len(PLACES) or any(len(place) != 2 for place in places):
        raise ValueError(f"{len(PLACES)} blobs with two coordinates each are placed here")
    if max(abs(number) for place in places for number in place) > FARTHEST:
        raise ValueError(f"blobs stay within {FARTHEST:g} of the origin")
    return places


class PopulationsView(View):
    """A population that no training saw, and what each method says will become of it."""

    title, slug = "Populations", "populations"
    help = (
        "A field learnt on many populations at once is asked about a new one: letters X and Y for networks that saw "
        "the other 24, swarms for networks that saw forty. *Flow matching* sees a point and a time, *meta flow "
        "matching* sees the whole cloud before as well; no change, the mean shift and the exact answer stand beside "
        "them. Place a swarm by hand and drag its blobs (◆)."
    )
    experiment = staticmethod(fields.population_report)
    inputs = ("kind", "index", "points", "seed", "places")
    display = ("method", "time")
    registries: ClassVar[dict[str, Any]] = {"method": fields.FIELDS}

    kind = param.Selector(default="letters", objects=KINDS, label="Populations")
    index = param.Integer(default=0, bounds=(0, 19), label="Unseen population", doc="not for one placed by hand")
    points = param.Integer(default=200, bounds=(50, 400), step=50, label="Points")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="of its points and its angle")
    method = param.Selector(default="meta-flow-matching", objects=METHODS, label="Shown method")
    time = param.Selector(default=1.0, objects=TIMES, label="Time t")
    places = Written(
        default=PLACES,
        write=lambda places: in_letters(*places),
        read=_from_letters,
        label="the blobs placed by hand",
        doc="where the hand has put the blobs",
    )

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments; a swarm placed by hand is its centres."""
        rest = {"points": inputs["points"], "seed": inputs["seed"]}
        if inputs["kind"] == HAND:
            return {"kind": "swarm", "index": 0, "centres": [list(p) for p in inputs["places"]], **rest}
        return {"kind": inputs["kind"], "index": inputs["index"], "centres": None, **rest}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped answer for its settings."""
        return data.result_for(FIRST, **self.arguments(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time."""
        return costs.of(fields.population_report, points=inputs["points"]) or Cost(0.5)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; one with centres was placed by hand."""
        found = dict(parameters)
        centres = found.pop("centres", None)
        if centres is not None:
            found["kind"] = HAND
        super()._adopt(found)
        if centres is not None:
            self._adopting = True
            try:
                self.places = tuple(tuple(map(float, place)) for place in centres)
            finally:
                self._adopting = False

    def move(self, item: int, x: float, y: float) -> None:
        """Take a blob from the visitor's hand."""
        if not (np.isfinite(x) and np.isfinite(y)) or not 0 <= item < len(self.places):
            return
        if max(abs(x), abs(y)) > FARTHEST:
            self.complaint = f"Blobs stay within {FARTHEST:g} of the origin; this one was dropped at {x:.3g}, {y:.3g}."
            return
        places = list(self.places)
        places[item] = round(float(x), 3), round(float(y), 3)
        self.places = tuple(places)

    def reset(self) -> None:
        """Put the blobs back."""
        self.places = PLACES

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets, and the button that puts the blobs back."""
        button = pmui.Button(label="Put the blobs back", variant="outlined", size="small", sizing_mode="stretch_width")
        button.on_click(lambda _: self.reset())
        return [*(widget_for(self, name) for name in (*self.inputs, *self.display) if name != "places"), button]

    def pictures(self) -> Sequence[Any]:
        """Return the population on its way, the distances, and what the study says."""
        return [
            DraggedMarks(
                "The population", self._path, self._path_in_words, self.move, hint="Drag the blobs", height=520
            ),
            Picture("Distance from the truth", figures.population_distances, _distances_in_words),
            Picture("Gain over flow matching", self._gains, self._gains_in_words),
            Picture("Worth of knowing the population", self._gap, self._gap_in_words),
        ]

    def _path(self, ds: xr.Dataset) -> Any:
        return figures.population_path(ds, method=self.method, time=self.time, handles=True)

    def _path_in_words(self, ds: xr.Dataset) -> str:
        name = self.method if self.method in ds.field.values else str(ds.field.values[-1])
        text = f"{ds.sizes['point']} points; {name} ends {float(ds.distance.sel(field=name)):.3f} from the truth (W₂)."
        return text if name == self.method else f"{self.method} has nothing to say here. {text}"

    def _study(self) -> xr.Dataset:
        return data.result(STUDIES["letters" if self.kind == "letters" else "swarm"])

    def _gains(self, _: xr.Dataset) -> Any:
        return figures.population_gains(self._study())

    def _gains_in_words(self, _: xr.Dataset) -> str:
        ds = self._study()
        steps = SETTINGS["letters" if self.kind == "letters" else "swarm"]["steps"]
        return (
            f"Populations are the units, {ds.sizes['population']} of them, none seen in training; {ds.sizes['seed']} "
            f"trainings of {steps:,} equal steps for each network."
        )

    def _gap(self, _: xr.Dataset) -> Any:
        return figures.gap_in_time(data.result(GAP))

    def _gap_in_words(self, _: xr.Dataset) -> str:
        ds = data.result(GAP)
        return (
            f"{ds.sizes['population']} letters: the most that any embedding can gain in the loss. Without it one field "
            f"explains {float(ds.share):.0%} of the {float(ds.explainable):.3f} that can be explained."
        )

    def sentence(self, ds: xr.Dataset) -> str:
        """Give this population's distances, and the paired gain over the held-out populations of the study."""

        def at(name: str) -> str:
            return f"{float(ds.distance.sel(field=name)):.3f}"

        study = self._study()
        k = study.field.values.tolist().index("meta-flow-matching")
        gain, reach, wins = (study[name].values[k] for name in ("mean_gain", "reach", "wins"))
        beside = "deconvolution" if "deconvolution" in ds.field.values else "interaction-kernel"
        told = "the deconvolved cloud" if beside == "deconvolution" else "the fitted law of pairs"
        return (
            f"Here W₂ to the truth is {at('meta-flow-matching')} with meta flow matching, {at('flow-matching')} with "
            f"flow matching, {at('no-change')} with no change, {at(beside)} with {told}. On "
            f"{study.sizes['population']} unseen populations meta flow matching ends {gain:+.4f} ± {reach:.4f} nearer "
            f"than flow matching (95 %), on {int(wins)} of {study.sizes['population']}."
        )


def _distances_in_words(ds: xr.Dataset) -> str:
    best = str(ds.field.values[int(np.argmin(ds.distance.values))])
    text = f"Nearest: {best}, {float(ds.distance.min()):.3f}."
    if not np.isfinite(float(ds.floor)):
        return f"{text} The end of a swarm follows from its start, so there are no fresh points to compare with."
    return f"{text} Two fresh samples of the truth are {float(ds.floor):.3f} apart, which is the floor."
