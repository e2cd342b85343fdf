"""Other laws for the same tail: what else fits as well as a power law does?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import erfc, log_ndtr
from scipy.stats import chi2

from workbench.metrics.spectra.scan import log_excess
from workbench.registry import Fact, Registry

TAILS = Registry(
    "tail law",
    facts={
        "gives_alpha": Fact(bool, says="whether it estimates the exponent α of a power law"),
        "power_law_inside": Fact(bool, says="whether a power law is one of its members, so that it never fits worse"),
    },
)
"""Laws for the tail: a function of the ascending tail values, the first of which is the threshold."""

COINCIDE = 0.5
"""Laws whose ln likelihoods differ by less fit alike."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)


@dataclass(frozen=True)
class TailLaw:
    """A fitted law: its exponent (NaN if it has none), parameters, log density at each value, survival function."""

    alpha: float
    parameters: dict[str, float]
    log_density: NDArray[np.float64]
    survival: Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _pareto(tail: NDArray[np.float64], alpha: float) -> TailLaw:
    excess = np.log(tail / tail[0])
    density = np.log(alpha - 1) - np.log(tail[0]) - alpha * excess
    return TailLaw(alpha, {"alpha": alpha}, density, lambda x: (x / tail[0]) ** (1 - alpha))


def _most_likely(
    loss: Callable[[NDArray[np.float64]], float],
    starts: Sequence[tuple[float, float]],
    bounds: Sequence[tuple[float, float]],
) -> tuple[float, float]:
    """Return the parameter and, of the second, e to its power, that lose least from any of the starts."""
    found = [optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(found, key=lambda r: r.fun).x
    return float(best[0]), float(np.exp(best[1]))


def _total(tail: NDArray[np.float64]) -> float:
    return float(log_excess(np.log(tail))[0])


@TAILS.add(
    "ks",
    label="power law, as the packages fit it",
    formula=r"\alpha = 1 + n/\sum\ln(\lambda/x_{\min})",
    reference="Clauset, Shalizi, Newman, SIAM Rev. 51 (2009)",
    gives_alpha=True,
    power_law_inside=True,
)
def ks(tail: NDArray[np.float64]) -> TailLaw:
    """Maximum likelihood that counts the threshold's own value: too large by (k + 1)/(k − 1) in α − 1."""
    return _pareto(tail, 1 + len(tail) / _total(tail))


@TAILS.add(
    "hill",
    label="power law, unbiased",
    formula=r"\alpha = 1 + (k-1)/\sum\ln(\lambda/x_{\min})",
    reference="Hill, Ann. Statist. 3 (1975)",
    gives_alpha=True,
    power_law_inside=True,
)
def hill(tail: NDArray[np.float64]) -> TailLaw:
    """Hill's estimator without its bias: k values above the threshold, S ~ Gamma(k)/(α − 1)."""
    return _pareto(tail, 1 + (len(tail) - 2) / _total(tail))


@TAILS.add(
    "moment",
    label="any extreme-value tail",
    formula=r"\xi = M_1 + 1 - \frac{1}{2}(1 - M_1^2/M_2)^{-1},\ \alpha = 1 + 1/\xi",
    reference="Dekkers, Einmahl, de Haan, Ann. Statist. 17 (1989)",
    gives_alpha=True,
    power_law_inside=True,
)
def moment(tail: NDArray[np.float64]) -> TailLaw:
    """The moment estimator: α infinite where the tail looks lighter than any power law (ξ ≤ 0).

    Its density is the generalised Pareto's with shape ξ, the scale matched to the mean excess of the logarithms.
    """
    excess = np.log(tail[1:] / tail[0])
    first, second = float(excess.mean()), float((excess**2).mean())
    shape = first + 1 - 0.5 / max(1 - first**2 / second, 1e-12)
    alpha = 1 + 1 / shape if shape > 0 else np.inf
    scale = tail[0] * first * max(1 - min(shape, 0.0), 1e-12)
    return TailLaw(
        alpha,
        {"shape": shape, "scale": scale},
        _generalised_pareto(tail - tail[0], shape, scale)[0],
        lambda x: np.exp(_generalised_pareto(x - tail[0], shape, scale)[1]),
    )


def _generalised_pareto(
    above: NDArray[np.float64], shape: float, scale: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log density and log survival; −∞ beyond the end of a tail with ξ < 0."""
    if abs(shape) < 1e-9:
        return -np.log(scale) - above / scale, -above / scale
    inside = 1 + shape * above / scale
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.where(inside > 0, -np.log(np.maximum(inside, 1e-300)) / shape, -np.inf)
    return survival * (1 + shape) - np.log(scale), survival


@TAILS.add(
    "lognormal",
    label="lognormal",
    formula=r"p \propto \lambda^{-1}\exp(-(\ln\lambda-\mu)^2/2\sigma^2)",
    reference="Clauset, Shalizi, Newman, SIAM Rev. 51 (2009)",
    gives_alpha=False,
    power_law_inside=False,
)
def lognormal(tail: NDArray[np.float64]) -> TailLaw:
    """The lognormal law above the threshold, by maximum likelihood (μ may lie far below it)."""
    logs = np.log(tail / tail[0])

    def density(mu: float, sigma: float) -> NDArray[np.float64]:
        z = (logs - mu) / sigma
        return -0.5 * z**2 - np.log(sigma * np.sqrt(2 * np.pi)) - log_ndtr(mu / sigma) - np.log(tail)

    def loss(p: NDArray[np.float64]) -> float:
        return -float(density(p[0], np.exp(p[1])).sum())

    spread = max(float(logs.std()), 1e-6)
    bounds = [(-60 * spread, float(logs.max()) + spread), (np.log(spread) - 4, np.log(spread) + 3)]
    starts = [(float(logs.mean()), np.log(spread)), (-4 * spread, np.log(2.5 * spread))]
    mu, sigma = _most_likely(loss, starts, bounds)
    floor = log_ndtr(mu / sigma)
    return TailLaw(
        np.nan,
        {"mu": mu + float(np.log(tail[0])), "sigma": sigma},
        density(mu, sigma),
        lambda x: np.exp(log_ndtr((mu - np.log(x / tail[0])) / sigma) - floor),
    )


@TAILS.add(
    "exponential",
    label="exponential",
    formula=r"p \propto e^{-\lambda/b}",
    reference="Clauset, Shalizi, Newman, SIAM Rev. 51 (2009)",
    gives_alpha=False,
    power_law_inside=False,
)
def exponential(tail: NDArray[np.float64]) -> TailLaw:
    """The exponential law above the threshold: a tail without weight far out."""
    scale = float((tail - tail[0]).mean())
    above = (tail - tail[0]) / scale
    return TailLaw(np.nan, {"scale": scale}, -above - np.log(scale), lambda x: np.exp(-(x - tail[0]) / scale))


@TAILS.add(
    "truncated",
    label="power law with a cut-off",
    formula=r"p \propto \lambda^{-\alpha} e^{-b\lambda/x_{\min}}",
    reference="Clauset, Shalizi, Newman, SIAM Rev. 51 (2009)",
    gives_alpha=True,
    power_law_inside=True,
)
def truncated(tail: NDArray[np.float64]) -> TailLaw:
    """A power law that is cut off exponentially, by maximum likelihood; b → 0 is the power law itself."""
    ratio = tail / tail[0]
    logs, plain = np.log(ratio), _total(tail)

    def loss(p: NDArray[np.float64]) -> float:
        return float(p[0] * logs.sum() + np.exp(p[1]) * ratio.sum() + len(tail) * _log_mass(p[0], np.exp(p[1])))

    start = 1 + len(tail) / plain
    bounds = [(-20.0, start + 5), (np.log(1e-8), np.log(50.0))]
    starts = [(start, np.log(1e-6)), (max(start - 1, 0.0), np.log(1 / ratio[-1]))]
    alpha, cut = _most_likely(loss, starts, bounds)
    mass = _log_mass(alpha, cut)
    density = -alpha * logs - cut * ratio - mass - np.log(tail[0])

    def survival(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp([_log_mass(alpha, cut, float(start)) - mass for start in np.log(x / tail[0])])

    return TailLaw(alpha, {"alpha": alpha, "cut": cut / tail[0]}, density, survival)


def _log_mass(alpha: float, cut: float, start: float = 0.0) -> float:
    """Return ln ∫ x^(−α) e^(−cut x) dx from e^start on, by quadrature in ln x where it is not negligible."""
    # Past the end the integrand is below e^-45 of its largest: cut·x falls there, or the power does.
    end = np.log((60 + 20 * abs(alpha)) / cut)
    if alpha > 1.05:
        end = min(end, start + 45 / (alpha - 1))
    end = max(end, start + 1e-3)
    t = start + (end - start) * (NODES + 1) / 2
    exponent = (1 - alpha) * t - cut * np.exp(t)
    top = float(exponent.max())
    return top + float(np.log((np.exp(exponent - top) * WEIGHTS).sum() * (end - start) / 2))


def likelihood_ratio(tail: NDArray[np.float64], name: str) -> tuple[float, float]:
    """Return how much likelier the power law makes the tail than the law ``name`` (ln ratio), and the p-value.

    Vuong's test for laws that are not nested; where the power law is a member, the likelihood ratio test.

    >>> x = np.exp(np.random.default_rng(0).exponential(1.0, 400))
    >>> ratio, p = likelihood_ratio(np.sort(x), "exponential")
    >>> ratio > 0, p < 0.05
    (True, True)
    """
    entry = TAILS[name]
    power = ks(tail).log_density
    off = power - entry(tail).log_density
    total = float(off.sum())
    if entry.fact("power_law_inside"):
        return min(total, 0.0), float(chi2.sf(2 * max(-total, 0.0), 1))
    if abs(total) < COINCIDE:  # a lognormal law that has become a power law: the test divides nothing by nothing
        return total, 1.0
    spread = float(off.std()) * np.sqrt(len(off))
    return total, float(erfc(abs(total) / (np.sqrt(2) * spread))) if spread > 0 else 1.0
