"""What a point of a surface looks like from its spectrum: heat and wave kernel signatures, the same for isometries."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workbench.registry import Registry
from workbench.shapes.correspondences.laplacian import ZERO, Basis

DESCRIPTORS = Registry("descriptor")
CHANNELS = 100
Floats = NDArray[np.float64]


@DESCRIPTORS.add(
    "wks",
    label="Wave kernel signature",
    formula=r"\sum_i e^{-(e-\log\lambda_i)^2/2\sigma^2}\varphi_i^2 / \sum_i e^{-(e-\log\lambda_i)^2/2\sigma^2}",
    reference="Aubry, Schlickewei & Cremers 2011",
)
def wave_kernel(spectrum: Basis, low: float, high: float, channels: int = CHANNELS) -> Floats:
    """Return wave kernel signatures (n, channels) at energies between log ``low`` and log ``high``, σ = 7 steps."""
    values, functions = _not_constant(spectrum)
    bottom, top = np.log(low), np.log(high)
    width = max(7 * (top - bottom) / channels, 1e-3)
    inset = 2 * width if top - bottom > 5 * width else 0.0
    energies = np.linspace(bottom + inset, top - inset, channels)
    weights = np.exp(-((energies - np.log(values)[:, None]) ** 2) / (2 * width**2))
    return functions**2 @ (weights / weights.sum(axis=0))


@DESCRIPTORS.add(
    "hks",
    label="Heat kernel signature",
    formula=r"\sum_i e^{-\lambda_i t}\varphi_i^2 / \sum_i e^{-\lambda_i t}",
    reference="Sun, Ovsjanikov & Guibas 2009",
)
def heat_kernel(spectrum: Basis, low: float, high: float, channels: int = CHANNELS) -> Floats:
    """Return heat kernel signatures (n, channels) at times between 4 ln 10/``high`` and 4 ln 10/``low``."""
    values, functions = _not_constant(spectrum)
    times = np.geomspace(4 * np.log(10) / high, 4 * np.log(10) / low, channels)
    weights = np.exp(-np.outer(values, times))
    return functions**2 @ (weights / np.maximum(weights.sum(axis=0), 1e-300))


def paired(x: Basis, y: Basis, name: str, channels: int = CHANNELS) -> tuple[Floats, Floats]:
    """Return the descriptors of two surfaces at common energies or times, (n_x, channels) and (n_y, channels).

    The range is what both spectra hold; both surfaces have area 1, so their size makes no difference.
    """
    make: Callable[..., Floats] = DESCRIPTORS[name].function
    of_x, of_y = (one.values[one.values > ZERO] for one in (x, y))
    low, high = max(of_x[0], of_y[0]), min(of_x[-1], of_y[-1])
    if not low < high:
        raise ValueError("the two spectra have no common range; give surfaces more alike, or a larger k")
    return make(x, low, high, channels), make(y, low, high, channels)


def _not_constant(spectrum: Basis) -> tuple[Floats, Floats]:
    kept = spectrum.values > ZERO
    return spectrum.values[kept], spectrum.functions[:, kept]
