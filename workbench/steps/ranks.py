"""One decision on all ranks of a distributed training, so that every copy of the model takes the same step."""

from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.steps.passes import unwrapped


class Ranks:
    """The processes that step together; alone, every answer is this process's own.

    ``group=None`` takes the model's own process group if it is wrapped for data parallelism, else all processes if a
    default group exists; ``False`` means that this process decides alone; a ``ProcessGroup`` is taken as it is. Every
    process of the group must call the same methods in the same order, which it does if every one of them steps.
    """

    def __init__(self, group: Any, model: nn.Module) -> None:
        available = dist.is_available() and dist.is_initialized()
        if group is not None and group is not False and not available:
            raise ValueError("group was given, but torch.distributed is not initialised; leave it out")
        if group is None:
            group = getattr(model, "process_group", None) if unwrapped(model)[1] else None
        self._group = None if group is False else group
        self.size = 1 if group is False or not available else dist.get_world_size(self._group)
        nccl = self.size > 1 and str(dist.get_backend(self._group)) == "nccl"
        self._device = next(model.parameters()).device if nccl else torch.device("cpu")

    def gather(self, values: Tensor | list[float]) -> NDArray[np.float64]:
        """Return the ``values`` (n,) of all processes, (ranks, n) in float64; n must be the same everywhere."""
        here = torch.as_tensor(values, dtype=torch.float64, device=self._device)
        if self.size == 1:
            return here.cpu().numpy()[None]
        everywhere = [torch.empty_like(here) for _ in range(self.size)]
        dist.all_gather(everywhere, here, group=self._group)
        return torch.stack(everywhere).cpu().numpy()

    def quantile(self, values: Tensor, fraction: float) -> float:
        """Return the quantile of the non-negative ``values`` of all processes together (linear interpolation).

        Only the largest of them decide, so each process sends no more than (1 − fraction) of the total count.
        """
        count = int(self.gather([float(values.numel())]).sum())
        place = fraction * (count - 1)
        low = int(place)
        needed = count - low  # from the order statistic at ``low`` upwards
        top = torch.topk(values.reshape(-1), min(needed, values.numel()), sorted=True).values.double().cpu()
        if self.size > 1:
            padded = torch.full((needed,), -1.0, dtype=torch.float64)
            padded[: top.numel()] = top
            top = torch.topk(torch.from_numpy(self.gather(padded).reshape(-1)), needed, sorted=True).values
        lower = float(top[needed - 1])
        upper = float(top[needed - 2]) if needed > 1 else lower
        return lower + (place - low) * (upper - lower)
