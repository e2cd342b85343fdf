"""What the confusion term sees: two classes under the hand, one of them reshaped at its mean and trace."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, data, metrics
from workbench.costs import Cost
from workbench.figures import metrics as figures
from workbench.metrics.embeddings import SHAPES, two_classes
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.written import Written, moves_in_letters, moves_of
from workbench.ui.metrics.yardsticks import FamilyView, Yardsticks

DRAWN = ("count", "separation", "seed")
FIRST = "metrics/embeddings_sight.nc"


class ConfusionView(FamilyView):
    """Two classes in the plane, and what energy confusion, energy distance and retrieval make of a change of shape."""

    title, slug = "What confusion sees", "confusion"
    help = (
        "The confusion term averages squared distances between classes, and so knows means and total variances alone. "
        "Class B (▲) is reshaped at its mean and trace: the term stands still, the energy distance and the neighbours "
        "do not. Drag the points of A (●) and of B as it was (■)."
    )
    experiment = staticmethod(metrics.confusion_sight)
    inputs = ("shape", "stretch", "turn", "power", *DRAWN, "moves")

    shape = param.Selector(
        default="hidden", objects={told[0].upper() + told[1:]: name for name, told in SHAPES.items()}, label="Class B"
    )
    stretch = param.Number(default=0.9, bounds=(0, 0.99), step=0.01, label="Stretch", doc="variances (1 + s) : (1 − s)")
    turn = param.Number(default=90.0, bounds=(-180, 180), step=5, label="Turn of its long axis, degrees")
    power = param.Number(
        default=1.0, bounds=(0.2, 2), step=0.1, label="Power of the energy distance", doc="at 2 it sees means alone"
    )
    count = param.Integer(default=40, bounds=(3, 150), label="Points of each class")
    separation = param.Number(default=3.0, bounds=(0, 10), step=0.25, label="Distance of the classes")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same points")
    moves = Written(
        default=((), ()),
        write=moves_in_letters,
        read=functools.partial(moves_of, settings=len(DRAWN), places=2, per=2),
        label="points moved by hand",
        doc="the example that was changed by hand, and how",
    )

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return both classes as the hand has left them, and the shape asked for."""
        asked = {name: inputs[name] for name in ("shape", "stretch", "turn", "power")}
        of, moves = inputs["moves"]
        if not moves or of != _key(inputs):
            return {**asked, **{name: inputs[name] for name in DRAWN}}
        a, b = two_classes(*_key(inputs))
        both = np.concatenate([a, b])
        for item, place in moves:
            both[item] = place
        return {**asked, "x": both[: len(a)], "y": both[len(a) :]}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped answer for its settings, unless a hand has moved a point."""
        asked = self.arguments(inputs)
        return None if "x" in asked else data.result_for(FIRST, **asked)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time."""
        return costs.of(metrics.confusion_sight) or Cost(0.3)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result, but not what a hand did there."""
        super()._adopt({name: value for name, value in parameters.items() if name != "moves"})

    def move(self, item: int, x: float, y: float) -> None:
        """Take a point from the visitor's hand."""
        if not (np.isfinite(x) and np.isfinite(y)) or not 0 <= item < 2 * self.count:
            return
        key = _key(self.values())
        of, moves = self.moves
        merged = {**(dict(moves) if of == key else {}), item: (round(float(x), 4), round(float(y), 4))}
        self.moves = (key, tuple(sorted(merged.items())))

    def reset(self) -> None:
        """Take back everything that the hand has done."""
        self.moves = ((), ())

    def controls(self) -> list[Any]:
        """Return the widgets, and the button that takes back what the hand has done."""
        button = pmui.Button(label="Take all back", variant="outlined", size="small", sizing_mode="stretch_width")
        button.on_click(lambda _: self.reset())
        return [*[widget_for(self, name) for name in self.inputs if name != "moves"], button]

    def pictures(self) -> Sequence[Any]:
        """Return the points, the dials, the curves and the tables."""
        return [
            DraggedMarks(
                "Two classes",
                figures.confusion_points,
                self._points_in_words,
                self.move,
                hint="Drag the points of A and of B",
            ),
            Picture("After, as a multiple of before", figures.sight_dials, _dials_in_words, height=430),
            Picture("Along the stretch", figures.sight_along, _along_in_words),
            Yardsticks("embeddings"),
        ]

    def _points_in_words(self, ds: xr.Dataset) -> str:
        moved = len(self.moves[1]) if self.moves[0] == _key(self.values()) else 0
        hand = f" {moved} point{'s have' if moved != 1 else ' has'} been moved" if moved else ""
        if hand:
            hand += "." if self.param.moves.fits(self.moves) else ": more than the page's address can hold."
        return f"B, {SHAPES[self.shape]}: the same mean and the same total variance as before.{hand}"

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the term reads before and after, and what the energy distance and MAP@R do."""
        e, distance, score = (ds[name].values for name in ("confusion", "distance", "map_at_r"))
        change = abs(e[1] - e[0])
        stands = f"stands at {e[0]:.4f} (change {change:.0e})" if change else f"stands at {e[0]:.4f}"
        return (
            f"Energy confusion {stands} while the energy distance of A and B goes from {distance[0]:.3f} to "
            f"{distance[1]:.3f} and MAP@R from {score[0]:.3f} to {score[1]:.3f}; B itself has moved by "
            f"{float(ds.own):.3f}."
        )


def _key(inputs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells the drawn classes from every others."""
    return tuple(inputs[name] for name in DRAWN)


def _dials_in_words(ds: xr.Dataset) -> str:
    recall = ds.recall_at_1.values
    return f"One means: stands still. R@1 goes from {recall[0]:.3f} to {recall[1]:.3f}."


def _along_in_words(ds: xr.Dataset) -> str:
    spread = float(ds.confusion_along.max() - ds.confusion_along.min())
    return f"B as an ellipse of the same mean and trace at every stretch: E varies by {spread:.0e} in all."
