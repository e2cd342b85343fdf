"""The geometry workbench: many rooms, one house. :mod:`workbench.rooms` lists them.

``flows``   gradient flows between point clouds, driven by sliced-Wasserstein estimators
``fisher``  the Fisher metric on the couplings of Ising lattices and its scalar curvature
``steps``   safe step radii for cross-entropy training, and a controller for any torch optimiser
``games``   small-gain contraction certificates for differentiable games, with checkable proofs

What rooms share: ``transport`` (optimal transport), ``clouds`` (where point clouds come from), ``results`` (save and
open), ``sweeps`` (many runs). All are imported on first use, so ``import workbench`` costs nothing::

    from workbench import flows, fisher, steps, games, results
"""

import importlib
from types import ModuleType

from workbench.rooms import ROOMS

__version__ = "1.0.0"
__all__ = [*ROOMS, "clouds", "results", "sweeps", "transport"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
