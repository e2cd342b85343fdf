"""How the axis is searched: as released, with a step that arrives, by POT's way, and with a proof."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.clouds.named import SHAPES, cloud
from workbench.progress import Progress
from workbench.registry import Fact, Registry
from workbench.transport import majorant
from workbench.transport.estimators.base import uniform_directions
from workbench.transport.max_sliced import compiled_pair, search_pair
from workbench.transport.measures import Cloud, prepare_pair

STEPS, PUBLISHED_RATE, ARRIVING_RATE = 50, 1e-4, 0.05
SEARCHES = Registry("search", facts={"random": Fact(bool, says="whether the result depends on a random start")})
Vectors = NDArray[np.float64]
SOME_PAIRS = (
    ("torus", "cube"),
    ("sphere", "two-blobs"),
    ("ellipsoid", "cylinder"),
    ("cube-surface", "sphere"),
    ("torus", "sphere"),
    ("ball", "two-blobs"),
    ("cylinder", "cube"),
    ("ellipsoid", "torus"),
)


class Found(NamedTuple):
    """Where a search began and ended, and how many one-dimensional transports it used."""

    start: Vectors
    end: Vectors
    evaluations: int

    @property
    def turned(self) -> float:
        """The angle between the axes of start and end in degrees, exactly even when it is small."""
        apart = min(np.linalg.norm(self.start - self.end), np.linalg.norm(self.start + self.end))
        return float(np.degrees(2 * np.arcsin(apart / 2)))


def adam(x: Cloud, y: Cloud, rng: np.random.Generator, steps: int = STEPS, rate: float = PUBLISHED_RATE) -> Found:
    """Ascend f by projected Adam from a random start, as in the released code: β = (0.9, 0.999), normalised each step.

    >>> from workbench.transport.measures import prepare_pair
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> found = adam(*prepare_pair(x, x + [0.0, 0.0, 2.0], dtype=np.float64), np.random.default_rng(1), rate=0.05)
    >>> bool(abs(found.end[2]) > max(abs(found.start[2]), 0.9)), found.evaluations
    (True, 50)
    """
    pair, start = compiled_pair(x, y), uniform_directions(1, 3, rng)[0]
    theta = start
    first, second, matrix = np.zeros(3), np.zeros(3), np.empty(6)
    slope = np.empty(3)
    for step in range(1, steps + 1):
        majorant.exact_moment(pair, theta, matrix)
        majorant.apply(matrix, theta, slope)  # ∇f = 2Mθ; Adam does not see the factor
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        theta = theta + rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        theta /= np.linalg.norm(theta)
    return Found(start, theta, steps)


def costs_along(pair: tuple, directions: Vectors) -> Vectors:
    """Return f, exactly sorted, along the directions (L, 3) of a ``compiled_pair``, (L,)."""
    matrix = np.empty(6)
    return np.array([majorant.exact_moment(pair, theta, matrix) for theta in directions])


@SEARCHES.add(
    "adam-published",
    label="50 Adam steps, as released",
    formula=r"\theta \leftarrow \theta + 10^{-4}\,\mathrm{Adam}(\nabla f),\ 50\ \text{steps}",
    reference="released code of arXiv 2301.04791",
    cost="50 slices",
    random=True,
)
def adam_published(x: Cloud, y: Cloud, rng: np.random.Generator) -> Found:
    """Ascend with the released settings, learning rate 1e-4 from a random start: half a degree at the most."""
    return adam(x, y, rng)


@SEARCHES.add(
    "adam",
    label="50 Adam steps that arrive",
    formula=r"\theta \leftarrow \theta + 0.05\,\mathrm{Adam}(\nabla f),\ 50\ \text{steps}",
    reference="the same method with another learning rate",
    cost="50 slices",
    random=True,
)
def adam_arriving(x: Cloud, y: Cloud, rng: np.random.Generator) -> Found:
    """Ascend by the same method with the learning rate 0.05: a local maximum, most often."""
    return adam(x, y, rng, rate=ARRIVING_RATE)


@SEARCHES.add(
    "random",
    label="Best of 50 random directions",
    formula=r"\max_{l \leq 50} f(\theta_l)",
    reference="max_sliced_wasserstein_distance of POT",
    cost="50 slices",
    random=True,
)
def best_of_random(x: Cloud, y: Cloud, rng: np.random.Generator) -> Found:
    """Take the best of as many random directions."""
    theta = uniform_directions(STEPS, 3, rng)
    return Found(theta[0], theta[int(np.argmax(costs_along(compiled_pair(x, y), theta)))], STEPS)


@SEARCHES.add(
    "branch-and-bound-50",
    label="Branch and bound, 50 slices",
    formula=r"f(\theta') \leq \theta'^\top M_\theta\,\theta'",
    reference="workbench.transport.majorant",
    cost="50 slices, with a bound",
    random=False,
)
def bounded_fifty(x: Cloud, y: Cloud, rng: np.random.Generator) -> Found:
    """Stop the certified search after as many slices as the others use."""
    found = search_pair(x, y, 1e-6, STEPS)
    return Found(found.direction, found.direction, found.evaluations)


@results.experiment
def slice_searches(
    pairs: Sequence[Sequence[str]] = SOME_PAIRS,
    methods: Sequence[str] | None = None,
    *,
    n: int = 500,
    starts: int = 12,
    tolerance: float = 1e-6,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare searches of the largest slice with the certified maximum, on pairs of named shapes of ``n`` points.

    Over (pair, search, start): ``share`` = f(θ found) ÷ the certified maximum, ``turned`` = the angle from start to end
    in degrees; per pair ``maximum``, ``upper_bound``, ``evaluations`` of the certified search, and ``sw2``. A search
    that knows no chance is run once and repeated in the table. Raises ``ValueError`` for unknown names, and for shapes
    that do not lie in three dimensions. Cost: pairs × methods × starts × 50 × n × 50 ns.

    >>> ds = slice_searches((("torus", "cube"),), ("adam-published", "branch-and-bound-50"), n=100, starts=2)
    >>> bool(ds.turned.sel(search="adam-published").max() < 1), bool((ds.share <= 1 + 1e-6).all())
    (True, True)
    """
    progress = progress or Progress()
    names = [SEARCHES[name].name for name in (methods if methods is not None else SEARCHES)]
    n = checks.integer("n", n, minimum=2, maximum=100_000)
    starts = checks.integer("starts", starts, minimum=1, maximum=10_000)
    chosen = [tuple(pair) for pair in pairs]
    if not chosen or not names:
        raise ValueError("pairs and methods must each name at least one")
    for pair in chosen:
        if len(pair) != 2:
            raise ValueError(f"a pair names two shapes, got {pair!r}")
        for name in pair:
            if SHAPES[name].facts["dim"] != 3:
                raise ValueError(f"the shape {name!r} has {SHAPES[name].facts['dim']} dimensions; choose one with 3")
    rng = checks.generator(seed)
    share, turned = (np.empty((len(chosen), len(names), starts)) for _ in range(2))
    per_pair = np.empty((4, len(chosen)))
    for i, (first, second) in enumerate(chosen):
        x, y = prepare_pair(cloud(first, n, rng), cloud(second, n, rng), dtype=np.float64)
        top = search_pair(x, y, checks.real("tolerance", tolerance, exclusive_minimum=0, maximum=1), 1_000_000)
        compiled = compiled_pair(x, y)
        mean = costs_along(compiled, uniform_directions(2000, 3, rng)).mean()
        per_pair[:, i] = top.value, top.upper_bound, top.evaluations, mean
        for j, name in enumerate(names):
            entry = SEARCHES[name]
            for k, stream in enumerate(rng.spawn(starts)):
                if k == 0 or entry.fact("random"):
                    found = entry(x, y, stream)
                    value = float(costs_along(compiled, found.end[None])[0])
                share[i, j, k], turned[i, j, k] = value / top.value, found.turned
            progress.update(i * len(names) + j + 1, len(chosen) * len(names), f"{first} → {second}: {name}")
    dims = ("pair", "search", "start")
    return results.dataset(
        {
            "share": (dims, share, "W₂² along the direction found ÷ the certified maximum"),
            "turned": (dims, turned, "angle from the start to the direction found", "degree"),
            "maximum": (("pair",), per_pair[0], "largest W₂² of a slice (squared)"),
            "upper_bound": (("pair",), per_pair[1], "bound that no slice exceeds (squared)"),
            "evaluations": (("pair",), per_pair[2].astype(int), "slices of the certified search"),
            "sw2": (("pair",), per_pair[3], "SW₂² (squared)"),
        },
        {
            "pair": (("pair",), np.array([f"{a} → {b}" for a, b in chosen]), "pair of clouds"),
            "search": (("search",), np.array(names), "search"),
            "start": (("start",), np.arange(starts), "random start"),
        },
    )
