"""What the views of the steps room share: the choice of network and direction, and first results that are shipped."""

from collections.abc import Mapping
from typing import Any, ClassVar

import param
import xarray as xr

from workbench import data
from workbench.steps import DIRECTIONS, NETWORKS, STAGES
from workbench.ui.kit.view import View


def options(registry: Mapping[str, Any]) -> dict[str, str]:
    """Return label → name, for a selector."""
    return {entry.label: name for name, entry in registry.items()}


def network(default: str = "mlp-relu") -> param.Selector:
    """Return the parameter that chooses a network."""
    return param.Selector(default=default, objects=options(NETWORKS), label="Network")


def stage(default: str = "converged") -> param.Selector:
    """Return the parameter that chooses a stage of training."""
    labels = {f"{name} ({steps} steps)": name for name, steps in STAGES.items()}
    return param.Selector(default=default, objects=labels, label="Stage of training")


def direction(default: str = "-gradient") -> param.Selector:
    """Return the parameter that chooses a direction."""
    return param.Selector(default=default, objects=options(DIRECTIONS), label="Direction")


def samples(default: int = 256, largest: int = 1024) -> param.Integer:
    """Return the parameter that sizes the batch."""
    return param.Integer(default=default, bounds=(8, largest), step=8, label="Samples in the batch")


class StepsView(View):
    """A view whose first result comes from the data folder, so that the page opens with a picture at once."""

    registries: ClassVar[dict[str, Any]] = {"network": NETWORKS, "direction": DIRECTIONS}
    shipped_file: ClassVar[str] = ""
    """The file in data/steps that holds the result for the default inputs."""

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped result for the default inputs."""
        if all(inputs[name] == self.param[name].default for name in self.inputs):
            return data.result(f"steps/{self.shipped_file}")
        return None

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; the experiments take several seeds and directions, a view one."""
        found = dict(parameters)
        for many, one in (("seeds", "seed"), ("directions", "direction")):
            if isinstance(found.get(many), list) and len(found[many]) == 1:
                found[one] = found[many][0]
        super()._adopt(found)
