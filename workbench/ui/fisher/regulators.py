"""Regulators: a Fisher matrix under the hand, and what four models and five learners want of it."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, data, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.fisher.regulators.files import DEFAULT_LIMIT, FORMATS, RegulatorReading
from workbench.fisher.regulators.report import LARGEST_SIDE, SMALLEST_SIDE
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Rows, Table
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

FILE = "file"
ACCEPTED = ",".join(f".{ending}" for ending in FORMATS)
MOST_BY_HAND = 24
CHOICES = {text[0].upper() + text[1:]: name for name, text in fisher.REGULATOR_SOURCES.items()} | {
    "Your own file …": FILE
}
LEAST_EIGENVALUE, MOST_EIGENVALUE = 1e-4, 1e4
PASSED_ON = ("loss", "a", "b", "p", "sigma")


@dataclass(frozen=True)
class RegulatorFile(ReadUpload):
    """An uploaded matrix or list of edges; how much work it is stays known once it has been read."""

    _work: list[float] = field(default_factory=list, init=False, repr=False, compare=False)

    def read(self, progress: Progress) -> tuple[RegulatorReading, str]:
        """Read the matrix or the edges."""
        stream = io.BytesIO(self.data)
        stream.name = self.name
        found = fisher.read_regulator(stream, apart=True, progress=progress)
        self._work[:] = [
            len(found.matrix) ** 3 / 3 if found.matrix is not None else found.states * found.graph.bonds**2
        ]
        return found, found.sentence

    @property
    def cost(self) -> Cost:
        """The estimated time; before anybody has read the file, that of an ordinary one."""
        return Cost(0.3 + 1e-9 * (self._work[0] if self._work else 0.0))


class RegulatorsView(View):
    """One Fisher matrix: its regimes, and the damping that models and learners want."""

    title, slug = "Regulators", "regulators"
    help = (
        "A learner with the metric g = F² + cF is said to regulate best at one damping c, and α = 0…1 names its "
        "regime. Here that law stands beside what gradient descent really needs, for every loss and step rule. Drag "
        "the eigenvalues. Reading α as quantum or classical is a conjecture, the author says so too."
    )
    experiment = staticmethod(fisher.regulator_report)
    inputs = ("source", "file", "L", "J", "eigenvalues", "loss", "beta", "a", "b", "p", "sigma")
    registries: ClassVar[dict[str, Any]] = {"loss": fisher.LEARNER_LOSSES}

    source = param.Selector(default="complete", objects=CHOICES, label="Fisher matrix of")
    file = param.ClassSelector(class_=RegulatorFile, default=None, allow_None=True)
    L = param.Integer(default=4, bounds=(2, 64), label="Sites or side L")
    J = param.Number(
        default=0.5,
        bounds=(0.0, 1.5),
        step=0.01,
        label="Coupling J",
        doc="of a file: where an edge has none of its own",
    )
    eigenvalues = param.String(default="1, 3, 10", label="Eigenvalues", doc="or drag them in the picture")
    loss = param.Selector(
        default="isotropic", objects={entry.label: name for name, entry in fisher.LEARNER_LOSSES.items()}, label="Loss"
    )
    beta = param.Number(
        default=0.0, bounds=(0.0, 20.0), step=0.05, label="β at which directions are judged", doc="0: at c*"
    )
    a = param.Number(default=2.0, bounds=(0.0, 5.0), step=0.1, label="Your law κ(g)^a μ_max^b: a")
    b = param.Number(default=1.0, bounds=(0.0, 5.0), step=0.1, label="b")
    p = param.Number(default=2.0, bounds=(1.1, 4.0), step=0.1, label="Power p in M = F^p", doc="the paper has 2")
    sigma = param.Number(default=2.0, bounds=(0.1, 5.0), step=0.05, label="σ of the normal distribution in four charts")

    # ---- what is asked ---------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file, sizes past enumeration and eigenvalues that are none."""
        source, L = inputs["source"], inputs["L"]
        if source == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a file with a Fisher matrix or the edges of a graph ({ACCEPTED}).")
        if source == "spectrum":
            parse_eigenvalues(inputs["eigenvalues"])
        if source in SMALLEST_SIDE and not SMALLEST_SIDE[source] <= L <= LARGEST_SIDE[source]:
            raise ValueError(
                f"a {fisher.REGULATOR_SOURCES[source].split(',')[0]} here has L = {SMALLEST_SIDE[source]} to "
                f"{LARGEST_SIDE[source]}, got {L}; for larger tori choose “Ising torus, exact”"
            )
        if inputs["a"] == inputs["b"] == 0:
            raise ValueError("your law has a = b = 0, so it is 1 for every damping; raise one of them")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file is known once it has been read."""
        if inputs["source"] == FILE:
            return inputs["file"].cost if inputs["file"] is not None else Cost(0.3)
        return costs.of(fisher.regulator_report, inputs["source"], inputs["L"]) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment: a source by its name, or the matrix of the file."""
        found = {name: inputs[name] for name in PASSED_ON} | {"beta": inputs["beta"] or None}
        if inputs["source"] == FILE:
            return {**found, "F": inputs["file"].contents().metric(inputs["J"])}
        found |= {"source": inputs["source"]}
        if inputs["source"] == "spectrum":
            return {**found, "eigenvalues": parse_eigenvalues(inputs["eigenvalues"])}
        return {**found, "L": inputs["L"], "J": inputs["J"]}

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; one of a matrix says nothing of the sources."""
        found = dict(parameters)
        listed = found.pop("eigenvalues", None)
        if (
            isinstance(listed, list)
            and len(listed) <= MOST_BY_HAND
            and all(isinstance(x, (int, float)) for x in listed)
        ):
            found["eigenvalues"] = ", ".join(f"{x:.6g}" for x in listed)
        if found.get("F") is not None:
            found.pop("source", None)
        if found.get("beta") is None:
            found["beta"] = 0.0
        super()._adopt(found)

    # ---- what a hand does ------------------------------------------------------------------------------------------

    def move(self, item: int, eigenvalue: float) -> None:
        """Take an eigenvalue from the visitor's hand; from then on the spectrum is the visitor's own."""
        ds = self.result
        if (
            ds is None
            or not self.can_be_moved(ds)
            or not (math.isfinite(eigenvalue) and 0 <= item < ds.sizes["direction"])
        ):
            return
        values = ds.eigenvalue.values.copy()
        values[item] = np.clip(eigenvalue, LEAST_EIGENVALUE, MOST_EIGENVALUE)
        repeated = np.repeat(values, ds.multiplicity.values)
        self.param.update(source="spectrum", eigenvalues=", ".join(f"{x:.5g}" for x in repeated))

    @staticmethod
    def can_be_moved(ds: xr.Dataset) -> bool:
        """Whether the spectrum is short enough to be moved by hand."""
        return bool(ds.attrs["listed"]) and int(ds.parameters) <= MOST_BY_HAND

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets; those of a source stand where it is chosen."""
        take = lambda name, content: keep(self, "file", RegulatorFile, name, content, DEFAULT_LIMIT)  # noqa: E731
        is_file = pn.bind(lambda source: source == FILE, self.param.source)
        upload = file_field(self, "file", "Matrix or edges: NPY, NPZ, CSV", ACCEPTED, take, visible=is_file)
        side, coupling, listed = (widget_for(self, name) for name in ("L", "J", "eigenvalues"))
        side.visible = pn.bind(lambda source: source in SMALLEST_SIDE, self.param.source)
        coupling.visible = pn.bind(lambda source: source in SMALLEST_SIDE or source == FILE, self.param.source)
        listed.visible = pn.bind(lambda source: source == "spectrum", self.param.source)
        rest = [widget_for(self, name) for name in ("loss", "beta", "a", "b", "p", "sigma")]
        return [widget_for(self, "source"), upload, side, coupling, listed, *rest]

    def pictures(self) -> Sequence[Any]:
        """Return the regimes under the hand, models, learners, phases, charts, tori and the table of learners."""
        return [
            DraggedEigenvalues(self),
            Picture("What learners need", figures.learners_over_damping, _learners_in_words, height=figures.TALL),
            Picture(
                "What the models would have small", figures.models_over_damping, _models_in_words, height=figures.TALL
            ),
            Picture("When damping is asked for", figures.damping_phases, _phases_in_words),
            Picture("Four charts", figures.chart_regimes, _charts_in_words),
            Picture("Ising tori", lambda _: figures.torus_regimes(_torus()), _torus_in_words),
            LearnerTable("Learners", learner_rows, text=("loss", "learner", "wants c*?")),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what model A says, what the learner with the best step wants, and how many learners agree."""
        kappa, c_star, p = float(ds.kappa), float(ds.c_star), ds.attrs["law"][2]
        said = f"α = {float(ds.alpha):.2f} (c* = {c_star:.3g}, κ = {kappa:.3g})"
        if c_star == 0:
            said = f"no damping (α = 0: κ = {kappa:.3g} is at most {fisher.damping_threshold(p=p):.3g})"
        one = ds.sel(loss=ds.attrs["loss"])
        natural = [name for name, entry in fisher.STEP_RULES.items() if entry.fact("natural")]
        agree = int(one.agrees.sel(step=natural).sum())
        best = one.sel(step="best")
        wants = "takes any c" if bool(best.any_damping) else f"wants c = {told(best.best)}"
        return (
            f"Model A says {said}; the learner with the best step {wants} "
            f"({fisher.LEARNER_LOSSES[ds.attrs['loss']].label}); {agree} of {len(natural)} natural learners "
            f"agree with model A."
        )


class DraggedEigenvalues(DraggedMarks):
    """The eigenvalues on their curve of regimes, dragged along the axis."""

    def __init__(self, view: RegulatorsView) -> None:
        super().__init__(
            "Regime of each direction", figures.regimes_of_directions, _regimes_in_words,
            lambda item, eigenvalue, _: view.move(item, eigenvalue),
            axes=("eigenvalue", "alpha"), along=True, hint="Drag an eigenvalue",
        )  # fmt: skip
        self._view = view

    def can_move(self, _label: str) -> bool:
        """Tell whether the spectrum that is shown is short enough."""
        return self._result is not None and self._view.can_be_moved(self._result)


class LearnerTable(Table):
    """The table of all learners on all losses."""

    is_wide = True


def parse_eigenvalues(text: str) -> list[float]:
    """Return 2 to 24 eigenvalues above 0 from a text; ``ValueError`` says which one is none."""
    parts = text.replace(";", " ").replace(",", " ").split()
    if not 2 <= len(parts) <= MOST_BY_HAND:
        raise ValueError(f"give 2 to {MOST_BY_HAND} eigenvalues, separated by commas; got {len(parts)}")
    found = []
    for part in parts:
        try:
            value = float(part)
        except ValueError:
            raise ValueError(f"{part[:20]!r} is no number; write eigenvalues like 1, 3, 10") from None
        if not LEAST_EIGENVALUE <= value <= MOST_EIGENVALUE:
            raise ValueError(
                f"eigenvalues here lie between {LEAST_EIGENVALUE:g} and {MOST_EIGENVALUE:g}, got {part[:20]}"
            )
        found.append(value)
    return found


def told(value: Any) -> str:
    """Return a damping or a count as people write it: ∞ is a value."""
    number = float(value)
    if math.isnan(number):
        return "none"
    return "∞" if math.isinf(number) else f"{number:.4g}"


def learner_rows(ds: xr.Dataset) -> Rows:
    """Return a row for every loss and step rule."""
    heads = ["loss", "learner", "learns fastest at c", "α there", "needs there", "needs at c*", "wants c*?"]
    cells = []
    for loss in ds.loss.values.tolist():
        for step in ds.step.values.tolist():
            one = ds.sel(loss=loss, step=step)
            at = "any" if bool(one.any_damping) else told(one.best)
            alpha = "any" if bool(one.any_damping) else told(round(float(one.best_alpha), 4))
            cells.append([
                fisher.LEARNER_LOSSES[loss].label, fisher.STEP_RULES[step].label, at, alpha,
                _needed(one.least_needed, step), _needed(one.needed_at_star, step), "yes" if bool(one.agrees) else "no",
            ])  # fmt: skip
    return Rows(heads, cells)


def _needed(value: Any, step: str) -> str:
    number = float(value)
    if math.isinf(number):
        return "never arrives"
    if fisher.STEP_RULES[step].fact("unit") == "time":
        return f"time {number:.4g}"
    return "1 step" if number <= 1 else f"{number:,.1f} steps"


def _regimes_in_words(ds: xr.Dataset) -> str:
    hint = " Drag an eigenvalue." if RegulatorsView.can_be_moved(ds) else ""
    return (
        f"{int(ds.parameters)} parameters; at β = {float(ds.beta):.3g} the regimes spread over "
        f"{float(ds.spread):.3f} (no β gives more than {float(ds.spread_bound):.3f}) and leave "
        f"{float(ds.effective_parameters):.2f} effective parameters, as ridge regression counts them; δ = "
        f"{float(ds.deviation):.3f}.{hint}"
    )


def _learners_in_words(ds: xr.Dataset) -> str:
    one = ds.sel(loss=ds.attrs["loss"])
    parts = [
        f"{figures.LEARNERS[step]}: c = "
        f"{'any' if bool(one.any_damping.sel(step=step)) else told(one.best.sel(step=step))}"
        for step in ds.step.values.tolist()
    ]
    return f"The dots: fastest at {'; '.join(parts)}. The axis ends at c = ∞, where g is F up to a factor."


def _models_in_words(ds: xr.Dataset) -> str:
    parts = [f"{told(ds.model_best.sel(model=m))} ({figures.REGULATOR_MODELS[str(m)]})" for m in ds.model.values]
    not_two = " and not 2" if float(ds.c_star) > 0 else ""
    return (
        f"Least at c = {'; '.join(parts)}. At c* κ(g) is {float(ds.kappa_g):.3g}{not_two}; D is the square root of A."
    )


def _phases_in_words(ds: xr.Dataset) -> str:
    return (
        f"Above the curve damping is asked for. Your law's threshold is {told(ds.own_threshold)}, model A's "
        f"{fisher.damping_threshold(p=ds.attrs['law'][2]):.3g}; this matrix has κ = {float(ds.kappa):.3g}."
    )


def _charts_in_words(ds: xr.Dataset) -> str:
    parts = [
        f"{float(alpha):.3f} in {name}" for name, alpha in zip(ds.chart.values, ds.chart_alpha.values, strict=True)
    ]
    return f"One and the same distribution has α = {', '.join(parts)}: the recipe depends on the parameters chosen."


def _torus() -> xr.Dataset:
    return data.result("fisher/regulators_torus.nc")


def _torus_in_words(_: xr.Dataset) -> str:
    ds = _torus()
    at = ds.sel(J=float(ds.critical_coupling), method="nearest")
    top = ds.alpha.sel(L=int(ds.L[-1]))
    peak = float(ds.J[int(top.argmax("J"))])
    return (
        f"Exact metric, shipped: at J_c α grows with L, {float(at.alpha[0]):.3f} at L = {int(ds.L[0])} to "
        f"{float(at.alpha[-1]):.3f} at {int(ds.L[-1])}, where κ = {float(at.kappa[-1]):.3g}; largest at J = {peak:.3f}."
    )
