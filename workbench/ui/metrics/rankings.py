"""Rankings: drag the items and the threshold, mend mistakes, and see what AUROC and AP make of it."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, metrics
from workbench.clouds.columns import FORMATS, read_columns
from workbench.costs import Cost
from workbench.figures import metrics as figures
from workbench.metrics import rankings
from workbench.metrics.rankings.files import DEFAULT_LIMIT, reading_of
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for, with_help
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, check_size, file_chooser, reading_line
from workbench.ui.kit.written import Written, moves_in_letters, moves_of
from workbench.ui.metrics.ranking_tables import BestRepairs, Numbers, with_error
from workbench.ui.metrics.yardsticks import FamilyView, Yardsticks

DRAWN, FILE = "drawn", "file"
ACCEPTED = ",".join(f".{ending}" for ending in FORMATS)
OWN = ("positive", "column", "versus")
EXAMPLE = ("n", "prevalence", "separation", "noise", "scale", "seed")
WORTH_TELLING = 1.05
"""From this factor on it is told that a lower mistake is worth more than an upper one."""
SECONDS_PER_MIB = 0.15
"""Of reading a file, beside what its items then take."""


class RankingFile(ReadUpload):
    """An uploaded table of labels and scores; which label is positive is asked for where it does not say."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Return the columns and how they were read, and what has to be said before they are a ranking."""
        columns, told = read_columns(self.data, self.name, progress=progress)
        try:
            sentence = reading_of(columns, self.name, None, told).sentence
        except ValueError as error:
            if "say which is positive" not in str(error):
                raise
            sentence = f"{error}: write it into “Positive label”"
        return (columns, told), sentence

    def reading(self, positive: str) -> metrics.RankingReading:
        """Return what the file holds, with the label that the visitor calls positive."""
        columns, told = self.contents()
        return reading_of(columns, self.name, positive or None, told)


class RankingsView(FamilyView):
    """One ranking, judged in every way, with its items and its threshold under the hand."""

    title, slug = "Rankings", "rankings"
    help = (
        "Positives and negatives on their scores. Drag an item past others, or the threshold ▼; mend a mistake with "
        "the buttons. AUROC counts the pairs in wrong order, every pair alike; average precision (AP, “AUPRC”) weighs "
        "a mistake by one over how many items stand above it."
    )
    experiment = staticmethod(metrics.ranking_report)
    inputs = ("source", "file", *EXAMPLE, *OWN, "log_kept", "moves")
    display = ("fired",)

    source = param.Selector(default=DRAWN, objects={"Drawn at random": DRAWN, "Your own file …": FILE}, label="Items")
    file = param.ClassSelector(class_=RankingFile, default=None, allow_None=True)
    positive = param.String(default="", label="Positive label", doc="where the labels are not 0 and 1")
    column = param.Integer(default=1, bounds=(1, 20), label="Column of scores", doc="counted among the scores")
    versus = param.Integer(default=2, bounds=(0, 20), label="Compare with column", doc="0: with none")
    n = param.Integer(default=200, bounds=(10, 5000), label="Items")
    prevalence = param.Number(default=0.1, bounds=(0.01, 0.9), step=0.01, label="Share of positives")
    separation = param.Number(default=1.8, bounds=(-2, 5), step=0.1, label="Separation of the classes")
    noise = param.Number(default=0.7, bounds=(0, 3), step=0.1, label="Noise of a second model", doc="0: one model only")
    scale = param.Number(default=1.0, bounds=(0.05, 1), step=0.05, label="Scores of group B ×")
    log_kept = param.Number(
        default=0.0, bounds=(-2, 0), step=0.05, label="log₁₀ share of negatives kept", doc="AUROC stands, AP moves"
    )
    fired = param.Number(default=0.1, bounds=(0, 1), step=0.005, label="Share of items above the threshold")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same items")
    moves = Written(
        default=((), ()),
        write=moves_in_letters,
        read=functools.partial(moves_of, settings=len(EXAMPLE), places=1),
        label="items moved by hand",
        doc="the example that was changed by hand, and how",
    )

    # ---- what is asked ---------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["source"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a file with a column “label” and one or more columns of scores ({ACCEPTED}).")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file by its size."""
        if inputs["source"] == FILE and inputs["file"] is not None:
            return Cost(0.3 + SECONDS_PER_MIB * len(inputs["file"].data) / 2**20)
        return costs.of(metrics.ranking_report, n=inputs["n"]) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return labels and scores of the file, or of the example as the hand has changed it."""
        kept = {"kept": float(10.0 ** inputs["log_kept"]), "seed": inputs["seed"]}
        if inputs["source"] == FILE:
            return {**kept, **_of_file(inputs)}
        settings = {name: inputs[name] for name in EXAMPLE}
        of, moves = inputs["moves"]
        if not moves or of != _key(inputs):
            return {**kept, **settings}
        drawn = rankings.example(**settings)
        other = drawn.other if inputs["noise"] > 0 else None
        scores = rankings.moved(drawn.scores, moves)
        return {**kept, "y": drawn.y, "scores": scores, "other": other, "group": drawn.group}

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; the share kept stands on a logarithmic slider here."""
        found = dict(parameters)
        kept = found.get("kept")
        if isinstance(kept, (int, float)) and 0 < kept <= 1:
            found["log_kept"] = max(float(np.log10(kept)), -2.0)
        super()._adopt({name: value for name, value in found.items() if name not in ("source", "file", "moves")})

    # ---- what a hand does ------------------------------------------------------------------------------------------

    def move(self, item: int, score: float) -> None:
        """Take an item, or the threshold (item −1), from the visitor's hand."""
        if not np.isfinite(score) or self.result is None:
            return
        if item < 0:
            self.fired = float(np.clip(rankings.firing_rate_at(self.result, score), 0, 1))
        else:
            self._change({item: round(float(score), 6)})

    def mend(self, rule: str) -> None:
        """Mend one mistake of the listed items by a rule."""
        ds = self.result
        if ds is None or not self.is_whole(ds):
            self.complaint = "Items are moved and mended by hand in drawn rankings of up to 400 items."
            return
        before = ds.tick_score.values
        after = rankings.mend(ds.tick_positive.values, before, rule, seed=len(self.moves[1]))
        items = ds.tick_item.values
        self._change({int(items[k]): float(after[k]) for k in np.flatnonzero(after != before)})

    def reset(self) -> None:
        """Take back everything that the hand has done."""
        self.moves = ((), ())

    def is_whole(self, ds: xr.Dataset) -> bool:
        """Whether every item is listed, and is one of the drawn: then it can be moved."""
        return self.source == DRAWN and int(ds["items"]) == ds.sizes["tick"]

    def _change(self, changes: Mapping[int, float]) -> None:
        key = _key(self.values())
        of, moves = self.moves
        merged = {**(dict(moves) if of == key else {}), **changes}
        self.moves = (key, tuple(sorted(merged.items())))

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets: of the file or of the example, and the buttons that mend."""
        is_file = pn.bind(lambda source: source == FILE, self.param.source)
        is_drawn = pn.bind(lambda source: source == DRAWN, self.param.source)
        chooser = file_chooser("CSV, TSV or Parquet", ACCEPTED, self.take_file)
        upload = pn.Column(
            chooser, reading_line(self, "file"), *[widget_for(self, name) for name in OWN],
            visible=is_file, sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        drawn = pn.Column(
            *[widget_for(self, name) for name in EXAMPLE], self._buttons(),
            visible=is_drawn, sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        shown = [widget_for(self, name) for name in ("fired", "log_kept")]
        return [widget_for(self, "source"), upload, *shown, drawn]

    def _buttons(self) -> pn.Column:
        made = []
        for label, act in (
            ("Mend the best by AP", lambda: self.mend("ap")),
            ("Mend the topmost", lambda: self.mend("topmost")),
            ("Mend one at random (AUROC)", lambda: self.mend("random")),
            ("Take all back", self.reset),
        ):
            button = pmui.Button(label=label, variant="outlined", size="small", sizing_mode="stretch_width")
            button.on_click(lambda _, act=act: act())
            made.append(button)
        return with_help(
            pn.Column(*made, sizing_mode="stretch_width", margin=(4, 10)),
            "A mistake is a negative just above a positive; mending it exchanges their scores.",
        )

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded table."""
        try:
            check_size(name, data, DEFAULT_LIMIT)
        except ValueError as error:
            self.complaint = str(error)
        else:
            self.file = RankingFile(name, data)

    def pictures(self) -> Sequence[Any]:
        """Return the strip, curves, gains, range, prevalence and the tables."""
        return [
            DraggedStrip(self, self._strip, self._strip_in_words),
            Picture("ROC and PR curve", self._curves, _curves_in_words),
            Picture("Gains of mistakes", _gains, _gains_in_words),
            Picture("Range of AP", _range, _range_in_words, height=220),
            Picture("Extreme orders", _orders, _orders_in_words, height=240),
            Picture("Prevalence", figures.prevalence_curve, _prevalence_in_words),
            Picture("Gap of the groups", _gap, _gap_in_words),
            Numbers(),
            BestRepairs(),
            Yardsticks("ranking scores"),
        ]

    def _strip(self, ds: xr.Dataset) -> Any:
        return figures.ranking_strip(ds, threshold=rankings.at_firing_rate(ds, self.fired)["threshold"])

    def _strip_in_words(self, ds: xr.Dataset) -> str:
        at = rankings.at_firing_rate(ds, self.fired)
        told = f"recall {at['tpr']:.3f}, FPR {at['fpr']:.3f}"
        told += f", precision {at['precision']:.3f}" if np.isfinite(at["precision"]) else ""
        if self.is_whole(ds):
            hint = "Drag any item, or the threshold."
        elif int(ds["items"]) > ds.sizes["tick"]:
            hint = f"{ds.sizes['tick']} of {int(ds['items']):,} items are drawn, evenly over the ranks."
        else:
            hint = "Drag the threshold."
        count = len(self.moves[1]) if self.source == DRAWN and self.moves[0] == _key(self.values()) else 0
        changed = f" {count} item{'s have' if count != 1 else ' has'} been moved" if count else ""
        if changed:
            changed += "." if self.param.moves.fits(self.moves) else ": more than the page's address can hold."
        return f"Above the threshold: {at['fired']:.1%} of the items; {told}. {hint}{changed}"

    def _curves(self, ds: xr.Dataset) -> Any:
        at = rankings.at_firing_rate(ds, self.fired)
        precision = at["precision"] if np.isfinite(at["precision"]) else float(ds.precision[0, 0])
        return figures.roc_and_pr(ds, at=(at["fpr"], at["tpr"], precision))

    def sentence(self, ds: xr.Dataset) -> str:
        """Give both scores with their errors, the range of AP at this AUROC, and where AP's gains go the other way."""
        one = ds.isel(part=0)
        text = f"AUROC {with_error(one.auroc, one.auroc_error)}, AP {with_error(one.ap, one.ap_error)}"
        text += f" (chance {float(one.chance):.3f})." if np.isfinite(float(one.chance)) else "."
        if "lowest" in ds:
            text += f" With this AUROC AP could be anything from {float(ds.lowest):.3f} to {float(ds.highest):.3f}."
            text += _sharp(ds)
        if "difference" in ds:
            text += _test(ds)
        if bool(one.few_positives):
            text += " With fewer than 20 positives the error of AP is rough."
        return text


class DraggedStrip(DraggedMarks):
    """The strip of a ranking: its items are dragged past each other, and so is the threshold.

    Where not every item is listed, only the threshold moves.
    """

    is_wide = True

    def __init__(self, view: RankingsView, figure: Any, summary: Any) -> None:
        super().__init__(
            "The ranking", figure, summary, lambda item, score, _: view.move(item, score),
            axes=("score", "row"), along=True, hint="Drag along the axis", height=330,
        )  # fmt: skip
        self._view = view

    def can_move(self, label: str) -> bool:
        """Items move where all of them are listed; the threshold moves always."""
        return label == figures.HANDLE or (self._result is not None and self._view.is_whole(self._result))


def _key(inputs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells the drawn example from every other."""
    return tuple(inputs[name] for name in EXAMPLE)


def _of_file(inputs: Mapping[str, Any]) -> dict[str, Any]:
    reading = inputs["file"].reading(inputs["positive"])
    names = list(reading.scores)
    for name in ("column", "versus"):
        if inputs[name] > len(names) and not (name == "versus" and len(names) == 1):
            raise ValueError(
                f"{inputs['file'].name} has {len(names)} column(s) of scores ({', '.join(names)[:80]}); there is no "
                f"column {inputs[name]}"
            )
    first = names[inputs["column"] - 1]
    found = {"y": reading.positive, "scores": reading.scores[first], "group": reading.group, "weights": reading.weights}
    second = inputs["versus"]
    if second and second != inputs["column"] and second <= len(names):
        found |= {"other": reading.scores[names[second - 1]], "names": (first, names[second - 1])}
    return found


def _sharp(ds: xr.Dataset) -> str:
    ratio, rank, gain = float(ds.sharp_ratio), ds["rank"].values, ds.ap_gain.values
    if not np.isfinite(ratio):
        return ""
    if ratio > WORTH_TELLING:
        return (
            f" Mending rank {int(ds.sharp_lower)} is worth {ratio:.2f} times as much AP as rank {int(ds.sharp_upper)}, "
            "which stands higher."
        )
    return (
        f" Mending rank {int(rank[0])} is worth {gain[0] / gain[-1]:.3g} times as much AP as rank {int(rank[-1])}, and "
        "as much AUROC."
    )


def _test(ds: xr.Dataset) -> str:
    first, second = (str(name) for name in ds.model.values)
    parts = []
    for name, label in (("auroc", "AUROC"), ("ap", "AP")):
        one = ds.sel(metric=name)
        if np.isfinite(float(one.p_value)):
            parts.append(f"{label} {float(one.difference):+.3f} ± {float(one.difference_error):.3f} (p = "
                         f"{float(one.p_value):.2g})")  # fmt: skip
    return f" Model {first} minus {second}: {', '.join(parts)}." if parts else " Both models rank alike."


def _curves_in_words(ds: xr.Dataset) -> str:
    one = ds.isel(part=0)
    ties = float(one.tied_pairs)
    told = f"; {ties:.0f} pairs are tied" if np.isfinite(ties) and ties else ""
    return (
        f"{float(one.positives):g} positives and {float(one.negatives):g} negatives{told}. Bands: 95 % of replicates "
        "at each FPR and each recall. Diamonds: the threshold on either curve."
    )


def _gains(ds: xr.Dataset) -> Any:
    return (
        figures.mistake_gains(ds) if "ap_gain" in ds else figures.nothing_to_show("What mending each mistake is worth")
    )


def _range(ds: xr.Dataset) -> Any:
    return figures.range_of_ap(ds) if "lowest" in ds else figures.nothing_to_show("AP that this AUROC allows")


def _orders(ds: xr.Dataset) -> Any:
    return figures.extreme_orders(ds) if "lowest" in ds else figures.nothing_to_show("One AUROC, different AP")


def _gap(ds: xr.Dataset) -> Any:
    return figures.group_gap_curves(ds) if "group_gap" in ds else figures.nothing_to_show("Gap of two groups")


WEIGHTED = "Not defined where items have weights."


def _gains_in_words(ds: xr.Dataset) -> str:
    if "ap_gain" not in ds:
        return WEIGHTED
    count = int(ds.mistakes)
    if not count:
        return "No negative stands just above a positive."
    parts = [f"{count} mistakes; mending any gains AUROC alike, AP from {float(ds.ap_gain.min()):.2g} to "
             f"{float(ds.ap_gain.max()):.2g}"]  # fmt: skip
    if ds.sizes["best"]:
        parts.append(
            f"of all pairs the best exchange, ranks {int(ds.best_upper_rank[0])} and {int(ds.best_lower_rank[0])}, "
            f"gains {float(ds.best_ap_gain[0]):.3g} of AP and {float(ds.best_auroc_gain[0]):.3g} of AUROC"
        )
    return "; ".join(parts) + "."


def _range_in_words(ds: xr.Dataset) -> str:
    if "lowest" not in ds:
        return WEIGHTED
    how = "exact" if bool(ds.is_exact) else (
        f"attained; nothing lies outside [{float(ds.lowest_bound):.6f}, {float(ds.highest_bound):.6f}]"
    )  # fmt: skip
    return (
        f"AUROC {float(ds.range_auroc):.4f} allows AP from {float(ds.lowest):.4f} to {float(ds.highest):.4f} ({how})."
    )


def _orders_in_words(ds: xr.Dataset) -> str:
    if "lowest" not in ds:
        return WEIGHTED
    return "Each bar is a positive. All orders have one AUROC (this ranking's to the nearest that has no ties)."


def _gap_in_words(ds: xr.Dataset) -> str:
    if "group_gap" not in ds:
        return "Needs two groups of items without weights, each with positives and negatives."
    ends = [f"{float(ds.group_gap.sel(mend_rule=rule)[-1]):+.3f} by {told}" for rule, told in _RULES.items()]
    return (
        f"{ds.gap_of.item()} is {float(ds.group_gap[0, 0]):+.3f}; after {int(ds.mended[-1])} repairs "
        f"{', '.join(ends)}. Bands: two standard deviations over what chance decides."
    )


_RULES = {"random": "chance", "ap": "best AP", "topmost": "the topmost first"}


def _prevalence_in_words(ds: xr.Dataset) -> str:
    return (
        f"With {float(ds.thinned_prevalence_here):.1%} positives AUROC is {float(ds.thinned_auroc_here):.3f} and AP "
        f"{float(ds.thinned_ap_here):.3f}: thinning the negatives moves AP alone."
    )
