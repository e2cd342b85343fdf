"""A Monte Carlo run: several independent chains in two halves, checkpoints, and the result."""

import json
import os
import time
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.fisher.enumeration import curvature_variables
from workbench.fisher.monte_carlo.autocorrelation import blocked_error, integrated_time
from workbench.fisher.monte_carlo.estimators import Geometry, Sums, cumulants, estimate
from workbench.fisher.monte_carlo.models import MODELS, Model, lattice_shape
from workbench.fisher.monte_carlo.momenta import Triples, triples
from workbench.fisher.monte_carlo.random_bits import states
from workbench.fisher.monte_carlo.samplers import ALGORITHMS, Chain
from workbench.fisher.tensors import Invariants
from workbench.parallel import for_each
from workbench.progress import Progress

BATCH = 32
SUMS = ("count", "total", "power", "weighted", "triple")


class Run:
    """Independent chains of one model at one coupling, advanced together over all cores.

    ``samples`` are taken from each chain, ``spacing`` sweeps apart after ``thermalisation`` sweeps. Even chains make
    the first half of the data, odd chains the second, so the halves are independent. The same seed gives the same
    numbers whatever the number of threads, and whether or not the run was stopped and resumed.
    """

    def __init__(
        self, model: Model, L: int, J: float, *, chains: int, samples: int, spacing: int, thermalisation: int,
        algorithm: str, seed: int, cumulant: bool = True,
    ) -> None:  # fmt: skip
        self.model, self.samples, self.spacing, self.thermalisation = model, samples, spacing, thermalisation
        self.settings = {
            "model": model.name, "L": L, "J": J, "chains": chains, "samples": samples, "spacing": spacing,
            "thermalisation": thermalisation, "algorithm": algorithm, "seed": seed, "cumulant": cumulant,
        }  # fmt: skip
        shape = lattice_shape(model, L)
        self.geometry = Geometry(shape, triples(shape) if cumulant else _no_triples())
        self.chains = [Chain(model, L, J, algorithm, state) for state in states(seed, chains)]
        self.sums = [self.geometry.empty() for _ in range(chains)]
        self.energy, self.order = np.zeros((chains, samples)), np.zeros((chains, samples))
        self.taken, self.flips = 0, 0

    @property
    def finished(self) -> bool:
        """Whether every sample has been taken."""
        return self.taken >= self.samples

    def advance(self, progress: Progress | None = None) -> None:
        """Take the next batch of samples from every chain."""
        begin = self.taken
        end = min(begin + BATCH, self.samples)
        flips = np.zeros(len(self.chains), dtype=np.int64)

        def one(c: int) -> None:
            chain = self.chains[c]
            if begin == 0:
                chain.thermalise(self.thermalisation)
            fields, self.order[c, begin:end], flips[c] = chain.take(end - begin, self.spacing)
            self.energy[c, begin:end] = fields.mean(axis=tuple(range(1, fields.ndim)))
            self.geometry.add(self.sums[c], fields)

        for_each(one, range(len(self.chains)), Progress())
        self.taken, self.flips = end, self.flips + int(flips.sum())
        if progress is not None:
            progress.update(end, self.samples, f"sample {end:,} of {self.samples:,} from each chain")

    def estimates(self) -> tuple[Invariants, NDArray, NDArray]:
        """Return the pooled estimate, and delete-one-chain estimates (C, 3) and errors (3,) of R, ‖T‖², ‖tr T‖²."""
        first, second = _sum(self.sums[0::2]), _sum(self.sums[1::2])
        pooled = estimate(self.geometry, first, second)
        without = [(first, second - one) if c % 2 else (first - one, second) for c, one in enumerate(self.sums)]
        left_out = np.array([_values(estimate(self.geometry, *halves)) for halves in without])
        C = len(self.sums)
        errors = np.sqrt((C - 1) / C * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
        return pooled, left_out, errors

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint (NetCDF), complete or not at all."""
        results.save(self._checkpoint(), path)

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Go on from a checkpoint; raises ``ValueError`` if it belongs to another run."""
        ds = results.open(path)
        stored = json.loads(ds.attrs["parameters"])
        if ds.attrs["function"] != "workbench.fisher.monte_carlo.Run" or stored != self.settings:
            differing = sorted(k for k in {*stored, *self.settings} if stored.get(k) != self.settings.get(k))
            raise ValueError(
                f"the checkpoint {Path(path).name!r} belongs to another run; different: {', '.join(differing)}"
            )
        for c, chain in enumerate(self.chains):
            chain.spins[:] = ds.spins.values[c]
            chain.state[:] = ds.generator.values[c]
            chain.clusters = int(ds.clusters.values[c])
            self.sums[c] = Sums(*(np.array(ds[name].values[c]) for name in SUMS))
        self.energy[:], self.order[:] = ds.energy.values, ds.order.values
        self.taken, self.flips = int(ds.attrs["taken"]), int(ds.attrs["flips"])

    def _checkpoint(self) -> xr.Dataset:
        stacked = {name: np.array([getattr(one, name) for one in self.sums]) for name in SUMS}
        dims = {
            "count": (), "total": ("direction",), "power": ("momentum", "second", "third"),
            "weighted": ("direction", "momentum", "second", "third"),
            "triple": ("legs", "direction", "second", "third"),
        }  # fmt: skip
        variables = {n: (("chain", *dims[n]), stacked[n], f"sum over samples: {n}") for n in SUMS}
        variables |= {
            "spins": (("chain", "site"), np.array([c.spins for c in self.chains]), "colours"),
            "generator": (("chain", "word"), np.array([c.state for c in self.chains]), "generator state"),
            "clusters": (("chain",), np.array([c.clusters for c in self.chains]), "Wolff clusters a sweep"),
            "energy": (("chain", "sample"), self.energy, "mean bond energy"),
            "order": (("chain", "sample"), self.order, "order parameter"),
        }
        ds = results.dataset(variables)
        ds = ds.assign_coords({d: (d, np.arange(size), {"long_name": d, "units": "1"}) for d, size in ds.sizes.items()})
        ds.attrs = {**self.provenance(), "taken": self.taken, "flips": self.flips}
        return results.validate(ds)

    def provenance(self) -> dict[str, object]:
        """Return the attributes that mark a Dataset as the unfinished state of this run."""
        return results.stamp(xr.Dataset(), "workbench.fisher.monte_carlo.Run", self.settings).attrs

    def snapshot(self) -> xr.Dataset:
        """Return the result so far: estimates with errors, series statistics, and the spins of the first chain."""
        pooled, left_out, errors = self.estimates()
        names = ("scalar_curvature", "cumulant_norm", "trace_norm")
        variables = curvature_variables(pooled)
        for i, name in enumerate(names):
            long_name = variables[name][2]
            variables[f"{name}_error"] = ((), errors[i], f"standard error of {long_name}")
            variables[f"{name}_without"] = (("chain",), left_out[:, i], f"{long_name} without this chain")
        variables |= self._series_variables()
        metric = cumulants(self.geometry, _sum(self.sums)).metric
        spins = self.chains[0].spins.reshape(self.chains[0].shape)
        axes = ("x", "y", "z")[: spins.ndim]
        variables |= {
            "row_sum": ((), metric[0].sum() / self.model.dimension, "row sum of the metric Σ_b F_ab"),
            "spins": (axes, spins.copy(), "colours of the first chain, last sample"),
        }
        coordinates = {
            a: ((a,), np.arange(size), f"site along {a}", "sites") for a, size in zip(axes, spins.shape, strict=True)
        }
        coordinates["chain"] = (("chain",), np.arange(len(self.chains)), "independent chain")
        attrs = {
            "sites": self.geometry.sites, "colours": self.model.colours,
            "samples_taken": self.taken, "flips": self.flips,
        }  # fmt: skip
        return results.dataset(variables, coordinates, attrs)

    def _series_variables(self) -> dict[str, tuple]:
        energy, order = self.energy[:, : self.taken], self.order[:, : self.taken]
        C = len(self.chains)
        taus = {
            name: np.array([integrated_time(row) for row in series])
            for name, series in (("energy", energy), ("order", order))
        }
        out = {
            "energy": ((), energy.mean(), "mean bond energy"),
            "energy_error": ((), energy.mean(axis=1).std(ddof=1) / np.sqrt(C), "standard error over chains"),
            "energy_blocked_error": (
                (), np.sqrt(np.mean([blocked_error(row) ** 2 for row in energy]) / C), "standard error by blocking",
            ),
        }  # fmt: skip
        for name, tau in taus.items():
            out[f"tau_{name}"] = ((), tau[:, 0].mean(), f"integrated autocorrelation time of the {name}", "samples")
            error = np.sqrt((tau[:, 1] ** 2).sum()) / C
            out[f"tau_{name}_error"] = ((), error, f"standard error of that time ({name})", "samples")
        return out


def _no_triples() -> Triples:
    return Triples(np.zeros((0, 3), dtype=np.int32), np.zeros(0))


def _sum(parts: list[Sums]) -> Sums:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _values(parts: Invariants) -> tuple[float, float, float]:
    return parts.scalar_curvature, parts.cumulant_norm, parts.trace_norm


def make_run(
    model: str, L: int, J: float | None, *, chains: int, samples: int, spacing: int, thermalisation: int,
    algorithm: str, seed: int,
) -> Run:  # fmt: skip
    """Check everything that a caller hands in, and return the :class:`Run`."""
    made = MODELS[model]()
    return Run(
        made, _side(made, L), made.critical if J is None else checks.real("J", J, exclusive_minimum=0.0),
        chains=checks.integer("chains", chains, minimum=4), samples=checks.integer("samples", samples, minimum=32),
        spacing=checks.integer("spacing", spacing, minimum=1),
        thermalisation=checks.integer("thermalisation", thermalisation, minimum=0),
        algorithm=ALGORITHMS[algorithm].name, seed=checks.integer("seed", seed, minimum=0),
    )  # fmt: skip


@results.experiment
def monte_carlo_curvature(
    model: str,
    L: int,
    J: float | None = None,
    *,
    chains: int = 8,
    samples: int = 2000,
    spacing: int = 1,
    thermalisation: int = 500,
    algorithm: str = "swendsen-wang",
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 60.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Estimate the scalar curvature of a lattice model by cluster Monte Carlo, with standard errors.

    ``model`` names an entry of :data:`MODELS`, ``L`` is the side of the periodic lattice, ``J`` (default: critical)
    the coupling. ``samples`` are taken from each of ``chains`` independent chains (≥ 4), ``spacing`` sweeps apart.
    With ``checkpoint`` (a .nc file) the state is written every ``checkpoint_every`` seconds and a stopped run goes on
    from it, to the same result. Cost per sample: O(n log n) + n² d³/12. Raises ``ValueError`` for an unknown name, a
    size past the model's limit or the memory, fewer than 4 chains or 32 samples.

    R, ‖T‖², ‖tr T‖² carry ``_error`` (delete-one-chain jackknife); the energy carries errors over chains and by
    blocking, and integrated autocorrelation times of energy and order parameter in units of samples.
    """
    progress = progress or Progress()
    run = make_run(
        model, L, J, chains=chains, samples=samples, spacing=spacing, thermalisation=thermalisation,
        algorithm=algorithm, seed=seed,
    )  # fmt: skip
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        run.resume(path)
    saved = time.monotonic()
    while not run.finished:
        run.advance(progress)
        if path is not None and (run.finished or time.monotonic() - saved > checkpoint_every):
            run.save(path)
            saved = time.monotonic()
    return run.snapshot()


def sums_bytes(sites: int, dimension: int) -> float:
    """Return the bytes of the sums of a run: about n²/12 momentum triples times d³ legs, 16 arrays of doubles.

    >>> f"{sums_bytes(64**2, 2) / 1e9:.1f} GB"
    '1.4 GB'
    """
    return 16 * sites**2 / 12 * dimension**3 * 8


def _side(model: Model, L: int) -> int:
    side = lattice_shape(model, L)[0]
    if side > model.largest:
        raise ValueError(
            f"L = {side} is past the limit of {model.largest} for {model.label}: "
            "its third cumulants would take gigabytes"
        )
    needed = sums_bytes(side**model.dimension, model.dimension)
    checks.memory(needed, f"Monte Carlo sums of {model.label} at L = {side}")
    return side
