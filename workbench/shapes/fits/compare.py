"""Fits side by side at equal numbers: quality on samples seen and not seen, and processor time, over seeds."""

import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.fits.certified import certified_floor
from workbench.shapes.fits.fit import PART, PARTS, part_errors, psnr
from workbench.shapes.fits.methods import FITS, STOPPINGS, checked_budget, checked_method, linear_sides
from workbench.shapes.fits.signals import Signal
from workbench.shapes.fits.signals import signal as as_signal

CLOSED = ("linear", "bspline", "pspline", "metric")
COMPARED = (*CLOSED, "hash", "metric-relu", "hash-sine", "metricgrids", "siren", "linear-adam")
CROPS = ("temple", "garden", "petals")
MOST_RUNS = 5000


@results.experiment
def compare_fits(
    signals: str | Signal | Sequence[str | Signal] = "temple",
    methods: Sequence[str] = COMPARED,
    parameters: int | Sequence[int] = 5808,
    seeds: int = 3,
    *,
    size: int | None = None,
    held_out: float | str = 0.5,
    steps: int = 300,
    stopping: str = "last",
    progress: Progress | None = None,
) -> xr.Dataset:
    """Fit signals by several methods with several budgets of numbers, over ``seeds`` of split and start.

    Within a seed all methods see the same samples; ``stopping`` is that of :func:`fit_signal`. Returns over (signal,
    fit, budget, run) ``psnr`` (with part: training, held out, all), ``fit_seconds`` of the processor,
    ``parameters_used`` and ``kept_step``, the step of a training that counts (0: solved); over (signal, budget, run) of
    the linear grid ``psnr_limit`` on the training samples, the proved most that its training can reach.
    Raises ``ValueError`` for unknown names, before any work. Cost: the sum of all fits.

    >>> ds = compare_fits("sine", ("linear", "bspline"), (16, 24), seeds=2, size=200)
    >>> ds.psnr.shape, bool((ds.psnr.sel(part="training", fit="linear") <= ds.psnr_limit).all())
    ((1, 2, 2, 2, 3), True)
    """
    many = [signals] if isinstance(signals, (str, Signal)) else list(signals)
    targets = [as_signal(one, size) for one in many]
    names = [checked_method(name) for name in methods]
    budgets = [checked_budget(n) for n in ([parameters] if np.isscalar(parameters) else parameters)]
    count = checks.integer("seeds", seeds, minimum=1, maximum=100)
    shape = (len(targets), len(names), len(budgets), count)
    checks.integer("the number of fits", int(np.prod(shape)), minimum=1, maximum=MOST_RUNS)
    for target, name, budget in itertools.product(targets, [*names, "linear"], budgets):
        FITS[name].fact("sizes")(target, budget)  # refuses too few numbers before any work
    progress = progress or Progress()
    ratio = np.full((*shape, 3), np.nan)
    seconds, used, kept = np.full(shape, np.nan), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    checks.choice("stopping", stopping, STOPPINGS)
    limit = np.full((shape[0], shape[2], count), np.nan)
    done = 0
    for s, target in enumerate(targets):
        for run in range(count):
            rng = checks.generator(run)
            held = target.held(held_out, rng)
            start = int(rng.integers(2**31))
            for b, budget in enumerate(budgets):
                limit[s, b, run] = _linear_limit(target, held, budget)
                for m, name in enumerate(names):
                    progress.update(done, int(np.prod(shape)), f"{target.name}, {FITS[name].label}")
                    settings = {"steps": steps, "seed": start, "stopping": stopping, "progress": _Watched(progress)}
                    fitted = FITS[name](target, ~held, budget, **settings)
                    mse = part_errors(target, fitted.shown, held)
                    ratio[s, m, b, run] = [psnr(value, target.span) for value in mse]
                    seconds[s, m, b, run], used[s, m, b, run] = fitted.seconds, fitted.parameters
                    kept[s, m, b, run] = fitted.kept
                    done += 1
    progress.update(1, 1, "done")
    dims = ("signal", "fit", "budget", "run")
    variables = {
        "psnr": ((*dims, "part"), ratio, "peak signal-to-noise ratio", "dB"),
        "fit_seconds": (dims, seconds, "processor time of the fit", "s"),
        "parameters_used": (dims, used, "numbers of the fit"),
        "kept_step": (dims, kept, "step of the training that counts"),
        "psnr_limit": (("signal", "budget", "run"), limit, "most that the linear grid can reach in training", "dB"),
        "label": (("fit",), np.array([FITS[name].label for name in names]), "method"),
        "trained": (("fit",), np.array([not FITS[name].fact("linear") for name in names]), "whether it is trained"),
    }
    coordinates = {
        "signal": (("signal",), [target.name for target in targets], "signal"),
        "fit": (("fit",), names, "method"),
        "budget": (("budget",), budgets, "numbers allowed"),
        "run": (("run",), np.arange(count), "seed"),
    }
    return results.dataset(variables, coordinates | PART, {"parts": list(PARTS)})


def _linear_limit(target: Signal, held: np.ndarray, budget: int) -> float:
    """Return the proved most of the linear grid on the training samples."""
    family = FITS["linear"].fact("family")
    sides = linear_sides(family, target, budget)
    floor = certified_floor(family.design(target.points[~held], sides), target.values[~held] - target.offset)
    return psnr(floor.mse, target.span)


class _Watched(Progress):
    """Lets a single fit be cancelled with the whole, while the whole tells how far it is."""

    def __init__(self, whole: Progress) -> None:
        super().__init__()
        self._whole = whole

    def update(self, done: float, total: float, message: str = "") -> None:
        """Raise ``Cancelled`` where the whole was cancelled."""
        if self._whole.cancelled:
            self.cancel()
        super().update(done, total, message)
