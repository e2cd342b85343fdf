"""Choosing a game: one of the gallery with its one or two knobs, or a matrix of one's own. Shared by all tabs."""

from collections.abc import Mapping
from typing import Any, ClassVar

import panel as pn
import panel_material_ui as pmui
import param

from workbench import costs, games
from workbench.costs import Cost
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.view import View

OWN = "own"
CHOICES = {entry.label: name for name, entry in games.GALLERY.items()} | {"Your own matrix …": OWN}
KNOBS = ("knob_1", "knob_2")


class GameView(View):
    """A view of one game; subclasses add ``GAME_INPUTS`` to their inputs."""

    registries: ClassVar[dict[str, Any]] = {"game": games.GALLERY}
    GAME_INPUTS = ("game", "knob_1", "knob_2", "matrix")

    game = param.Selector(default="toy", objects=CHOICES, label="Game")
    knob_1 = param.Number(default=None, allow_None=True, label="First knob of the game")
    knob_2 = param.Number(default=None, allow_None=True, label="Second knob of the game")
    matrix = param.String(
        default="1 10; 0.05 1",
        label="Matrix J, rows separated by ;",
        doc="F(x) = J x: one coordinate a player, own curvature on the diagonal",
    )

    def __init__(self, **params: Any) -> None:
        self._knobs = pn.Column(sizing_mode="stretch_width")
        self._sliders: dict[str, Any] = {}
        super().__init__(**params)
        self.param.watch(self._game_changed, "game")
        self.param.watch(self._knob_changed, list(KNOBS))
        self._show_knobs()

    def controls(self) -> list[Any]:
        """Return the game's widgets, then one for every other parameter."""
        text = widget_for(self, "matrix")
        text.visible = pn.bind(lambda choice: choice == OWN, self.param.game)
        others = [name for name in (*self.inputs, *self.display) if name not in self.GAME_INPUTS]
        return [widget_for(self, "game"), self._knobs, text, *[widget_for(self, name) for name in others]]

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the game with its options, and every other input under its own name."""
        return game_of(inputs) | {name: value for name, value in inputs.items() if name not in self.GAME_INPUTS}

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse knobs out of range and matrices that are none."""
        game_of(inputs)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of the experiment for this game; the other arguments stand at their defaults."""
        return costs.of(self.experiment, **game_of(inputs))

    def _game_changed(self, *_: Any) -> None:
        self.param.update(knob_1=None, knob_2=None)
        self._show_knobs()

    def _knob_changed(self, event: Any) -> None:
        """Let a slider follow a knob that an address or a saved result has set."""
        if event.name in self._sliders and event.new is not None:
            slider = self._sliders[event.name]
            slider.value = min(max(type(slider.start)(event.new), slider.start), slider.end)

    def _show_knobs(self) -> None:
        self._sliders = {
            name: self._slider(name, label, *bounds)
            for name, (label, bounds) in zip(KNOBS, knobs_of(self.game).items(), strict=False)
        }
        self._knobs.objects = list(self._sliders.values())

    def _slider(self, name: str, label: str, low: float, high: float, default: float) -> Any:
        whole = isinstance(low, int)
        kind = pmui.IntSlider if whole else pmui.FloatSlider
        step = {} if whole else {"step": (high - low) / 200}
        value = getattr(self, name)
        slider = kind(
            label=label,
            start=low,
            end=high,
            value=default if value is None else min(max(type(default)(value), low), high),
            sizing_mode="stretch_width",
            margin=(6, 10, 0, 10),
            **step,
        )
        slider.param.watch(lambda event: setattr(self, name, event.new), "value_throttled")
        return slider

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the game of a saved result: its name and options, or its matrix."""
        super()._adopt({key: value for key, value in parameters.items() if key != "game"})
        game, options = parameters.get("game"), parameters.get("options") or {}
        self._adopting = True
        try:
            if isinstance(game, list):
                self.param.update(game=OWN, matrix="; ".join(" ".join(f"{x:g}" for x in row) for row in game))
            elif isinstance(game, str) and game in games.GALLERY:
                self.game = game
                for name, knob in zip(KNOBS, knobs_of(game), strict=False):
                    setattr(self, name, options.get(knob))
                self._show_knobs()
        finally:
            self._adopting = False


def knobs_of(game: str) -> dict[str, tuple[float, float, float]]:
    """Return name and (low, high, default) of a gallery game's knobs."""
    return {} if game == OWN else dict(games.GALLERY[game].facts.get("knobs", {}))


def game_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments ``game`` and ``options`` of an experiment; ``ValueError`` if they cannot be."""
    if inputs["game"] == OWN:
        return {"game": games.parse_matrix(inputs["matrix"]).tolist(), "options": None}
    options = {}
    for name, (label, (low, high, default)) in zip(KNOBS, knobs_of(inputs["game"]).items(), strict=False):
        value = default if inputs[name] is None else inputs[name]
        if not low <= value <= high:
            raise ValueError(f"{label} = {value:g} is outside {low:g} to {high:g}; choose a value in between")
        options[label] = int(value) if isinstance(low, int) else float(value)
    return {"game": inputs["game"], "options": options or None}
