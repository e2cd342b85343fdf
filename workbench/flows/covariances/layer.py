r"""Batch normalisation of covariance matrices in five geometries: as in the paper, as released, and without folds.

In Bures–Wasserstein geometry the layer takes each matrix to the tangent space at the batch mean G, carries the tangent
vectors to I, V_i = Γ_{G→I}(Log_G X_i), multiplies them by k = s/√(v² + ε), carries them to a learnt B and takes the
exponential there. Two things break its promise of mean B and variance s². The exponential is (I + k V/2)² at I, and
where I + k V/2 has a negative eigenvalue the square folds it back. And the released code takes the variance about I.
"""

from typing import Any

import numpy as np
import torch

from workbench import checks
from workbench.flows.covariances.stable import exact_mean, exponential, log_at, logarithm, power, stretch
from workbench.transport.gaussians import bures_geodesic, covariances
from workbench.transport.spd_metrics import SPD_METRICS, covariance_geodesic, covariance_mean

Tensor = torch.Tensor
VARIANTS = ("exact", "paper", "released")
METRICS = tuple(name for name in SPD_METRICS if name != "euclidean")
SHORT_OF_FOLDING = 0.999
NOTHING = 1e-30
"""Eigenvalues below it count as it: the derivative of a root is infinite at 0."""


class SPDBatchNorm(torch.nn.Module):
    """Batch normalisation of symmetric positive definite matrices (N, n, n).

    ``metric`` is one of "bures", "generalised-bures" (with a learnt base M), "affine", "log-euclidean",
    "log-cholesky"; ``power`` deforms the Bures metrics (X^p before, ^{1/p} after). ``variant`` concerns them too:

    - "exact": mean of the batch and its exact gradient, variance about that mean, and the factor k capped at
      0.999/(−μ), μ the least eigenvalue of all V_i/2, so that nothing folds; in evaluation each matrix is capped for
      itself, so its image does not depend on its neighbours. Running statistics begin with the first batch.
    - "paper": the same without the cap; running mean from I, running variance from 1.
    - "released": as the published code does it: one fixed-point step from the arithmetic mean, no gradient through mean
      and variance, the variance about I instead of the mean, divided differences of equal eigenvalues set to 0.

    For the affine metric the gradient does not pass through the mean. B and M are exponentials of free symmetric
    parameters, so that any torch optimiser can move them (the released code uses an optimiser of its own). Computed in
    float64, returned in the input's type; float32 input of condition above 1e6 has lost its small eigenvalues before it
    comes here. ``tolerance`` is the certified gap of the batch mean divided by V. After each call ``folded`` and
    ``capped`` are the shares of matrices that folded or were held back.

    Raises ``ValueError`` for a matrix of another size, an asymmetric one, or a negative eigenvalue (never turned
    round). Cost: N eigendecompositions of n × n, about five, and the mean.

    Reference: arXiv 2504.00660 (generalised Bures–Wasserstein batch normalisation); Brooks, Schwander, Barbaresco,
    Schneider, Cord, arXiv 1909.02414 (affine).

    >>> x = torch.tensor([[[0.01]], [[9.0]]], dtype=torch.float64)
    >>> layer, paper = SPDBatchNorm(1), SPDBatchNorm(1, variant="paper")
    >>> [round(v, 4) for v in layer(x).ravel().tolist()], float(layer.capped)  # k = 0.999/1.45: no root below 0.001
    ([0.0, 3.996], 1.0)
    >>> _ = paper(x)
    >>> float(paper.folded)
    0.0
    """

    running_mean: Tensor
    running_variance: Tensor
    batches: Tensor

    def __init__(
        self,
        n: int,
        metric: str = "bures",
        power: float = 1.0,
        *,
        variant: str = "exact",
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        tolerance: float = 1e-9,
    ) -> None:
        super().__init__()
        self.n = checks.integer("n", n, minimum=1, maximum=512)
        self.metric = checks.choice("metric", metric, METRICS)
        self.variant = checks.choice("variant", variant, VARIANTS)
        self.power = checks.real("power", power, exclusive_minimum=0)
        self.momentum = checks.real("momentum", momentum, minimum=0, maximum=1)
        self.epsilon = checks.real("epsilon", epsilon, exclusive_minimum=0)
        self.tolerance = checks.real("tolerance", tolerance, minimum=0)
        self.is_bures = self.metric in ("bures", "generalised-bures")
        if not self.is_bures and (self.power != 1 or self.variant != "exact"):
            raise ValueError(f"power and variant concern the Bures metrics only; {metric!r} takes neither")
        zeros = torch.zeros(n, n, dtype=torch.float64)
        self.bias = torch.nn.Parameter(zeros.clone())
        self.base = torch.nn.Parameter(zeros.clone()) if self.metric == "generalised-bures" else None
        self.scale = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
        self.register_buffer("running_mean", torch.eye(n, dtype=torch.float64))
        self.register_buffer("running_variance", torch.ones((), dtype=torch.float64))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))
        self.folded = self.capped = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised matrices (N, n, n)."""
        self._check(x)
        given = x.dtype
        x = (x.double() + x.double().mT) / 2
        found = self._bures(x) if self.is_bures else self._logarithmic(x)
        return found.to(given)

    def extra_repr(self) -> str:
        """Say what the layer is."""
        return f"{self.n}, metric={self.metric!r}, power={self.power:g}, variant={self.variant!r}"

    def _check(self, x: Tensor) -> None:
        if not isinstance(x, torch.Tensor) or not x.dtype.is_floating_point:
            raise TypeError(f"x must be a tensor of real matrices, got {getattr(x, 'dtype', type(x).__name__)}")
        if x.ndim != 3 or x.shape[1:] != (self.n, self.n) or not len(x):
            raise ValueError(f"x must be (N, {self.n}, {self.n}) with N ≥ 1, got {tuple(x.shape)}")
        if x.device.type != "cpu":
            raise ValueError(f"this layer computes on the CPU, got {x.device}; move the matrices with .cpu()")
        found = x.detach().double()
        size = found.abs().amax(dim=(1, 2))
        loose = 1e-8 if x.dtype == torch.float64 else 1e-5
        if not bool(((found - found.mT).abs().amax(dim=(1, 2)) <= loose * size).all()):
            raise ValueError("x holds a matrix that is not symmetric, or NaN; symmetrise it with (x + x.mT)/2")
        covariances("x", ((found + found.mT) / 2).numpy())

    # ---- Bures–Wasserstein ------------------------------------------------------------------------------------------

    def _bures(self, x: Tensor) -> Tensor:
        released = self.variant == "released"
        least = NOTHING if self.power < 1 else None
        x = power(x, self.power, least=least, released=released)
        if self.base is not None:
            shrink = exponential(-self.base / 2)
            x = shrink @ x @ shrink
        if self.training:
            mean = self._batch_mean(x)
            tangent = self._tangent(mean, x)
            about = self._tangent(torch.eye(self.n, dtype=x.dtype), x) if released else tangent
            variance = about.square().sum(dim=(1, 2)).mean() / 4
            if released:
                variance = variance.detach()
            self._keep(mean, variance)
        else:
            mean, variance = self.running_mean, self.running_variance
            tangent = self._tangent(mean, x)
        factor = self._factor(tangent, self.scale / (variance + self.epsilon).sqrt())
        scaled = factor * tangent
        bias = exponential(self.bias)
        step = torch.eye(self.n, dtype=x.dtype) + stretch(scaled, bias) / 2
        found = step @ bias @ step
        if self.base is not None:
            grow = exponential(self.base / 2)
            found = grow @ found @ grow
        found = (found + found.mT) / 2
        return power(found, 1 / self.power, least=NOTHING if self.power > 1 else None, released=released)

    def _batch_mean(self, x: Tensor) -> Tensor:
        if self.variant != "released":
            return exact_mean(x, self.tolerance)
        with torch.no_grad():
            start = x.mean(0)
            root, inverse = power(start, 0.5), power(start, -0.5)
            middle = power(root @ x @ root, 0.5, least=0.0).mean(0)
            return inverse @ middle @ middle @ inverse

    def _tangent(self, mean: Tensor, x: Tensor) -> Tensor:
        """Return V = Γ_{G→I}(Log_G X), with Log_G X = (GX)^½ + (XG)^½ − 2G and (GX)^½ = G^½ (G^½ X G^½)^½ G^{-½}."""
        if self.variant != "released":
            return stretch(log_at(mean, x), mean)
        root, inverse = power(mean, 0.5, released=True), power(mean, -0.5, released=True)
        inner = root @ x @ root
        middle = power((inner + inner.mT) / 2, 0.5, least=NOTHING, released=True)
        half = root @ middle @ inverse
        return stretch(half + half.mT - 2 * mean, mean)

    def _factor(self, tangent: Tensor, factor: Tensor) -> Tensor:
        """Return the factor k of each matrix, capped where the variant asks for it, and note how many fold."""
        lowest = torch.linalg.eigvalsh(tangent.detach())[:, 0] / 2
        if self.variant != "exact":
            self.folded, self.capped = float((1 + factor.detach() * lowest < 0).double().mean()), 0.0
            return factor
        if self.training:
            lowest = lowest.min().expand(len(tangent))
        limit = torch.where(
            lowest < 0, SHORT_OF_FOLDING / (-lowest).clamp(min=1e-300), torch.full_like(lowest, torch.inf)
        )
        held = torch.minimum(factor.expand(len(tangent)), limit)
        self.folded, self.capped = 0.0, float((limit < factor.detach()).double().mean())
        return held[:, None, None]

    # ---- the logarithmic geometries ---------------------------------------------------------------------------------

    def _logarithmic(self, x: Tensor) -> Tensor:
        if self.metric == "affine":
            return self._affine(x)
        chart = logarithm(x) if self.metric == "log-euclidean" else self._cholesky(x)
        if self.training:
            mean = chart.mean(0)
            variance = (chart - mean).square().sum(dim=(1, 2)).mean()
            self._keep(mean, variance)
        else:
            mean, variance = self.running_mean, self.running_variance
        chart = self.scale / (variance + self.epsilon).sqrt() * (chart - mean)
        if self.metric == "log-euclidean":
            return exponential(chart + (self.bias + self.bias.mT) / 2)
        chart = chart + self.bias.tril()
        root = chart.tril(-1) + torch.diag_embed(torch.diagonal(chart, dim1=-2, dim2=-1).exp())
        return root @ root.mT

    @staticmethod
    def _cholesky(x: Tensor) -> Tensor:
        root = torch.linalg.cholesky(x)
        return root.tril(-1) + torch.diag_embed(torch.diagonal(root, dim1=-2, dim2=-1).log())

    def _affine(self, x: Tensor) -> Tensor:
        if self.training:
            mean = torch.from_numpy(covariance_mean(x.detach().numpy(), metric="affine"))
        else:
            mean = self.running_mean
        inverse = power(mean, -0.5)
        tangent = logarithm(inverse @ x @ inverse)
        if self.training:
            variance = tangent.square().sum(dim=(1, 2)).mean()
            self._keep(mean, variance)
        else:
            variance = self.running_variance
        root = exponential(self.bias / 2)
        return root @ exponential(self.scale / (variance + self.epsilon).sqrt() * tangent) @ root

    # ---- running statistics -----------------------------------------------------------------------------------------

    @torch.no_grad()
    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running pair: along the geodesic for the mean, linearly for the variance."""
        first = not int(self.batches)
        self.batches += 1
        if first and self.variant == "exact":
            self.running_mean.copy_(mean.detach())
            self.running_variance.copy_(variance.detach())
            return
        if self.is_bures:
            moved = torch.from_numpy(bures_geodesic(self.running_mean.numpy(), mean.detach().numpy(), self.momentum))
        elif self.metric == "affine":
            pair = self.running_mean.numpy(), mean.detach().numpy()
            moved = torch.from_numpy(np.ascontiguousarray(covariance_geodesic(*pair, self.momentum, "affine")))
        else:  # the chart is flat
            moved = torch.lerp(self.running_mean, mean.detach(), self.momentum)
        self.running_mean.copy_(moved)
        self.running_variance.lerp_(variance.detach(), self.momentum)


def released_mean(x: Any) -> Tensor:
    """Return what the released layer takes for the mean of (N, n, n): one step from the arithmetic mean."""
    return SPDBatchNorm(x.shape[-1], variant="released")._batch_mean(torch.as_tensor(x, dtype=torch.float64))
