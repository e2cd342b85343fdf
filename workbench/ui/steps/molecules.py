"""Saddles of a cluster or of one's own molecule: how high they are, and which minima they join."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.progress import Progress
from workbench.steps.saddles.molecules import DEFAULT_LIMIT
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Rows, Table
from workbench.ui.kit.upload import check_size, file_chooser
from workbench.ui.steps.base import StepsView, options

OWN = "own"
SOURCES = {e.label: n for n, e in steps.SURFACES.items() if n.startswith("lennard-jones")} | {"Your own .xyz …": OWN}
USABLE = {steps.ENERGIES[name].label: name for name in steps.available_energies()}
MOST_CALLS = 80


class MoleculeView(StepsView):
    """Several searches around one structure, and what they found."""

    title, slug = "Molecules and clusters", "molecules"
    help = (
        "A structure is relaxed and kicked along its softest modes, and from each kick a saddle is searched. A saddle "
        "counts when its Hessian has exactly one negative eigenvalue; from there the way down leads to the two minima "
        "that it joins. Bring a molecule as an .xyz file of up to 64 atoms."
    )
    experiment = staticmethod(steps.saddle_survey)
    shipped_file = "saddle_survey.nc"
    registries: ClassVar[dict[str, Any]] = {"method": steps.SADDLE_METHODS, "energy": steps.ENERGIES}
    inputs = ("source", "file", "energy", "charge", "method", "starts", "kick", "seed")
    display = ("shown",)

    source = param.Selector(default="lennard-jones", objects=SOURCES, label="Structure")
    file = param.ClassSelector(class_=steps.Molecule, default=None, allow_None=True)
    energy = param.Selector(default=next(iter(USABLE.values())), objects=USABLE, label="Energy of your molecule")
    charge = param.Integer(0, bounds=(-4, 4), label="Charge", doc="for GFN2-xTB")
    method = param.Selector(default="gp", objects=options(steps.SADDLE_METHODS), label="Method")
    starts = param.Integer(8, bounds=(1, 50), label="Searches")
    kick = param.Number(0.2, bounds=(0.05, 1.5), step=0.05, label="Length of the kick", doc="over all atoms")
    seed = param.Integer(0, bounds=(0, 999), label="Seed")
    shown = param.Integer(1, bounds=(1, 30), label="Saddle shown", doc="by energy, from 1")

    def controls(self) -> list[Any]:
        """Return the widgets; those for a file stand where one is asked for."""
        wanted = pn.bind(lambda source: source == OWN, self.param.source)
        rows: list[Any] = [widget_for(self, "source"), file_chooser("A molecule as .xyz", ".xyz", self.take)]
        rows[1].visible = wanted
        for name in (*self.inputs[2:], *self.display):
            widget = widget_for(self, name)
            if name in ("energy", "charge"):
                widget.visible = wanted
            rows.append(widget)
        return rows

    def take(self, name: str, data: bytes) -> None:
        """Use an uploaded molecule, or say what is wrong with the file."""
        try:
            check_size(name, data, DEFAULT_LIMIT)
            self.file = steps.read_xyz(data, name=name)
        except ValueError as error:
            self.complaint = str(error)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Ask for a file where one's own molecule is to be searched, and refuse what no energy can be had for."""
        if inputs["source"] == OWN:
            if inputs["file"] is None:
                raise ValueError("Choose an .xyz file: the number of atoms, a line of words, then “symbol x y z” in Å.")
            steps.molecule_surface(inputs["file"], inputs["energy"], charge=inputs["charge"])

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the experiment's arguments."""
        found: dict[str, Any] = {name: inputs[name] for name in ("method", "starts", "kick", "seed")}
        found["most_calls"] = (
            MOST_CALLS if steps.SADDLE_METHODS[inputs["method"]].fact("surrogate") else 10 * MOST_CALLS
        )
        if inputs["source"] != OWN:
            return found | {"start": inputs["source"]}
        return found | {"start": inputs["file"], "energy": inputs["energy"], "charge": inputs["charge"]}

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Seconds for a cluster of seven, minutes for more atoms; nothing to say before there is a file."""
        if inputs["source"] == OWN and inputs["file"] is None:
            return Cost(1.0)
        return costs.of(steps.saddle_survey, **self.arguments(inputs))

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Survey the chosen structure."""
        return steps.saddle_survey(**self.arguments(inputs), progress=progress)

    def pictures(self) -> Sequence[Any]:
        """The levels, the atoms at one saddle, the calls, and the table."""
        return [
            Picture("Levels", figures.survey_levels, _levels_in_words),
            Picture("Atoms", lambda ds: figures.survey_atoms(ds, self.shown - 1), self._atoms_in_words),
            Picture("Calls", figures.survey_calls, _calls_in_words),
            Table("Saddles", _rows, text=("joins minima",)),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """How many saddles, how low the lowest barrier is, at what price; and what stands for the energy."""
        count, done = ds.sizes["saddle"], ds.sizes["search"]
        good = int((ds.found.values >= 0).sum())
        share = f"{float(ds.rate_low):.0%} to {float(ds.rate_high):.0%}"
        text = f"{good} of {done} searches (95 %: {share}) reached a first-order saddle"
        if count:
            text += f", {count} different one{'s' * (count > 1)}, at {float(ds.calls_per_saddle):.0f} calls each"
            own = ds.barrier.values[ds.neighbour.values == int(ds.start)]
            if own.size:
                text += f"; the lowest way out of the start is {float(own.min()):.3g} {ds.barrier.attrs['units']} high"
        wrong = int((ds.converged.values & (ds["index"].values != 1)).sum())
        if wrong:
            text += f"; {wrong} more ended where the gradient vanishes and no such saddle is"
        engine = ds.attrs.get("engine", "")
        return f"{text}." + (f" Energy: {engine}; {ds.attrs['read']}." if engine else "")

    def _atoms_in_words(self, ds: xr.Dataset) -> str:
        if not ds.sizes["saddle"]:
            return "No saddle was found; these are the relaxed atoms, seen along their thinnest direction."
        k = min(self.shown, ds.sizes["saddle"]) - 1
        size = np.linalg.norm(ds["mode"].values[k], axis=1)
        atom = int(size.argmax())
        return (
            f"Saddle {k + 1}, seen along its thinnest direction; the lines lead down. Atom {atom + 1} "
            f"({ds.symbol.values[atom]}) moves most: {size[atom] ** 2:.0%} of the way's square."
        )


def _levels_in_words(ds: xr.Dataset) -> str:
    unit = ds.minimum_energy.attrs["units"]
    apart = int((ds.neighbour.values < 0).sum())
    lost = f" {apart} side{'s' * (apart > 1)} led to no minimum: the atoms part." if apart else ""
    lowest = float(ds.minimum_energy.min())
    return f"{ds.sizes['minimum']} minima from {lowest:.4g} {unit} on, {ds.sizes['saddle']} saddles.{lost}"


def _calls_in_words(ds: xr.Dataset) -> str:
    median = float(ds.median_calls)
    told = f"half of the searches arrive within {median:.0f} calls" if np.isfinite(median) else "fewer than half arrive"
    return (
        f"Failures count as never arriving; {told}. Apart from that: {int(ds.check_calls)} calls checked the ends, "
        f"{int(ds.other_calls)} relaxed, found soft modes and slid down. Band: 95 % interval of the share."
    )


def _rows(ds: xr.Dataset) -> Rows:
    unit = ds.energy.attrs["units"]
    heads = ["saddle", f"energy, {unit}", f"barriers, {unit}", "eigenvalue", "joins minima", "searches"]
    cells = []
    for k in range(ds.sizes["saddle"]):
        one = ds.isel(saddle=k)
        barriers = ", ".join(f"{v:.3f}" if np.isfinite(v) else "—" for v in one.barrier.values)
        ends = " – ".join(str(n + 1) if n >= 0 else "apart" for n in one.neighbour.values)
        cells.append([k + 1, f"{float(one.energy):.4f}", barriers, f"{float(one.lowest):.3g}", ends, int(one.times)])
    return Rows(heads, cells)
