"""Fields: the exact field, the memoriser and a trained network on one canvas, at a time and a step of one's choice."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, data, fields
from workbench.costs import Cost
from workbench.fields.core.report import moved
from workbench.fields.core.shipped import SHIPPED_LAW, SHIPPED_POINTS, SHIPPED_STEPS, STUDY
from workbench.figures import fields as figures
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View
from workbench.ui.kit.written import Written, in_letters, lists_of

FIRST = "fields/first_fields.nc"
LAWS = {entry.label: name for name, entry in fields.LAWS.items()}
SOLVERS = {entry.label: name for name, entry in fields.SOLVERS.items()}


def _in_letters(centres: tuple) -> str:
    """Return a law changed by hand as an address holds it: its name, then its centres."""
    return f"{centres[0]}~{in_letters(*centres[1])}" if centres else ""


def _from_letters(text: str) -> tuple:
    """Return what :func:`_in_letters` wrote; ``ValueError`` for another number of centres, or one too far away."""
    name, _, rest = text.partition("~")
    if name not in fields.LAWS:
        raise ValueError(f"there is no law {name[:30]!r}; there are {', '.join(fields.LAWS)}")
    places = tuple(lists_of(rest))
    if any(len(place) != 2 for place in places):
        raise ValueError("a centre has two coordinates")
    moved(name, places)
    return name, places


class FieldsView(View):
    """The field that training should find, the one that its data allow, and the one that it has found."""

    title, slug = "Fields", "fields"
    help = (
        "Noise is carried into a law by a field. The *exact* field is what flow matching learns from infinitely many "
        "data, the *memoriser* what it learns from these training points alone, and the *learned* one is a network at "
        "a step on its way from one to the other. Drag the centres (◆): the exact field follows the hand."
    )
    experiment = staticmethod(fields.field_report)
    inputs = ("target", "points", "step", "time", "solver", "steps", "centres")
    registries: ClassVar[dict[str, Any]] = {"solver": fields.SOLVERS}

    target = param.Selector(default=SHIPPED_LAW, objects=LAWS, label="Law", doc="a trained network ships for the first")
    points = param.Selector(default=128, objects=list(SHIPPED_POINTS), label="Training points")
    step = param.Selector(default=800, objects=list(SHIPPED_STEPS), label="Training step of the network")
    time = param.Number(default=0.5, bounds=(0.0, 0.95), step=0.05, label="Time t")
    solver = param.Selector(default="heun", objects=SOLVERS, label="Solver of the paths")
    steps = param.Integer(default=30, bounds=(1, 100), label="Steps of the solver")
    centres = Written(
        default=(),
        write=_in_letters,
        read=_from_letters,
        label="the centres dragged by hand",
        doc="the law that was changed by hand, and its centres",
    )

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments, with the centres as the hand has left them."""
        of, places = inputs["centres"] or ("", None)
        asked = {name: value for name, value in inputs.items() if name != "centres"}
        return {**asked, "centres": places if of == inputs["target"] else None}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped answer for its settings."""
        return data.result_for(FIRST, **self.arguments(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time."""
        return costs.of(fields.field_report, points=inputs["points"], steps=inputs["steps"]) or Cost(0.2)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result, its centres as if the hand had moved them."""
        super()._adopt({name: value for name, value in parameters.items() if name != "centres"})
        places = parameters.get("centres")
        self._adopting = True
        try:
            self.centres = (self.target, tuple(map(tuple, places))) if isinstance(places, list) else ()
        finally:
            self._adopting = False

    def move(self, item: int, x: float, y: float) -> None:
        """Take a centre from the visitor's hand."""
        if not (np.isfinite(x) and np.isfinite(y)):
            return
        places = moved(self.target, self.arguments(self.values())["centres"]).means.copy()
        if not 0 <= item < len(places):
            return
        places[item] = round(x, 3), round(y, 3)
        try:
            moved(self.target, places)
        except ValueError as error:
            self.complaint = str(error)
            return
        self.centres = (self.target, tuple(map(tuple, places.tolist())))

    def reset(self) -> None:
        """Take back everything that the hand has done."""
        self.centres = ()

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets, and the button that takes back what the hand has done."""
        button = pmui.Button(label="Take all back", variant="outlined", size="small", sizing_mode="stretch_width")
        button.on_click(lambda _: self.reset())
        return [*(widget_for(self, name) for name in self.inputs if name != "centres"), button]

    def pictures(self) -> Sequence[Any]:
        """Return the canvas, the distances along training, and the ends of the paths."""
        return [
            DraggedMarks("Fields", self._canvas, _canvas_in_words, self.move, hint="Drag the centres", height=520),
            Picture("Distance along training", self._curves, self._curves_in_words),
            Picture("Where the paths end", figures.path_ends, _ends_in_words, height=430),
        ]

    def _canvas(self, ds: xr.Dataset) -> Any:
        return figures.field_arrows(ds, handles=True)

    def _study(self) -> xr.Dataset:
        return data.result(STUDY).sel(points=self.points)

    def _curves(self, _: xr.Dataset) -> Any:
        return figures.training_distances(self._study(), step=self.step)

    def _curves_in_words(self, _: xr.Dataset) -> str:
        one = self._study()
        truth = one.truth.mean("seed")
        best = int(one.step[int(np.argmin(truth.values))])
        return (
            f"Five blobs, {self.points:,} training points, {one.sizes['seed']} seeds (range shaded): nearest the truth "
            f"at step {best:,} ({float(truth.min()):.3f}), at the last step {float(truth[-1]):.3f}."
        )

    def sentence(self, ds: xr.Dataset) -> str:
        """Give the distances of the three fields, and the loss that none can come below."""
        apart = f"the memoriser of {ds.sizes['number']:,} points is {_told(ds, 'apart')} from the exact field"
        least = f"No field has a loss below L* = {_told(ds, 'irreducible')} on fresh pairs."
        if not np.isfinite(float(ds.truth)):
            return f"Here {apart} (mean squared); no network ships for this law: train one in the next tab. {least}"
        nearer = "the truth" if float(ds.truth) < float(ds.memoriser) else "the memoriser"
        return (
            f"The network stands nearer {nearer}: {_told(ds, 'truth')} from the exact field, "
            f"{_told(ds, 'memoriser')} from the memoriser (mean squared); {apart}. {least}"
        )


def _told(ds: xr.Dataset, name: str) -> str:
    return f"{float(ds[name]):.3f} ± {float(ds[f'{name}_error']):.3f}"


def _canvas_in_words(ds: xr.Dataset) -> str:
    exact = ds.arrow_exact.values[0]
    text = f"Grey: draws from p_t. Longest arrow of the exact field {np.linalg.norm(exact, axis=-1).max():.2f}"
    memory = ds.arrow_memoriser.values[0]
    return f"{text}, of the memoriser {np.linalg.norm(memory, axis=-1).max():.1f} (drawn shorter)."


def _ends_in_words(ds: xr.Dataset) -> str:
    points = ds.point.values

    def near(name: str) -> float:
        away = np.linalg.norm(ds[f"end_{name}"].values[:, None] - points[None], axis=-1)
        return float(np.median(away.min(axis=1)))

    text = (
        f"{ds.sizes['path']} paths from the same starts, at t = 0.95. Median distance to the nearest training point: "
        f"memoriser {near('memoriser'):.3f}, exact {near('exact'):.3f}"
    )
    return f"{text}, learned {near('learned'):.3f}." if np.isfinite(ds.end_learned.values).all() else f"{text}."
