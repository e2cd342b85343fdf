"""The registry of ways to fit a signal: linear families solved to their optimum, and models that are trained.

Each takes a signal, which samples it may see and how many numbers it may have, and returns a :class:`Fitted`. Adding a
linear family is adding its basis and one line; adding a trained model is adding a module and one line.
"""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.progress import Progress
from workbench.registry import Fact, Registry
from workbench.shapes.fits import bases
from workbench.shapes.fits.bases import LinearFamily
from workbench.shapes.fits.ridge import MOST_DENSE, fit_ridge
from workbench.shapes.fits.signals import Signal

if TYPE_CHECKING:
    import torch

    from workbench.shapes.fits.networks import Plan

Floats = NDArray[np.float64]
PAPER = "Wang et al., MetricGrids, arXiv 2503.10000"
FEWEST, MOST = 16, 200_000
MOST_STEPS = 20_000
STOPPINGS = {
    "last": "all samples that may be seen train, and the last step counts",
    "best": "a tenth of them does not train but judges, and the step that it likes best counts",
}
"""When a training stops."""

FITS = Registry(
    "fit",
    facts={
        "linear": Fact(bool, says="whether it is linear in its numbers, so that the best fit is computed"),
        "family": Fact(LinearFamily, required=False, says="the basis of a linear family"),
        "sizes": Fact(Callable, says="sizes(signal, parameters) of the fit; ValueError where so few hold none"),
    },
)


@dataclass(frozen=True)
class Fitted:
    """What a fit ``shown`` at all samples (n, channels) is made of.

    ``coefficients`` (P, channels) with the ``sides`` of their grids, ``ridge``, leave-one-out error ``loo`` (mean
    square) and ``condition`` are those of a linear family; ``step`` and ``loss`` the curve of a training,
    ``validation`` that of the tenth that judges it, and ``kept`` the step that counts. ``seconds`` are of the
    processor, in the thread that computes.
    """

    shown: Floats
    parameters: int
    seconds: float
    coefficients: Floats | None = None
    sides: tuple[int, ...] = ()
    ridge: float = np.nan
    loo: float = np.nan
    condition: float = np.nan
    step: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    loss: Floats = field(default_factory=lambda: np.empty(0))
    validation: Floats = field(default_factory=lambda: np.empty(0))
    kept: int = 0


def linear_sides(family: LinearFamily, signal: Signal, parameters: int) -> tuple[int, ...]:
    """Return the sides of the family's largest grid of at most ``parameters`` numbers, all channels together."""
    sides = family.sides(parameters // signal.channels, signal.dimension)
    if not family.local:
        count = family.size(sides, signal.dimension)
        if count > MOST_DENSE:
            raise ValueError(
                f"a family whose functions reach everywhere takes up to {MOST_DENSE:,} coefficients a channel, got "
                f"{count:,}; give fewer parameters"
            )
        checks.memory(32.0 * len(signal.points) * count, "a fit by functions that reach everywhere")
    return sides


def solve_linear(
    family: LinearFamily,
    signal: Signal,
    training: NDArray[np.bool_],
    parameters: int,
    ridge: float | str = "loo",
    progress: Progress | None = None,
) -> Fitted:
    """Return the least-squares fit of a linear family with its ridge, see :func:`fit_ridge`."""
    sides = linear_sides(family, signal, parameters)
    started = time.thread_time()
    design = family.design(signal.points[training], sides)
    found = fit_ridge(design, signal.values[training] - signal.offset, ridge, progress=progress)
    everywhere = family.design(signal.points, sides).matrix
    return Fitted(
        np.asarray(everywhere @ found.coefficients) + signal.offset,
        found.coefficients.size,
        time.thread_time() - started,
        found.coefficients,
        sides,
        found.ridge,
        found.loo,
        found.condition,
    )


def _add_linear(name: str, family: LinearFamily, **told: str) -> None:
    @FITS.add(name, linear=True, family=family, sizes=functools.partial(linear_sides, family), **told)
    @functools.wraps(solve_linear)
    def solve(
        signal: Signal,
        training: NDArray[np.bool_],
        parameters: int,
        *,
        ridge: float | str = "loo",
        progress: Progress | None = None,
        **_: Any,
    ) -> Fitted:
        return solve_linear(family, signal, training, parameters, ridge, progress)


_add_linear(
    "linear",
    bases.HATS,
    label="Linear grid",
    formula=r"\sum_j c_j \Lambda(x/h - j)",
    cost="a band factorisation, P b² for P numbers that meet b others",
)
_add_linear(
    "quadratic",
    bases.QUADRATIC,
    label="Quadratic spline grid",
    formula=r"\sum_j c_j B_2(x/h - j)",
    cost="a band factorisation",
    reference="de Boor, A Practical Guide to Splines",
)
_add_linear(
    "bspline",
    bases.CUBIC,
    label="Cubic spline grid",
    formula=r"\sum_j c_j B_3(x/h - j)",
    cost="a band factorisation",
    reference="de Boor, A Practical Guide to Splines",
)
_add_linear(
    "pspline",
    bases.SMOOTHED,
    label="Smoothing spline grid",
    formula=r"\sum_j c_j B_3(x/h - j), \lambda \sum |\Delta^2 c|^2",
    cost="a band factorisation",
    reference="Eilers & Marx, Statist. Sci. 11 (1996)",
)
_add_linear(
    "metric",
    bases.METRIC,
    label="Three metric grids, linear",
    formula=r"\sum_k \sum_j c_{kj} \Lambda(\varphi_k(x)/h_k - j)",
    cost="a band factorisation",
    reference=f"the grids of {PAPER}, with a linear head",
)
_add_linear(
    "dct",
    bases.COSINES,
    label="Cosines",
    formula=r"\sum_k c_k \cos(k \pi (x+1)/2)",
    cost="all eigenvalues of a P × P matrix",
)
_add_linear(
    "chebyshev",
    bases.CHEBYSHEV,
    label="Chebyshev polynomials",
    formula=r"\sum_k c_k T_k(x)",
    cost="all eigenvalues of a P × P matrix",
)


def _add_trained(
    name: str,
    sizes: Callable[[Signal, int], Any],
    model: "Callable[[Signal, Any, torch.Generator], torch.nn.Module]",
    **told: str,
) -> None:
    """Register a training of ``model(signal, sizes, generator)`` on the samples that may be seen."""

    @FITS.add(name, linear=False, sizes=sizes, cost="a training", **told)
    def fit(
        signal: Signal,
        training: NDArray[np.bool_],
        parameters: int,
        *,
        steps: int = 300,
        seed: int = 0,
        stopping: str = "last",
        progress: Progress | None = None,
        **_: Any,
    ) -> Fitted:
        """Train the model on the samples marked ``training``."""
        from workbench.shapes.fits.networks import train  # torch takes seconds to import

        planned = sizes(signal, parameters)
        middle = signal.offset if signal.kind == "photograph" else (signal.low + signal.high) / 2
        made = train(
            lambda generator: model(signal, planned, generator),
            signal.values,
            training,
            middle,
            signal.span,
            steps=checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS),
            seed=checks.integer("seed", seed, minimum=0, maximum=2**31 - 1),
            stopping=checks.choice("stopping", stopping, STOPPINGS),
            progress=progress or Progress(),
        )
        return Fitted(
            made.shown,
            made.parameters,
            made.seconds,
            step=made.step,
            loss=made.loss,
            validation=made.validation,
            kept=made.kept,
        )


def _add_grid(name: str, *, metric: bool, decoder: str, **told: str) -> None:
    def sizes(signal: Signal, parameters: int) -> "Plan":
        from workbench.shapes.fits.networks import plan

        return plan(parameters, signal.shape[0], signal.dimension, signal.channels, metric=metric, decoder=decoder)

    def model(signal: Signal, made: "Plan", generator: "torch.Generator") -> "torch.nn.Module":
        from workbench.shapes.fits.networks import GridModel

        return GridModel(signal.points, made, signal.channels, metric=metric, decoder=decoder, generator=generator)

    _add_trained(name, sizes, model, **told)


_add_grid(
    "hash",
    metric=False,
    decoder="relu",
    label="Hash grid, ReLU (instant-NGP)",
    formula=r"\mathrm{MLP}(E(\varphi_0(x)))",
    reference="after Müller et al. 2022, arXiv 2201.05989",
)
_add_grid(
    "hash-sine",
    metric=False,
    decoder="sine",
    label="Hash grid, modulated sines",
    formula=r"h \leftarrow m^2 \sin(30(Wh+b)), one grid",
    reference=f"ablation of {PAPER}",
)
_add_grid(
    "metric-relu",
    metric=True,
    decoder="relu",
    label="Three metric grids, ReLU",
    formula=r"\mathrm{MLP}(\sum_k E(\varphi_k(x)))",
    reference=f"ablation of {PAPER}",
)
_add_grid(
    "metricgrids",
    metric=True,
    decoder="sine",
    label="MetricGrids",
    formula=r"h \leftarrow m^2 \sin(30(Wh+b)), h_0 = \sum_k E(\varphi_k(x))",
    reference=PAPER,
)


def _siren_sizes(signal: Signal, parameters: int) -> int:
    from workbench.shapes.fits.networks import siren_width

    return siren_width(parameters, signal.dimension, signal.channels)


def _siren(signal: Signal, width: int, generator: "torch.Generator") -> "torch.nn.Module":
    from workbench.shapes.fits.networks import Siren

    return Siren(signal.points, width, signal.channels, generator)


_add_trained(
    "siren",
    _siren_sizes,
    _siren,
    label="SIREN",
    formula=r"h \leftarrow \sin(30(Wh+b))",
    reference="Sitzmann et al. 2020, arXiv 2006.09661",
)


def _hats(signal: Signal, sides: tuple[int, ...], _generator: "torch.Generator") -> "torch.nn.Module":
    from workbench.shapes.fits.networks import LinearModel

    return LinearModel(signal.points, bases.HATS, sides, signal.channels)


_add_trained(
    "linear-adam",
    functools.partial(linear_sides, bases.HATS),
    _hats,
    label="Linear grid, trained",
    formula=r"\sum_j c_j \Lambda(x/h - j), c by Adam; what it can reach at most is computed",
)


def checked_method(method: str, *, linear: bool = False) -> str:
    """Return the name of a fit; ``ValueError`` for an unknown one, or for a trained one where ``linear`` is asked."""
    return checks.choice("fit", method, [n for n, e in FITS.items() if e.fact("linear") or not linear])


def checked_budget(parameters: int) -> int:
    """Return a budget of numbers within the limits."""
    return checks.integer("parameters", parameters, minimum=FEWEST, maximum=MOST)
