"""Forward passes that leave no trace on a model: its mode, its buffers and every random stream are put back.

All passes of one measurement see the same random numbers, so that a difference of two of them is a difference of
parameters and of nothing else, even where eval mode does not stop the dice (``F.dropout`` in a forward).
"""

import random
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call


@dataclass(frozen=True)
class Call:
    """What a model is called with, where some inputs come by position and some by name."""

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]


WRAPPERS = {"OptimizedModule": "_orig_mod", "DistributedDataParallel": "module", "DataParallel": "module"}
"""Class of a module that only wraps another → the attribute that holds it."""


WITHOUT_CASTS = "_original_forward"
"""Where accelerate keeps the forward that it wraps in autocast for mixed precision."""


def unwrapped(model: nn.Module) -> tuple[nn.Module, str]:
    """Return the module inside ``torch.compile``, DDP and DataParallel, and what they put before its names.

    A measurement is one process's own business: it must not compile anew, nor wait for other processes, which a
    forward of DDP does for buffers.
    """
    prefix = ""
    while attribute := next((WRAPPERS[c.__name__] for c in type(model).__mro__ if c.__name__ in WRAPPERS), ""):
        model, prefix = getattr(model, attribute), f"{prefix}{attribute}."
    return model, prefix


class RandomState:
    """The random streams a forward may draw from, as they are now; ``restore`` puts them back.

    Python's and NumPy's global ones, torch's of the CPU and of every device that holds a parameter or buffer, and
    generators that a module keeps as an attribute.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self._python, self._numpy, self._cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
        devices: set[torch.device] = set()
        held: dict[int, Any] = {}
        for module in modules:
            inside = vars(module)
            devices.update(t.device for name in TENSORS for t in inside[name].values() if t is not None)
            # most attributes are plain, and asking torch whether one is a generator takes a microsecond
            others = (value for value in inside.values() if type(value) not in PLAIN)
            held |= {id(value): value for value in others if isinstance(value, GENERATORS)}
        self._devices = {d: _device_state(d) for d in devices if d.type not in ("cpu", "meta")}
        self._held = [(g, _held_state(g)) for g in held.values()]

    def restore(self) -> None:
        """Put every stream back to where it was."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)  # noqa: NPY002
        torch.set_rng_state(self._cpu)
        for device, state in self._devices.items():
            module = torch.get_device_module(device.type)
            module.set_rng_state(state) if device.type == "mps" else module.set_rng_state(state, device)
        for generator, state in self._held:
            if isinstance(generator, torch.Generator):
                generator.set_state(state)
            elif isinstance(generator, np.random.Generator):
                generator.bit_generator.state = state
            elif isinstance(generator, np.random.RandomState):
                generator.set_state(state)
            else:
                generator.setstate(state)


TENSORS = ("_parameters", "_buffers")
PLAIN = frozenset({dict, OrderedDict, set, tuple, list, bool, int, float, str, type(None), torch.dtype, torch.device})
GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)


def _held_state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.getstate() if isinstance(generator, random.Random) else generator.get_state()


def _device_state(device: torch.device) -> Tensor:
    module = torch.get_device_module(device.type)
    return module.get_rng_state() if device.type == "mps" else module.get_rng_state(device)


@contextmanager
def evaluation(model: nn.Module) -> Iterator[RandomState]:
    """Put every module into eval mode and run compiled code as plain Python; all is put back, whatever happens.

    A forward that accelerate has put into autocast runs without it: differences of 16-bit logits are coarse.
    Yields the random state at the start: ``restore`` it before each pass that must see the same numbers.
    """
    modules = list(model.modules())
    modes = [(module, module.training) for module in modules]
    casting = [module for module in modules if WITHOUT_CASTS in vars(module) and "forward" in vars(module)]
    wrapped = [(module, module.forward) for module in casting]
    state = RandomState(modules)
    with ExitStack() as stack:
        if "torch._dynamo" in sys.modules:  # else nothing can have been compiled, and importing it takes seconds
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        try:
            for module, _ in modes:
                module.training = False
            for module, _ in wrapped:
                module.forward = getattr(module, WITHOUT_CASTS)
            yield state
        finally:
            for module, forward in wrapped:
                module.forward = forward
            for module, training in modes:
                module.training = training
            state.restore()


def call(model: nn.Module, inputs: Any, parameters: Mapping[str, Tensor], *, least: torch.dtype | None = None) -> Any:
    """Call ``model`` with other parameters on copies of its buffers, so that nothing of the model changes.

    ``least`` widens every floating number that is narrower: parameters, buffers and inputs.
    """
    state = {**parameters, **{name: buffer.clone() for name, buffer in model.named_buffers()}}
    if least is not None:
        state, inputs = widened(state, least), widened(inputs, least)
    if isinstance(inputs, Call):
        arguments, keywords = inputs.arguments, inputs.keywords
    elif isinstance(inputs, Mapping):
        arguments, keywords = (), dict(inputs)
    else:
        arguments, keywords = inputs if isinstance(inputs, tuple) else (inputs,), {}
    if not state:  # nothing to exchange: no walk through all modules
        return model(*arguments, **keywords)
    return functional_call(model, state, arguments, keywords)


def widened(value: Any, least: torch.dtype) -> Any:
    """Return ``value`` with every floating tensor in it (in tuples, lists, dicts) of at least the precision given."""
    if isinstance(value, Tensor):
        narrow = value.is_floating_point() and torch.finfo(value.dtype).bits < torch.finfo(least).bits
        return value.to(least) if narrow else value
    if isinstance(value, Call):
        return Call(widened(value.arguments, least), widened(value.keywords, least))
    if isinstance(value, Mapping):
        entries = {key: widened(entry, least) for key, entry in value.items()}
        return entries if type(value) is dict else _like(value, entries)
    if isinstance(value, tuple | list):
        entries = [widened(entry, least) for entry in value]
        return type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    return value


def _like(value: Any, entries: dict[Any, Any]) -> Any:
    """Return a mapping of the class of ``value`` if it can be made from a dict (transformers' ``BatchEncoding``)."""
    try:
        return type(value)(entries)
    except TypeError:
        return entries
