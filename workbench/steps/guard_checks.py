"""What ``SafeStep`` asks of an optimiser and a loss before it starts."""

import inspect
from typing import Any

import torch

from workbench import checks

CROSS_ENTROPIES = ("CrossEntropyLoss", "NLLLoss", "BCEWithLogitsLoss", "cross_entropy", "nll_loss")
BINARY_CROSS_ENTROPIES = ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits")


def checked_criterion(criterion: Any, outputs: str, ignore_index: int) -> tuple[str, int]:
    """Accept cross-entropies only; return ``outputs`` and ``ignore_index`` as the criterion has them.

    Without a criterion they are returned as given. Raises ``ValueError`` for any other loss.
    """
    ignore_index = checks.integer("ignore_index", ignore_index)
    if criterion is None:
        return outputs, ignore_index
    name = getattr(criterion, "__name__", type(criterion).__name__)
    if name in BINARY_CROSS_ENTROPIES:
        return "binary", ignore_index
    if name not in CROSS_ENTROPIES:
        raise ValueError(
            f"the loss {name} is no cross-entropy; the radius is defined for softmax and logistic losses only "
            f"({', '.join((*CROSS_ENTROPIES, BINARY_CROSS_ENTROPIES[1]))})"
        )
    return outputs, int(getattr(criterion, "ignore_index", ignore_index))


def needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether the optimiser's step cannot be called without a closure (L-BFGS, AdaHessian)."""
    parameter = inspect.signature(type(optimizer).step).parameters.get("closure")
    return parameter is not None and parameter.default is inspect.Parameter.empty
