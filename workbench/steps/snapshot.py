"""A copy of an optimiser's parameters, and of its state, to come back to."""

from typing import Any

import torch
from torch import Tensor, nn


class Snapshot:
    """Parameter values (and, if ``with_state``, the optimiser's state) as they are now; ``restore`` puts them back."""

    def __init__(self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], *, with_state: bool) -> None:
        self._optimizer = optimizer
        self.parameters = parameters
        self.values = [p.detach().clone() for p in parameters]
        self._state = {p: _copied(value) for p, value in optimizer.state.items()} if with_state else None

    @property
    def rounds(self) -> bool:
        """Whether some parameter has 16 bits or fewer, so that a scaled update is rounded to what it can hold."""
        return any(_narrow(old) for old in self.values)

    def update(self) -> list[Tensor]:
        """Return how far every parameter has moved since, in float32 at least."""
        return [_wide(p.detach()) - _wide(old) for p, old in zip(self.parameters, self.values, strict=True)]

    def move(self, factor: float, update: list[Tensor]) -> None:
        """Set every parameter to its old value plus ``factor`` times ``update``, rounded once."""
        with torch.no_grad():
            for p, old, u in zip(self.parameters, self.values, update, strict=True):
                p.copy_(_wide(old) + factor * u)

    def restore(self) -> None:
        """Put everything back, bit for bit."""
        with torch.no_grad():
            for p, old in zip(self.parameters, self.values, strict=True):
                p.copy_(old)
        if self._state is None:
            return
        for p in list(self._optimizer.state):
            if p in self._state:
                self._optimizer.state[p] = self._state[p]
            else:
                del self._optimizer.state[p]


def _narrow(value: Tensor) -> bool:
    return value.is_floating_point() and torch.finfo(value.dtype).bits < 32


def _wide(value: Tensor) -> Tensor:
    return value.float() if _narrow(value) else value


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_copied(entry) for entry in value]
    return value
