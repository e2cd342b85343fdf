"""What is fitted: a crop of a photograph, a formula, the signed distance of a shape; samples at centres of cells.

A signal lives on [−1, 1]^d. Its samples stand at the middles of equal cells, never at ±1: the arcsine among the metric
coordinates has infinite slope there.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.clouds.pictures import FORMATS, read_picture
from workbench.clouds.real_data import photograph
from workbench.registry import Fact, Registry
from workbench.results import Described
from workbench.shapes.fits.grammar import Formula, parse_formula

Floats = NDArray[np.float64]
KINDS = ("photograph", "formula", "distance")
AXES = {1: ("x",), 2: ("row", "column"), 3: ("layer", "row", "column")}
"""Names of the axes of the samples; the last of them runs along x."""
DEFAULT_SIZE = {1: 256, 2: 64, 3: 20}
LARGEST_SIZE = {1: 20_000, 2: 256, 3: 48}
CHECKERBOARD = "checkerboard"
LEAST_TRAINED = 8
_ENDINGS = (*(f".{name.lower()}" for name in FORMATS), ".jpg")


@dataclass(frozen=True)
class Signal(Described):
    """Samples ``values`` (n, channels) at ``points`` (n, d) in (−1, 1)^d, the centres of ``shape`` cells.

    ``kind`` is one of photograph, formula and distance; ``low`` and ``high`` bound the values as they are shown: 0 and
    1 for a photograph, the smallest and largest sample otherwise. Peak signal-to-noise ratios are for that range.
    ``exact`` is the function itself where there is one.
    """

    name: str
    kind: str
    points: Floats
    values: Floats
    shape: tuple[int, ...]
    low: float
    high: float
    exact: Callable[..., Floats] | None = None

    @property
    def dimension(self) -> int:
        """Number of coordinates, 1 to 3."""
        return self.points.shape[1]

    @property
    def channels(self) -> int:
        """Numbers at each place: 3 of a colour photograph, else 1."""
        return self.values.shape[1]

    @property
    def span(self) -> float:
        """The range that a peak signal-to-noise ratio is for."""
        return self.high - self.low

    @property
    def offset(self) -> float:
        """What a fit without any coefficient shows: the middle of a photograph's range, else 0.

        It is no coefficient: it does not depend on the samples, so leaving one of them out does not change it.
        """
        return 0.5 if self.kind == "photograph" else 0.0

    def held(self, held_out: float | str = 0.5, seed: int | np.random.Generator = 0) -> NDArray[np.bool_]:
        """Return which samples are held out: a random share of them, or the black fields of a ``"checkerboard"``.

        >>> signal("sin(6*x)", 10).held("checkerboard").astype(int).tolist()
        [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
        """
        if held_out == CHECKERBOARD:
            return (np.indices(self.shape).sum(axis=0) % 2 == 1).ravel()
        if isinstance(held_out, str):
            raise ValueError(f"held_out must be a share from 0 to 0.9 or {CHECKERBOARD!r}, got {held_out[:40]!r}")
        share = checks.real("held_out", held_out, minimum=0.0, maximum=0.9)
        count = len(self.points)
        out = min(round(share * count), count - LEAST_TRAINED)
        mask = np.zeros(count, dtype=bool)
        mask[checks.generator(seed).permutation(count)[:out]] = True
        return mask

    def describe(self) -> dict[str, Any]:
        """Name the samples for caches and provenance."""
        digest = hashlib.sha256(np.ascontiguousarray(self.values).tobytes()).hexdigest()
        return {"name": self.name, "kind": self.kind, "shape": list(self.shape), "sha256": digest}


def centres(count: int) -> Floats:
    """Return the middles of ``count`` equal cells of [−1, 1].

    >>> centres(4).tolist()
    [-0.75, -0.25, 0.25, 0.75]
    """
    return (2 * np.arange(count) + 1) / count - 1


def sample_points(shape: tuple[int, ...]) -> Floats:
    """Return the centres of the cells, (n, d) with columns x, y, z; the last axis of ``shape`` runs along x."""
    axes = np.meshgrid(*(centres(n) for n in shape), indexing="ij")
    return np.stack([axis.ravel() for axis in reversed(axes)], axis=1)


# ---- what ships -----------------------------------------------------------------------------------------------------

SIGNALS = Registry(
    "signal",
    facts={
        "kind": Fact(str, choices=KINDS, says="photograph, formula or distance"),
        "distance": Fact(bool, required=False, says="whether the function is the exact distance, |∇f| = 1"),
    },
)
"""The signals that need no file; a function of (size) for a photograph, of coordinates else."""


def _crop(name: str, row: int, column: int) -> Callable[[int], Floats]:
    def cut(size: int) -> Floats:
        pixels = photograph(name)
        top, left = min(row, pixels.shape[0] - size), min(column, pixels.shape[1] - size)
        return pixels[top : top + size, left : left + size]

    return cut


SIGNALS.add("temple", label="Photograph: eaves of a temple", kind="photograph", reference="scikit-learn, CC BY 2.0")(
    _crop("china", 125, 250)
)
SIGNALS.add("garden", label="Photograph: a hall above trees", kind="photograph", reference="scikit-learn, CC BY 2.0")(
    _crop("china", 300, 60)
)
SIGNALS.add("petals", label="Photograph: a flower", kind="photograph", reference="scikit-learn, CC BY 2.0")(
    _crop("flower", 150, 260)
)
FORMULAS = {
    "sine": ("sin(6*x)", "sin 6x"),
    "chirp": ("sin(20*x^2)", "sin 20x²"),
    "runge": ("1/(1+25*x^2)", "1/(1+25x²)"),
    "kink": ("abs(x-0.3)", "|x − 0.3|"),
    "jump": ("step(x-0.3)", "a step at 0.3"),
    "ripples": ("sin(30*(x^2+y^2))/(1+4*(x^2+y^2))", "ripples in the plane"),
}
for _name, (_text, _label) in FORMULAS.items():
    SIGNALS.add(_name, label=f"Formula: {_label}", formula=_text, kind="formula")(parse_formula(_text))


@SIGNALS.add("sphere", label="Distance of a sphere", formula="|p| − 0.6", kind="distance", distance=True)
def sphere(x: Floats, y: Floats, z: Floats) -> Floats:
    """Signed distance of the sphere of radius 0.6; negative inside."""
    return np.sqrt(x**2 + y**2 + z**2) - 0.6


@SIGNALS.add("box", label="Distance of a box", formula="box of 1 × 0.8 × 0.6", kind="distance", distance=True)
def box(x: Floats, y: Floats, z: Floats) -> Floats:
    """Signed distance of a box of half sides 0.5, 0.4, 0.3."""
    q = np.stack([np.abs(x) - 0.5, np.abs(y) - 0.4, np.abs(z) - 0.3])
    return np.sqrt((np.maximum(q, 0) ** 2).sum(axis=0)) + np.minimum(q.max(axis=0), 0)


@SIGNALS.add("torus", label="Distance of a torus", formula="radii 0.55 and 0.22", kind="distance", distance=True)
def torus(x: Floats, y: Floats, z: Floats) -> Floats:
    """Signed distance of a torus around the z-axis with radii 0.55 and 0.22."""
    return np.hypot(np.hypot(x, y) - 0.55, z) - 0.22


@SIGNALS.add(
    "gyroid",
    label="Gyroid (no distance: an implicit function)",
    formula="sin 5x cos 5y + sin 5y cos 5z + sin 5z cos 5x",
    kind="distance",
    distance=False,
)
def gyroid(x: Floats, y: Floats, z: Floats) -> Floats:
    """The gyroid's implicit function; its distance has no closed form, so |∇f| is not 1."""
    x, y, z = 5 * x, 5 * y, 5 * z
    return np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)


# ---- the way in -----------------------------------------------------------------------------------------------------


def signal(source: str | Path | ArrayLike | Signal, size: int | None = None) -> Signal:
    """Return a signal to be fitted.

    ``source`` is a name of ``SIGNALS``; a formula in x, in x and y, or in x, y and z; the path of a picture; or an
    array in [0, 1], (h, w) or (h, w, 3), or of any values in one dimension. ``size`` is the number of samples along
    each axis: by default 64 for pictures, 256 in one dimension, 20 in three. A shipped photograph is cut at its own
    scale; of a picture of one's own the middle square is taken, made smaller by averaging whole blocks of pixels.

    Raises ``ValueError`` for a size outside the limits, an unknown name, a formula outside the grammar (see
    :func:`workbench.shapes.fits.grammar.parse_formula`), a signal that is constant; ``FileNotFoundError`` for a path
    without a file; ``TypeError`` for another kind of source.

    >>> signal("temple").shape, signal("temple").channels
    ((64, 64), 3)
    >>> signal("x*y", 8).kind, signal("torus").shape
    ('formula', (20, 20, 20))
    """
    if isinstance(source, Signal):
        return source
    if isinstance(source, str) and source in SIGNALS:
        entry = SIGNALS[source]
        if entry.fact("kind") == "photograph":
            return from_pixels(source, entry.function(_size(size, 2)))
        dimension = entry.function.dimension if isinstance(entry.function, Formula) else 3
        return _sampled(source, entry.fact("kind"), entry.function, _size(size, dimension), dimension)
    if isinstance(source, Path) or (isinstance(source, str) and source.lower().endswith(_ENDINGS)):
        limit = _size(size, 2)
        return from_pixels(Path(source).name, square(read_picture(source).pixels, limit))
    if isinstance(source, str):
        try:
            formula = parse_formula(source)
        except ValueError as error:
            raise ValueError(f"{source[:60]!r} is no signal of {', '.join(SIGNALS)}, and no formula: {error}") from None
        return _sampled(formula.text, "formula", formula, _size(size, formula.dimension), formula.dimension)
    array = checks.finite_array("source", source, ndim=(1, 2, 3))
    if array.ndim == 1:
        checks.integer("the length of source", len(array), minimum=LEAST_TRAINED, maximum=LARGEST_SIZE[1])
        return _checked("array", "formula", (len(array),), array[:, None], None)
    if array.ndim == 3 and array.shape[2] not in (1, 3):
        raise ValueError(f"source must be (h, w), (h, w, 3) or (n,), got shape {array.shape}")
    if array.min() < 0 or array.max() > 1:
        raise ValueError(
            f"a picture has values in [0, 1], got {array.min():g} to {array.max():g}; divide by its range first"
        )
    return from_pixels("array", square(array if array.ndim == 3 else array[..., None], _size(size, 2)))


def from_pixels(name: str, pixels: Floats) -> Signal:
    """Return square pixels (s, s, channels) in [0, 1] as a signal."""
    shape = pixels.shape[:2]
    return _checked(name, "photograph", shape, pixels.reshape(-1, pixels.shape[2]), None)


def square(pixels: Floats, size: int) -> Floats:
    """Return the middle square of a picture (h, w, c), brought to at most ``size`` pixels by averaging whole blocks."""
    side = min(pixels.shape[:2])
    checks.integer("the shorter side of the picture", side, minimum=8)
    block = max(side // size, 1)
    size = min(size, side)
    used = size * block
    top, left = ((n - used) // 2 for n in pixels.shape[:2])
    cut = pixels[top : top + used, left : left + used]
    return cut.reshape(size, block, size, block, -1).mean(axis=(1, 3))


def _size(size: int | None, dimension: int) -> int:
    if size is None:
        return DEFAULT_SIZE[dimension]
    told = f"size (in {dimension} dimension{'s' if dimension > 1 else ''})"
    return checks.integer(told, size, minimum=8, maximum=LARGEST_SIZE[dimension])


def _sampled(name: str, kind: str, function: Callable[..., Floats], size: int, dimension: int) -> Signal:
    shape = (size,) * dimension
    points = sample_points(shape)
    return _checked(name, kind, shape, function(*points.T)[:, None], function)


def _checked(name: str, kind: str, shape: tuple[int, ...], values: Floats, exact: Any) -> Signal:
    low, high = (0.0, 1.0) if kind == "photograph" else (float(values.min()), float(values.max()))
    if not np.ptp(values) > 0 or not np.isfinite(high - low):
        raise ValueError(f"the signal {name!r} is constant or beyond floats; there is nothing to fit")
    values = np.ascontiguousarray(values, dtype=float)
    return Signal(name, kind, sample_points(shape), values, shape, low, high, exact)
