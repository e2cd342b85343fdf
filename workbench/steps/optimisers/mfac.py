"""M-FAC: multiply by the inverse of a sliding-window empirical Fisher matrix without forming it.

The Fisher of the last m gradients is F = λI + (1/m) G Gᵀ, G of shape (d, m). By Woodbury's identity
F⁻¹x = (x − G S⁻¹ Gᵀx)/λ with the small S = mλI + GᵀG, so a product costs O(dm + m²) once S⁻¹ is known. Replacing one
gradient changes one row and column of S. For a small window S⁻¹ is then computed anew; for a larger one it is a
rank-two update in O(dm + m²), renewed from scratch every m replacements (m³/m = m² each) so that rounding cannot pile
up. For a gradient of the window, x = G e_j, the product is F⁻¹x = mG S⁻¹e_j, without the difference of large numbers.

A window of float32 is worked on in float32, where reading it is all that costs; S and S⁻¹ are float64 always. What that
loses is measured with every product, and if it is more than one part in 10⁴ the product is made again in float64.

Reference: E. Frantar, E. Kurtic & D. Alistarh, "M-FAC: Efficient Matrix-Free Approximations of Second-Order
Information", arXiv 2107.03356; the paper's dynamic algorithm keeps other coefficients of the same matrix.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from workbench import checks
from workbench.steps.optimisers.adahessian import as_real

COLUMNS = 1 << 16
BLOCK = 1 << 20
"""Numbers of the window that are worked on at a time: they stay in the cache for all that is done with them."""
SAMPLED = 64
"""Columns of each block whose rounding is looked at in float64."""
TOLERANCE = 1e-4
"""Relative error of F⁻¹x beyond which single precision is left."""
DIRECT = 64
"""Windows up to here get a new S⁻¹ at every push, half a millisecond: an update loses up to ten digits."""
LARGEST_SQUARE = 1e6
"""Squared length of a gradient, in units of mλ, up to which S has the digits that single precision needs."""
WORST_CONDITION = 1e10  # beyond, a rank-two update loses more digits than it saves time


class InverseFisher:
    """The inverse of λI + (1/m) Σ g gᵀ over the last m vectors pushed (missing ones count as zero).

    ``size`` d, ``window`` m, ``damping`` λ > 0. Memory: d·m numbers of the dtype given on the device given, and two
    m × m float64 beside them.

    >>> fisher = InverseFisher(2, window=1, damping=1.0)
    >>> fisher.push(torch.tensor([3.0, 0.0]))
    >>> [round(value, 6) for value in fisher.solve(torch.tensor([10.0, 10.0])).tolist()]
    [1.0, 10.0]
    """

    def __init__(
        self,
        size: int,
        window: int,
        damping: float,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.size = checks.integer("size", size, minimum=1)
        self.window = checks.integer("window", window, minimum=1)
        self.damping = checks.real("damping", damping, exclusive_minimum=0)
        checks.memory(size * window * torch.finfo(dtype).bits / 8, f"a window of {window} gradients of length {size}")
        self.rows = torch.zeros(window, size, dtype=dtype, device=device)  # Gᵀ: one gradient a row, contiguous
        self.gram = torch.zeros(window, window, dtype=torch.float64, device=device)
        self.inverse = torch.eye(window, dtype=torch.float64, device=device) / (window * damping)
        self.pushed = 0
        self._single_from = 0  # number of pushes from which on single precision is tried (again)

    def state(self) -> dict[str, Any]:
        """Return what :meth:`resume` needs."""
        parts = {"rows": self.rows, "gram": self.gram, "inverse": self.inverse, "pushed": self.pushed}
        return parts | {"single_from": self._single_from}

    @classmethod
    def resume(cls, state: dict[str, Any], damping: float) -> "InverseFisher":
        """Continue from :meth:`state`; torch's state dicts round to the weights' dtype, then S is computed anew."""
        fisher = cls.__new__(cls)
        fisher.rows, fisher.pushed, fisher.damping = state["rows"], int(state["pushed"]), damping
        fisher.window, fisher.size = fisher.rows.shape
        fisher._single_from = int(state.get("single_from", 0))
        fisher.gram, fisher.inverse = state["gram"].to(fisher.rows.device), state["inverse"].to(fisher.rows.device)
        if fisher.gram.dtype != torch.float64:
            if fisher.rows.dtype.itemsize < 4:
                fisher.rows = fisher.rows.float()
            fisher._compute_gram()
        return fisher

    @property
    def single(self) -> bool:
        """Whether the next product is tried in single precision."""
        return self.rows.dtype == torch.float32 and self.pushed >= self._single_from

    def grow(self, size: int) -> None:
        """Take vectors of ``size`` from now on; those of the window get zeros at their end, which change no product."""
        if size < self.size:
            raise ValueError(f"the window holds gradients of length {self.size} and cannot shrink to {size}")
        bits = torch.finfo(self.rows.dtype).bits
        checks.memory(size * self.window * bits / 8, f"a window of {self.window} gradients of length {size}")
        self.rows = torch.nn.functional.pad(self.rows, (0, size - self.size))
        self.size = size

    def push(self, gradient: Tensor) -> None:
        """Replace the oldest gradient of the window by ``gradient`` (d,): O(dm + m²).

        Raises ``ValueError`` for NaN, infinity or numbers whose squares overflow: the window would never be rid of
        them, and stays as it was.
        """
        if gradient.shape != (self.size,):
            raise ValueError(f"gradient must have shape ({self.size},), got {tuple(gradient.shape)}")
        slot = self.pushed % self.window
        replaced = self.rows[slot].clone()
        self.rows[slot] = gradient
        products = self._inner_products(gradient, single=self.single)
        # squares of 1e20 fit float64 only, and long before S is too ill-conditioned to tell what was lost
        too_large = self.single and not float(products[slot]) <= LARGEST_SQUARE * self.window * self.damping
        if too_large:
            products = self._inner_products(gradient, single=False)
        if not bool(torch.isfinite(products).all()):
            self.rows[slot] = replaced
            raise ValueError(
                "the gradient holds NaN, infinity or numbers too large to square, or products with the window's "
                "gradients overflow; nothing was changed. Leave this step out (steps.SafeStep does so by itself) or "
                "clip the gradient"
            )
        change = products - self.gram[slot]
        self.gram[slot], self.gram[:, slot] = products, products
        self.pushed += 1
        if too_large:
            self._leave_single()
        elif self.window <= DIRECT or self.pushed % self.window == 0:
            self._renew()
        else:
            self._update(slot, change)

    def solve(self, vector: Tensor) -> Tensor:
        """Return F⁻¹·vector: O(dm + m²)."""
        for single in (True, False) if self.single and vector.dtype == torch.float32 else (False,):
            inner = self.inverse @ self._inner_products(vector, single=single)
            found, error = self._combined(-inner / self.damping, single, vector)
            if not single or error <= TOLERANCE:
                break
            self._leave_single()
        return found.to(vector.dtype)

    def push_and_solve(self, gradient: Tensor) -> Tensor:
        """Return F⁻¹·gradient after :meth:`push` of it, by two passes over the window instead of three."""
        self.push(gradient)
        slot = (self.pushed - 1) % self.window
        for single in (True, False) if self.single else (False,):
            found, error = self._combined(self.window * self.inverse[:, slot], single, slot=slot)
            if not single or error <= TOLERANCE:
                break
            self._leave_single()
        return found.to(gradient.dtype)

    def _combined(
        self, weights: Tensor, single: bool, vector: Tensor | None = None, *, slot: int = -1
    ) -> tuple[Tensor, float]:
        """Return x = vector/λ + G·weights and, of single precision, an estimate of its relative error.

        The estimate is infinite for x = 0, which may be all that cancellation has left.

        x should solve Fx = vector, or Fx = G e_slot without one. Then Fx − that is Gρ with ρ = λ·weights + Gᵀx/m (less
        e_slot), so that x is wrong by F⁻¹Gρ = mG S⁻¹ρ, and by the rounding of its own sum, which is looked at in some
        columns.
        """
        pieces: list[Tensor] = []
        products, rounding, looked = torch.zeros_like(weights), torch.zeros_like(weights[0]), 0
        narrow = weights.float()
        for columns, rows in self._blocks(single):
            part = rows.T @ (narrow if single else weights)
            if vector is not None:
                part += vector[columns].to(part) / self.damping
            pieces.append(part)
            if single:
                products += rows @ part
                some = rows[:, :SAMPLED].double().T @ weights
                if vector is not None:
                    some += vector[columns][:SAMPLED].double() / self.damping
                rounding += (part[:SAMPLED] - some).square().sum()
                looked += len(some)
        found = torch.cat(pieces)
        if not single:
            return found, 0.0
        length = float(torch.linalg.vector_norm(found))
        if not 0 < length < math.inf or not bool(torch.isfinite(products).all()):
            return found, math.inf
        residual = self.damping * weights + products / self.window
        if slot >= 0:
            residual[slot] -= 1.0
        moved = self.inverse @ residual
        # |G·moved|² by the entries of GᵀG, which were rounded to 2⁻²⁴ of |g||g'| each
        unsure = 2.0**-23 * float(moved.abs() @ self.gram.diagonal().sqrt()) ** 2
        wrong = self.window * math.sqrt(max(float(moved @ self.gram @ moved), 0.0) + unsure)
        return found, (wrong + math.sqrt(float(rounding) * self.size / looked)) / length

    def _leave_single(self) -> None:
        """Compute S anew in float64, and stay there until every gradient of the window has been replaced."""
        self._single_from = self.pushed + self.window
        self._compute_gram()

    def _compute_gram(self) -> None:
        self.gram = sum(rows @ rows.T for _, rows in self._blocks(single=False))
        self._renew()

    def _blocks(self, single: bool) -> Iterator[tuple[slice, Tensor]]:
        """Yield some columns of the window at a time, in float64 unless ``single``: no second copy of it is held.

        F⁻¹g is a difference of terms larger by |g|²/λ, which single precision does not survive when gradients grow.
        """
        width = max(BLOCK // self.window, SAMPLED) if single else COLUMNS
        for start in range(0, self.size, width):
            columns = slice(start, min(start + width, self.size))
            rows = self.rows[:, columns]
            yield columns, rows if single else rows.double()

    def _inner_products(self, vector: Tensor, *, single: bool) -> Tensor:
        total = torch.zeros_like(self.gram[0])
        for columns, rows in self._blocks(single):
            total += rows @ vector[columns].to(rows)
        return total

    def _renew(self) -> None:
        """Compute S⁻¹ from S by eigenvalues: rounding cannot make GᵀG worse than semidefinite there."""
        values, vectors = torch.linalg.eigh(self.gram)
        self.inverse = (vectors / (values.clamp(min=0.0) + self.window * self.damping)) @ vectors.T

    def _update(self, slot: int, change: Tensor) -> None:
        """Add e·cᵀ + c·eᵀ − c_slot·e·eᵀ to S, e the unit vector of the slot: S gains U W Uᵀ with U = [e, c]."""
        unit = torch.zeros_like(change)
        unit[slot] = 1.0
        basis = torch.stack([unit, change], dim=1)
        # W = [[−c_slot, 1], [1, 0]], whose inverse is [[0, 1], [1, c_slot]]
        weights = change.new_tensor([[0.0, 1.0], [1.0, float(change[slot])]])
        moved = self.inverse @ basis
        small = weights + basis.T @ moved
        if bool(torch.isfinite(small).all()) and float(torch.linalg.cond(small)) < WORST_CONDITION:
            self.inverse = self.inverse - moved @ torch.linalg.solve(small, moved.T)
        else:
            self._renew()


class MFAC(torch.optim.Optimizer):
    """Gradient descent preconditioned by the inverse empirical Fisher of the last ``window`` gradients.

    θ ← θ − lr·(momentum-averaged F⁻¹g), with L2 weight decay inside g as in the paper's SGD-style optimiser. All groups
    share one window (the Fisher couples them); ``lr``, ``momentum`` and ``weight_decay`` are per group. Parameters
    without gradient count as zero, and so does the past of a group that is added later. Sparse gradients become dense,
    complex parameters are pairs of real ones. Each step costs O(dm + m²) beyond the gradient; memory d·m, on the
    parameters' device, in float32 or float64.

    Raises ``ValueError`` for numbers out of range, a window that does not fit in memory, parameters on several devices,
    and a gradient that is not finite: every weight depends on every gradient of the window, so one NaN would be the
    end of all of them. Then nothing has changed.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        *,
        window: int = 32,
        damping: float = 1e-4,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": checks.real("lr", lr, exclusive_minimum=0),
            "momentum": checks.real("momentum", momentum, minimum=0, maximum=1 - 1e-12),
            "weight_decay": checks.real("weight_decay", weight_decay, minimum=0),
        }
        self.window = checks.integer("window", window, minimum=1)
        self.damping = checks.real("damping", damping, exclusive_minimum=0)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """Take one step; a closure does zero_grad, forward and backward and returns the loss, as in torch."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        parameters = [(p, group) for group in self.param_groups for p in group["params"]]
        gradient = torch.cat([self._gradient(p, group).reshape(-1) for p, group in parameters])
        if gradient.dtype.itemsize < 4:
            gradient = gradient.float()
        fisher = self._fisher(gradient)
        direction = fisher.push_and_solve(gradient)
        self.state[self.param_groups[0]["params"][0]]["fisher"] = fisher.state()
        start = 0
        for p, group in parameters:
            real = as_real(p)
            part = direction[start : start + real.numel()].view_as(real).to(real.dtype)
            start += real.numel()
            if p.grad is None:
                continue
            state = self.state[p]
            state["momentum"] = group["momentum"] * state.get("momentum", torch.zeros_like(real)) + part
            real.add_(state["momentum"], alpha=-group["lr"])
        return loss

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, whose gradients count as zero up to now; all must be on the device of the others."""
        super().add_param_group(param_group)
        devices = sorted({str(p.device) for group in self.param_groups for p in group["params"]})
        if len(devices) > 1:
            self.param_groups.pop()
            raise ValueError(f"M-FAC needs all parameters on one device, got {', '.join(devices)}")

    @staticmethod
    def _gradient(p: Tensor, group: dict[str, Any]) -> Tensor:
        if p.grad is None:
            return torch.zeros_like(as_real(p))
        gradient = p.grad.to_dense() if p.grad.layout != torch.strided else p.grad
        return as_real(gradient) + group["weight_decay"] * as_real(p)

    def _fisher(self, gradient: Tensor) -> InverseFisher:
        """Return the window, which lives in the state of the first parameter so that state_dict carries it."""
        state = self.state[self.param_groups[0]["params"][0]]
        if "fisher" not in state:
            return InverseFisher(
                gradient.numel(), self.window, self.damping, dtype=gradient.dtype, device=gradient.device
            )
        fisher = InverseFisher.resume(state["fisher"], self.damping)
        if gradient.numel() != fisher.size:
            fisher.grow(gradient.numel())
        return fisher
