r"""Functions of symmetric matrices in torch, with derivatives that stay finite where eigenvalues meet.

The derivative of f(A) = U f(Λ) Uᵀ in the direction H is U [Φ ∘ (Uᵀ H U)] Uᵀ, Φ_ij the divided difference
(f(a) − f(b))/(a − b). Autograd through ``eigh`` forms 1/(a − b) and gives NaN where a = b; here Φ is written in closed
form, without a quotient of rounded differences: 1/(√a + √b) for the root, log1p(r)/(b r) with r = (a − b)/b for the
logarithm, and so on. The released code of arXiv 2504.00660 sets Φ = 0 for equal eigenvalues instead of f'(a);
``released=True`` does so too.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from workbench.transport.bures_mean import bures_mean
from workbench.transport.gaussians import factors

Tensor = torch.Tensor


def _ratio(numerator: Tensor, denominator: Tensor, limit: Tensor) -> Tensor:
    """Return the quotient, and the limit where the denominator vanishes."""
    at_zero = denominator == 0
    return torch.where(at_zero, limit, numerator / torch.where(at_zero, torch.ones_like(denominator), denominator))


def divided_log(a: Tensor, b: Tensor) -> Tensor:
    """Return (ln a − ln b)/(a − b), 1/b where a = b."""
    r = (a - b) / b
    return _ratio(torch.log1p(r), b * r, 1 / b)


def divided_exp(a: Tensor, b: Tensor) -> Tensor:
    """Return (e^a − e^b)/(a − b), e^b where a = b."""
    return torch.exp(b) * _ratio(torch.expm1(a - b), a - b, torch.ones_like(a))


def divided_power(a: Tensor, b: Tensor, p: float) -> Tensor:
    """Return (a^p − b^p)/(a − b), p b^{p−1} where a = b."""
    if p == 0.5:
        return 1 / (a.sqrt() + b.sqrt())
    if p == -0.5:
        return -1 / (a.sqrt() * b.sqrt() * (a.sqrt() + b.sqrt()))
    if p == 2:
        return a + b
    log = torch.log(a / b)
    return b ** (p - 1) * _ratio(torch.expm1(p * log), torch.expm1(log), torch.full_like(a, p))


class _Spectral(torch.autograd.Function):
    """U f(Λ) Uᵀ with the divided differences handed in as a function."""

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, function: Callable, divided: Callable, least: float | None, released: bool
    ) -> Tensor:
        values, vectors = torch.linalg.eigh((a + a.mT) / 2)
        if least is not None:
            values = values.clamp(min=least)
        ctx.save_for_backward(values, vectors)
        ctx.divided, ctx.released = divided, released
        return (vectors * function(values).unsqueeze(-2)) @ vectors.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Any, ...]:
        values, u = ctx.saved_tensors
        a, b = values.unsqueeze(-1), values.unsqueeze(-2)
        table = ctx.divided(*torch.broadcast_tensors(a, b))
        if ctx.released:
            diagonal = torch.eye(values.shape[-1], dtype=torch.bool)
            table = torch.where((a == b) & ~diagonal, torch.zeros_like(table), table)
        found = u @ (table * (u.mT @ ((above + above.mT) / 2) @ u)) @ u.mT
        return found, None, None, None, None


def logarithm(a: Tensor, *, least: float | None = None) -> Tensor:
    """Return log A of symmetric (…, n, n); eigenvalues below ``least`` count as ``least``."""
    return _Spectral.apply(a, torch.log, divided_log, least, False)


def exponential(a: Tensor) -> Tensor:
    """Return exp A of symmetric (…, n, n).

    >>> bool(torch.allclose(exponential(torch.zeros(2, 2)), torch.eye(2)))
    True
    """
    return _Spectral.apply(a, torch.exp, divided_exp, None, False)


def power(a: Tensor, p: float, *, least: float | None = None, released: bool = False) -> Tensor:
    """Return A^p of positive (…, n, n), differentiable at equal eigenvalues.

    >>> a = torch.eye(2, dtype=torch.float64, requires_grad=True)
    >>> power(a, 0.5).sum().backward()
    >>> a.grad.tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    if p == 1:
        return a
    return _Spectral.apply(a, lambda v: v**p, lambda x, y: divided_power(x, y, p), least, released)


def rectified(a: Tensor, least: float) -> Tensor:
    """Return A with its eigenvalues raised to at least ``least`` (the layer ReEig).

    The divided difference of max(λ, ε) lies between 0 and 1 and is formed from the values before the clamp.
    """

    def divided(x: Tensor, y: Tensor) -> Tensor:
        return _ratio(x.clamp(min=least) - y.clamp(min=least), x - y, (x > least).to(x.dtype))

    return _Spectral.apply(a, lambda v: v.clamp(min=least), divided, None, False)


class _Stretch(torch.autograd.Function):
    """V ↦ U [√(2/(σ_i + σ_j)) ∘ (Uᵀ V U)] Uᵀ: parallel transport from G = U diag(σ) Uᵀ to I, differentiable in both.

    Half of it, at B, solves B L + L B = Γ_{I→B} V. Its derivative in G uses the divided differences of z ↦ √(2/z),
    −√2/(√p √q (√p + √q)) with p = σ_i + σ_j, q = σ_k + σ_j: they are finite where eigenvalues of G meet.
    """

    @staticmethod
    def forward(ctx: Any, v: Tensor, g: Tensor) -> Tensor:
        sigma, u = torch.linalg.eigh((g + g.mT) / 2)
        inside = u.mT @ v @ u
        sums = sigma[:, None] + sigma
        ctx.save_for_backward(inside, sums, u)
        return u @ ((2 / sums).sqrt() * inside) @ u.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Any, ...]:
        inside, sums, u = ctx.saved_tensors
        above = u.mT @ ((above + above.mT) / 2) @ u
        gradient_v = u @ ((2 / sums).sqrt() * above) @ u.mT if ctx.needs_input_grad[0] else None
        gradient_g = None
        if ctx.needs_input_grad[1]:
            roots = sums.sqrt()
            p, q = roots[:, None, :], roots[None, :, :]
            divided = -(2**0.5) / (p * q * (p + q))  # (i, k, j)
            half = torch.einsum("ikj,nij,nkj->ik", divided, above, inside)
            gradient_g = u @ (half + half.mT) @ u.mT
        return gradient_v, gradient_g


def stretch(v: Tensor, g: Tensor) -> Tensor:
    """Return V (N, n, n) carried in parallel from G (n, n) to I.

    >>> stretch(torch.ones(1, 1, 1), torch.full((1, 1), 4.0)).item()
    0.5
    """
    return _Stretch.apply(v, g)


def _root_and_polar(g: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return W = G^½, W⁻¹, the factors Z of X nearest to W, and U, S with W T W = U S Uᵀ for the maps T from G to X.

    From the SVD of W Y, X = Y Yᵀ: an eigendecomposition of W X W would lose what lies below 1e-16 of its largest, and
    at condition 1e12 that is half of the roots.
    """
    sigma, vectors = torch.linalg.eigh((g + g.mT) / 2)
    roots = sigma.clamp(min=0).sqrt().clamp(min=1e-150)
    w, inverse = (vectors * roots) @ vectors.mT, (vectors / roots) @ vectors.mT
    y = torch.from_numpy(factors(x.detach().numpy()))
    u, s, vt = torch.linalg.svd(w @ y)
    return w, inverse, y @ vt.mT @ u.mT, u, s.clamp(min=1e-150)


class _Log(torch.autograd.Function):
    """(G, X_i) ↦ Log_G X_i = T_i G + G T_i − 2G, by dT = W⁻¹ L_S[W (dX − T dG T) W] W⁻¹, W = G^½, S = W T W."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, x: Tensor) -> Tensor:
        w, inverse, z, u, s = _root_and_polar(g, x)
        ctx.save_for_backward(g, w, inverse, z @ inverse, u, s)
        half = (z - w) @ w
        return half + half.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Any, ...]:
        g, w, inverse, maps, u, s = ctx.saved_tensors
        maps = (maps + maps.mT) / 2
        above = above + above.mT  # of T G + G T, half of which is the other half's transpose
        turned = inverse @ ((above @ g + g @ above) / 2) @ inverse
        solved = u @ ((u.mT @ turned @ u) / (s.unsqueeze(-1) + s.unsqueeze(-2))) @ u.mT
        gradient_x = w @ solved @ w
        product = maps @ above
        gradient_g = ((product + product.mT) / 2 - maps @ gradient_x @ maps - above).sum(0)
        return gradient_g, gradient_x


def log_at(g: Tensor, x: Tensor) -> Tensor:
    """Return Log_G X of ``x`` (N, n, n) at ``g`` (n, n), Bures–Wasserstein, differentiable in both.

    >>> log_at(torch.eye(1, dtype=torch.float64), torch.full((1, 1, 1), 9.0, dtype=torch.float64)).item()
    4.0
    """
    return _Log.apply(g, x)


class _Mean(torch.autograd.Function):
    """The exact Bures–Wasserstein mean; backward by implicit differentiation of Σ w_i T_{G→X_i} = I."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, tolerance: float) -> Tensor:
        found = bures_mean(x.detach().numpy(), tolerance=tolerance, max_iterations=1000)
        mean = torch.from_numpy(found.mean)
        ctx.save_for_backward(x, mean)
        return mean

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Any, ...]:
        x, mean = ctx.saved_tensors
        w, _, _, u, s = _root_and_polar(mean, x)
        sums = s.unsqueeze(-1) + s.unsqueeze(-2)
        weight = s.unsqueeze(-1) * s.unsqueeze(-2) / sums

        def hessian(h: Tensor) -> Tensor:
            return (u @ (weight * (u.mT @ h @ u)) @ u.mT).mean(0)

        solved = _conjugate_gradient(hessian, w @ ((above + above.mT) / 2) @ w)
        return w @ u @ ((u.mT @ solved @ u) / sums) @ u.mT @ w / len(x), None


def _conjugate_gradient(operator: Callable[[Tensor], Tensor], right: Tensor) -> Tensor:
    """Solve a symmetric positive system of matrices; n(n+1)/2 steps suffice but for rounding."""
    found, residual = torch.zeros_like(right), right.clone()
    direction, size = residual.clone(), float((residual**2).sum())
    goal = 1e-26 * size
    for _ in range(right.numel() + 20):
        if size <= goal:
            break
        image = operator(direction)
        length = size / float((direction * image).sum())
        found, residual = found + length * direction, residual - length * image
        last, size = size, float((residual**2).sum())
        direction = residual + size / last * direction
    return found


def exact_mean(x: Tensor, tolerance: float = 1e-15) -> Tensor:
    """Return the Bures–Wasserstein mean (n, n) of ``x`` (N, n, n), float64 on the CPU, with its exact gradient.

    ``tolerance`` as in :func:`~workbench.transport.bures_mean.bures_mean`: a gap of 1e-12 is an error of about 1e-6.

    >>> x = torch.tensor([[[1.0]], [[9.0]]], dtype=torch.float64, requires_grad=True)
    >>> exact_mean(x).sum().backward()  # ((√x + √y)/2)²: ∂/∂x = (√x + √y)/(4 √x)
    >>> x.grad.ravel().numpy().round(12).tolist()
    [1.0, 0.333333333333]
    """
    return _Mean.apply(x, tolerance)
