"""All that can be found around one structure: its saddles, how high they are, and which minima they join."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import minimize

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.saddles.distances import configuration_distance
from workbench.steps.saddles.experiments import KICK, SOFT
from workbench.steps.saddles.methods import SADDLE_METHODS
from workbench.steps.saddles.modes import difference_spectrum, slide, spectrum
from workbench.steps.saddles.molecules import ENERGIES, Molecule, chosen_energy, molecule_surface
from workbench.steps.saddles.oracle import Stop, guarded
from workbench.steps.saddles.search import FLAT, SaddleResult, saddle, surface_of
from workbench.steps.saddles.statistics import calls_per_success, median_calls, success_rate
from workbench.steps.saddles.surfaces import Surface

Array = NDArray[np.float64]
SAME_ENERGY, SAME_PLACE = 2e-3, 0.1
"""Two structures are one if their energies (÷ scale) and their sorted pair distances differ by less than this."""
MOST_RELAXATIONS = 2000
MOST_SLIDING, FLATTENED, ACCURACY = 1000, 5, 1e-3
"""Most calls of one way down, the gradient (÷ tolerance) at which a minimiser takes over, since near a minimum it jumps
no ridge, and the accuracy of the path: finer than an engine's own noise, an integrator would take no step."""
MOST_SURVEYED = 200


class _Counted:
    """A surface whose calls outside the searches are counted and guarded."""

    def __init__(self, surface: Surface) -> None:
        self.surface, self.calls = surface, 0

    def __call__(self, x: Array) -> tuple[float, Array]:
        self.calls += 1
        return guarded(self.surface, x)


@dataclass
class _Structures:
    """Distinct structures, found one after the other."""

    surface: Surface
    x: list[Array] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)

    def number(self, x: Array, energy: float) -> int:
        """Return the number of a structure, a new one if it is none of those known."""
        for k, (known, level) in enumerate(zip(self.x, self.energies, strict=True)):
            if abs(level - energy) < SAME_ENERGY * self.surface.scale and self._distance(known, x) < SAME_PLACE:
                return k
        self.x.append(x)
        self.energies.append(energy)
        return len(self.x) - 1

    def _distance(self, a: Array, b: Array) -> float:
        if self.surface.species is None:
            return float(np.linalg.norm(a - b))
        return configuration_distance(a.reshape(-1, 3), b.reshape(-1, 3), self.surface.species, "sorted-pairs")


def relaxed(counted: _Counted, x: Array, what: str) -> tuple[Array, float]:
    """Return the minimum that a quasi-Newton method reaches, or raise ``ValueError`` if it reaches none."""
    surface = counted.surface

    def scaled(y: Array) -> tuple[float, Array]:
        energy, gradient = counted(y)
        return energy / surface.scale, gradient / surface.scale

    goal = 0.1 * surface.tolerance / surface.scale
    options = {"maxiter": MOST_RELAXATIONS, "maxfun": MOST_RELAXATIONS, "gtol": goal, "ftol": 0.0}
    try:
        found = minimize(scaled, x, jac=True, method="L-BFGS-B", options=options)
    except Stop as stop:
        raise ValueError(f"{what} could not be relaxed: {stop}") from stop
    if not np.abs(found.jac).max() < surface.tolerance / surface.scale:
        raise ValueError(f"{what} did not relax to a minimum in {MOST_RELAXATIONS} calls ({found.message})")
    return found.x, float(found.fun) * surface.scale


@dataclass
class _Found:
    """A distinct saddle: the search that found it first, how many did, and the minima on either side (−1: unknown)."""

    result: SaddleResult
    times: int
    sides: tuple[int, int]


class _Survey:
    """The state of a survey, which grows with every search."""

    def __init__(self, surface: Surface, starts: int) -> None:
        self.surface, self.starts = surface, starts
        self.counted = _Counted(surface)
        self.minima, self.places = _Structures(surface), _Structures(surface)
        self.saddles: list[_Found] = []
        self.searches: list[tuple[SaddleResult, int]] = []

    def begin(self) -> Array:
        """Relax the start and return its softest modes (d × 5 at most)."""
        x, energy = relaxed(self.counted, self.surface.start, "the start")
        self.minima.number(x, energy)
        if self.surface.hessian is not None:
            found = spectrum(self.surface.hessian(x), x, self.surface.species)
        else:
            found = difference_spectrum(lambda y: self.counted(y)[1], x, self.surface.species)
        if found.values[0] < -FLAT * self.surface.scale:
            raise ValueError("the start relaxes to a point that is no minimum; shake it a little and give that")
        return found.vectors[:, :SOFT]

    def add(self, result: SaddleResult) -> None:
        """Take a search in, and look to both sides of a saddle that is new."""
        number = -1
        if result.is_saddle:
            number = self.places.number(result.x, result.energy)
            if number == len(self.saddles):
                sides = tuple(self._beyond(result, side) for side in (1, -1))
                self.saddles.append(_Found(result, 0, sides))  # type: ignore[arg-type]
            self.saddles[number].times += 1
        self.searches.append((result, number))

    def _beyond(self, result: SaddleResult, side: int) -> int:
        """Return the minimum on one side: down the gradient until it has flattened, then by quasi-Newton steps."""
        surface, counted = self.surface, self.counted
        push, allowed = surface.step / 2, counted.calls + MOST_SLIDING

        def limited(x: Array) -> tuple[float, Array]:
            if counted.calls >= allowed:
                raise Stop("the way down is too flat to follow")
            return counted(x)

        x = result.x + side * push * result.mode
        with contextlib.suppress(Stop):
            x = slide(limited, result.x, side * result.mode, push, FLATTENED * surface.tolerance, ACCURACY)
        try:
            return self.minima.number(*relaxed(counted, x, "a neighbour"))
        except ValueError:  # it flies apart, or the engine fails on the way
            return -1

    def dataset(self, attrs: dict[str, Any]) -> xr.Dataset:
        """Return what was found, saddles and minima by energy."""
        surface, done = self.surface, len(self.searches)
        order = np.argsort([s.result.energy for s in self.saddles], kind="stable").astype(int)
        rank = {int(old): new for new, old in enumerate(order)}
        levels = np.argsort(self.minima.energies, kind="stable").astype(int)
        level_of = {int(old): new for new, old in enumerate(levels)} | {-1: -1}
        saddles = [self.saddles[k] for k in order]
        energies = np.array([s.result.energy for s in saddles])
        sides = np.array([[level_of[k] for k in s.sides] for s in saddles], int).reshape(-1, 2)
        minima = np.array([self.minima.energies[k] for k in levels])
        barriers = np.where(sides >= 0, energies[:, None] - minima[sides], np.nan) if len(saddles) else np.empty((0, 2))
        calls = np.array([float(r.calls) for r, _ in self.searches])
        good = np.array([r.is_saddle for r, _ in self.searches])
        share = success_rate(int(good.sum()), done, kind="wilson")
        spent, low, high = calls_per_success(calls, good)
        length, energy = surface.length_unit, surface.energy_unit
        numbers = [-1 if k < 0 else rank[k] for _, k in self.searches]
        index = np.array([r.index for r, _ in self.searches])
        flat = np.array([r.converged for r, _ in self.searches])
        lowest = np.array([s.result.eigenvalues[0] for s in saddles])
        times = np.array([s.times for s in saddles], int)
        checking = sum(r.check_calls for r, _ in self.searches)
        tops, modes = self._stack([s.result.x for s in saddles]), self._stack([s.result.mode for s in saddles])
        bottoms = self._stack([self.minima.x[k] for k in levels])
        where = ("atom", "axis")
        variables: dict[str, Any] = {
            "calls": (("search",), calls, "calls of the search"),
            "converged": (("search",), flat, "whether the gradient vanished"),
            "index": (("search",), index, "negative eigenvalues (−1: not measured)"),
            "found": (("search",), np.array(numbers), "number of the saddle reached (−1: none)"),
            "energy": (("saddle",), energies, "energy of the saddle", energy),
            "lowest": (("saddle",), lowest, "its negative eigenvalue", f"{energy}/{length}²"),
            "times": (("saddle",), times, "searches that ended there"),
            "neighbour": (("saddle", "side"), sides, "minimum on this side, by energy (−1: it flies apart)"),
            "barrier": (("saddle", "side"), barriers, "height above that minimum", energy),
            "minimum_energy": (("minimum",), minima, "energy of the minimum", energy),
            "start": ((), level_of[0], "number of the minimum where the searches began"),
            "rate": ((), share.rate, "share of searches that reach a first-order saddle"),
            "rate_low": ((), share.low, "lower end of its 95 % interval (Wilson)"),
            "rate_high": ((), share.high, "upper end of its 95 % interval (Wilson)"),
            "median_calls": ((), median_calls(calls, good), "median calls to a saddle, failures censored"),
            "calls_per_saddle": ((), spent, "all calls of searches ÷ saddles reached"),
            "calls_per_saddle_low": ((), low, "lower end of its 95 % bootstrap interval"),
            "calls_per_saddle_high": ((), high, "upper end of its 95 % bootstrap interval"),
            "check_calls": ((), checking, "calls of the index checks"),
            "other_calls": ((), self.counted.calls, "calls of relaxing, soft modes and sliding down"),
            "saddle_x": (("saddle", *where), tops, "atoms at the saddle", length),
            "mode": (("saddle", *where), modes, "unit direction down from the saddle"),
            "minimum_x": (("minimum", *where), bottoms, "atoms at the minimum", length),
        }
        coordinates = {
            "search": (("search",), np.arange(done), "search"),
            "saddle": (("saddle",), np.arange(len(saddles)), "saddle, by energy"),
            "minimum": (("minimum",), np.arange(len(minima)), "minimum, by energy"),
            "side": (("side",), np.arange(2), "side of the saddle"),
            "atom": (("atom",), np.arange(surface.size // 3), "atom"),
            "axis": (("axis",), np.array(["x", "y", "z"]), "axis"),
            "symbol": (("atom",), np.array(surface.species), "element"),
        }
        return results.dataset(variables, coordinates, {**attrs, "surface": surface.name})

    def _stack(self, rows: list[Array]) -> Array:
        return np.array(rows).reshape(len(rows), self.surface.size // 3, 3)


@results.experiment
def saddle_survey(
    start: Molecule | Surface | str = "lennard-jones",
    *,
    energy: str = "auto",
    charge: int = 0,
    method: str = "gp",
    starts: int = 8,
    kick: float = KICK,
    most_calls: int = 60,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Relax a structure, search saddles around it from several kicks, and say which minima every saddle joins.

    ``start`` is a molecule from :func:`workbench.steps.read_xyz`, a surface of atoms, or the name of a cluster of
    ``SURFACES``; ``energy`` (a name of ``ENERGIES`` or ``"auto"``) and ``charge`` are for molecules. Each of ``starts``
    searches begins at the relaxed structure, displaced by ``kick`` (the length over all atoms) along a random mixture
    of its five softest modes. Every end is checked to have exactly one negative eigenvalue; equal saddles (energy and
    sorted pair distances) are counted once, mirror images among them; from each, steepest descent leads to the minima
    on both sides.

    Returns over search: ``calls``, ``converged``, ``index``, the saddle ``found``; over saddle, by energy: ``energy``,
    ``lowest`` eigenvalue, ``times`` found, the ``neighbour`` minima with the ``barrier`` from either, coordinates and
    ``mode``; over minimum: ``minimum_energy`` and coordinates; ``rate`` with Wilson's interval, ``median_calls`` with
    failures censored, ``calls_per_saddle`` with its bootstrap interval, and the calls spent apart from searching.
    Raises ``ValueError`` for a structure that does not relax to a minimum. Cost: ``starts`` searches, and hundreds of
    calls for every new saddle.

    >>> from workbench import steps
    >>> ds = steps.saddle_survey("lennard-jones", method="eigenvector-following", starts=3, most_calls=200)
    >>> round(float(ds.minimum_energy[0]), 4), bool((ds.energy > ds.minimum_energy[0]).all())
    (-16.5054, True)
    """
    progress = progress or Progress()
    entry = SADDLE_METHODS[method]
    starts = checks.integer("starts", starts, minimum=1, maximum=MOST_SURVEYED)
    kick = checks.real("kick", kick, exclusive_minimum=0)
    rng = np.random.default_rng(checks.integer("seed", seed, minimum=0))
    attrs = {"engine": "", "read": ""}
    if isinstance(start, Molecule):
        name = chosen_energy(energy)
        surface = molecule_surface(start, name, charge=charge)
        attrs = {"engine": ENERGIES[name].label, "read": start.sentence}
    else:
        surface = surface_of(start)
        if surface.species is None:
            raise ValueError(f"the surface {surface.name!r} has no atoms to kick; use saddle_table or saddle_basins")
    survey = _Survey(surface, starts)
    progress.update(0, starts, "relaxing the start")
    soft = survey.begin()
    for k, stream in enumerate(rng.spawn(starts)):
        progress.update(k, starts, f"search {k + 1} of {starts}")
        direction = soft @ stream.normal(size=soft.shape[1])
        direction /= np.linalg.norm(direction)
        x = survey.minima.x[0] + kick * direction
        survey.add(saddle(surface, x, entry.name, axis=direction, most_calls=most_calls, seed=k))
        if k + 1 < starts:
            left = starts - k - 1
            progress.publish(results.unfinished(survey.dataset(attrs), f"{left} more search{'es' * (left > 1)}"))
    progress.update(1, 1, "done")
    return survey.dataset(attrs)
