"""The error of each rule for F_κ(ε) at equal directions; and why an axis chosen pair by pair gives no metric."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.flows.comparison import PAIRS
from workbench.progress import Progress
from workbench.transport.directed import best_location, look
from workbench.transport.evaluate import draw
from workbench.transport.measures import prepare
from workbench.transport.vmf import RULES, check_kappa, vmf_second_moment

REFERENCE_DIRECTIONS, REFERENCE_REPEATS = 4000, 4


@results.experiment
def directed_quadratures(
    pairs: Sequence[str] = ("torus-cube", "sphere-two-blobs", "translated"),
    rules: Sequence[str] | None = None,
    kappas: Sequence[float] = (1.0, 10.0, 100.0),
    *,
    n: int = 500,
    n_directions: int = 100,
    repeats: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare rules for F_κ(ε) at the best ε, ``repeats`` draws each, with a long spiral (4 × 4000 directions).

    Returns ``relative_rmse`` and its ``relative_rmse_error`` (pair, kappa, rule), ``reference`` (pair, kappa) with its
    standard error; and ``sw2`` and ``best`` = F_κ(ε) ÷ SW_2² (pair, kappa). Raises ``ValueError`` for unknown names.
    Cost: pairs × κ × rules × repeats × n × L × 10 ns.

    >>> ds = directed_quadratures(n=100, repeats=10)
    >>> error = ds.relative_rmse.sel(kappa=1.0).max("pair")
    >>> bool(error.sel(rule="design-cosh") < 0.1 * error.sel(rule="vmf-sampling"))
    True
    """
    progress = progress or Progress()
    names = [RULES[name].name for name in (rules if rules is not None else RULES)]
    kappas = [check_kappa(kappa) for kappa in kappas]
    if not names or not kappas or not len(pairs):
        raise ValueError("pairs, rules and kappas must each name at least one")
    n = checks.integer("n", n, minimum=1, maximum=1_000_000)
    number = checks.integer("n_directions", n_directions, minimum=1, maximum=100_000)
    repeats = checks.integer("repeats", repeats, minimum=2, maximum=100_000)
    rng = checks.generator(seed)
    entries = [PAIRS[name] for name in pairs]
    shape = (len(entries), len(kappas))
    rmse, error = (np.empty((*shape, len(names))) for _ in range(2))
    reference, doubt, ratio = (np.empty(shape) for _ in range(3))
    for i, entry in enumerate(entries):
        x, y = (prepare(side, cloud) for side, cloud in zip("xy", entry(n, rng), strict=True))
        seen = look(x, y, 1000, rng)
        for j, kappa in enumerate(kappas):
            _, axis = best_location(seen, kappa)
            spiral = RULES["vmf-spiral"]
            long = [
                draw(x, y, spiral(kappa, axis, REFERENCE_DIRECTIONS, one)).value for one in rng.spawn(REFERENCE_REPEATS)
            ]
            reference[i, j] = np.mean(long)
            doubt[i, j] = np.std(long, ddof=1) / np.sqrt(len(long))
            ratio[i, j] = reference[i, j] / seen.mean_cost
            for k, name in enumerate(names):
                values = [draw(x, y, RULES[name](kappa, axis, number, one)).value for one in rng.spawn(repeats)]
                squares = (np.array(values) / reference[i, j] - 1) ** 2
                rmse[i, j, k] = np.sqrt(squares.mean())
                error[i, j, k] = squares.std(ddof=1) / np.sqrt(repeats) / (2 * max(rmse[i, j, k], 1e-300))
                done = (i * len(kappas) + j) * len(names) + k + 1
                progress.update(done, rmse.size, f"{entry.name}, κ = {kappa:g}: {name}")
    dims = ("pair", "kappa", "rule")
    return results.dataset(
        {
            "relative_rmse": (dims, rmse, "root mean square error ÷ F_κ"),
            "relative_rmse_error": (dims, error, "standard error of the root mean square error"),
            "reference": (dims[:2], reference, "reference F_κ(ε) (squared)"),
            "reference_standard_error": (dims[:2], doubt, "standard error of the reference"),
            "best": (dims[:2], ratio, "F_κ(ε) ÷ SW₂²"),
        },
        {
            "pair": (("pair",), np.array([entry.name for entry in entries]), "pair of clouds"),
            "kappa": (("kappa",), np.array(kappas), "concentration κ"),
            "rule": (("rule",), np.array(names), "rule"),
        },
    )


def triangle_counterexample(kappa: float = 1.0, dim: int = 3) -> tuple[float, float]:
    """Return both sides of a triangle inequality that an axis chosen pair by pair breaks: left > right.

    Of the points 0, t/2 and t the halves take an axis across t and the whole takes one along it, which a function of
    the pair may do: left = |t| √E(ε·θ)² along, right = 2 (|t|/2) √E across, for |t| = 1. With the true maximum over ε
    both take the axis along t and the two sides agree. Holds for every κ > 0.

    >>> left, right = triangle_counterexample(1.0)
    >>> round(left, 4), round(right, 4)
    (0.6115, 0.5595)
    """
    along = vmf_second_moment(check_kappa(kappa), checks.integer("dim", dim, minimum=2, maximum=1000))
    across = (1 - along) / (dim - 1)
    sides: NDArray[np.float64] = np.sqrt(np.array([along, across]))
    return float(sides[0]), float(sides[1])
