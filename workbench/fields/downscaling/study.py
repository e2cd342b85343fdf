"""Trained downscalers over seeds, on the same held-out fields and noise, beside the exact sampler and cheap rows."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fields.core.laws import Floats
from workbench.fields.downscaling.denoiser import GATE, train_denoiser
from workbench.fields.downscaling.field import MEAN, SPREAD, exact_downscaler, interpolated
from workbench.fields.downscaling.gain import rain_quantile, to_rain
from workbench.fields.downscaling.methods import (
    MOST_FIELDS,
    MOST_MEMBERS,
    WEIGHT,
    held_out_fields,
    quantile_mapped,
    sampled,
)
from workbench.fields.downscaling.scores import tail_scores
from workbench.progress import Progress


class Row(NamedTuple):
    """How a row of the study is trained; ``steps`` is a multiple of those of the study."""

    label: str
    parametrisation: str
    weight: float
    gate: float | None
    steps: float


TRAINED = {
    "diffusion": Row("preconditioned, w = 0", "preconditioned", 0.0, None, 1.0),
    "wdr": Row("preconditioned, w = 0.2", "preconditioned", WEIGHT, None, 1.0),
    "wdr-gated": Row("preconditioned, w = 0.2 for σ < s/2", "preconditioned", WEIGHT, GATE, 1.0),
    "score": Row("score form, w = 0", "score", 0.0, None, 3.5),
    "score-wdr": Row("score form, w = 0.2", "score", WEIGHT, None, 3.5),
}
FIXED = ("draws", "exact", "bilinear", "bilinear-mapped")
"""Rows without training: draws from the exact law, the exact score with the shared sampler, and the cheap ones."""
MAPPED = "quantile-mapping"
SCORES = ("log_ratio", "log_ratio_low", "log_ratio_high", "maxima", "crps", "bias", "wasserstein", "wild")
SHOWN = 3


@results.experiment
def downscaling_study(
    rows: Sequence[str] = tuple(TRAINED),
    seeds: Sequence[int] = tuple(range(5)),
    days: int = 600,
    members: int = 2,
    steps: int = 700,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train every row with every seed and score its samples of held-out fields, pairing the rows by seed.

    ``rows``: names of ``TRAINED`` ("score" rows take 3.5 times the steps); ``days`` fields of 16 × 16 that no
    training sees, ``members`` samples of each by the same noise in all rows. Along (downscaler, seed): ``log_ratio``
    of the 99.9 % rain with its block-bootstrap interval over fields, ``log_exact``, the same against the exact
    quantile 125.5 mm, ``maxima``, ``crps``, ``bias``, ``wasserstein``, ``wild``, ``variance``, that of the samples
    about the exact conditional mean ÷ the exact one. Rows without training repeat over seeds. Along ``downscaler``:
    ``difference`` and ``reach``, the change of the log-ratio paired with the plain row of the same parametrisation
    and half its 95 % interval (Student's t). ``picture`` (drawn, shown, y, x) in mm, and ``level`` of each along
    ``period``. ``ValueError`` for unknown rows or fewer than two seeds. Cost: 10 ms a training step, 6 ms a sampled
    field, for each row and seed.

    >>> ds = downscaling_study(["diffusion", "wdr"], (0, 1), days=8, steps=4)
    >>> ds.log_ratio.shape
    (7, 2)
    """
    progress = progress or Progress()
    for name in rows:
        checks.choice("row", name, TRAINED)
    if len(seeds) < 2 or len(set(seeds)) < len(seeds) or "diffusion" not in rows or len(set(rows)) < len(rows):
        raise ValueError(
            "a study pairs rows over seeds: give 'diffusion', each row once, and two different seeds or more"
        )
    seeds = [checks.integer("seed", seed, minimum=0) for seed in seeds]
    days = checks.integer("days", days, minimum=8, maximum=MOST_FIELDS)
    members = checks.integer("members", members, minimum=2, maximum=MOST_MEMBERS)
    steps = checks.integer("steps", steps, minimum=1, maximum=20_000)
    truth, coarse = held_out_fields(days, 0)
    exact = exact_downscaler()
    mean = exact.mean(coarse)
    spread = float(np.trace(exact.covariance)) / mean[0].size
    methods = [*FIXED, *rows, MAPPED]
    found = {name: np.full((len(methods), len(seeds)), np.nan) for name in (*SCORES, "log_exact", "variance")}
    pictures = np.full((len(methods) + 1, SHOWN, *truth.shape[1:]), np.nan)
    period = np.geomspace(2, 5000, 40)
    levels = np.full((len(methods) + 1, len(period)), np.nan)
    best = float(np.log(rain_quantile(MEAN, SPREAD, 0.999)))

    def enter(method: str, seed: int | None, made: Floats) -> None:
        k = methods.index(method)
        scored = tail_scores(made, truth, (0.999,))
        at = slice(None) if seed is None else list(seeds).index(seed)
        for name in SCORES:
            found[name][k, at] = float(scored[name].values.ravel()[0])
        found["log_exact"][k, at] = (
            float(found["log_ratio"][k, at if seed is not None else 0])
            + math.log(float(scored.quantile_truth[0]))
            - best
        )
        found["variance"][k, at] = float(np.mean((made - mean[:, None]) ** 2)) / spread
        if seed in (None, seeds[0]):
            pictures[k + 1] = to_rain(made[:SHOWN, 0])
            levels[k + 1] = to_rain(np.quantile(made, 1 - 1 / period))

    smooth = interpolated(coarse)[:, None].repeat(2, axis=1)
    pictures[0], levels[0] = to_rain(truth[:SHOWN]), rain_quantile(MEAN, SPREAD, 1 - 1 / period)
    progress.update(0, 1, "the exact sampler")
    enter("draws", None, exact.sample(coarse, members, np.random.default_rng(17)))
    enter("exact", None, sampled(None, coarse, members, 0, None))
    enter("bilinear", None, smooth)
    enter("bilinear-mapped", None, quantile_mapped(smooth))
    total = sum(TRAINED[name].steps for name in rows) * steps * len(seeds)
    done = 0.0
    for seed in seeds:
        for name in rows:
            row = TRAINED[name]
            count = round(row.steps * steps)
            part = _Part(progress, done, total, f"{row.label}, seed {seed}")
            network = train_denoiser(row.weight, row.gate, row.parametrisation, count, seed=seed, progress=part)
            done += row.steps * steps
            progress.update(done, total, f"{row.label}, seed {seed}: sampling")
            made = sampled(network, coarse, members, 0, _Silent(progress))
            enter(name, seed, made)
            if name == "diffusion":
                enter(MAPPED, seed, quantile_mapped(made))
    progress.update(total, total, "done")
    return _dataset(methods, seeds, found, pictures, levels, period, {"days": days, "members": members})


class _Part(Progress):
    """The progress of one training inside that of the study."""

    def __init__(self, whole: Progress, before: float, total: float, words: str) -> None:
        super().__init__()
        self._whole, self._before, self._total, self._words = whole, before, total, words

    def update(self, done: float, total: float, message: str = "") -> None:
        self._whole.update(self._before + done, self._total, self._words)


class _Silent(Progress):
    """Says nothing of its own and stops with the whole."""

    def __init__(self, whole: Progress) -> None:
        super().__init__()
        self._cancelled = whole._cancelled


def _dataset(
    methods: list[str],
    seeds: Sequence[int],
    found: dict[str, Any],
    pictures: Floats,
    levels: Floats,
    period: Floats,
    counts: dict[str, int],
) -> xr.Dataset:
    from scipy.stats import t as student

    apart, reach = np.full(len(methods), np.nan), np.full(len(methods), np.nan)
    for k, name in enumerate(methods):
        base = "score" if name == "score-wdr" else "diffusion"
        if name in (*FIXED, "score", "diffusion") or base not in methods:
            continue
        paired = found["log_ratio"][k] - found["log_ratio"][methods.index(base)]
        apart[k] = paired.mean()
        reach[k] = paired.std(ddof=1) / math.sqrt(len(seeds)) * student.ppf(0.975, len(seeds) - 1)
    both, n = ("downscaler", "seed"), pictures.shape[-1]
    with np.errstate(over="ignore"):  # wild pixels are infinite in single precision, as they are counted
        shown = pictures.astype(np.float32)
    told = {
        "log_ratio": "log-ratio of the 99.9 % rain to that of the held-out fields",
        "log_ratio_low": "lower end of its 95 % interval over fields",
        "log_ratio_high": "upper end of its 95 % interval over fields",
        "log_exact": "log-ratio of the 99.9 % rain to the exact one",
        "maxima": "mean log-ratio of field maxima",
        "variance": "variance about the exact conditional mean ÷ the exact one",
        "wild": "pixels beyond 22 metres a day",
    }
    in_mm = {"crps": "fair CRPS", "bias": "bias", "wasserstein": "W₁ of pooled pixels"}
    return results.dataset(
        {
            **{name: (both, found[name], words) for name, words in told.items()},
            **{name: (both, found[name], words, "mm/day") for name, words in in_mm.items()},
            "difference": (("downscaler",), apart, "log-ratio minus that of the plain row, mean over seeds"),
            "reach": (("downscaler",), reach, "half of its 95 % interval"),
            "picture": (("drawn", "shown", "y", "x"), shown, "rain", "mm/day"),
            "level": (("drawn", "period"), levels, "return level of a pixel", "mm/day"),
            **{name: ((), count, f"{name} of the study") for name, count in counts.items()},
        },
        {
            "downscaler": (("downscaler",), methods, "downscaler"),
            "drawn": (("drawn",), ["truth", *methods], "truth and methods"),
            "seed": (("seed",), list(seeds), "training seed"),
            "shown": (("shown",), np.arange(SHOWN), "held-out field"),
            "period": (("period",), period, "return period", "days"),
            "y": (("y",), np.arange(n), "pixel"),
            "x": (("x",), np.arange(n), "pixel"),
        },
    )
