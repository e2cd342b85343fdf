"""Announced costs: in words, found by name, for every experiment of every room, and growing with the work."""

import importlib
import inspect

import numpy as np
import pytest
from torch import nn, randn

from workbench import costs, fisher, flows, games, metrics, steps
from workbench.costs import Cost, duration, size
from workbench.registry import Fact, Registry
from workbench.results import experiment
from workbench.rooms import ROOMS
from workbench.sweeps.experiments import experiments

SIGNALS = {
    "iem": {"x1": [0, 0], "x2": [1, 0]},
    "information_balance": {"x1": [0, 0], "x2": [1, 0]},
    "iem_matrix": {"points": np.zeros((50, 2))},
    "iem_tensor": {"x": np.zeros((5, 2))},
    "iem_geodesic": {"a": [0, 0], "b": [1, 0]},
    "confusable_pairs": {"x": [0, 0], "radius": 1.0},
    "denoiser_trial": {},
    "signal_invariances": {"a": [0, 0], "b": [1, 0]},
}
ARGUMENTS = {
    "graph_constants": {"graph": "square"},
    "spectrum": {"surface": (np.zeros((50, 3)), ())},
    "functional_map": {"x": (np.zeros((50, 3)), ()), "y": (np.zeros((50, 3)), ())},
    "correspondence_error": {"pair": None, "match": None},
    "shadow_phase": {"points": np.zeros((20, 2)), "epsilons": [0.1], "betas": [0.2]},
    "colour_transfer": {"source": np.zeros((20, 30, 3)), "target": np.zeros((20, 30, 3))},
    "compare_on": {"x": "torus", "y": "cube"},
    "compare_runs": {"low": np.zeros((3, 50)), "high": np.zeros((3, 50))},
    "low_precision_run": {"model": "lorenz63", "bits": 10},
    "direction_costs": {"x": "torus", "y": np.zeros((50, 3))},
    "directed_slices": {"x": "torus", "y": "cube"},
    "kappa_profile": {"x": "torus", "y": "cube"},
    "gradient_flow": {"x": "torus", "y": "cube"},
    "coupling_sweep": {"L": 8},
    "curvature_scaling": {"sizes": (8, 12)},
    "enumerate_curvature": {"graph": fisher.GRAPHS["ring"](6), "couplings": 0.3},
    "ising_curvature": {"L": 32},
    "regimes": {"F": [1.0, 5.0]},
    "measured_convergence": {"F": [1.0, 5.0], "c": [0.0, 1.0]},
    "monte_carlo_curvature": {"model": "ising-2d", "L": 8},
    "sampled_trace_norm": {"model": "ising-2d", "L": 8},
    "monte_carlo_survey": {"plan": {"ising-2d": {8: 100}}},
    "published": {"model": "ising-2d"},
    "third_cumulant": {"L": 16},
    **{name: {"rho": np.ones((8, 8))} for name in ("curvature_field", "periodic_reconstruction")},
    "scale_flow": {"rho": np.ones((8, 8)), "radii": [0.2]},
    "entropic_curvature": {"mu0": fisher.Normal(0, 1), "mu1": fisher.Normal(1, 1)},
    "activation_radii": {"model": nn.Linear(3, 2), "inputs": randn(8, 3), "direction": {}},
    "network_radius": {"model": nn.Linear(3, 2), "inputs": randn(8, 3), "direction": {}},
    "verification": {"certificate": "{}"},
    "regret_verification": {"certificate": "{}"},
    "circuit_verification": {"document": "{}"},
    "group_repairs": {"y": [0, 1], "scores": np.array([0.0, 1.0]), "group": ["a", "b"]},
    "random_games": {"players": 5},
    "large_spectrum": {"weights": np.zeros((50, 30))},
    "robust_plan": {"n": 12},
    "robust_race": {},
    "budget_study": {},
    "rain_report": {"rain": np.zeros(100)},
    "score_layers": {"model_or_path": "net.npz"},
    "score_networks": {"networks": {"a": "net.npz"}},
    **{name: {"density": metrics.SIGNAL_EXAMPLES["paper"]().density} | rest for name, rest in SIGNALS.items()},
    "fit_mixture": {"points": np.zeros((50, 2))},
    "own_population_report": {"features": np.zeros((9, 2)), "population": [0, 1, 2] * 3, "time": [0] * 9},
    "irreducible_loss": {"source": "gaussian", "target": "moons"},
    "error_budget": {"field": None, "source": "gaussian", "target": "moons"},
    "compare": {"y": [0, 1], "a": [0.0, 1.0], "b": [0.0, 1.0]},
    "reward_distances": {"mdp": None, "r1": None, "r2": None},
    "reward_invariances": {"mdp": None, "r": None},
    "reward_blindness": {"mdp": None},
}
for name in ("ranking", "repairs", "bootstrap", "ranking_invariances"):
    ARGUMENTS[name] = {"y": [0, 1], "scores": np.array([0.0, 1.0])}
for name in ("retrieval", "energy_confusion", "hide_from", "embedding_invariances"):
    ARGUMENTS[name] = {"features": np.zeros((50, 2)), "labels": np.arange(50) % 5}
GAMES = {name: {"game": "toy"} for name in experiments("games") if name not in ARGUMENTS}
ALL = [pytest.param(function, id=f"{room}.{name}") for room in ROOMS for name, function in experiments(room).items()]


def test_costs_are_said_as_people_say_them():
    assert str(Cost(360, 4e9)) == "about 6 min, 4.0 GB"
    assert str(Cost(0.4)) == "about 0.4 s"
    assert duration(9000) == "2.5 h"
    assert duration(12.4) == "12 s"
    assert size(2e8) == "200 MB"
    assert Cost(1).is_quick
    assert not Cost(3).is_quick


def test_costs_add_up():
    assert Cost(1, 5) + Cost(2, 3) == Cost(3, 5)
    assert 3 * Cost(2, 5) == Cost(6, 5)
    assert costs.total([Cost(1, 1), Cost(1, 2)]) == Cost(2, 2)
    assert costs.total([]) == Cost(0)


@pytest.mark.parametrize("function", ALL)
def test_every_experiment_has_an_estimate_that_reads_its_own_parameters(function):
    estimate = costs.estimate_for(function)
    assert estimate is not None, f"write {function.__name__} in the costs of its room"
    assert set(inspect.signature(estimate).parameters) <= set(inspect.signature(function).parameters)
    cost = costs.of(function, **{**ARGUMENTS, **GAMES}.get(function.__name__, {}))
    assert 0 < cost.seconds < 3600
    assert 0 <= cost.bytes < 1e10


@pytest.mark.parametrize(
    ("function", "small", "large", "ratio"),
    [
        (flows.gradient_flow, {"x": "torus", "y": "cube", "checkpoints": [], "steps": 1000}, {"steps": 4000}, 4),
        (flows.seed_experiment, {"seeds": (0,)}, {"seeds": (0, 1, 2)}, 3),
        (flows.compare_estimators, {"repeats": 1000}, {"repeats": 4000}, 4),
        (fisher.ising_curvature, {"L": 64}, {"L": 128}, 16),
        (fisher.coupling_sweep, {"L": 16, "points": 10}, {"points": 40}, 4),
        (fisher.monte_carlo_curvature, {"model": "ising-2d", "L": 8, "samples": 10_000}, {"samples": 40_000}, 4),
        (steps.limits, {"network": "mlp-relu"}, {"samples": 1024}, 4),
        (steps.spike, {"network": "mlp-relu"}, {"seeds": (0, 1)}, 2),
        (games.box_study, {"game": "markov", "max_boxes": 6000}, {"max_boxes": 12_000}, 2),
    ],
)
def test_more_work_costs_more(function, small, large, ratio):
    less, more = costs.of(function, **small), costs.of(function, **{**small, **large})
    assert more.seconds / less.seconds == pytest.approx(ratio, rel=0.15)


def test_facts_of_the_registries_are_used():
    assert costs.of(steps.limits, "transformer").seconds > 5 * costs.of(steps.limits, "mlp-relu").seconds
    assert costs.of(games.portrait, "markov").seconds > 20 * costs.of(games.portrait, "toy").seconds
    plain = costs.of(fisher.ising_curvature, 32, method="plain")
    assert plain.bytes == 400 * 1024**2
    assert plain.seconds > 10 * costs.of(fisher.ising_curvature, 32).seconds
    bounded = costs.of(fisher.ising_curvature, 200, max_memory=1e9)
    assert bounded.bytes < costs.of(fisher.ising_curvature, 200).bytes
    assert bounded.seconds > costs.of(fisher.ising_curvature, 200).seconds


def test_arrays_and_matrices_are_taken_by_their_size():
    cloud = np.zeros((4000, 3))
    assert costs.of(flows.compare_on, cloud, cloud) == costs.of(flows.compare_on, "torus", "cube", n=4000)
    large, small = costs.of(games.gain_graph, np.eye(200).tolist()), costs.of(games.gain_graph, [[1, 0], [0, 1]])
    assert large.seconds > 10 * small.seconds


def test_what_is_no_experiment_of_a_room_has_no_estimate():
    assert costs.of(experiment(lambda: None)) is None
    assert costs.estimate_for(costs.of) is None


def test_an_estimate_refuses_what_the_experiment_refuses():
    with pytest.raises(ValueError, match="unknown network 'mlp'"):
        costs.of(steps.limits, "mlp")
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        costs.of(steps.limits, colour="red")
    with pytest.raises(ValueError, match="at least 3"):
        costs.of(fisher.ising_curvature, 2)


def test_memory_that_is_not_there_is_refused_in_words():
    with pytest.raises(ValueError, match=r"a lattice needs about .* GiB"):
        costs.check_memory(Cost(1, 1e18), "a lattice")
    costs.check_memory(Cost(1, 1), "nothing")
    absurd = costs.of(fisher.monte_carlo_curvature, "ising-2d", 8, samples=10**8, chains=10**5)
    with pytest.raises(ValueError, match=r"a run of years needs about .* GiB"):
        costs.check_memory(absurd, "a run of years")


def test_a_new_engine_brings_its_own_estimate():
    engines = Registry("engine", facts={"estimate": Fact(object)})
    with pytest.raises(ValueError, match="lacks estimate"):
        engines.add("new", label="new")
    module = importlib.import_module("workbench.fisher.curvature")
    assert all(callable(entry.fact("estimate")) for entry in module.ENGINES.values())
