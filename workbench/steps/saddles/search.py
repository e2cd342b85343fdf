"""One saddle search with its index checked: the room's door to all methods."""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.saddles.distances import DISTANCES
from workbench.steps.saddles.methods import SADDLE_METHODS, Log, Options, converged, start_axis
from workbench.steps.saddles.modes import difference_spectrum, slide, without_rigid
from workbench.steps.saddles.oracle import Oracle, Stop, guarded
from workbench.steps.saddles.surfaces import SURFACES, Surface

Array = NDArray[np.float64]
FLAT = 1e-4
"""Eigenvalues (÷ the surface's scale) nearer to 0 than this are neither negative nor positive."""
MOST_CALLS = 5000


@dataclass
class SaddleResult:
    """Where a search ended and what is there.

    ``converged``: the gradient is below the tolerance; ``index``: the number of negative eigenvalues of the Hessian
    there (−1 where it was not measured), from ``check_calls`` more calls that are counted apart. Only ``is_saddle`` is
    success. ``reason`` says how the search ended, ``history`` holds every call.
    """

    x: Array
    energy: float
    calls: int
    converged: bool
    index: int
    eigenvalues: Array
    mode: Array
    check_calls: int
    reason: str
    surface: Surface
    method: str
    oracle: Oracle = field(repr=False)
    log: Log = field(repr=False)

    @property
    def is_saddle(self) -> bool:
        """Whether this is a first-order saddle: converged, with exactly one negative eigenvalue."""
        return self.converged and self.index == 1

    @property
    def history(self) -> xr.Dataset:
        """Every call: coordinates, energy and the largest component of the gradient."""
        steps = np.arange(1, self.oracle.calls + 1)
        largest = np.abs(np.array(self.oracle.gradients)).max(axis=1) if self.oracle.calls else np.empty(0)
        length, energy = self.surface.length_unit, self.surface.energy_unit
        return results.dataset(
            {
                "x": (("call", "coordinate"), np.array(self.oracle.x).reshape(len(steps), -1), "coordinates", length),
                "energy": (("call",), np.array(self.oracle.energies), "energy", energy),
                "gradient": (("call",), largest, "largest component of the gradient", f"{energy}/{length}"),
            },
            {
                "call": (("call",), steps, "call"),
                "coordinate": (("coordinate",), np.arange(self.surface.size), "coordinate"),
            },
        )


def surface_of(surface: Surface | str) -> Surface:
    """Return a surface by name of ``SURFACES``, or the one that is given."""
    if isinstance(surface, Surface):
        return surface
    return SURFACES[surface]()


def check_options(
    trust: str, threshold: float | str, subset: int | None, barrier: bool, tolerance: float, longest: float
) -> Options:
    """Return checked options of a search."""
    if isinstance(threshold, str):
        checks.choice("threshold", threshold, ("adaptive",))
    else:
        threshold = checks.real("threshold", threshold, exclusive_minimum=0)
    return Options(
        DISTANCES[trust].name,
        threshold,
        None if subset is None else checks.integer("subset", subset, minimum=3),
        bool(barrier),
        checks.real("tolerance", tolerance, exclusive_minimum=0),
        checks.real("longest step", longest, exclusive_minimum=0),
    )


def saddle(
    energy: Surface | str,
    start: ArrayLike | None = None,
    method: str = "gp",
    *,
    trust: str = "assignment",
    threshold: float | str = "adaptive",
    subset: int | None = 10,
    barrier: bool = True,
    axis: ArrayLike | None = None,
    tolerance: float | None = None,
    most_calls: int = 500,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> SaddleResult:
    """Search a first-order saddle of an energy surface and check that it is one.

    ``energy``: a :class:`Surface` or a name of ``SURFACES``; ``start``: coordinates (d) or (n, 3), by default the
    surface's own; ``method``: a name of ``SADDLE_METHODS``. For methods on a surrogate: ``trust`` is the distance (a
    name of ``DISTANCES``) and ``threshold`` the radius beyond which no step is taken (``"adaptive"`` grows with the
    data), ``subset`` how many observations train the hyper-parameters (None: all), ``barrier`` whether their variance
    is held below 2. ``axis`` is the first direction (d), random by ``seed`` if not given. ``tolerance`` is for the
    largest component of the gradient.

    A search that ends without convergence returns its best point and says why; only nonsense raises (``ValueError``:
    shapes, NaN, unknown names, atoms on top of each other). Cost: ``calls`` of the surface, and on a surrogate a
    factorisation of N(1 + d) rows for each. References: arXiv 2510.06030 and each method's own.

    >>> from workbench import steps
    >>> found = steps.saddle("mueller-brown", [-0.9, 0.75], seed=1)
    >>> found.is_saddle, round(found.energy, 2), found.calls < 15
    (True, -40.66, True)
    """
    surface = surface_of(energy)
    entry = SADDLE_METHODS[method]
    x = surface.start if start is None else surface.check("start", start)
    within = surface.tolerance if tolerance is None else tolerance
    options = check_options(trust, threshold, subset, barrier, within, surface.step)
    most = checks.integer("most_calls", most_calls, minimum=2, maximum=MOST_CALLS)
    direction = _axis(axis, x, surface, checks.generator(seed))
    oracle, log = Oracle(surface, most, progress or Progress()), Log()
    try:
        end, reason = entry(oracle, x.copy(), direction, options, log), "converged"
    except Stop as stop:
        end, reason = _best(oracle, x), str(stop)
    return _checked(surface, entry.name, end, reason, oracle, log, options)


def _axis(axis: ArrayLike | None, x: Array, surface: Surface, rng: np.random.Generator) -> Array:
    if axis is None:
        return start_axis(rng, x, surface.species)
    given = checks.finite_array("axis", axis).reshape(-1)
    if given.size != x.size:
        raise ValueError(f"axis must hold {x.size} numbers like the start, got {given.size}")
    given = without_rigid(given, x, surface.species)
    size = float(np.linalg.norm(given))
    if size < 1e-9:
        raise ValueError("axis is zero, or nothing but a translation and rotation of the whole; give another direction")
    return given / size


def _best(oracle: Oracle, x: Array) -> Array:
    """Return the visited point with the smallest gradient."""
    if not oracle.calls:
        return x
    return oracle.x[int(np.argmin([np.abs(g).max() for g in oracle.gradients]))]


def _checked(
    surface: Surface, method: str, end: Array, reason: str, oracle: Oracle, log: Log, options: Options
) -> SaddleResult:
    """Measure the spectrum where the search ended: the gradient alone says nothing of what kind of point it is."""
    calls, energy, gradient = 0, np.nan, np.full(end.size, np.inf)

    def counted(x: Array) -> tuple[float, Array]:
        nonlocal calls
        calls += 1
        return guarded(surface, x)

    index, values, mode = -1, np.empty(0), np.zeros(end.size)
    try:
        energy, gradient = counted(end)
        if converged(gradient, options.tolerance):
            found = difference_spectrum(lambda x: counted(x)[1], end, surface.species)
            index, values, mode = found.index(FLAT * surface.scale), found.values, found.vectors[:, 0]
    except Stop as stop:
        reason = f"{reason}; the check failed: {stop}"
    is_there = converged(gradient, options.tolerance)
    if is_there and index != 1:
        reason += f", but not to a first-order saddle: {index} negative eigenvalues"
    return SaddleResult(
        end, energy, oracle.calls, is_there, index, values, mode, calls, reason, surface, method, oracle, log
    )


def neighbours(result: SaddleResult) -> tuple[Array, Array]:
    """Return the two minima (coordinates) that steepest descent reaches on either side of a found saddle."""
    if not result.is_saddle:
        raise ValueError(f"only a first-order saddle has two sides; this search ended so: {result.reason}")
    push = result.surface.step / 2
    end = result.surface.tolerance
    return tuple(slide(result.surface.evaluate, result.x, side * result.mode, push, end) for side in (1, -1))
