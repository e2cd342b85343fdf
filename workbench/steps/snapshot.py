"""A copy of an optimiser's parameters, and of its state, to come back to."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

NORM_BLOCK = 1 << 14
PIECE = 1 << 18
"""Numbers of a difference that are held at a time on a CPU: they stay in its cache."""
SQUARES_FIT = (1e-12, 1e18)
"""Lengths in between lose nothing to squares that underflow or overflow in single precision."""
ITERATE = "z"
"""Where schedule-free optimisers keep the point that their gradients move; the parameters are a mean of it."""


class Room:
    """Memory for one snapshot after the other: on a CPU the pages of a fresh copy cost more than the copying."""

    def __init__(self) -> None:
        self._held: dict[str, list[Tensor]] = {}

    def copies(self, slot: str, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return copies of ``tensors``, good until the ``slot`` is asked for again."""
        if not tensors:
            return []
        held = self._held.get(slot, [])
        if not _alike(held, tensors):
            held = [torch.empty_like(t) for t in tensors]
        with torch.no_grad():
            torch._foreach_copy_(held, list(tensors))
        if all(t.device.type == "cpu" for t in held):  # elsewhere the allocator keeps its pages by itself
            self._held[slot] = held
        return held

    def give(self, slot: str) -> None:
        """Leave the copies of a ``slot`` to whoever has them."""
        self._held.pop(slot, None)


class Snapshot:
    """Parameter values (and, if ``with_state``, the optimiser's state) as they are now; ``restore`` puts them back.

    Of parameters that are sharded over processes it is this process's part. ``room`` lends the memory for the values.
    The point z of schedule-free optimisers is kept as well, since it has to move with the parameters.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
        *,
        with_state: bool,
        room: Room | None = None,
    ) -> None:
        self._optimizer, self._room = optimizer, room or Room()
        self.parameters = parameters
        self.values = self._room.copies("values", self.now())
        self._points = list(_points(optimizer, parameters)) if averages(optimizer) else []
        # before its first step such an optimiser holds no z: it begins at the parameters
        old = [p.detach() if z is None else z for p, z in self._points]
        self._old_points = self._room.copies("points", old)
        self._state: dict[Any, Any] | None = None
        if with_state:
            plain = [t for value in optimizer.state.values() for t in _tensors(value)]
            copies = iter(self._room.copies("state", plain))
            self._state = {p: _copied(value, copies) for p, value in optimizer.state.items()}

    def now(self) -> list[Tensor]:
        """Return the parameters as they are, the tensors themselves."""
        return [local(p.detach()) for p in self.parameters]

    def old(self, parameter: Tensor | None) -> Tensor | None:
        """Return the value of a parameter before, or None if it is none of the optimiser's."""
        return next((v for p, v in zip(self.parameters, self.values, strict=True) if p is parameter), None)

    @property
    def rounds(self) -> bool:
        """Whether some parameter has 16 bits or fewer, so that a scaled update is rounded to what it can hold."""
        return any(_narrow(old) for old in self.values)

    def update(self) -> list[Tensor]:
        """Return how far every parameter has moved since, in float32 at least."""
        return list(torch._foreach_sub([wide(p) for p in self.now()], [wide(old) for old in self.values]))

    def lengths(self) -> tuple[float, float]:
        """Return the length of the update of the parameters that every process holds whole, and of its own shards."""
        pairs = list(zip(self.parameters, self.now(), self.values, strict=True))
        whole = [(new, old) for p, new, old in pairs if not is_sharded(p)]
        shards = [(new, old) for p, new, old in pairs if is_sharded(p)]
        return _moved(whole), _moved(shards)

    def move(self, factor: float) -> None:
        """Set every parameter to its old value plus ``factor`` times its update, rounded once.

        Raises ``ValueError`` if the optimiser averages its parameters from a point that is not where it was looked for.
        """
        if averages(self._optimizer) and any(
            ITERATE not in self._optimizer.state.get(p, ()) for p in self.parameters if p.grad is not None
        ):
            raise ValueError(
                f"{type(self._optimizer).__name__} has a train and an eval mode and no state {ITERATE!r}: the guard "
                'cannot tell which point moves with the parameters. Use mode "warn" or "refuse" with it'
            )
        with torch.no_grad():
            for p, old in zip(self.now(), self.values, strict=True):
                p.copy_(wide(old) + factor * (wide(p) - wide(old)))
            for (p, _), old in zip(self._points, self._old_points, strict=True):
                z = self._optimizer.state[p][ITERATE]
                z.copy_(wide(old) + factor * (wide(z) - wide(old)))

    def restore(self) -> None:
        """Put everything back, bit for bit; without the optimiser's state, its point z at least."""
        with torch.no_grad():
            torch._foreach_copy_(self.now(), self.values)
            if self._state is None:
                for (p, _), old in zip(self._points, self._old_points, strict=True):
                    if ITERATE in self._optimizer.state.get(p, ()):
                        self._optimizer.state[p][ITERATE].copy_(old)
                return
        for p in list(self._optimizer.state):
            if p in self._state:
                self._optimizer.state[p] = self._state[p]
            else:
                del self._optimizer.state[p]
        self._room.give("state")

    def exchange(self) -> None:
        """Put the old values into the parameters and hold the present ones instead."""
        with torch.no_grad():
            present = [p.clone() for p in self.now()]
            torch._foreach_copy_(self.now(), self.values)
            torch._foreach_copy_(self.values, present)


def averages(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether an optimiser is schedule-free: its parameters are a mean, switched by ``train`` and ``eval``."""
    return all(callable(getattr(optimizer, name, None)) for name in ("train", "eval"))


def _points(
    optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]
) -> Iterator[tuple[nn.Parameter, Tensor | None]]:
    for p in parameters:
        z = optimizer.state.get(p, {}).get(ITERATE)
        if z is None or (isinstance(z, Tensor) and z.shape == p.shape):
            yield p, z


def _moved(pairs: Sequence[tuple[Tensor, Tensor]]) -> float:
    """Return ‖new − old‖ over all pairs: single precision within blocks, float64 over them.

    One float32 sum over 5·10⁷ numbers is off by 0.4 %; float64 throughout is right and many times slower. On a CPU no
    whole difference is held.
    """
    if all(new.device.type == "cpu" for new, _ in pairs):
        small = [(new, old) for new, old in pairs if new.numel() <= NORM_BLOCK and not new.is_complex()]
        large = [(new, old) for new, old in pairs if new.numel() > NORM_BLOCK or new.is_complex()]
        parts = [part for new, old in large for part in _pieces(new, old)]
        if small:  # many, as a rule: a call from Python for each takes longer than its work
            change = torch._foreach_sub([wide(new) for new, _ in small], [wide(old) for _, old in small])
            parts += [part.reshape(1) for part in torch._foreach_norm(change)]
        length = _together(parts)
        if SQUARES_FIT[0] < length < SQUARES_FIT[1] or not pairs:
            return length
    return length_of(torch._foreach_sub([wide(new) for new, _ in pairs], [wide(old) for _, old in pairs]))


def _pieces(new: Tensor, old: Tensor) -> Iterator[Tensor]:
    new, old = _flat(new), _flat(old)
    for start in range(0, new.numel(), PIECE):
        piece = slice(start, start + PIECE)
        yield from _norms(wide(new[piece]) - wide(old[piece]))


def length_of(update: Sequence[Tensor]) -> float:
    """Return the Euclidean length over all tensors, summed as in :func:`_moved`."""
    if update and all(u.is_cuda and not u.is_complex() for u in update):  # one launch for all; sums of 2¹⁶ at a time
        parts = list(torch._foreach_norm(list(update)))
        length = _together([part.reshape(1) for part in parts])
    else:
        length = _together([part for u in update for part in _norms(_flat(u))])
    if not update or SQUARES_FIT[0] < length < SQUARES_FIT[1] or update[0].device.type == "mps":
        return length
    squares = [torch.linalg.vector_norm(_flat(u), dtype=torch.float64) for u in update]
    return float(torch.stack([square.to(squares[0].device) for square in squares]).norm())


def _norms(flat: Tensor) -> list[Tensor]:
    """Return the lengths of the blocks of a vector, and of what is left over."""
    whole = flat.numel() // NORM_BLOCK * NORM_BLOCK
    parts = [torch.linalg.vector_norm(flat[:whole].view(-1, NORM_BLOCK), dim=1)] if whole else []
    return parts + ([torch.linalg.vector_norm(flat[whole:]).reshape(1)] if whole < flat.numel() else [])


def _together(parts: list[Tensor]) -> float:
    if not parts:
        return 0.0
    precise = torch.float32 if parts[0].device.type == "mps" else torch.float64
    if any(part.device != parts[0].device for part in parts):
        parts = [part.to(parts[0].device) for part in parts]
    return float(torch.cat(parts).to(precise).norm())


def _flat(value: Tensor) -> Tensor:
    return (torch.view_as_real(value) if value.is_complex() else value).reshape(-1)


def is_sharded(value: Tensor) -> bool:
    """Return whether a tensor is spread over processes (a DTensor, as under FSDP2)."""
    return hasattr(value, "placements")


def local(value: Tensor) -> Tensor:
    """Return this process's part of a sharded tensor, any other as it is."""
    return value.to_local() if is_sharded(value) else value


def _narrow(value: Tensor) -> bool:
    return value.is_floating_point() and torch.finfo(value.dtype).bits < 32


def wide(value: Tensor) -> Tensor:
    """Return a floating tensor in float32 at least."""
    return value.float() if _narrow(value) else value


def _alike(held: Sequence[Tensor], tensors: Sequence[Tensor]) -> bool:
    return len(held) == len(tensors) and all(
        a.shape == b.shape and a.dtype == b.dtype and a.device == b.device for a, b in zip(held, tensors, strict=True)
    )


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the plain tensors in nested dicts and lists, in the order of :func:`_copied`."""
    if type(value) in (Tensor, nn.Parameter) and value.layout == torch.strided:
        yield value.detach()
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _tensors(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _tensors(entry)


def _copied(value: Any, copies: Iterator[Tensor]) -> Any:
    if type(value) in (Tensor, nn.Parameter) and value.layout == torch.strided:
        return next(copies)
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _copied(entry, copies) for key, entry in value.items()}
    if isinstance(value, list):
        return [_copied(entry, copies) for entry in value]
    return value
