"""Training a small network on the pairs of flow matching, watched against the exact field and the memoriser.

A network that sees n points over and over has the memoriser v*_n for its optimum and not v*: on its way there it first
nears the truth and then leaves it, while its training loss keeps falling. Both distances are measured here at every
look, with standard errors, on points that no training touches.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fields.core.couplings import matched
from workbench.fields.core.exact import exact_field
from workbench.fields.core.irreducible import least_loss
from workbench.fields.core.laws import FiniteSample, Floats, GaussianMixture, as_law, standard_gaussian
from workbench.fields.core.network import Adam, FieldNetwork, backward, split
from workbench.fields.core.plane import TIMES, arrow_definitions, grid_of
from workbench.fields.core.probe import Probe, probe
from workbench.progress import Progress

PROBED = 2400
"""Pairs of the probe; a look costs one forward pass of them."""
HELD_OUT = 0.2
"""Share of a visitor's own points that is kept out of training."""
LEAST_POINTS = 8
MOST_STEPS, MOST_BATCH = 50_000, 4096
MOST_MATCHED = 512
"""Pairs of a batch that are matched optimally, at every step."""
TRAINED_WITH = ("independent", "optimal")


class Data(NamedTuple):
    """What a network is trained on and judged by: ``law`` is None where nobody knows the law behind the points."""

    source: GaussianMixture
    law: GaussianMixture | None
    points: Floats | None
    held_out: Floats | None


def train(
    network: FieldNetwork,
    draw: Callable[[], tuple[Floats, Floats, Floats]],
    steps: int,
    *,
    rate: float = 1e-3,
    look: Callable[[int, FieldNetwork, float], None] | None = None,
    every: int = 100,
) -> FieldNetwork:
    """Return the network after ``steps`` of Adam on mean ‖v̂(x_t, t) − (x₁ − x₀)‖².

    ``draw()`` returns x₀, x₁ (batch, d) and t (batch,). ``look(step, network, loss)`` is called before the first step
    and after every ``every`` steps, with the mean loss since the last call; it may raise to stop the training.
    """
    theta = network.parameters
    slopes = np.zeros_like(theta)
    shapes = [w.shape for w in network.weights]
    weights, biases = split(theta, shapes)
    adam = Adam(theta, rate)
    losses: list[float] = []
    if look is not None:
        look(0, network, math.nan)
    for step in range(1, steps + 1):
        x0, x1, t = draw()
        entering = np.empty((len(x0), network.dimension + 1), np.float32)
        entering[:, :-1], entering[:, -1] = x0 + t[:, None] * (x1 - x0), t
        losses.append(backward(weights, biases, entering, (x1 - x0).astype(np.float32), slopes))
        adam.step(slopes)
        if look is not None and (step % every == 0 or step == steps):
            if not (math.isfinite(losses[-1]) and np.isfinite(theta).all()):
                raise ValueError(f"the training left the numbers at step {step}; take a smaller rate than {rate:g}")
            look(step, network.with_parameters(theta), float(np.mean(losses)))
            losses.clear()
    return network.with_parameters(theta)


@results.experiment
def train_field(
    target: Any = "five-blobs",
    points: int = 128,
    coupling: str = "independent",
    width: int = 128,
    depth: int = 3,
    steps: int = 2000,
    batch: int = 512,
    rate: float = 1e-3,
    until: float = 0.95,
    looks: int = 20,
    keep: Sequence[int] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train a network that carries N(0, I) into a law, and measure its distance to the truth on the way.

    ``target``: a mixture or a name in ``LAWS``, of which ``points`` are drawn once (0: fresh ones at every step), or
    one's own points (n, d), a fifth of which is kept out. ``coupling`` "independent" or "optimal" (batches matched by
    exact transport). ``looks`` measurements are spread over the ``steps``; the parameters at the steps of ``keep`` and
    at the end come with the result. ``seed`` draws points, start and batches.

    The Dataset holds, along ``step``: ``loss`` on training batches, ``held_out`` on pairs not trained on, ``truth`` =
    E‖v̂ − v*‖² and ``memoriser`` = E‖v̂ − v*_n‖², each with ``…_error``; NaN where the field is not known. Scalars:
    ``irreducible`` L* and ``irreducible_n`` L*_n of the training points, ``apart`` = E‖v* − v*_n‖². Arrows of all
    fields in the plane, ``parameters`` (kept, parameter).

    Raises ``ValueError`` for fewer than 8 points, sizes past the limits, a diverging rate. Cost: about 2 ms a step at
    the default sizes on one core, and 15 ms a look; matching a batch of 256 adds 3 ms a step.

    Reference: Lipman et al., "Flow matching for generative modeling", 2022, equation 23; Tong et al., "Improving and
    generalizing flow-based generative models with minibatch optimal transport", 2024, for matched batches.

    >>> ds = train_field("two-blobs", points=32, width=16, depth=2, steps=40, batch=64, looks=4)
    >>> ds.step.values.tolist(), bool(ds.truth[-1] < ds.truth[0])
    ([0, 10, 20, 30, 40], True)
    """
    progress = progress or Progress()
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    batch = checks.integer("batch", batch, minimum=2, maximum=MOST_BATCH)
    rate = checks.real("rate", rate, exclusive_minimum=0)
    until = checks.real("until", until, minimum=0.1)
    if until > 0.999:
        raise ValueError(f"until must be at most 0.999, got {until:g}: towards points a velocity grows without bound")
    looks = checks.integer("looks", looks, minimum=1, maximum=min(200, steps))
    checks.choice("coupling", coupling, TRAINED_WITH)
    if coupling == "optimal":
        checks.integer("batch, where pairs are matched,", batch, maximum=MOST_MATCHED)
    kept = sorted({*(checks.integer("a step to keep", k, minimum=0, maximum=steps) for k in keep), steps})
    every = max(steps // looks, 1)
    if any(k % every and k != steps for k in kept):
        raise ValueError(f"with {looks} looks in {steps} steps, steps to keep must be multiples of {every}")
    rng, training = (np.random.default_rng([k, checks.integer("seed", seed, minimum=0)]) for k in range(2))
    data = _data(target, points, rng)
    network = FieldNetwork.fresh(data.source.dimension, width=width, depth=depth, seed=training)
    judged = Judge(data, coupling, until, rng)
    record = _Record(data, judged, [*range(0, steps, every), steps], kept)

    def draw() -> tuple[Floats, Floats, Floats]:
        x0 = data.source.sample(batch, training)
        if data.points is None:
            x1 = data.law.sample(batch, training)  # type: ignore[union-attr]
        else:
            x1 = data.points[training.integers(len(data.points), size=batch)]
        if coupling == "optimal":
            x0, x1 = matched(x0, x1)
        return x0, x1, until * training.random(batch)

    def look(step: int, now: FieldNetwork, loss: float) -> None:
        record.take(step, now, loss)
        progress.update(step, steps, f"step {step:,} of {steps:,}")
        if step < steps:
            progress.publish(results.unfinished(record.dataset(now), f"{steps - step:,} more steps"))

    last = train(network, _reporting(draw, progress, steps), steps, rate=rate, look=look, every=every)
    return record.dataset(last)


def _reporting(draw: Callable[[], Any], progress: Progress, steps: int) -> Callable[[], Any]:
    """Let a training be cancelled between looks: ``draw`` reports each step that it begins."""
    done = 0

    def reported() -> Any:
        nonlocal done
        if done % 10 == 0:
            progress.update(done, steps, f"step {done:,} of {steps:,}")
        done += 1
        return draw()

    return reported


def _data(target: Any, points: int, rng: np.random.Generator) -> Data:
    points = checks.integer("points", points, minimum=0, maximum=100_000)
    law = as_law("target", target)
    source = standard_gaussian(law.dimension)
    if isinstance(law, FiniteSample):
        if len(law.points) < 5 * LEAST_POINTS:
            raise ValueError(
                f"{len(law.points)} points are too few to train on and to judge by; give {5 * LEAST_POINTS} or more"
            )
        order = rng.permutation(len(law.points))
        cut = max(int(HELD_OUT * len(order)), LEAST_POINTS)
        return Data(source, None, law.points[order[cut:]], law.points[order[:cut]])
    if 0 < points < LEAST_POINTS:
        raise ValueError(f"points must be 0 (fresh ones at every step) or at least {LEAST_POINTS}, got {points}")
    return Data(source, law, law.sample(points, rng) if points else None, None)


class Judge:
    """What a network is measured against: the exact field, the memoriser, and pairs that it is not trained on.

    The distances are taken under the true law where it is known, under the held-out points elsewhere.
    """

    def __init__(self, data: Data, coupling: str, until: float, rng: np.random.Generator) -> None:
        gaussians = coupling == "independent" or (data.law is not None and data.law.is_gaussian)
        self.exact = exact_field(data.source, data.law, coupling) if data.law is not None and gaussians else None
        known = data.points is not None and coupling == "independent"
        self.memoriser = exact_field(data.source, data.points) if known else None
        self.probe = self._probe(data, coupling, until, rng)
        times = self.probe.times
        self._truth = None if self.exact is None else self.exact(self.probe.x, times)
        self._memory = None if self.memoriser is None else self.memoriser(self.probe.x, times)
        self.irreducible = least_loss(self.exact, until=until).value if self.exact is not None else math.nan
        self.irreducible_n = least_loss(self.memoriser, until=until).value if self.memoriser is not None else math.nan
        both = self._truth is not None and self._memory is not None
        self.apart = self.probe.distance(self._truth, self._memory) if both else (math.nan, math.nan)  # type: ignore[arg-type]

    def _probe(self, data: Data, coupling: str, until: float, rng: np.random.Generator) -> Probe:
        if self.exact is not None:
            return probe(*self.exact.couple(PROBED, rng), until)
        x0 = data.source.sample(PROBED, rng)
        if data.law is not None:
            x1 = data.law.sample(PROBED, rng)
        else:
            x1 = data.held_out[rng.integers(len(data.held_out), size=PROBED)]  # type: ignore[index, arg-type]
        if coupling == "optimal":
            pairs = [
                matched(x0[k : k + MOST_MATCHED], x1[k : k + MOST_MATCHED]) for k in range(0, PROBED, MOST_MATCHED)
            ]
            x0, x1 = (np.concatenate(part) for part in zip(*pairs, strict=True))
            order = rng.permutation(PROBED)
            x0, x1 = x0[order], x1[order]
        return probe(x0, x1, until)

    def __call__(self, network: FieldNetwork) -> dict[str, tuple[float, float]]:
        """Return ``held_out``, ``truth`` and ``memoriser``, each with its standard error."""
        values = network(self.probe.x, self.probe.times)
        unknown = (math.nan, math.nan)
        return {
            "held_out": self.probe.distance(values, self.probe.u),
            "truth": unknown if self._truth is None else self.probe.distance(values, self._truth),
            "memoriser": unknown if self._memory is None else self.probe.distance(values, self._memory),
        }


TOLD = {
    "held_out": "loss on pairs not trained on",
    "truth": "distance to the exact field, E‖v̂ − v*‖²",
    "memoriser": "distance to the memoriser, E‖v̂ − v*_n‖²",
}


class _Record:
    """The numbers of a training as they come, and the Dataset that holds them; what is to come is NaN."""

    def __init__(self, data: Data, judged: Judge, steps: list[int], kept: list[int]) -> None:
        self._data, self._judge, self._steps, self._kept = data, judged, steps, kept
        self._loss = np.full(len(steps), np.nan)
        self._found = {name: np.full((len(steps), 2), np.nan) for name in TOLD}
        self._parameters: dict[int, Any] = {}
        self._grid = grid_of(data.source, data.law if data.law is not None else FiniteSample(data.points))  # type: ignore[arg-type]
        self._arrows: dict[str, Any] = {}

    def take(self, step: int, network: FieldNetwork, loss: float) -> None:
        """Measure a network."""
        k = self._steps.index(step)
        self._loss[k] = loss
        for name, pair in self._judge(network).items():
            self._found[name][k] = pair
        if step in self._kept:
            self._parameters[step] = network.parameters

    def dataset(self, network: FieldNetwork) -> xr.Dataset:
        """Return all that is known so far."""
        if not self._arrows:  # those of the exact fields never change
            self._arrows = arrow_definitions(self._grid, exact=self._judge.exact, memoriser=self._judge.memoriser)
        empty = np.full(network.size, np.nan, np.float32)
        variables: dict[str, tuple[Any, ...]] = {
            "loss": (("step",), self._loss, "loss on training batches since the last look"),
            "irreducible": ((), self._judge.irreducible, "irreducible loss L* of fresh pairs"),
            "irreducible_n": ((), self._judge.irreducible_n, "irreducible loss L*_n of the training points"),
            "apart": ((), self._judge.apart[0], "distance of the exact field and the memoriser"),
            "apart_error": ((), self._judge.apart[1], "standard error of their distance"),
            "parameters": (
                ("kept", "parameter"),
                np.stack([self._parameters.get(step, empty) for step in self._kept]),
                "parameters of the network",
            ),
            **self._arrows,
            **arrow_definitions(self._grid, learned=network),
        }
        for name, words in TOLD.items():
            variables[name] = (("step",), self._found[name][:, 0], words)
            variables[f"{name}_error"] = (("step",), self._found[name][:, 1], f"standard error: {words}")
        points = self._data.points
        if points is not None:
            shown = points[:2000, :2] if points.shape[1] > 1 else np.c_[points[:2000], np.zeros(len(points[:2000]))]
            variables["point"] = (("number", "axis"), shown, "training points, the first two coordinates")
        return results.dataset(
            variables,
            {
                "step": (("step",), self._steps, "training step"),
                "kept": (("kept",), self._kept, "step whose parameters were kept"),
                "parameter": (("parameter",), np.arange(network.size), "number of the parameter"),
                "layer": (("layer",), [w.shape[0] for w in network.weights], "numbers that leave the layer"),
                "time": (("time",), list(TIMES), "time of the arrows"),
                "x": (("x",), self._grid.x, "first coordinate"),
                "y": (("y",), self._grid.y, "second coordinate"),
                "axis": (("axis",), ["x", "y"], "coordinate"),
                **(
                    {"number": (("number",), np.arange(len(variables["point"][1])), "training point")}
                    if points is not None
                    else {}
                ),
            },
        )


def trained_network(ds: xr.Dataset, step: int | None = None) -> FieldNetwork:
    """Return the network that a result of :func:`train_field` kept at ``step`` (the last one by default).

    >>> ds = train_field("two-blobs", points=32, width=8, depth=1, steps=4, batch=16, looks=2, keep=[2])
    >>> trained_network(ds, 2).size
    50
    """
    steps = ds.kept.values.tolist()
    step = steps[-1] if step is None else checks.integer("step", step)
    if step not in steps:
        raise ValueError(f"the parameters at step {step} were not kept; there are {', '.join(map(str, steps))}")
    sides = ds.layer.values.tolist()
    shapes = list(zip(sides, [sides[-1] + 1, *sides[:-1]], strict=True))
    row = np.asarray(ds.parameters.sel(kept=step).values, np.float32)
    if not np.isfinite(row).all():
        raise ValueError(f"step {step} has not come yet in this result")
    weights, biases = split(row, shapes)
    return FieldNetwork(list(weights), list(biases))
