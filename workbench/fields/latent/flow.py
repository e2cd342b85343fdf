"""A flow in a latent space, judged on rows kept out: what the codec loses, what the flow adds, and whether they add up.

Everything here is between samples, so it holds for a visitor's own table, where nobody knows the law.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from sklearn.datasets import load_digits

from workbench import checks, results
from workbench.fields.core.integrators import SOLVERS, integrate
from workbench.fields.core.laws import Floats
from workbench.fields.latent.codecs import CODECS, check_points, fitted
from workbench.fields.latent.learners import GREY, LEARNERS, learned, source_for
from workbench.progress import Progress
from workbench.transport import exact_transport, wasserstein

LEAST_ROWS = 40
HELD_OUT = 400
"""Rows kept out at most; the exact distances are between as many."""
SHOWN = 36


@results.experiment
def latent_flow(
    data: Any = "digits",
    dimension: int = 8,
    codec: str = "pca",
    learner: str = "mixture",
    components: int = 10,
    steps: int = 24,
    solver: str = "rk4",
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Fit a codec and a flow in its latent space, and split the error on rows that neither has seen.

    ``data``: rows (n, d), at least 40, or "digits" (scikit-learn's, grey from 0 to 1). A fifth of the rows, at most
    400, is kept out. ``codec`` in ``CODECS``, ``learner`` in ``LEARNERS`` (``components`` of its mixture); ``steps`` of
    ``solver`` carry N(0, s² I) to as many latent points as were kept out.

    In squared units of the data: ``reconstruction`` = mean ‖x − g(f(x))‖² with ``reconstruction_error``; ``latent`` =
    W₂² of the latent points; ``flow`` = latent − ``latent_floor`` with ``flow_error``, and ``total_error`` of
    reconstruction + flow (:func:`sample_errors`); ``whole`` = W₂² of the rows kept out and of the generated ones;
    ``gap`` = whole − reconstruction − latent, nothing but rounding for principal axes; ``triangle`` = (reconstruction^½
    + L_g latent^½)², which always holds, and ``additive`` = reconstruction + L_g² latent, which need not;
    ``lipschitz`` L_g of the decoder, proved. ``floor``: W₂² of the rows kept out and of rows trained on. ``picture``
    and ``kept`` (shown, d).

    Distances of samples are positive even where the laws agree: read them beside ``floor``. Raises ``ValueError`` for
    tables too small or too large, a dimension above the table's. Cost: about 0.3 s, 3 s more for a network or an
    autoencoder.

    Reference: Dao, Phung, Nguyen, Tran, "Flow matching in latent space", arXiv 2307.08698.

    >>> ds = latent_flow(dimension=4, components=3)
    >>> bool(abs(ds.gap) < 1e-10), bool(ds.whole < ds.triangle)
    (True, True)
    """
    progress = progress or Progress()
    rows, name = _rows(data)
    n, d = rows.shape
    dimension = checks.integer("dimension", dimension, minimum=1, maximum=min(d, 64))
    checks.choice("codec", codec, CODECS)
    checks.choice("learner", learner, LEARNERS)
    components = checks.integer("components", components, minimum=1, maximum=30)
    steps = checks.integer("steps", steps, minimum=1, maximum=1000)
    checks.choice("solver", solver, SOLVERS)
    seed = checks.integer("seed", seed, minimum=0)
    rng = np.random.default_rng([0, seed])
    order = rng.permutation(n)
    cut = min(max(n // 5, 8), HELD_OUT)
    kept, seen = rows[order[:cut]], rows[order[cut:]]
    coder = fitted(codec, seen, dimension, seed, progress)
    latent = coder.encode(seen)
    centre = latent.mean(axis=0)
    source = source_for(latent)
    field = learned(learner, latent - centre, source, components, seed, progress)
    start = source.sample(cut, rng)
    made = centre + integrate(field, start, steps, solver, progress=progress).end
    of_kept = coder.encode(kept)
    squares = np.sum((kept - coder.decode(of_kept)) ** 2, axis=1)
    again = seen[:cut] if len(seen) >= cut else seen
    lost = float(squares.mean())
    flown, floor, flow_error, total_error = sample_errors(of_kept, made, coder.encode(again), squares)
    generated = coder.decode(made)
    whole = wasserstein(kept, generated)
    slope = float(coder.lipschitz)
    shown = min(SHOWN, cut)
    return results.dataset(
        {
            "reconstruction": ((), lost, "squared error of the reconstruction, E‖x − g(f(x))‖²"),
            "reconstruction_error": ((), float(squares.std(ddof=1)) / math.sqrt(cut), "its standard error"),
            "latent": ((), flown, "W₂² of latent points kept out and generated"),
            "flow": ((), flown - floor, "what the flow adds over what real rows differ by"),
            "flow_error": ((), flow_error, "its standard error over rows, for this field"),
            "total_error": ((), total_error, "standard error of reconstruction + flow"),
            "whole": ((), whole, "W₂² of rows kept out and generated"),
            "gap": ((), whole - lost - flown, "W₂² − reconstruction − latent W₂²"),
            "triangle": ((), (math.sqrt(lost) + slope * math.sqrt(flown)) ** 2, "square of the sum of both errors"),
            "additive": ((), lost + slope**2 * flown, "sum of the squared errors, the latent one times L_g²"),
            "lipschitz": ((), slope, "proved Lipschitz constant L_g of the decoder"),
            "floor": ((), wasserstein(kept, again), "W₂² of rows kept out and rows trained on"),
            "latent_floor": ((), floor, "W₂² of their latent points"),
            "picture": (("shown", "pixel"), generated[:shown], "generated rows"),
            "kept": (("shown", "pixel"), kept[:shown], "rows kept out"),
        },
        {"shown": (("shown",), np.arange(shown), "row"), "pixel": (("pixel",), np.arange(d), "column")},
        attrs={"data": name},
    )


def sample_errors(kept: Floats, made: Floats, again: Floats, squares: Floats) -> tuple[float, float, float, float]:
    """Return W₂²(kept, made), W₂²(kept, again), and the standard errors of their difference and of mean(squares) + it.

    Points (n, k), (m, k), (l, k); ``squares`` (n,) belong to the points kept. With optimal potentials f, g of the first
    pair and f′, g′ of the second, √n (W₂² − E W₂²) has the variance of f(X), and of g(Y) besides, for any laws with
    moments; so that of the difference is Var(f − f′)/n + Var(g)/m + Var(g′)/l, and ``squares`` join f − f′. What a
    sample's W₂² exceeds the laws' by is no error of this kind: most of it falls out of the difference. The field is
    taken as given: what another training would give is not in it.

    Reference: del Barrio and Loubes, "Central limit theorems for empirical transportation cost in general dimension",
    Annals of Probability 47, 2019.

    >>> points = np.random.default_rng(0).normal(size=(3, 50, 2))
    >>> made, floor, error, both = sample_errors(*points, squares=np.ones(50))
    >>> bool(abs(made - floor) < 3 * error), error == both
    (True, True)
    """
    first, second = exact_transport(kept, made), exact_transport(kept, again)
    (f, g), (f_again, g_again) = first.potentials, second.potentials
    drawn = float(g.var(ddof=1)) / len(g) + float(g_again.var(ddof=1)) / len(g_again)
    flow, both = (math.sqrt(float((f - f_again + more).var(ddof=1)) / len(f) + drawn) for more in (0.0, squares))
    return float(first.value), float(second.value), flow, both


def _rows(data: Any) -> tuple[Floats, str]:
    if isinstance(data, str):
        checks.choice("data", data, ("digits",))
        return load_digits().data / GREY, "digits"
    return check_points("data", data, least=LEAST_ROWS), "own rows"


@results.experiment
def codec_study(
    dims: Sequence[int] = (2, 4, 8, 16, 32),
    seeds: Sequence[int] = (0, 1, 2),
    learner: str = "mixture",
    progress: Progress | None = None,
) -> xr.Dataset:
    """Repeat :func:`latent_flow` on the digits for every codec, latent dimension and seed.

    Dimensions (codec, dimension, seed) for ``reconstruction``, ``latent``, ``flow``, ``whole``, ``gap``, ``triangle``,
    ``additive``, ``lipschitz``, ``floor``; a seed draws the split, the start of the network and the paths. Cost: some
    5 s for each dimension and seed. ``ValueError`` for fewer than two seeds.

    >>> codec_study((2,), (0, 1)).whole.shape
    (2, 1, 2)
    """
    progress = progress or Progress()
    if len(seeds) < 2 or len(set(seeds)) < len(seeds) or not len(dims):
        raise ValueError("give at least one dimension, and two different seeds or more")
    sizes = [checks.integer("dims", k, minimum=1, maximum=64) for k in dims]
    codecs = list(CODECS)
    names = ("reconstruction", "latent", "flow", "whole", "gap", "triangle", "additive", "lipschitz", "floor")
    shape = (len(codecs), len(sizes), len(seeds))
    told = {name: np.empty(shape) for name in names}
    words: dict[str, str] = {}
    for done, (i, j, k) in enumerate(np.ndindex(shape)):
        progress.update(done, math.prod(shape), f"{codecs[i]}, {sizes[j]} latent dimensions, seed {seeds[k]}")
        ds = latent_flow("digits", sizes[j], codecs[i], learner, seed=seeds[k])
        for name in names:
            told[name][i, j, k], words[name] = float(ds[name]), ds[name].attrs["long_name"]
    progress.update(1, 1, "done")
    return results.dataset(
        {name: (("codec", "dimension", "seed"), told[name], words[name]) for name in names},
        {
            "codec": (("codec",), codecs, "codec"),
            "dimension": (("dimension",), sizes, "latent dimension"),
            "seed": (("seed",), list(seeds), "seed"),
        },
    )
