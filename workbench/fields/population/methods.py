"""All ways to say what becomes of a population never seen, in one registry: from nothing at all to the exact field."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench import checks
from workbench.fields.core.integrators import integrate
from workbench.fields.core.laws import Floats
from workbench.fields.population.deconvolution import deconvolved_field
from workbench.fields.population.gap import PooledField
from workbench.fields.population.laws import Population
from workbench.fields.population.network import PopulationNetwork
from workbench.fields.population.swarm import attraction, fit_kernel, kernel_flow, swarm_flow
from workbench.registry import Fact, Registry

STEPS = 20
"""Of Heun's method."""

FIELDS = Registry(
    "method",
    facts={
        "kinds": Fact(str, says="kinds of populations it can say something about, separated by spaces"),
        "network": Fact(str, required=False, says="the embedding of the network that it follows"),
        "knows": Fact(str, says="what it is told beside the source of the population"),
    },
)
"""Functions (population, :class:`Known`, times) ↦ path (times, n, d)."""
BY_NUMBER = ("conditional-flow-matching", "cgfm", "CGFM")
"""The paper's rival with a one-hot number for each training population, which can say nothing of any other."""
ALL = "letters swarm mixtures table"
PAPER = "Atanackovic et al., “Meta flow matching”, 2024"


@dataclass
class Known:
    """What was learnt before: the training populations, and a network for each embedding."""

    training: Sequence[Population] = ()
    networks: Mapping[str, PopulationNetwork] = field(default_factory=dict)
    _made: dict[str, object] = field(default_factory=dict, init=False)

    def kernel(self) -> Floats:
        """Return the law of pairs fitted to the training populations."""
        if "kernel" not in self._made:
            self._made["kernel"] = fit_kernel(self.training)
        return self._made["kernel"]  # type: ignore[return-value]

    def pooled(self) -> PooledField:
        """Return the exact optimum of flow matching over the training populations."""
        if "pooled" not in self._made:
            self._made["pooled"] = PooledField([one.field for one in self.training if one.field is not None])
        return self._made["pooled"]  # type: ignore[return-value]


def predict(
    method: str, population: Population, known: Known | None = None, times: Sequence[float] = (0.0, 1.0)
) -> Floats:
    """Return where a method takes the source of a population: (times, n, d).

    ``method``: a name in ``FIELDS``; ``known``: what was learnt on other populations. ``times`` begin at 0.
    Raises ``ValueError`` for a method that cannot work on such a population, for one that was taught nothing, and for
    conditional flow matching ("cgfm"), which cannot say anything of populations it was not trained on.

    >>> from workbench.fields import populations
    >>> one = populations("letters", 1, 200, held_out=True)[0]
    >>> predict("exact", one).shape
    (2, 200, 2)
    """
    if method in BY_NUMBER:
        raise ValueError(
            f"{method!r} knows populations by a number, and the input for {population.name} was never trained: what it "
            'says of a population not seen is noise. Take "meta-flow-matching", which reads the cloud itself'
        )
    checks.choice("method", method, FIELDS)
    at = checks.finite_array("times", times, ndim=1)
    if at[0] != 0 or (np.diff(at) <= 0).any() or at[-1] > 1 or len(at) < 2:
        raise ValueError(f"times begin at 0, increase and end by 1; got {at.tolist()}")
    return FIELDS[method].function(population, known or Known(), at)


def _follow(velocity, x: Floats, times: Floats, steps: int = STEPS) -> Floats:
    made = [x]
    for a, b in itertools.pairwise(times):
        count = max(1, round(steps * float(b - a)))
        made.append(integrate(velocity, made[-1], count, "heun", start=float(a), end=float(b)).end)
    return np.stack(made)


def _straight(x: Floats, end: Floats, times: Floats) -> Floats:
    return x + times[:, None, None] * (end - x)


@FIELDS.add("no-change", label="No change", kinds=ALL, knows="nothing", formula="x")
def no_change(population: Population, known: Known, times: Floats) -> Floats:
    """Return the source itself."""
    return _straight(population.source, population.source, times)


@FIELDS.add(
    "mean-shift", label="Mean shift of training", kinds=ALL, knows="the training populations", formula=r"x + \bar\Delta"
)
def mean_shift(population: Population, known: Known, times: Floats) -> Floats:
    """Return the source moved by the mean difference of means over the training populations."""
    _taught("mean-shift", known.training)
    shift = np.mean([one.target.mean(axis=0) - one.source.mean(axis=0) for one in known.training], axis=0)
    return _straight(population.source, population.source + shift, times)


def _taught(method: str, something: object) -> None:
    if not something:
        raise ValueError(f"{method!r} learns from other populations and was taught nothing; give known=Known(…)")


def _network(name: str, embedding: str, label: str, knows: str) -> None:
    @FIELDS.add(name, label=label, kinds=ALL, network=embedding, knows=knows, reference=PAPER)
    def follow(population: Population, known: Known, times: Floats) -> Floats:
        _taught(name, embedding in known.networks)
        return _follow(known.networks[embedding].field(population.source), population.source, times)


_network("flow-matching", "none", "Flow matching", "a network of all training populations together")
_network("meta-flow-matching", "deep-sets", "Meta flow matching, deep sets", "a network with φ(p₀), a mean of points")
_network("meta-flow-matching-graph", "graph", "Meta flow matching, graph", "a network with φ(p₀), the paper's graph")


@FIELDS.add(
    "flow-matching-optimum",
    label="Exact optimum of flow matching",
    kinds="letters mixtures",
    knows="the laws of all training populations",
    formula=r"\bar v = \sum_i p_t^i v_i / \sum_i p_t^i",
)
def flow_matching_optimum(population: Population, known: Known, times: Floats) -> Floats:
    """Return the flow of what flow matching would learn from endless data and steps."""
    _taught("flow-matching-optimum", known.training)
    return _follow(known.pooled(), population.source, times, STEPS // 2)


@FIELDS.add("deconvolution", label="Deconvolution", kinds="letters", knows="the law of the blur")
def deconvolution(population: Population, known: Known, times: Floats) -> Floats:
    """Return the flow of the exact field of the deconvolved source."""
    return _follow(deconvolved_field(population.source), population.source, times)


@FIELDS.add(
    "interaction-kernel",
    label="Interaction kernel",
    kinds="swarm",
    knows="followed particles of the training populations",
    formula=r"\dot x_i = \frac{1}{N} \sum_j \varphi(|x_i - x_j|)(x_j - x_i)",
    reference="Lu, Zhong, Tang, Maggioni, “Nonparametric inference of interaction laws”, 2019",
)
def interaction_kernel(population: Population, known: Known, times: Floats) -> Floats:
    """Return the swarm moved by the law of pairs fitted to the training populations."""
    _taught("interaction-kernel", known.training)
    return kernel_flow(population.source, known.kernel(), times=times)


@FIELDS.add("exact", label="Exact field", kinds="letters swarm mixtures", knows="the law of this very population")
def exact(population: Population, known: Known, times: Floats) -> Floats:
    """Return the flow of the population's own exact field; of a swarm its law."""
    if population.swarm:
        return swarm_flow(population.source, attraction, times=times)
    if population.field is None:
        raise ValueError(f"nobody knows the exact field of {population.name}")
    return _follow(population.field, population.source, times)


def methods_for(kind: str) -> tuple[str, ...]:
    """Return the methods that have something to say about a kind of populations.

    >>> methods_for("swarm")[-2:]
    ('interaction-kernel', 'exact')
    """
    return tuple(name for name, entry in FIELDS.items() if kind in entry.fact("kinds").split())
