"""What ``SafeStep`` asks of an optimiser and a loss before it starts."""

import functools
import inspect
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from workbench import checks

CROSS_ENTROPIES = ("CrossEntropyLoss", "NLLLoss", "BCEWithLogitsLoss", "cross_entropy", "nll_loss")
BINARY_CROSS_ENTROPIES = ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits")
_CLASSES = (nn.CrossEntropyLoss, nn.NLLLoss)
_BINARY = (nn.BCEWithLogitsLoss, nn.MultiLabelSoftMarginLoss)
_FUNCTIONS = (functional.cross_entropy, functional.nll_loss)
_BINARY_FUNCTIONS = (functional.binary_cross_entropy_with_logits, functional.multilabel_soft_margin_loss)


def checked_criterion(criterion: Any, outputs: str, ignore_index: int) -> tuple[str, int]:
    """Accept cross-entropies only; return ``outputs`` and ``ignore_index`` as the criterion has them.

    Partial functions, decorated and compiled ones and subclasses are looked into. A class of another library counts
    by its name ("…CrossEntropy…"). Without a criterion all is returned as given. Raises ``ValueError`` for any other
    loss.
    """
    ignore_index = checks.integer("ignore_index", ignore_index)
    if criterion is None:
        return outputs, ignore_index
    loss, keywords = _inside(criterion)
    classes = [c for c in (loss if isinstance(loss, type) else type(loss)).__mro__ if c is not object]
    name = getattr(loss, "__name__", type(loss).__name__)
    named = [name, *(c.__name__ for c in classes if c not in (nn.Module, type(lambda: 0)))]
    binary = loss in _BINARY_FUNCTIONS or any(issubclass(c, _BINARY) for c in classes)
    softmax = loss in _FUNCTIONS or any(issubclass(c, _CLASSES) for c in classes)
    if not binary and not softmax:
        binary = any(n in BINARY_CROSS_ENTROPIES or "BinaryCrossEntropy" in n for n in named)
        softmax = any(n in CROSS_ENTROPIES or "CrossEntropy" in n for n in named)
    if binary:
        return "binary", ignore_index
    if not softmax:
        advice = " (BCELoss sees probabilities; use BCEWithLogitsLoss on the logits)" if name == "BCELoss" else ""
        raise ValueError(
            f"the loss {name} is no cross-entropy{advice}; the radius is defined for softmax and logistic losses only "
            f"({', '.join((*CROSS_ENTROPIES, BINARY_CROSS_ENTROPIES[1]))}, subclasses and partials of them). If it is "
            "one under another name, leave criterion out and pass ignore_index"
        )
    return outputs, int(keywords.get("ignore_index", getattr(loss, "ignore_index", ignore_index)))


def _inside(criterion: Any) -> tuple[Any, dict[str, Any]]:
    """Return what partials, decorators, compilation and bound ``forward`` methods are wrapped around, and keywords."""
    keywords: dict[str, Any] = {}
    for _ in range(32):
        if isinstance(criterion, functools.partial):
            keywords = {**criterion.keywords, **keywords}
            criterion = criterion.func
        elif inspect.ismethod(criterion) and criterion.__name__ in ("forward", "__call__"):
            criterion = criterion.__self__
        else:
            inner = next(
                (
                    found
                    for key in ("_orig_mod", "_torchdynamo_orig_callable", "__wrapped__")
                    if (found := getattr(criterion, "__dict__", {}).get(key)) is not None
                ),
                getattr(criterion, "_modules", {}).get("_orig_mod"),
            )
            if inner is None:
                return criterion, keywords
            criterion = inner
    return criterion, keywords


OPTIMISER_WRAPPERS = {"AcceleratedOptimizer": "optimizer", "LightningOptimizer": "optimizer"}
"""Class that only passes on to another optimiser → the attribute that holds it."""


def inner_optimizer(optimizer: Any) -> torch.optim.Optimizer:
    """Return the optimiser inside accelerate's and Lightning's wrappers: hooks run where its ``step`` is.

    Raises ``TypeError`` for what is none, or is one whose ``step`` runs no hooks.
    """
    while attribute := next(
        (OPTIMISER_WRAPPERS[c.__name__] for c in type(optimizer).__mro__ if c.__name__ in OPTIMISER_WRAPPERS), ""
    ):
        optimizer = getattr(optimizer, attribute)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}")
    if not hasattr(optimizer, "_optimizer_step_pre_hooks"):
        raise TypeError(
            f"{type(optimizer).__name__} derives from torch.optim.Optimizer without calling its __init__, so its step "
            "runs no hooks; wrap it in steps.SafeStep, which calls the step itself"
        )
    return optimizer


def needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether the optimiser's step cannot be called without a closure (L-BFGS, AdaHessian)."""
    parameter = inspect.signature(type(optimizer).step).parameters.get("closure")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def calling_scaler() -> torch.amp.GradScaler:
    """Return the ``GradScaler`` whose ``step`` is calling; raises ``RuntimeError`` if there is none to be found.

    torch hands an optimiser that unscales for itself the scale, but not what it must know here: whether
    ``scaler.unscale_(optimizer)`` has been called on the optimiser inside the guard.
    """
    frame = inspect.currentframe()
    for _ in range(8):
        frame = frame.f_back if frame is not None else None
        if frame is not None and isinstance(scaler := frame.f_locals.get("self"), torch.amp.GradScaler):
            return scaler
    raise RuntimeError("the gradients are scaled by a GradScaler; call guard.step(inputs, scaler=scaler) instead")


def unscale(scaler: torch.amp.GradScaler, optimizer: torch.optim.Optimizer) -> None:
    """Unscale the gradients of ``optimizer`` unless ``scaler.unscale_(optimizer)`` has been called since its update."""
    try:
        scaler.unscale_(optimizer)
    except RuntimeError as error:
        if "unscale_() has already been called" not in str(error):
            raise
