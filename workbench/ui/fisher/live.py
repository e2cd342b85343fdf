"""A lattice under cluster updates, and its estimate closing in on the exact value."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import param
import xarray as xr

from workbench import costs, data, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

DEFAULTS = {"model": "ising-2d", "L": 16, "J_ratio": 1.0, "samples": 1024, "algorithm": "swendsen-wang", "seed": 0}
MODELS = {entry.label: name for name, entry in fisher.MODELS.items()}
ALGORITHMS = {entry.label: name for name, entry in fisher.ALGORITHMS.items()}
LARGEST = {2: 32, 3: 8}


class LiveView(View):
    """Cluster Monte Carlo as it runs."""

    title, slug = "Live lattice", "live"
    help = (
        "Four chains of cluster updates run side by side; the picture shows one of them. ‖T‖² comes from two "
        "independent halves of the data, because squaring one noisy estimate is biased upward."
    )
    inputs = ("model", "L", "J_ratio", "samples", "algorithm", "seed")
    registries: ClassVar[dict[str, Any]] = {"model": fisher.MODELS, "algorithm": fisher.ALGORITHMS}
    experiment = staticmethod(fisher.live_curvature)

    model = param.Selector(default=DEFAULTS["model"], objects=MODELS, label="Model")
    L = param.Integer(default=DEFAULTS["L"], bounds=(3, 32), label="Side L", doc="at most 8 in three dimensions")
    J_ratio = param.Number(default=1.0, bounds=(0.5, 1.3), step=0.01, label="Coupling J/J_c")
    samples = param.Integer(default=DEFAULTS["samples"], bounds=(64, 16384), label="Samples from each chain")
    algorithm = param.Selector(default=DEFAULTS["algorithm"], objects=ALGORITHMS, label="Cluster update")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same run")

    def start(self) -> None:
        """Open with a stored run; Run then makes one before the visitor's eyes."""
        if not self._started and self.values() == DEFAULTS:
            self.show(data.result("fisher/lattice.nc"))
        super().start()

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse lattices too large to watch."""
        dimension = fisher.MODELS[inputs["model"]]().dimension
        if inputs["L"] > LARGEST[dimension]:
            raise ValueError(f"L is limited to {LARGEST[dimension]} here for {dimension} dimensions, got {inputs['L']}")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the time of the samples and of the estimates on the way."""
        return costs.of(fisher.live_curvature, **inputs)

    def pictures(self) -> Sequence[Picture]:
        """Return the lattice and the running estimate."""
        return [
            Picture("Lattice", figures.lattice, self._lattice_summary),
            Picture("Running estimate", figures.running, self._running_summary),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say the estimate with its error, and how far it is from the exact value."""
        R, error = float(ds.scalar_curvature), float(ds.scalar_curvature_error)
        exact = float(ds.exact_curvature)
        text = f"R = {R:.1f} ± {error:.1f} after {ds.attrs['samples_taken']:,} samples from each chain"
        if np.isfinite(exact):
            text += (
                f"; exact {exact:.1f}, off by {(R - exact) / error:+.1f} errors" if error else f"; exact {exact:.1f}"
            )
        return f"{text}; energy autocorrelation time {float(ds.tau_energy):.1f} samples."

    def _lattice_summary(self, ds: xr.Dataset) -> str:
        shares = np.bincount(ds.spins.values.ravel())
        parts = ", ".join(f"{share / ds.spins.size:.0%}" for share in shares)
        return f"The first chain at its last sample; shares of the colours: {parts}."

    def _running_summary(self, ds: xr.Dataset) -> str:
        return (
            f"From {float(ds.running_curvature[0]):.1f} after {int(ds.taken[0])} samples to "
            f"{float(ds.running_curvature[-1]):.1f}; the band is two standard errors (delete-one-chain jackknife)."
        )
