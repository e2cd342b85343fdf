"""The paper's table again: Sinkhorn, sparse Newton at several densities and full Newton over several cost matrices.

The abstract, two digests with the table, the public reviews and a re-implementation could be read; the paper's own
code and its MNIST pairs could not. The digits of scikit-learn, enlarged to 20 × 20 pixels, stand in for MNIST.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import zoom

from workbench import checks, results
from workbench.clouds.real_data import digit
from workbench.progress import Progress
from workbench.registry import Fact, Registry
from workbench.transport import entropic_plan, exact_transport

Floats = NDArray[np.float64]
CASES = Registry("case", facts={"published": Fact(tuple, says="the paper's Sinkhorn and Newton steps, and Sinkhorn's")})
ENLARGED = 20
"""Pixels along each side of a digit: those of MNIST fill 20 × 20 as well."""
LEAST_INK = 1e-3


@CASES.add("random", label="Random assignment, C uniform", published=(20, 9, 56_199))
def random_costs(n: int, rng: np.random.Generator) -> tuple[Floats, Floats | None, Floats | None]:
    """Return n × n costs, uniform on [0, 1], with equal masses."""
    return rng.random((n, n)), None, None


@CASES.add("digits-l2", label="Two digits, squared distance", published=(20, 33, 2_041))
def digits_squared(n: int, rng: np.random.Generator) -> tuple[Floats, Floats | None, Floats | None]:
    """Return squared distances between the pixels with ink of two digits, scaled to at most 1, and their ink."""
    return _digits(rng, lambda difference: np.square(difference).sum(axis=2))


@CASES.add("digits-l1", label="Two digits, ℓ¹ distance", published=(700, 77, 5_748))
def digits_l1(n: int, rng: np.random.Generator) -> tuple[Floats, Floats | None, Floats | None]:
    """Return ℓ¹ distances between the pixels with ink of two digits, scaled to at most 1, and their ink."""
    return _digits(rng, lambda difference: np.abs(difference).sum(axis=2))


def _digits(rng: np.random.Generator, distance: Callable[[Floats], Floats]) -> tuple[Floats, Floats, Floats]:
    points, weights = [], []
    for label in rng.choice(10, 2, replace=False):
        _, ink = digit(int(label), int(rng.integers(0, 100)))
        picture = zoom(ink.reshape(8, 8), ENLARGED / 8, order=1)
        rows, columns = np.nonzero(picture > LEAST_INK * picture.max())
        points.append(np.stack([columns, rows], axis=1).astype(float))
        weights.append(picture[rows, columns] / picture[rows, columns].sum())
    cost = distance(points[0][:, None] - points[1][None])
    return cost / cost.max(), *weights


@dataclass(frozen=True)
class Variant:
    """A solver with its options; ``density`` is in entries of P kept per point, λ n."""

    method: str
    density: float | None = None
    options: tuple[tuple[str, int], ...] = ()

    def arguments(self, n: int) -> dict[str, Any]:
        """Return the arguments of ``entropic_plan`` for matrices of n points a side."""
        more = {} if self.density is None else {"density": min(self.density / n, 1.0)}
        return {"method": self.method, **more, **dict(self.options)}


VARIANTS = {
    "sinkhorn": Variant("sinkhorn"),
    "sns 2/n": Variant("sns", 2),
    "sns 5/n": Variant("sns", 5),
    "sns 10/n": Variant("sns", 10),
    "sns 15/n": Variant("sns", 15),
    "sns 15/n, 700 first": Variant("sns", 15, (("sinkhorn_steps", 700),)),
    "sns 10/n, none first": Variant("sns", 10, (("sinkhorn_steps", 0),)),
    "newton": Variant("newton"),
}
"""The variants of the study: λ as published (2/n; 15/n after 700 Sinkhorn steps for ℓ¹), denser, without a start."""
MEASURED = {
    "sinkhorn_steps": ("Sinkhorn steps", "1"),
    "newton_steps": ("Newton steps", "1"),
    "cg_steps": ("steps of conjugate gradients", "1"),
    "seconds": ("processor time", "s"),
    "marginal_error": ("L1 error of both marginals", "1"),
    "converged": ("whether rounding was reached", "1"),
    "excess": ("cost of the entropic plan ÷ optimum − 1", "1"),
    "lower": ("1 − lower bound ÷ optimum", "1"),
    "upper": ("upper bound ÷ optimum − 1", "1"),
}


@results.experiment
def sns_experiment(
    cases: Sequence[str] = ("random",),
    etas: Sequence[float] = (1200.0,),
    variants: Sequence[str] = tuple(VARIANTS),
    *,
    n: int = 500,
    repeats: int = 3,
    sinkhorn_limit: int = 20_000,
    newton_limit: int = 100,
    tolerance: float = 1e-13,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run the solvers of entropic transport on ``repeats`` cost matrices of each of the ``CASES``, at each η.

    Returns, over (case, eta, variant, repeat): steps, processor time, the L1 error of the marginals, how far the cost
    of the plan lies above the true optimum (which ``exact_transport`` proves), and both bounds. ``n`` is the size of
    the random matrices; digits have as many points as pixels with ink. Raises ``ValueError`` for unknown names.
    Cost: mostly Sinkhorn's steps, about 0.2 ms each at n = 500, and the SNS runs that do not converge, 0.1 s a step.

    >>> ds = sns_experiment(etas=(100.0,), variants=("sns 10/n", "newton"), n=60, repeats=2)
    >>> ds.converged.values.all().item(), bool((ds.excess > 0).all())
    (True, True)
    """
    progress = progress or Progress()
    entries = [CASES[name] for name in cases]
    chosen = {checks.choice("variant", name, VARIANTS): VARIANTS[name] for name in variants}
    etas = [checks.real("eta", eta, exclusive_minimum=0) for eta in etas]
    n, repeats = checks.integer("n", n, minimum=2, maximum=3000), checks.integer("repeats", repeats, minimum=1)
    limits = {"sinkhorn": sinkhorn_limit, "sns": newton_limit, "newton": 4 * newton_limit}
    rng = checks.generator(seed)
    shape = (len(entries), len(etas), len(chosen), repeats)
    table = {name: np.empty(shape) for name in MEASURED}
    done, total = 0, int(np.prod(shape))
    for c, entry in enumerate(entries):
        for k, stream in enumerate(rng.spawn(repeats)):
            cost, a, b = entry(n, stream)
            optimum = exact_transport(cost=cost, x_weights=a, y_weights=b).value
            for e, eta in enumerate(etas):
                for v, (name, variant) in enumerate(chosen.items()):
                    progress.update(done, total, f"{entry.label}, η = {eta:g}: {name}")
                    arguments = variant.arguments(max(cost.shape)) | {"steps": limits[variant.method]}
                    arguments |= {"eta": eta, "tolerance": tolerance, "bounds": False}
                    started = time.process_time()
                    found = entropic_plan(cost=cost, x_weights=a, y_weights=b, progress=_Passed(progress), **arguments)
                    row = dict(found.stats) | {
                        "seconds": time.process_time() - started,
                        "excess": found.value / optimum - 1,
                        "lower": 1 - found.lower_bound / optimum,
                        "upper": found.upper_bound / optimum - 1,
                    }
                    for measured, values in table.items():
                        values[c, e, v, k] = row[measured]
                    done += 1
    progress.update(1, 1, "done")
    dims = ("case", "eta", "variant", "repeat")
    return results.dataset(
        {name: (dims, table[name], *MEASURED[name]) for name in MEASURED},
        {
            "case": (("case",), np.array([entry.name for entry in entries]), "kind of cost matrix"),
            "eta": (("eta",), np.array(etas), "η = 1/ε"),
            "variant": (("variant",), np.array(list(chosen)), "solver"),
            "repeat": (("repeat",), np.arange(repeats), "cost matrix"),
        },
    )


class _Passed(Progress):
    """Lets a cancellation through and shows nothing of the inner work."""

    def __init__(self, owner: Progress) -> None:
        super().__init__()
        self._owner = owner

    def update(self, done: float, total: float, message: str = "") -> None:
        """Stop if the owner has been stopped."""
        if self._owner.cancelled:
            self._owner.update(0, 1)
