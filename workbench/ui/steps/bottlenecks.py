"""The samples that limit the step, with their images."""

from collections.abc import Sequence
from typing import Any

import param
import xarray as xr

from workbench import steps
from workbench.figures import steps as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.steps.base import StepsView, direction, network, samples, stage


class BottlenecksView(StepsView):
    """Which digits are to blame."""

    title, slug = "Bottlenecks", "bottlenecks"
    help = (
        "The step of a whole batch is limited by its worst sample: the one whose logits spread fastest along the "
        "update. These are the worst ones, as the network sees them."
    )
    experiment = staticmethod(steps.bottlenecks)
    shipped_file = "bottlenecks.nc"
    inputs = ("network", "stage", "direction", "count", "samples")

    network = network()
    stage = stage()
    direction = direction()
    count = param.Integer(12, bounds=(1, 24), label="How many")
    samples = samples()

    def pictures(self) -> Sequence[Any]:
        """The images and the radii."""
        return [
            Picture("Images", figures.bottleneck_images, self._image_words),
            Picture("Radii", figures.bottleneck_spreads, self._radius_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """The worst sample."""
        return (
            f"Training sample {int(ds['sample'][0])}, a {int(ds.target[0])} taken for a {int(ds.prediction[0])} with "
            f"probability {float(ds.probability[0]):.2f} of its class, limits the step to ρ_a = "
            f"{float(ds.radius[0]):.3g}: logit {int(ds.up[0])} rises fastest, logit {int(ds.down[0])} falls fastest."
        )

    def _image_words(self, ds: xr.Dataset) -> str:
        wrong = int((ds.target != ds.prediction).sum())
        return f"{wrong} of these {ds.sizes['rank']} are misread. Below each: rank, class and prediction."

    def _radius_words(self, ds: xr.Dataset) -> str:
        ratio = float(ds.radius[-1] / ds.radius[0])
        return f"The last of the list could go {ratio:.2f} times as far as the first; colour: probability of the class."
