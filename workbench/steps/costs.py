"""What the experiments of this room cost: passes of a small perceptron over 256 samples, times a network's slowness.

How much slower a network is than the perceptron is a fact of its registry entry (``slowness``), measured over the
experiments below; a module of one's own is taken by its number of parameters.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from workbench.costs import Cost, total
from workbench.steps.networks import NETWORKS
from workbench.steps.saddles.costs import (  # noqa: F401
    pruning_cost,
    saddle_basins,
    saddle_search,
    saddle_survey,
    saddle_table,
    stationary_points,
)

PASSES = 256
"""Samples to which the constants below belong."""
PARAMETERS = 26_000
"""Weights of the perceptron with which they were measured."""
LIMITS, SWEEP, TEMPERATURE, TAYLOR, STUDY, STEP = 1.0, 2e-3, 0.15, 0.3, 0.5, 0.005
"""Seconds: all predictors on one ray; one distance of one sweep; one temperature; an expansion of 64 samples; one sweep
of the study of sweeps; one training step under one rule."""


def slowness(network: Any) -> float:
    """Return how many times slower than the small perceptron a network is, by name or by its parameters."""
    if isinstance(network, str):
        return float(NETWORKS[network].fact("slowness"))
    return max(1.0, sum(p.numel() for p in network.parameters()) / PARAMETERS)


def _listed(value: Any) -> int:
    """Return how many directions are given: a name or a mapping of tensors is one."""
    return 1 if isinstance(value, (str, Mapping)) else len(value)


def limits(network: Any, directions: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.steps.limits`: some hundred passes for each direction."""
    return Cost(_listed(directions) * LIMITS * slowness(network) * samples / PASSES)


def prediction_spread(
    networks: Sequence[str], stages: Collection[str], directions: Collection[str], samples: int
) -> Cost:
    """Estimate :func:`workbench.steps.prediction_spread`: one ``limits`` for each case."""
    return total(len(stages) * limits(network, list(directions), samples) for network in networks)


def sweep_radius(network: Any, stages: Sequence[str], directions: Any, r: Sequence[float], samples: int) -> Cost:
    """Estimate :func:`workbench.steps.sweep_radius`: a pass for every stage, direction and distance."""
    passes = len(stages) * _listed(directions) * len(r)
    return Cost(0.1 + passes * SWEEP * slowness(network) * samples / PASSES)


def sweep_study(
    networks: Sequence[str], stages: Sequence[str], directions: Sequence[str], samples: int, seeds: Sequence[int]
) -> Cost:
    """Estimate :func:`workbench.steps.sweep_study`."""
    sweeps = len(stages) * len(directions) * len(seeds)
    return total(Cost(sweeps * STUDY * slowness(network) * samples / PASSES) for network in networks)


def temperature_scaling(network: Any, temperatures: Sequence[float], samples: int) -> Cost:
    """Estimate :func:`workbench.steps.temperature_scaling`: some sixty passes for each temperature."""
    return Cost(len(temperatures) * TEMPERATURE * slowness(network) * samples / PASSES)


def taylor_orders(network: Any, linearised: bool, samples: int) -> Cost:
    """Estimate :func:`workbench.steps.taylor_orders`.

    Recurrences are quick; a network without them is evaluated on complex circles, which takes as long as it is slow.
    """
    share = max(1.0, samples / 64)
    return Cost(0.2 * share if linearised else (0.2 + TAYLOR * slowness(network)) * share)


def zeros_map(stages: Sequence[str], samples: int) -> Cost:
    """Estimate :func:`workbench.steps.zeros_map`: a third of a millisecond a sample and stage."""
    return Cost(0.1 + len(stages) * (0.05 + 3e-4 * samples))


def bottlenecks(network: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.steps.bottlenecks`: one linearisation."""
    return Cost(0.1 + 0.02 * slowness(network) * samples / PASSES)


def counterexamples(networks: Sequence[str]) -> Cost:
    """Estimate :func:`workbench.steps.counterexamples`."""
    return total(Cost(0.1 * slowness(network)) for network in networks)


def spike(network: Any, rules: Sequence[str], steps: int, seeds: Sequence[int]) -> Cost:
    """Estimate :func:`workbench.steps.spike`: five milliseconds a step and rule on a small net."""
    return Cost(STEP * slowness(network) * steps * len(rules) * len(seeds))


def spike_table(
    networks: Sequence[str], multipliers: Sequence[float], rules: Sequence[str], steps: int, seeds: Sequence[int]
) -> Cost:
    """Estimate :func:`workbench.steps.spike_table`."""
    return len(multipliers) * total(spike(network, rules, steps, seeds) for network in networks)


def spike_survival(network: str, steps: int) -> Cost:
    """Estimate ``spike_survival``: one spike under each of five rules."""
    return spike(network, ("none", "gradient-clip", "update-clip", "armijo", "safe"), steps, (0,))


def text_survival(faults: Sequence[str], rules: Sequence[str], steps: int, seeds: Sequence[int]) -> Cost:
    """Estimate :func:`workbench.steps.text_survival`: fifteen milliseconds a step."""
    return Cost(3 * STEP * steps * len(faults) * len(rules) * len(seeds))


def network_radius(model: Any, inputs: Any, circles: int) -> Cost:
    """Estimate :func:`workbench.steps.network_radius`: the batch on every circle, in complex numbers."""
    return Cost(0.1 + circles * 0.05 * slowness(model) * len(inputs) / PASSES)


def activation_radii(model: Any, inputs: Any) -> Cost:
    """Estimate :func:`workbench.steps.activation_radii`: one linearisation."""
    return Cost(0.1 + 0.02 * slowness(model) * len(inputs) / PASSES)
