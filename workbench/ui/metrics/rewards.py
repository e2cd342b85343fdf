"""Rewards: paint two of them on a grid, and see what each distance says of them, and how wrong a policy can go."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, data, metrics
from workbench.costs import Cost
from workbench.figures import metrics as figures
from workbench.metrics import rewards
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, check_size, file_chooser, reading_line
from workbench.ui.metrics.painter import PaintedMaps
from workbench.ui.metrics.regret_proof import regret_certificate
from workbench.ui.metrics.yardsticks import FamilyView, Yardsticks

GRID, FILE = "grid", "file"
LARGEST_UPLOAD = 20 * 2**20
MOST_CELLS = 144
MOST_STATES = 2_500
"""States of a file: a factorisation of a world without any order takes the memory of all pairs of states."""
MOST_ASKED = 81
"""States up to which the room's three questions are asked by themselves."""
LAKE = "SFFF/FHFH/FFFH/HFFG"
WORLDS = {
    "Frozen lake, 4 × 4": (LAKE, 0.67),
    "Frozen lake, 8 × 8": ("SFFFFFFF/FFFFFFFF/FFFHFFFF/FFFFFHFF/FFFHFFFF/FHHFFFHF/FHFFHFHF/FFFHFFFG", 0.67),
    "Cliff, 4 × 8": ("FFFFFFFF/FFFFFFFF/FFFFFFFF/SHHHHHHG", 0.0),
    "Two rooms": ("FFF#FFF/FSF#FFF/FFFFFGF/FFF#FFF/FFF#FFG", 0.1),
}
TILE_BRUSHES = {"Floor": "F", "Wall": "#", "Start": "S", "Hole": "H", "Goal": "G"}
REWARD = "reward"
STEP = 0.1
"""A letter of a painted reward: "a" is −1, "k" 0, "u" 1."""
NOBODY = "nobody"
FIRST: dict[str, Any] = {
    "source": GRID, "file": None, "tiles": LAKE, "paint_1": "", "paint_2": "", "living": -0.04, "mix": 0.0,
    "shaping": 0.0, "redistributed": 0.0, "fool": "", "size": 0.05, "slip": 0.67, "discount": 0.95, "seed": 0,
}  # fmt: skip


class MDPFile(ReadUpload):
    """An uploaded MDP with one or two rewards."""

    def read(self, progress: Progress) -> tuple[metrics.rewards.files.MDPReading, str]:
        """Read all of the file."""
        stream = io.BytesIO(self.data)
        stream.name = self.name
        reading = metrics.read_mdp(stream, max_bytes=LARGEST_UPLOAD, apart=True, progress=progress)
        return reading, reading.sentence


class RewardsView(FamilyView):
    """Two rewards on a grid, or from a file: six distances, the exact regret, the policies behind it."""

    title, slug = "Rewards", "rewards"
    help = (
        "Two rewards for one world. Choose a brush and paint: press or drag over the cells; the left map is reward 1, "
        "the right one reward 2. The *worst-case regret* is the most that anybody paid by reward 1 can lose to a "
        "policy that reward 2 likes at least as well, as a share of all there is to lose. Distances between rewards "
        "are meant to bound it."
    )
    experiment = staticmethod(metrics.grid_rewards)
    inputs = tuple(FIRST)
    registries: ClassVar[dict[str, Any]] = {"fool": metrics.REWARD_DISTANCES}

    source = param.Selector(default=GRID, objects={"Painted on a grid": GRID, "Your own file …": FILE}, label="World")
    file = param.ClassSelector(class_=MDPFile, default=None, allow_None=True)
    tiles = param.String(
        default=LAKE, label="Tiles", doc="S start, F floor, # wall, H hole, G goal; rows divided by /, up to 144 cells"
    )
    paint_1 = param.String(
        default="", label="Reward 1 in letters", doc="a letter a cell, a −1, k 0, u 1; empty: 1 on the goal"
    )
    paint_2 = param.String(default="", label="Reward 2 in letters", doc="as above, before what follows is added")
    living = param.Number(default=-0.04, bounds=(-0.3, 0.3), step=0.01, label="Reward 2: added to every step")
    mix = param.Number(default=0.0, bounds=(0, 1), step=0.05, label="Reward 2: share of reward 1 mixed in")
    shaping = param.Number(default=0.0, bounds=(0, 2), step=0.1, label="Reward 2: potential shaping")
    redistributed = param.Number(default=0.0, bounds=(0, 2), step=0.1, label="Reward 2: redistribution over s'")
    fool = param.Selector(
        default="",
        objects={NOBODY: ""} | {entry.label: name for name, entry in metrics.REWARD_DISTANCES.items()},
        label="Fool",
        doc="Replaces both rewards by the pair that fools this distance, made from reward 1",
    )
    size = param.Number(default=0.05, bounds=(0.001, 0.5), step=0.001, label="… at the distance")
    slip = param.Number(
        default=0.67, bounds=(0, 1), step=0.01, label="Chance to slip", doc="to either side, half of it"
    )
    discount = param.Number(default=0.95, bounds=(0, 0.99), step=0.01, label="Discount γ")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="of the potential and the redistribution")
    brush = param.Selector(default=REWARD, objects={"Reward": REWARD} | TILE_BRUSHES, label="Brush")
    value = param.Number(default=1.0, bounds=(-1, 1), step=STEP, label="Reward that the brush paints")

    # ---- what is asked ----------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file, a world that is too large, and letters that mean nothing."""
        if inputs["source"] == FILE:
            if inputs["file"] is None:
                raise ValueError(
                    "Choose an NPZ file with transitions (S, A, S), reward_1 and reward_2, (S, A) or (S, A, S); or "
                    "Gymnasium's P[s][a] = [[p, s', r, done], …] as JSON."
                )
            return
        rows = rows_of(inputs["tiles"])
        for name in ("paint_1", "paint_2"):
            painted(inputs[name], rows, self.param[name].label)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file by its size, before it is read."""
        if inputs["source"] == FILE:
            count = 0 if inputs["file"] is None else len(inputs["file"].data)
            return Cost(0.5 + 2e-5 * count, 2e7 + 100.0 * count)
        rows = inputs["tiles"].split("/")
        details = _cells(rows) < MOST_ASKED
        return costs.of(metrics.grid_rewards, tiles=rows, fool=inputs["fool"], details=details) or Cost(1.0)

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped first result if that is what is asked for."""
        return data.result("metrics/rewards_lake.nc") if dict(inputs) == FIRST else None

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment: letters become rows and numbers."""
        kept = ("living", "mix", "shaping", "redistributed", "fool", "size", "discount", "seed")
        rows = rows_of(inputs["tiles"])
        found = {"tiles": rows, **{name: inputs[name] for name in kept}, "details": _cells(rows) < MOST_ASKED}
        found["slip"] = 2 / 3 if inputs["slip"] == FIRST["slip"] else inputs["slip"]
        for k in (1, 2):
            if inputs[f"paint_{k}"]:
                found[f"reward_{k}"] = painted(inputs[f"paint_{k}"], rows).tolist()
        return found

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Compare the painted rewards, or those of the file: one alone with itself and a living cost."""
        if inputs["source"] == GRID:
            return metrics.grid_rewards(**self.arguments(inputs), progress=progress)
        reading = inputs["file"].contents()
        if reading.mdp.states > MOST_STATES:
            raise ValueError(
                f"{inputs['file'].name} has {reading.mdp.states:,} states; this page takes up to {MOST_STATES:,}. In "
                "Python metrics.worst_case_regret takes more."
            )
        details = reading.mdp.states <= MOST_ASKED
        return metrics.reward_distances(
            reading.mdp, reading.first, rewards.second_of(reading, inputs["living"]), details=details, progress=progress
        )

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result: rows and numbers become letters again."""
        found = {name: value for name, value in parameters.items() if name not in ("source", "file")}
        rows = found.get("tiles")
        if isinstance(rows, list) and rows and all(isinstance(row, str) for row in rows):
            found |= {"tiles": "/".join(rows), "source": GRID}
        for k in (1, 2):
            given = np.asarray(found.get(f"reward_{k}") or [], dtype=float)
            found[f"paint_{k}"] = in_letters(given) if given.ndim == 2 else ""
        slip = found.get("slip")
        if isinstance(slip, float):
            found["slip"] = round(slip, 2)
        super()._adopt(found)

    # ---- what a hand does -------------------------------------------------------------------------------------------

    def paint(self, cells: Sequence[tuple[int, int, int]]) -> None:
        """Paint cells (side, row, column) with the brush; tiles change on both sides."""
        try:
            rows = rows_of(self.tiles)
        except ValueError:
            return  # the text of the tiles is being written, and the complaint says what is wrong
        letters = np.array([list(row) for row in rows])
        changes: dict[str, Any] = {"fool": ""}
        if self.brush == REWARD:
            values = [painted(text, rows) for text in (self.paint_1, self.paint_2)]
            for side, row, column in cells:
                values[side][row, column] = self.value
            for side in {side for side, _, _ in cells}:
                changes[f"paint_{side + 1}"] = in_letters(values[side])
        else:
            for _, row, column in cells:
                letters[row, column] = self.brush
            if not (letters == "S").any():
                self.complaint = "A world needs a start; paint another one first."
                return
            changes["tiles"] = "/".join("".join(row) for row in letters)
        self.param.update(**changes)

    def take_file(self, name: str, content: bytes) -> None:
        """Use an uploaded file."""
        try:
            check_size(name, content, LARGEST_UPLOAD)
        except ValueError as error:
            self.complaint = str(error)
        else:
            self.file = MDPFile(name, content)

    # ---- the page ---------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets: brush and worlds, the sliders of reward 2, the pair that fools."""
        on_grid = pn.bind(lambda source: source == GRID, self.param.source)
        of_file = pn.bind(lambda source: source == FILE, self.param.source)
        chooser = file_chooser("NPZ (transitions, reward_1, reward_2), or P as JSON", ".npz,.json", self.take_file)
        upload = pn.Column(chooser, reading_line(self, "file"), visible=of_file, sizing_mode="stretch_width", margin=0)
        names = (
            "mix",
            "shaping",
            "redistributed",
            "fool",
            "size",
            "slip",
            "discount",
            "seed",
            "tiles",
            "paint_1",
            "paint_2",
        )
        painting = pn.Column(
            self._worlds(), widget_for(self, "brush"), widget_for(self, "value"),
            visible=on_grid, sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        rest = pn.Column(
            *[widget_for(self, name) for name in names], visible=on_grid, sizing_mode="stretch_width", margin=0
        )
        return [widget_for(self, "source"), upload, painting, widget_for(self, "living"), rest]

    def _worlds(self) -> pn.Column:
        made = []
        for label, (tiles, slip) in WORLDS.items():
            button = pmui.Button(label=label, variant="outlined", size="small", sizing_mode="stretch_width")
            button.on_click(lambda _, tiles=tiles, slip=slip: self.open_world(tiles, slip))
            made.append(button)
        return pn.Column(*made, sizing_mode="stretch_width", margin=(4, 10))

    def open_world(self, tiles: str, slip: float) -> None:
        """Begin with another world, paid on its goal alone."""
        self.param.update(tiles=tiles, slip=slip, paint_1="", paint_2="", fool="")

    def pictures(self) -> Sequence[Any]:
        """Return maps, polygon, the pair, the advantages, the distances twice, the certificate and the tables."""
        return [
            PaintedMaps(_if_painted(figures.reward_maps, "Rewards"), self._maps_in_words, self.paint),
            Picture("Returns", figures.return_polygon, _polygon_in_words),
            Picture("Policies", _if_painted(figures.pair_maps, "Policies"), _pair_in_words),
            Picture("Advantages", _if_painted(figures.advantage_maps, "Advantages"), _advantages_in_words),
            Picture("Distances", figures.distance_bars, _bars_in_words),
            Picture("Cone", figures.regret_cone, _cone_in_words),
            regret_certificate(),
            Yardsticks("distances between rewards"),
        ]

    def _maps_in_words(self, ds: xr.Dataset) -> str:
        if "tile" not in ds:
            return "The world of a file has no map."
        told = "Blue is below 0, red above. Arrows: where the best policy of each reward goes."
        if ds.attrs.get("fooled"):
            return f"The pair: mean reward in each cell; {ds.attrs.get('how')}. {told}"
        return f"What stepping on a cell pays, as painted. {told} Paint with the brush of the side bar."

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how wrong a policy can go, and what the distances make of it."""
        if bool(ds.trivial[0]):
            return (
                "Reward 1 is trivial here: every policy earns the same, so there is nothing to lose. Paint something."
            )
        worst = float(ds.regret[0])
        says = {str(name): float(value) for name, value in zip(ds.yardstick.values, ds.distance.values, strict=True)}
        text = _worst_in_words(ds, worst)
        text += f" EPIC calls the two {says['epic']:.3g} apart, Minimal {says['minimal']:.3g}, the range metric "
        text += (
            f"{says['range']:.3g}, which bounds the regret by {says['range']:.3g} and {min(2 * says['range'], 1):.3g}"
        )
        text += "." if bool(ds.trivial[1]) else f"; {_kept_in_words(ds)}"
        return text


def _worst_in_words(ds: xr.Dataset, worst: float) -> str:
    if bool(ds.trivial[1]):
        return "Reward 2 is trivial: it orders no policies, so anything may be lost (W = 1)."
    if worst > 1 - 1e-9:
        return "A policy that reward 2 likes no less may be the worst of all under reward 1 (W = 1)."
    if worst < 1e-9:
        return "Both rewards order all policies alike (W = 0)."
    return f"A policy that reward 2 likes no less may lose {worst:.3g} of all there is to lose under reward 1 (W)."


def _kept_in_words(ds: xr.Dataset) -> str:
    least, best, kept = float(ds.least[0]), float(ds.best[0]), float(ds.kept[0])
    return f"what is best for reward 2 earns {kept:.3g} under reward 1, where {least:.3g} to {best:.3g} is possible."


def rows_of(text: str) -> list[str]:
    """Return the rows of tiles; ``ValueError`` for a world that is too large here, or ragged."""
    rows = text.strip().split("/")
    cells = _cells(rows)
    if cells > MOST_CELLS:
        raise ValueError(f"The world has {cells:,} cells; this page takes up to {MOST_CELLS}.")
    if len({len(row) for row in rows}) != 1 or not rows[0]:
        raise ValueError(
            f"Every row of the tiles must have the same length; they have {[len(row) for row in rows][:12]}."
        )
    return rows


def _cells(rows: Sequence[str]) -> int:
    return sum(len(row) for row in rows)


def painted(text: str, rows: Sequence[str], label: str = "The reward") -> np.ndarray:
    """Return the numbers of a painted reward (rows, columns); an empty one pays 1 on every goal."""
    if not text:
        return np.array([[float(tile == "G") for tile in row] for row in rows])
    lines = text.split("/")
    if [len(line) for line in lines] != [len(row) for row in rows]:
        raise ValueError(f"{label} must have a letter for every tile, in the same rows; empty it, or write it anew.")
    values = np.array([[ord(letter) - ord("k") for letter in line] for line in lines])
    if np.abs(values).max() > round(1 / STEP):
        raise ValueError(f"{label} holds a letter that is none of a to u.")
    return values * STEP


def in_letters(values: np.ndarray) -> str:
    """Return a painted reward as letters, to the nearest tenth within ±1."""
    steps = np.clip(np.rint(np.nan_to_num(values) / STEP), -round(1 / STEP), round(1 / STEP)).astype(int)
    return "/".join("".join(chr(ord("k") + step) for step in row) for row in steps)


def _if_painted(figure: Any, title: str) -> Any:
    return lambda ds: figure(ds) if "tile" in ds else figures.nothing_to_show(title)


def _polygon_in_words(ds: xr.Dataset) -> str:
    if "vertex_1" not in ds:
        return "The polygon is drawn for up to 2,500 states."
    more = "" if bool(ds.complete) else " Some vertices are missing."
    length = float(ds.chord_1[0] - ds.chord_1[1])
    return (
        f"Every policy is a point in the polygon of {ds.sizes['vertex']} vertices. The pair of the regret lies "
        f"{length:.3g} apart in J₁, of {float(ds.range[0]):.3g} in all.{more}"
    )


def _pair_in_words(ds: xr.Dataset) -> str:
    j = ds.pair_return.values
    return (
        f"Reward 1 prefers π₁, reward 2 likes π₂ no less. Reward 1 pays them {j[0, 0]:.4g} and {j[0, 1]:.4g}; reward 2 "
        f"{j[1, 0]:.4g} and {j[1, 1]:.4g}. "
        "Shade: the root of the discounted visits of a cell."
    )


def _advantages_in_words(ds: xr.Dataset) -> str:
    if "advantage_1" not in ds:
        return "Advantages are shown for up to 2,500 states."
    one, two = (ds[f"advantage_{k}"].values for k in (1, 2))
    live = np.maximum(np.abs(one).max(axis=1), np.abs(two).max(axis=1)) > 1e-12
    alike = float(np.mean(one[live].argmax(axis=1) == two[live].argmax(axis=1))) if live.any() else 1.0
    val = float(ds.distance.sel(yardstick="val"))
    return (
        "What a move gains over the mean of the moves, when all later ones are drawn at random: the form that VAL "
        f"compares, {val:.4f} apart. In {alike:.0%} of the states both rewards like the same move most."
    )


def _bars_in_words(ds: xr.Dataset) -> str:
    gap = float((ds.regret_upper - ds.regret_lower)[0])
    told = ", ".join(
        f"{label} {float(value):.4f}"
        for label, value in zip(ds.yardstick_label.values, ds.distance.values, strict=True)
    )
    return (
        f"{told}. Regret {float(ds.regret[0]):.6f}, known to {max(gap, 1e-16):.0e}; the other way round "
        f"{float(ds.regret[1]):.4f}."
    )


def _cone_in_words(ds: xr.Dataset) -> str:
    outside = [
        str(label)
        for label, d in zip(ds.yardstick_label.values, ds.distance.values, strict=True)
        if not d * (1 - 1e-9) <= float(ds.regret[0]) <= 2 * d * (1 + 1e-9)
    ]
    told = f"Outside it here: {', '.join(outside)}." if outside else "All of them lie in it here."
    return f"The range metric lies in the cone in every world. {told}"
