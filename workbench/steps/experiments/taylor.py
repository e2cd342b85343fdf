"""Experiment (d): Taylor polynomials of the loss along the step, and the circle where they diverge."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.data import Data
from workbench.steps.exact import exact_radius
from workbench.steps.experiments.setting import Direction, Network, make_ray
from workbench.steps.radii import bound_radius, set_radius
from workbench.steps.ray import Ray, mean_loss
from workbench.steps.taylor import convergence_radius, logit_series, loss_series

HIGHEST = 60
LARGE = 1e3


@results.experiment
def taylor_orders(
    network: Network = "mlp-tanh",
    *,
    orders: Sequence[int] = (1, 2, 3, 5, 10, 20, 40),
    reach: float = 1.5,
    points: int = 121,
    direction: Direction = "-gradient",
    stage: str = "converged",
    linearised: bool = False,
    data: Data | None = None,
    samples: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare the loss along a direction with its Taylor polynomials of rising order at τ = 0.

    ``linearised`` takes the logits z + τa instead of the network's. Multilayer perceptrons of the registry are expanded
    by recurrences; other networks from values on the largest complex circle inside which they are analytic (attribute
    ``expansion`` says which). Returns over tau: ``loss``; over (order, tau): ``polynomial`` and ``error`` (absolute);
    over degree: ``coefficient``; scalars ``bound`` ρ_a, ``exact`` ρ* (both of the batch, linearised logits) and
    ``convergence`` (root test on the coefficients of this loss). τ runs to ±``reach``·min(ρ*, convergence).
    """
    progress = progress or Progress()
    wanted = sorted({checks.integer("orders", n, minimum=0, maximum=HIGHEST) for n in orders})
    reach = checks.real("reach", reach, exclusive_minimum=0, maximum=20)
    points = checks.integer("points", points, minimum=3, maximum=2001)
    ray = make_ray(network, direction, stage=stage, data=data, samples=samples, seed=seed)
    order = max(*wanted, 40) if wanted else 40
    progress.update(0, 2, "expanding")
    logits, expansion = _series(ray, order, linearised)
    coefficients = loss_series(logits, ray.labels).mean(axis=1)
    exact = set_radius(exact_radius(ray.logits, ray.slopes).radius)
    convergence = float(convergence_radius(coefficients[:, None])[0])
    if not np.isfinite(min(exact, convergence)):
        raise ValueError("the loss does not change along this direction; there is no series to compare with")
    tau = reach * min(exact, convergence) * np.linspace(-1, 1, points)
    progress.update(1, 2, "comparing")
    loss = np.array([_loss(ray, t, linearised) for t in tau])
    polynomial = np.array([np.polynomial.polynomial.polyval(tau, coefficients[: n + 1]) for n in wanted])
    progress.update(2, 2, "done")
    along = ("tau",)
    return results.dataset(
        {
            "loss": (along, loss, "loss", "nat"),
            "polynomial": (("order", "tau"), polynomial, "Taylor polynomial of the loss", "nat"),
            "error": (("order", "tau"), np.abs(polynomial - loss), "error of the Taylor polynomial", "nat"),
            "coefficient": (("degree",), coefficients, "Taylor coefficient of the loss", "nat/τⁿ"),
            "bound": ((), set_radius(bound_radius(ray.slopes)), "bound radius of the batch", "τ"),
            "exact": ((), exact, "exact radius of the batch, linearised logits", "τ"),
            "convergence": ((), convergence, "radius of convergence, by the root test", "τ"),
        },
        {
            "tau": (along, tau, "distance along the direction", "τ"),
            "order": (("order",), wanted, "order of the polynomial"),
            "degree": (("degree",), np.arange(len(coefficients)), "degree"),
        },
        {"expansion": expansion},
    )


def _loss(ray: Ray, tau: float, linearised: bool) -> float:
    if linearised:
        return mean_loss(ray.logits + tau * ray.slopes, ray.labels)
    return ray.loss_at(float(tau))


def _series(ray: Ray, order: int, linearised: bool) -> tuple[np.ndarray, str]:
    """Return Taylor coefficients (order + 1, batch, classes) of the logits and how they were found."""
    if linearised:
        series = np.zeros((order + 1, *ray.logits.shape))
        series[0], series[1] = ray.logits, ray.slopes
        return series, "linearised logits"
    try:
        return logit_series(ray.model, ray.inputs, ray.direction, order=order), "recurrences"
    except ValueError:
        return circle_series(ray, order), "values on a complex circle"


def circle_series(ray: Ray, order: int) -> np.ndarray:
    """Return Taylor coefficients of the logits by FFT on the largest of a few circles inside which they are analytic.

    Coefficient n carries an error of about 1e-16/Rⁿ times the size of the logits. Raises ``ValueError`` if the logits
    are not analytic even inside 1/16 of the bound radius.
    """
    from workbench.steps.network import ComplexNetwork, look

    network = ComplexNetwork(ray.model, ray.inputs, ray.direction)
    bound = float(bound_radius(ray.slopes).min())
    for radius in bound * 2.0 ** np.arange(2, -5, -1):
        values = network.circle(radius)
        found = look(values)
        # huge values on the circle (erf off the real axis) would drown the low coefficients in rounding
        if found.smooth.all() and np.abs(values).max() < LARGE * max(1.0, np.abs(ray.logits).max()):
            scale = radius ** -np.arange(order + 1.0)
            return found.coefficients[: order + 1].real * scale[:, None, None]
    raise ValueError("the logits are not analytic inside 1/16 of the bound radius; no series could be found")
