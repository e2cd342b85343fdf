"""Games given by plain Python functions of torch tensors or NumPy arrays: anything goes, so nothing is proved.

The bounds are sampled, hence a certificate from them is ESTIMATED at best. Vertex sampling is not a proof: the field
(0.9 y_1 - tanh y_2, 0.9 y_2 - tanh y_1) on [-1, 1]² looks like margin +0.48 from its corners and has -0.1 inside.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.games.models.bounds import Bounds
from workbench.games.models.quadratic import block_bounds
from workbench.games.models.region import Box

Costs = Callable[[list[Any]], Sequence[Any]]


class DifferentiableGame:
    """N players with costs in torch, or a field in NumPy.

    Parameters
    ----------
    sizes : coordinates of each player
    costs : function from the list of player blocks (float64 torch tensors, block i of ``sizes[i]`` entries) to N
        scalar tensors; differentiated twice by torch
    field : function from one NumPy point (d,) to F (d,); its Jacobian is ``jacobian``, else central differences

    Give exactly one of ``costs`` and ``field``.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        costs: Costs | None = None,
        field: Callable[[NDArray], ArrayLike] | None = None,
        jacobian: Callable[[NDArray], ArrayLike] | None = None,
        name: str = "game",
    ) -> None:
        self.sizes = tuple(checks.integer("a player's number of coordinates", s, minimum=1) for s in sizes)
        if (costs is None) == (field is None):
            raise ValueError("give either costs (torch) or field (NumPy), not both")
        self.name, self._costs, self._numpy_field, self._numpy_jacobian = name, costs, field, jacobian

    @property
    def players(self) -> int:
        """Number of players."""
        return len(self.sizes)

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return sum(self.sizes)

    def field(self, x: ArrayLike) -> NDArray:
        """Return F(x), (..., d)."""
        one = self._torch_field if self._costs else self._checked_field
        return self._each(x, one, (self.dimension,))

    def jacobian(self, x: ArrayLike) -> NDArray:
        """Return J(x), (..., d, d)."""
        one = self._torch_jacobian if self._costs else self._field_jacobian
        return self._each(x, one, (self.dimension, self.dimension))

    def sampled_bounds(self, region: Box, samples: int = 256, seed: int | np.random.Generator = 0) -> Bounds:
        """Return bounds over the centre, the corners (up to 10 coordinates) and uniform points; not proved."""
        corners = [region.vertices()] if region.dimension <= 10 else []
        points = np.concatenate([region.centre[None], *corners, region.sample(samples, seed)])
        return block_bounds(self.jacobian(points), self.sizes, proved=False)

    def _each(self, x: ArrayLike, function: Callable[[NDArray], NDArray], shape: tuple[int, ...]) -> NDArray:
        points = np.asarray(x, dtype=np.float64)
        if points.ndim == 0 or points.shape[-1] != self.dimension:
            raise ValueError(f"a point of this game has {self.dimension} coordinates, got shape {points.shape}")
        flat = points.reshape(-1, self.dimension)
        return np.stack([function(p) for p in flat]).reshape(*points.shape[:-1], *shape)

    def _checked_field(self, x: NDArray) -> NDArray:
        value = np.asarray(self._numpy_field(x), dtype=np.float64)  # type: ignore[misc]
        if value.shape != (self.dimension,) or not np.all(np.isfinite(value)):
            raise ValueError(f"field returned shape {value.shape} or a value that is not finite, at {x}")
        return value

    def _field_jacobian(self, x: NDArray) -> NDArray:
        if self._numpy_jacobian is not None:
            return checks.finite_array("the jacobian", self._numpy_jacobian(x), ndim=2)
        h = 6e-6 * np.maximum(np.abs(x), 1.0)
        steps = np.diag(h)
        columns = [(self._checked_field(x + s) - self._checked_field(x - s)) for s in steps]
        return np.stack(columns, axis=1) / (2 * h)

    def _torch_gradient(self, x: Any, create_graph: bool) -> Any:
        import torch

        blocks = list(torch.split(x, self.sizes))
        costs = self._costs(blocks)  # type: ignore[misc]
        if len(costs) != self.players:
            raise ValueError(f"costs returned {len(costs)} values for {self.players} players")
        parts = [
            torch.autograd.grad(cost, block, create_graph=create_graph, retain_graph=True, materialize_grads=True)[0]
            for cost, block in zip(costs, blocks, strict=True)
        ]
        return torch.cat(parts)

    def _torch_field(self, x: NDArray) -> NDArray:
        import torch

        point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        return self._torch_gradient(point, create_graph=False).detach().numpy()

    def _torch_jacobian(self, x: NDArray) -> NDArray:
        import torch

        point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        gradient = self._torch_gradient(point, create_graph=True)
        if not gradient.requires_grad:
            return np.zeros((self.dimension, self.dimension))
        rows = [torch.autograd.grad(g, point, retain_graph=True, materialize_grads=True)[0] for g in gradient]
        return torch.stack(rows).numpy()

    def describe(self) -> dict[str, Any]:
        """Return what names this game in a result's provenance."""
        return {"type": "DifferentiableGame", "name": self.name, "sizes": list(self.sizes)}
