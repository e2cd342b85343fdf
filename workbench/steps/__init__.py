"""What limits a training step, and a controller you can use today.

Softmax radii      ``bound_radius``, ``dominance_radius``, ``exact_radius``, ``binary_radius``, ``set_radius``
Networks           ``logits_and_slopes``, ``activation_radii``, ``network_radius``, ``taylor_radius``
The controller     ``guard`` (hooks on the optimiser), ``SafeStep`` (the explicit form), ``to_tensorboard``,
                   ``to_wandb``, ``to_logging`` (its ``on_step``), ``read_log``, ``explain`` and ``worst_steps`` of its
                   log, ``logit_spread``; optimisers to guard: ``AdaHessian``, ``MFAC``
Your own files     ``read_data`` (labelled samples), ``read_mlp`` (weights of a perceptron), ``make_data``
Families           ``PREDICTORS``, ``NETWORKS``, ``DIRECTIONS``, ``RULES``
Saddle searches    ``saddle``, ``neighbours``, ``stationary_points``, ``Surrogate``, ``configuration_distance``,
                   ``farthest_points``, ``plane_surface``, ``pair_surface``, ``read_xyz``, ``molecule_surface``,
                   ``ase_surface``; families ``SURFACES``, ``SADDLE_METHODS``, ``DISTANCES``, ``ENERGIES``
Experiments        ``sweep_radius``, ``spike``, ``temperature_scaling``, ``taylor_orders``, ``zeros_map``, ``limits``,
                   ``prediction_spread``, ``bottlenecks``, ``counterexamples``, ``text_survival``

>>> from workbench import steps
>>> float(steps.bound_radius([[0.0, 2.0]])[0]).__round__(6)
1.570796

Reference: P. Sao, "Ghosts of Softmax: Complex Singularities That Limit Safe Step Sizes in Cross-Entropy", arXiv
2603.13552. Names are imported on first use, so that torch loads only when it is needed.
"""

import importlib
from typing import Any

_WHERE = {
    "radii": ("binary_radius", "bound_radius", "dominance_radius", "radius_from_spread", "set_radius", "spread"),
    "exact": ("RadiusResult", "exact_radius"),
    "activations": (
        "ACTIVATION_RADII",
        "activation_radii",
        "layer_norm_radius",
        "relu_radius",
        "sigmoid_radius",
        "tanh_radius",
    ),
    "jvp": ("ForwardModeError", "Linearisation", "NotFiniteError", "TangentError", "logits_and_slopes"),
    "network": ("network_radius",),
    "taylor": ("convergence_radius", "logit_series", "loss_series", "taylor_radius"),
    "safe_step": ("SafeStep",),
    "engine": ("MEASURES", "MODES"),
    "head": ("logit_spread",),
    "hooks": ("Guard", "guard"),
    "adapters": ("to_logging", "to_tensorboard", "to_wandb"),
    "guard_log": ("StepRecord",),
    "training_log": ("checked_log", "explain", "read_log", "worst_steps"),
    "optimisers": ("MFAC", "AdaHessian", "InverseFisher", "hutchinson_diagonal"),
    "predictors": ("PREDICTORS", "predict"),
    "ray": ("Ray",),
    "directions": ("DIRECTIONS", "unit_direction"),
    "networks": ("NETWORKS", "build"),
    "data": ("Data", "digits", "make_data"),
    "files": ("ACTIVATIONS", "read_data", "read_mlp"),
    "training": ("STAGES", "at_stage", "train", "train_stages"),
    "saddles.chemistry": ("ase_surface",),
    "saddles.distances": ("DISTANCES", "configuration_distance", "farthest_points"),
    "saddles.experiments": ("pruning_cost", "saddle_basins", "saddle_search", "saddle_table"),
    "saddles.methods": ("SADDLE_METHODS",),
    "saddles.molecules": ("ENERGIES", "Molecule", "available_energies", "molecule_surface", "read_xyz"),
    "saddles.search": ("SaddleResult", "neighbours", "saddle"),
    "saddles.stationary": ("stationary_points",),
    "saddles.statistics": (
        "bootstrap_ratio",
        "calls_curve",
        "calls_per_success",
        "mcnemar",
        "median_calls",
        "success_rate",
    ),
    "saddles.surfaces": ("SURFACES", "Surface", "pair_surface", "plane_surface"),
    "saddles.surrogate": ("Surrogate",),
    "saddles.survey": ("saddle_survey",),
    "experiments": (
        "bottlenecks",
        "counterexamples",
        "limits",
        "prediction_spread",
        "spike",
        "spike_survival",
        "spike_table",
        "sweep_radius",
        "sweep_study",
        "taylor_orders",
        "temperature_scaling",
        "text_survival",
        "zeros_map",
    ),
    "experiments.spike_rules": ("OPTIMISERS", "RULES"),
    "experiments.r_sweep": ("R_GRID",),
    "experiments.text_survival": ("FAULTS",),
}
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    if name in _WHERE:  # a module, as after an ordinary import
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
