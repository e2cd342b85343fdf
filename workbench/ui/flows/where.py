"""Where two clouds differ: the sphere of directions, an axis that the hand moves, and the largest slice, proved."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import data, flows, transport
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.flows import costs
from workbench.ui.flows.sphere import Sphere
from workbench.ui.kit.choices.clouds import FILE, PairView, clouds_of, dim_of
from workbench.ui.kit.picture import CAPTION, Picture


class WhereView(PairView):
    """The cost over all directions, and what slices gathered around an axis see of it."""

    title, slug = "Where they differ", "where"
    help = (
        "Every point of the sphere is a direction, coloured by what the two clouds cost when projected on it. Slices "
        "gather around an axis, the tighter the larger κ; half of them lie inside the two orange circles. Drag the "
        "axis."
    )
    experiment = staticmethod(flows.directed_slices)
    inputs = PairView.PAIR_INPUTS
    display = ("log_kappa", "follow", "longitude", "latitude")

    n = param.Integer(default=500, bounds=(50, 5000), label="Points in each cloud")
    log_kappa = param.Number(default=0.0, bounds=(-1, 4), step=0.05, label="log₁₀ κ", doc="0 is κ = 1, as released")
    follow = param.Boolean(default=True, label="Take the best axis for this κ")
    longitude = param.Number(default=0.0, bounds=(-180, 180), step=0.5, label="Axis: longitude (°)")
    latitude = param.Number(default=0.0, bounds=(-90, 90), step=0.5, label="Axis: latitude (°)")

    def __init__(self, **params: Any) -> None:
        self._reading: tuple[Any, Any] = (None, None)
        super().__init__(**params)

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped result for the first pair."""
        if FILE in (inputs["origin"], inputs["target"]):
            return None
        return data.result_for("flows/directed_slices.nc", **clouds_of(inputs))

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse clouds that do not lie in space; files are judged when they are read."""
        super().check(inputs)
        if dim_of(inputs) != 3:
            raise ValueError(
                f"The clouds lie in {dim_of(inputs)} dimensions; this sphere is drawn for 3. Choose shapes in space "
                "(in Python, kappa_profile and max_sliced_wasserstein take any dimension)."
            )

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of the look, the profile and the certified search."""
        return costs.directed_slices("torus", inputs["n"], flows.directed.KAPPAS, 49)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the clouds."""
        return clouds_of(inputs)

    def pictures(self) -> Sequence[Any]:
        """Return the sphere and the profile over κ."""
        return [
            WhereSphere(self),
            Picture("From SW to Max-SW", self._curve, _profile_in_words, height=460),
        ]

    @property
    def kappa(self) -> float:
        """The concentration that the slider stands for."""
        return float(10.0**self.log_kappa)

    def reading(self, ds: xr.Dataset) -> dict[str, Any]:
        """Return what is shown: κ, the axis with its value, the best axis with its value."""
        key = (id(ds), self.log_kappa, self.follow, self.longitude, self.latitude)
        if self._reading[0] != key:
            best, best_axis = flows.directed_at(ds, self.kappa)
            value, axis = best, best_axis
            if not self.follow:
                value, axis = flows.directed_at(ds, self.kappa, _vector(self.longitude, self.latitude))
            self._reading = key, {"value": value, "axis": axis, "best": best, "best_axis": best_axis}
        return self._reading[1]

    def move(self, axis: Any) -> None:
        """Take an axis from the visitor's hand."""
        longitude, latitude = np.degrees([np.arctan2(axis[1], axis[0]), np.arcsin(np.clip(axis[2], -1, 1))])
        self.param.update(follow=False, longitude=round(float(longitude), 2), latitude=round(float(latitude), 2))

    def _curve(self, ds: xr.Dataset) -> Any:
        return figures.kappa_curve(ds, marked=(self.kappa, self.reading(ds)["value"]))

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the axis sees, and how large the largest slice is, with its proof."""
        found, sw2 = self.reading(ds), float(ds.sw2)
        if sw2 <= 0:
            return "The two clouds cost nothing in any direction: no axis sees more than another."
        error = 2 * float(ds.sw2_standard_error) / sw2
        if self.follow:
            told = f"At κ = {self.kappa:.3g} the best axis sees {found['value'] / sw2:.3f} × SW₂²"
        else:
            about = "about " if self.kappa > flows.directed.LOOK_RESOLVES else ""
            told = (
                f"At κ = {self.kappa:.3g} this axis sees {about}{found['value'] / sw2:.3f} × SW₂², the best one "
                f"{found['best'] / sw2:.3f}"
            )
        gap = float(ds.max_sw2_bound / ds.max_sw2 - 1)
        proof = f"certified within {gap:.0e}" if bool(ds.certified) else f"certified only within {gap:.1%}"
        ended = f"{float(ds.adam_cost[1] / ds.max_sw2):.0%}" if float(ds.max_sw2) > 0 else "0%"
        return (
            f"{told} (SW₂² = {sw2:.4g}, ± {error:.0e} of it); the largest slice is "
            f"{float(ds.max_sw2) / sw2:.3f} × SW₂², {proof} after {int(ds.evaluations)} slices. "
            f"The released search of 50 steps turned its start by {float(ds.adam_turned):.2f}° and ended at {ended} of "
            "that."
        )


def _vector(longitude: float, latitude: float) -> Any:
    angle, height = np.radians(longitude), np.radians(latitude)
    return np.array([np.cos(height) * np.cos(angle), np.cos(height) * np.sin(angle), np.sin(height)])


def _profile_in_words(ds: xr.Dataset) -> str:
    low, high = float(ds.value[0]), float(ds.value[-1])
    return (
        f"The mean cost of slices around the best axis grows from {low:.3g} at κ = {float(ds.kappa[0]):.3g} to "
        f"{high:.3g} at κ = {float(ds.kappa[-1]):.3g}, between SW₂² = {float(ds.sw2):.3g} and the largest slice, "
        f"{float(ds.max_sw2):.4g} to {float(ds.max_sw2_bound):.4g}. "
        "Grey: the bounds that hold for any two clouds; diamond: the axis shown."
    )


class WhereSphere(pn.viewable.Viewer):
    """The sphere with its axis, and what it shows in words."""

    def __init__(self, view: WhereView) -> None:
        super().__init__()
        self._view = view
        self._sphere = Sphere(view.move, lambda: view.param.update(follow=True))
        self._caption = pn.pane.HTML("", stylesheets=[CAPTION], sizing_mode="stretch_width")
        self._layout = pn.Column(self._sphere, self._caption, sizing_mode="stretch_width", min_width=200)

    def update(self, ds: xr.Dataset) -> None:
        """Show the costs of ``ds`` and the axis."""
        found = self._view.reading(ds)
        way = np.array([ds.adam_start.values, ds.adam_end.values])
        self._sphere.show(ds.cost_map.values, way=way, top=ds.max_direction.values, of=ds)
        cap = transport.cap_angle(self._view.kappa)
        axis = ", ".join(f"{v:.2f}" for v in found["axis"])
        words = (
            f"Costs from {float(ds.cost_map.min()):.3g} (dark) to {float(ds.cost_map.max()):.3g} (bright). Axis "
            f"({axis}); half of the slices lie within {np.degrees(cap):.0f}° of it or of its opposite."
        )
        self._sphere.point(found["axis"], cap, found["best_axis"], words)
        self._caption.object = f"<p>{words}</p>"

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout
