"""Measurements of a model whose parameters are sharded over processes (FSDP2, ``fully_shard``).

No process can repeat a forward on parameters of its own: a forward gathers every layer from all of them. So the model
itself runs twice, at the parameters after the step and before it, and the change of the logits is measured.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from workbench.steps.jvp import Linearisation, ReducedPrecisionError, linearised
from workbench.steps.passes import Call, evaluation
from workbench.steps.reading import absent, as_rows, kept, logits_in
from workbench.steps.snapshot import Snapshot, is_sharded

SHARDED_MEASURES = ("auto", "replay")


def checked_shards(model: nn.Module, measure: str, ranks: int) -> bool:
    """Return whether ``model`` is sharded as FSDP2 does it, over all the processes that decide together.

    Raises ``ValueError`` for any other sharding, and for a ``measure`` that would need parameters of one's own.
    """
    advice = "Train with fully_shard (FSDP2) over one mesh or DistributedDataParallel, or guard a run on one device"
    if any(type(m).__name__ == "FullyShardedDataParallel" for m in model.modules()):
        raise ValueError(
            "the parameters are sharded over processes by FullyShardedDataParallel (FSDP1), which hides them from "
            f"the optimiser's hooks. {advice}"
        )
    shards = [p for p in model.parameters() if is_sharded(p)]
    if not shards:
        return False
    if not any(type(m).__name__.startswith("FSDP") and callable(getattr(m, "reshard", None)) for m in model.modules()):
        raise ValueError(f"the parameters are sharded over processes, and not by fully_shard. {advice}")
    meshes = {(tuple(p.device_mesh.shape), len(p.placements)) for p in shards}
    if meshes != {((ranks,), 1)}:
        raise ValueError(
            f"the parameters are sharded over processes in meshes of shapes {sorted(m for m, _ in meshes)}, and "
            f"{ranks} processes decide on a step; one mesh of one dimension that holds all of them is needed. {advice}"
        )
    if measure not in SHARDED_MEASURES:
        raise ValueError(
            f"the parameters are sharded over processes, so measure={measure!r} would need a copy that no process "
            'holds; use "replay" (or "auto"), which runs the sharded model itself'
        )
    return True


def sharded_replay(
    model: nn.Module,
    inputs: Any,
    targets: Tensor | None,
    before: Snapshot,
    length: float,
    reading: Mapping[str, Any],
) -> Linearisation:
    """Return the logits before a step and their change over its ``length``: two forwards of the sharded model.

    Every process must call this at the same time, as often as the others. Memory: the logits twice.
    Raises :class:`ReducedPrecisionError` where the forward computes its logits in 16 bits.
    """
    names = [n for n in ("outputs", "class_axis") if n in reading]

    def logits() -> tuple[Tensor, tuple[int, ...]]:
        _reshard(model)  # else the root would go on with what it gathered last time
        call = inputs if isinstance(inputs, Call) else _as_call(inputs)
        output = logits_in(model(*call.arguments, **call.keywords), reading.get("logits"))
        if coarse:
            raise ReducedPrecisionError(
                f"{sorted(coarse)[0]} computes in 16 bits, too coarse for a difference of two forwards, and a sharded "
                "model cannot be run on wider copies. Train in float32, or guard a run that fits one device"
            )
        return as_rows(output, **{"outputs": "auto", "class_axis": -1, **{n: reading[n] for n in names}})

    coarse: set[str] = set()

    def look(module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.is_floating_point() and torch.finfo(output.dtype).bits < 32:
            coarse.add(type(module).__name__)

    device = next(model.parameters()).device.type
    handles = [module.register_forward_hook(look) for module in model.modules()]
    with torch.no_grad(), torch.autocast(device, enabled=False), evaluation(model) as state:
        try:
            after, shape = logits()
            before.exchange()
            try:
                state.restore()
                start, _ = logits()
            finally:
                before.exchange()
        finally:
            _reshard(model)
            for handle in handles:
                handle.remove()
    gone, slopes = absent(start, after), (after - start).div_(length)
    slopes = slopes if gone is None else torch.where(gone, 0.0, slopes)
    ignore, shift = reading.get("ignore_index", -100), reading.get("shift")
    return linearised(start, slopes, shape, kept(targets, shape, ignore, shift, inputs, _class_name(model)))


def _reshard(model: nn.Module) -> None:
    for module in model.modules():
        if callable(reshard := getattr(module, "reshard", None)):
            reshard()


def _as_call(inputs: Any) -> Call:
    if isinstance(inputs, Mapping):
        return Call((), dict(inputs))
    return Call(inputs if isinstance(inputs, tuple) else (inputs,), {})


def _class_name(model: nn.Module) -> str:
    """Return the class of a model before ``fully_shard`` put another in front of it."""
    return type(model).__name__.removeprefix("FSDP")
