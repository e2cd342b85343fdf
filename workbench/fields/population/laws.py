"""Populations of points before and after: letters that come out of a blur, swarms, and blobs that shift by their shape.

A population i is a cloud p₀ⁱ and what has become of it, p₁ⁱ. In letters and swarms each point is followed (the
coupling is "paired"), in mixtures it is not. Letters and mixtures have an exact field; a swarm has its law.
"""

import functools
from dataclasses import dataclass

import numpy as np

from workbench import checks, data
from workbench.fields.core.exact import ExactField, exact_field
from workbench.fields.core.laws import Floats, GaussianMixture, gaussian
from workbench.fields.population.swarm import swarm_flow

KINDS = ("letters", "swarm", "mixtures")
RASTER = "fields/letters.nc"
HELD_LETTERS = "XY"
"""Letters that no training sees, as in the paper."""
REACH, PRINT, BLUR = 3.0, 0.05, 0.5
"""Half of a letter's longer side, the width of the noise on a pixel, and that of the blur: the paper's numbers."""
MOST_COUNT, MOST_POINTS = 500, 2000
AXIS, NARROW, SHIFT = 0.8, 0.35, 2.0
HEAVY = 0.7


@dataclass(frozen=True)
class Population:
    """A cloud ``source`` (n, d) and what has become of it, ``target`` (m, d).

    ``paired``: whether target j is where source j has gone. ``field`` is the exact field, where there is
    one; ``swarm``: whether the law of :func:`workbench.fields.population.swarm.attraction` moved it.
    """

    name: str
    source: Floats
    target: Floats
    paired: bool
    field: ExactField | None = None
    swarm: bool = False

    def fresh(self, n: int, seed: int | np.random.Generator) -> Floats:
        """Return ``n`` new points of p₁; ``ValueError`` where nobody knows its law."""
        if self.field is None:
            raise ValueError(f"the law of {self.name}'s target is not known, so no fresh points can be drawn from it")
        return self.field.couple(n, seed)[1]


def populations(
    kind: str,
    count: int = 24,
    points: int = 300,
    seed: int = 0,
    *,
    held_out: bool = False,
    separation: float = 0.0,
) -> tuple[Population, ...]:
    """Return ``count`` populations of ``points`` pairs in the plane.

    "letters": glyphs of DejaVu Sans Bold, their pixels with noise of width 0.05 and at a random angle, after a blur of
    width 0.5; A to W and Z, or X and Y if ``held_out``. "swarm": 1 to 4 blobs that attract and repel for T = 1.
    "mixtures": two blobs of unequal weight, shifted by 2 across their axis, their middles ``separation`` times a
    standard normal from the origin: with a separation the place of a point betrays its population.

    Populations with ``held_out`` are others than those without, for every seed. Raises ``ValueError`` for sizes past
    500 populations and 2,000 points. Cost: 1 ms each, a swarm n² · 1 µs.

    Reference: Atanackovic et al., "Meta flow matching", arXiv 2408.14608 (letters).

    >>> one = populations("letters", 3, 50)[1]
    >>> one.name[0], one.source.shape, one.paired
    ('B', (50, 2), True)
    """
    checks.choice("kind", kind, KINDS)
    count = checks.integer("count", count, minimum=1, maximum=MOST_COUNT)
    points = checks.integer("points", points, minimum=2, maximum=MOST_POINTS)
    seed = checks.integer("seed", seed, minimum=0)
    separation = checks.real("separation", separation, minimum=0, maximum=1000)
    made = []
    for i in range(count):
        rng = np.random.default_rng([KINDS.index(kind), int(held_out), seed, i])
        if kind == "letters":
            made.append(_letter(i, points, held_out, rng))
        elif kind == "swarm":
            x = blobs(points, rng)
            made.append(Population(f"swarm {i + 1}", x, swarm_flow(x), True, swarm=True))
        else:
            made.append(_mixture(i, points, separation, rng))
    return tuple(made)


@functools.lru_cache(maxsize=26)
def letter_pixels(letter: str) -> Floats:
    """Return the pixels (k, 2) of a capital letter, its longer side from −3 to 3.

    >>> float(np.abs(letter_pixels("X")).max().round(6))
    3.0
    """
    ds = data.result(RASTER)
    checks.choice("letter", letter, ds.letter.values.tolist())
    rows, columns = np.nonzero(ds.pixel.sel(letter=letter).values > 0)
    made = np.stack([columns, -rows], axis=1).astype(np.float64)
    low, high = made.min(axis=0), made.max(axis=0)
    return (made - 0.5 * (low + high)) * (2 * REACH / (high - low).max())


def letter_field(letter: str, angle: float = 0.0) -> ExactField:
    """Return the exact field of a letter at an angle: v* = −((1 − t) ξ²/σ_t²) Σ_j r_j (x − a_j), the blur undone.

    σ_t² = 0.05² + 0.5² (1 − t)². It is ¼ (1 − t) ∇log p_t, a heat flow backwards in time.
    """
    pixels = letter_pixels(letter) @ rotation(angle).T
    k = len(pixels)
    law = GaussianMixture(np.full(k, 1 / k), pixels, np.tile(PRINT**2 * np.eye(2), (k, 1, 1)))
    return exact_field(gaussian([0.0, 0.0], BLUR**2 * np.eye(2)), law, "paired")


def rotation(angle: float) -> Floats:
    """Return the matrix of a rotation of the plane."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def _letter(i: int, points: int, held_out: bool, rng: np.random.Generator) -> Population:
    known = [chr(65 + k) for k in range(26) if chr(65 + k) not in HELD_LETTERS]
    letters = list(HELD_LETTERS) if held_out else known
    letter = letters[i % len(letters)]
    angle = float(rng.uniform(0, 2 * np.pi))
    field = letter_field(letter, angle)
    x0, x1 = field.couple(points, rng)
    return Population(f"{letter} at {np.degrees(angle):.0f}°", x0, x1, True, field)


def blobs(points: int, rng: np.random.Generator) -> Floats:
    """Return a cloud (n, 2) of 1 to 4 blobs, centres in [−2.5, 2.5]², widths 0.2 to 0.8."""
    k = int(rng.integers(1, 5))
    centres, widths = rng.uniform(-2.5, 2.5, (k, 2)), rng.uniform(0.2, 0.8, k)
    which = rng.integers(k, size=points)
    return centres[which] + widths[which, None] * rng.standard_normal((points, 2))


def _mixture(i: int, points: int, separation: float, rng: np.random.Generator) -> Population:
    centre = separation * rng.standard_normal(2)
    angle = float(rng.uniform(0, 2 * np.pi))
    field = mixture_field(centre, angle)
    x1 = field.target.sample(points, rng)
    x0 = field.source.sample(points, rng)
    return Population(f"blobs {i + 1} at {np.degrees(angle):.0f}°", x0, x1, False, field)


def mixture_field(centre: Floats, angle: float) -> ExactField:
    """Return the exact field of two blobs, 0.7 and 0.3 of the mass, that shift by 2 across their axis."""
    along = rotation(angle)
    means = centre + np.array([[AXIS, 0.0], [-AXIS, 0.0]]) @ along.T
    covariances = np.tile(NARROW**2 * np.eye(2), (2, 1, 1))
    weights = [HEAVY, 1 - HEAVY]
    moved = means + along @ np.array([0.0, SHIFT])
    return exact_field(GaussianMixture(weights, means, covariances), GaussianMixture(weights, moved, covariances))
