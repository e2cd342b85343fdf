"""What knowing the population is worth on one's own table: a field with and without φ(p₀), judged where it never was.

No law is known, so nothing is exact: the loss difference of two trained fields on populations kept out of both
trainings estimates the population-information gap G as far as both have learnt, and may be negative. Populations are
the units.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import t as student

from workbench import checks, results
from workbench.fields.core.laws import Floats
from workbench.fields.population.laws import Population
from workbench.fields.population.methods import FIELDS, Known, predict
from workbench.fields.population.network import PopulationNetwork
from workbench.fields.population.report import FRAMES, LEAST_HELD
from workbench.fields.population.tables import own_population_table
from workbench.fields.population.training import train_populations
from workbench.progress import Progress
from workbench.transport import wasserstein

LEAST_POPULATIONS = 3
PAIRS = 4000
"""Pairs of a population that a loss is a mean over."""
MOST_JUDGED = 300
"""Points of a W₂."""
SCALES = ("each", "common")
TOLD = ("deep-sets", "graph")
FITS = ("one field for all", "told its population", "told another population")


@results.experiment
def own_population_report(
    features: Any,
    population: Any,
    time: Any,
    particle: Any = None,
    before: float | None = None,
    after: float | None = None,
    embedding: str = "deep-sets",
    scale: str = "each",
    index: int = 0,
    folds: int = 5,
    steps: int = 1000,
    width: int = 64,
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return what a field gains by being told its population, on populations that neither field was trained on.

    ``features`` (n, d), ``population``, ``time`` and perhaps ``particle`` (n,) are the rows of a table, as
    :func:`own_population_table` takes them. The populations are dealt into ``folds``; for each fold two networks take
    equal ``steps`` on all others, one without and one with an ``embedding`` φ(p₀) ("deep-sets" or "graph"), once for
    each of ``seeds``. Features are centred and divided by their deviation before ("each" its own, or one "common"):
    that is the unit of all numbers. ``index``: the population whose way is kept.

    ``loss`` (fit, seed, population) is E‖v̂(x_t, t) − (x₁ − x₀)‖² on the same pairs for a field for all, for one told
    its population, and, as a control, for the latter told another population. ``gain`` (population,) the first minus
    the second, a mean over seeds; ``mean_gain`` with ``reach``, half its 95 % interval (Student's t over populations;
    trainings of different folds share data, which it does not know), and the same for ``gain_control``. ``distance``
    (field, population) is W₂ from where each method takes one half of a population to the other half's target, with
    ``halves``, W₂ between the halves of the target, as floor; ``gain_distance`` with ``reach_distance``, paired, of the
    told field over the other. With fewer than 5 populations all reaches are NaN: no claim can be made.

    Raises ``ValueError`` for tables that cannot be read so, and fewer than 3 populations. Cost: 3 ms a step, fold and
    seed at width 64.

    Reference: Atanackovic et al., "Meta flow matching", arXiv 2408.14608, equation 11.

    >>> from workbench.fields import example_population_table
    >>> table = example_population_table(4, 30)
    >>> ds = own_population_report(table.features, table.population, table.time, folds=2, steps=20, width=16)
    >>> ds.loss.dims, bool(np.isnan(ds.reach))  # four populations carry no interval
    (('fit', 'seed', 'population'), True)
    """
    progress = progress or Progress()
    those = own_population_table(features, population, time, particle, before=before, after=after)
    if len(those) < LEAST_POPULATIONS:
        raise ValueError(
            f"{len(those)} populations leave one to train on; give {LEAST_POPULATIONS} or more, and {LEAST_HELD} "
            "or more for an interval"
        )
    checks.choice("embedding", embedding, TOLD)
    checks.choice("scale", scale, SCALES)
    index = checks.integer("index", index, minimum=0, maximum=len(those) - 1)
    folds = min(checks.integer("folds", folds, minimum=2, maximum=20), len(those))
    steps = checks.integer("steps", steps, minimum=1, maximum=20_000)
    seeds = [checks.integer("seed", s, minimum=0) for s in seeds]
    if not 1 <= len(seeds) <= 10:
        raise ValueError(f"give 1 to 10 seeds of training, got {len(seeds)}")
    those, middle, deviation = _scaled(those, scale)
    count, d = len(those), those[0].source.shape[1]
    names = [n for n, e in FIELDS.items() if "table" in e.fact("kinds").split()]
    names = [n for n in names if FIELDS[n].facts.get("network", "none") in ("none", embedding)]
    order = np.random.default_rng([17, seeds[0]]).permutation(count)
    deal = [order[k::folds] for k in range(folds)]
    loss = np.full((len(FITS), len(seeds), count), np.nan)
    distance = np.full((len(names), len(seeds), count), np.nan)
    halves, still, paths = np.full(count, np.nan), np.full(count, np.nan), None
    trainings = folds * len(seeds)
    for s, seed in enumerate(seeds):
        for k, held in enumerate(deal):
            rest = [those[i] for i in order if i not in held]
            here = _Part(progress, s * folds + k, trainings)
            networks = {}
            for which, name in enumerate(("none", embedding)):
                networks[name] = train_populations(
                    rest, name, steps, width=width, seed=seed, progress=here.part(which, 2, f"fold {k + 1}")
                )
            known = Known(rest, networks)
            for i in held:
                loss[:, s, i], still[i] = _losses(those[i], networks["none"], networks[embedding], rest, [23, int(i)])
                distance[:, s, i], halves[i] = _distances(those[i], names, known, [29, int(i)])
                if i == index and s == 0:
                    paths = _paths(those[i], names, known)
    progress.update(1, 1, "done")
    gain, control = (loss[0] - loss[1]).mean(axis=0), (loss[2] - loss[1]).mean(axis=0)
    nearer = (distance[names.index("flow-matching")] - distance[-1]).mean(axis=0)
    return results.dataset(
        {
            "loss": (("fit", "seed", "population"), loss, "loss on pairs of populations kept out of training"),
            "still": (("population",), still, "E‖x₁ − x₀‖² of the same pairs, the loss of no motion"),
            "gain": (("population",), gain, "loss saved by being told the population"),
            "mean_gain": ((), float(gain.mean()), "its mean over populations, an estimate of the gap G"),
            "reach": ((), _reach(gain), "half of its 95 % interval"),
            "gain_control": (("population",), control, "loss saved against being told another population"),
            "mean_gain_control": ((), float(control.mean()), "its mean over populations"),
            "reach_control": ((), _reach(control), "half of its 95 % interval"),
            "distances": (("field", "seed", "population"), distance, "W₂ to the target of the other half"),
            "halves": (("population",), halves, "W₂ between halves of the target, the floor"),
            "gain_distance": (("population",), nearer, "W₂ of one field for all minus that of the told field"),
            "mean_gain_distance": ((), float(nearer.mean()), "its mean over populations"),
            "reach_distance": ((), _reach(nearer), "half of its 95 % interval"),
            "wins": ((), int((nearer > 0).sum()), "populations that end nearer when told"),
            "path": (("field", "time", "point", "axis"), paths[0], "the shown population on its way"),  # type: ignore[index]
            "target": (("end", "axis"), paths[1], "its target"),  # type: ignore[index]
            "distance": (("field",), distance[:, :, index].mean(axis=1), "W₂ of the shown population's end"),
            "fresh": (("field",), np.full(len(names), np.nan), "W₂ to fresh points; nobody has any of a table"),
            "floor": ((), float(halves[index]), "W₂ between halves of its target"),
            "centre": (("blob", "axis"), np.full((1, 2), np.nan), "centres placed by hand, none in a table"),
            "middle": (("feature",), middle, "what was subtracted from the features"),
            "deviation": (("feature",), deviation, "what they were divided by"),
        },
        {
            "fit": (("fit",), list(FITS), "which field"),
            "seed": (("seed",), seeds, "seed of training"),
            "population": (("population",), [one.name for one in those], "population"),
            "field": (("field",), names, "method"),
            "time": (("time",), np.linspace(0, 1, FRAMES), "time t"),
            "point": (("point",), np.arange(paths[0].shape[2]), "point"),  # type: ignore[index]
            "end": (("end",), np.arange(len(paths[1])), "point of the target"),  # type: ignore[index]
            "axis": (("axis",), ["x", "y"], "coordinate"),
            "blob": (("blob",), [0], "blob placed by hand"),
            "feature": (("feature",), np.arange(d), "number of the feature"),
        },
    )


class _Part(Progress):
    """Progress of one training as a share of all."""

    def __init__(self, whole: Progress, first: float, total: int) -> None:
        super().__init__()
        self._whole, self._first, self._total = whole, first, total
        self._share, self._label = 1.0, ""

    def part(self, k: int, of: int, label: str) -> "_Part":
        made = _Part(self._whole, self._first + k / of, self._total)
        made._share, made._label = 1 / of, label
        return made

    def update(self, done: float, total: float, message: str = "") -> None:
        words = f"{self._label}, {message}"
        self._whole.update(self._first + self._share * done / total, self._total, words)


def _scaled(those: Sequence[Population], scale: str) -> tuple[list[Population], Floats, Floats]:
    before = np.concatenate([one.source for one in those])
    middle, deviation = before.mean(axis=0), before.std(axis=0)
    if scale == "common":
        deviation = np.full_like(deviation, math.sqrt(float((deviation**2).mean())))
    if not deviation.min() > 0:
        raise ValueError(
            f"feature {int(deviation.argmin()) + 1} is the same in all rows before; leave it out or take scale='common'"
        )
    made = [
        Population(one.name, (one.source - middle) / deviation, (one.target - middle) / deviation, one.paired)
        for one in those
    ]
    return made, middle, deviation


def _losses(
    one: Population,
    plain: PopulationNetwork,
    told: PopulationNetwork,
    others: Sequence[Population],
    seed: list[int],
) -> tuple[Floats, float]:
    """Return the losses of both fields and of a wrongly told one on the same pairs, and that of no motion."""
    rng = np.random.default_rng(seed)
    first = rng.integers(len(one.source), size=PAIRS)
    second = first if one.paired else rng.integers(len(one.target), size=PAIRS)
    x0, u = one.source[first], one.target[second] - one.source[first]
    t = rng.random(PAIRS)
    x = x0 + t[:, None] * u
    wrong = others[int(rng.integers(len(others)))].source
    fields = plain.field(one.source), told.field(one.source), told.field(wrong)
    return np.array([((v(x, t) - u) ** 2).sum(axis=1).mean() for v in fields]), float((u**2).sum(axis=1).mean())


def _distances(one: Population, names: Sequence[str], known: Known, seed: list[int]) -> tuple[Floats, float]:
    """Return W₂ from one half's prediction to the other half's target, and between the halves of the target.

    The two halves share no point, so that a method cannot be flattered by the very pairs it starts from.
    """
    rng = np.random.default_rng(seed)
    n, m = len(one.source), len(one.target)
    size = min(n // 2, m // 2, MOST_JUDGED)
    starts, ends = rng.permutation(n), rng.permutation(m)
    if one.paired:
        ends = starts
    mine, theirs = starts[:size], ends[size : 2 * size]
    target = one.target[theirs]
    found = [math.sqrt(max(wasserstein(predict(name, one, known)[-1][mine], target), 0.0)) for name in names]
    return np.array(found), math.sqrt(max(wasserstein(one.target[ends[:size]], target), 0.0))


def _paths(one: Population, names: Sequence[str], known: Known) -> tuple[Floats, Floats]:
    """Return the first two coordinates of the ways of up to 300 points, and of the target."""
    times = np.linspace(0, 1, FRAMES)
    shown = slice(0, MOST_JUDGED)
    ways = np.stack([predict(name, one, known, times)[:, shown] for name in names])
    target = one.target[shown]
    if ways.shape[-1] == 1:
        ways, target = (np.concatenate([part, np.zeros_like(part)], axis=-1) for part in (ways, target))
    return ways[..., :2], target[:, :2]


def _reach(values: Floats) -> float:
    """Return half of the 95 % interval of a mean; NaN for fewer than 5 values, which carry none."""
    n = len(values)
    if n < LEAST_HELD:
        return math.nan
    return float(values.std(ddof=1) / math.sqrt(n) * student.ppf(0.975, n - 1))
