"""The models that are run in few bits, small enough for a page: what they are, their constants, where they start.

An entry of :data:`MODELS` calls a function that returns the model's own constants in double precision;
:func:`rounded_constants` rounds them once. Everything else is a fact of the entry. None of them is the atmosphere:
Lorenz-96 and the quasi-geostrophic channel stand in for the climate model of the paper (SPEEDY, which needs its Fortran
and its data), and say no more about it than small models can.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.flows.bits import kernels, shallow_water
from workbench.flows.bits.rounding import DOUBLE_EXPONENT, round_to
from workbench.registry import Entry, Fact, Registry

States = NDArray[np.float64]
Start = Callable[[np.random.Generator], States]

MODELS = Registry(
    "model",
    facts={
        "kernel": Fact(int, says="its number in workbench.flows.bits.kernels"),
        "variables": Fact(tuple, says="the names of its variables"),
        "observed": Fact(tuple, says="the variables whose climate is compared, pooled"),
        "quantity": Fact(str, says="what the observed variables are, in words"),
        "step": Fact(float, says="the time step"),
        "every": Fact(int, says="how many steps lie between two samples"),
        "nanoseconds": Fact(float, says="what a step takes, every operation rounded; ``benchmarks/flows_bits.py``"),
        "start": Fact(object, says="a function from a generator to a state"),
        "units": Fact(str, required=False, says="units of the state"),
    },
)
RUNGE_KUTTA = 4
"""Constants that come before a model's own: h, h/2, h/6, h/3."""


@MODELS.add(
    "lorenz63",
    label="Lorenz 1963",
    formula=r"\dot x=\sigma(y-x),\ \dot y=x(\rho-z)-y,\ \dot z=xy-\beta z",
    reference="E. N. Lorenz, J. Atmos. Sci. 20, 130 (1963)",
    kernel=kernels.LORENZ63,
    variables=("x", "y", "z"),
    observed=("z",),
    quantity="z",
    step=0.01,
    every=5,
    nanoseconds=1500.0,
    start=lambda rng: np.array([0.0, 0.0, 25.0]) + rng.normal(0, 5, 3),
)
def lorenz63(*, sigma: float = 10.0, rho: float = 28.0, beta: float = 8 / 3) -> list[float]:
    """Return σ, ρ, β."""
    return [sigma, rho, beta]


@MODELS.add(
    "lorenz96",
    label="Lorenz 1996, 40 variables",
    formula=r"\dot x_k=(x_{k+1}-x_{k-2})x_{k-1}-x_k+F",
    reference="E. N. Lorenz, Predictability: a problem partly solved (ECMWF, 1996)",
    kernel=kernels.LORENZ96,
    variables=tuple(f"x{k + 1}" for k in range(40)),
    observed=tuple(f"x{k + 1}" for k in range(40)),
    quantity="all variables, pooled",
    step=0.01,
    every=20,
    nanoseconds=3000.0,
    start=lambda rng: 8 + rng.normal(0, 1, 40),
)
def lorenz96(*, forcing: float = 8.0) -> list[float]:
    """Return F."""
    return [forcing]


@MODELS.add(
    "channel",
    label="Quasi-geostrophic channel, six modes",
    formula=r"\partial_t\nabla^2\psi=-J(\psi,\nabla^2\psi+\beta y+\gamma h)-C\nabla^2(\psi-\psi^*)",
    reference="D. T. Crommelin, J. D. Opsteegh & F. Verhulst, J. Atmos. Sci. 61, 1406 (2004)",
    kernel=kernels.CHANNEL,
    variables=tuple(f"x{k + 1}" for k in range(6)),
    observed=("x1",),
    quantity="x₁, the mean zonal flow",
    step=0.1,
    every=10,
    nanoseconds=2000.0,
    start=lambda rng: np.array([0.9, 0.1, -0.1, -0.7, 0.1, -0.1]) + rng.normal(0, 0.1, 6),
)
def channel(
    *,
    zonal: float = 0.95,
    second: float = -0.76095,
    damping: float = 0.1,
    beta: float = 1.25,
    ridge: float = 0.2,
    length: float = 0.5,
) -> list[float]:
    """Return C, x₁*, x₄*, ε and α, β, γ, γ̃, δ of both zonal modes: flow over a ridge of height γ in a β-channel.

    The barotropic spectral model of Charney & DeVore (1979) as scaled by Crommelin and others, with their chaotic
    parameters as defaults: it wanders between a zonal and a blocked regime.
    """
    b2 = length**2
    constants = [damping, zonal, second, 16 * np.sqrt(2) / (5 * np.pi)]
    for m in (1, 2):
        m2 = m * m
        constants += [
            8 * np.sqrt(2) / np.pi * m2 / (4 * m2 - 1) * (b2 + m2 - 1) / (b2 + m2),
            beta * b2 / (b2 + m2),
            ridge * 4 * m**3 / (4 * m2 - 1) * np.sqrt(2) * length / (np.pi * (b2 + m2)),
            ridge * 4 * m / (4 * m2 - 1) * np.sqrt(2) * length / np.pi,
            64 * np.sqrt(2) / (15 * np.pi) * (b2 - m2 + 1) / (b2 + m2),
        ]
    return constants


_GRID = [(j, i) for j in range(shallow_water.ROWS) for i in range(shallow_water.COLUMNS)]


@MODELS.add(
    "shallow-water",
    label="Rotating shallow water over a ridge (waves, no chaos)",
    formula=r"\partial_t(h\mathbf{u})+\nabla\cdot(h\mathbf{u}\mathbf{u}+h^2/2)=-fk\times h\mathbf{u}-h\nabla b",
    reference="set-up of this workbench",
    kernel=kernels.SHALLOW_WATER,
    variables=tuple(f"{name}[{j},{i}]" for name in ("h", "hu", "hv") for j, i in _GRID),
    observed=tuple(f"hv[{j},{i}]" for j, i in _GRID),
    quantity="hv in all cells, pooled",
    step=0.1,
    every=50,
    nanoseconds=40_000.0,
    start=shallow_water.start,
)
def shallow_water_constants(
    *,
    rotation: float = 0.3,
    friction: float = 0.03,
    viscosity: float = 0.01,
    jet: float = 0.7,
    width: float = 1.1,
    ridge: float = 0.2,
) -> list[float]:
    """Return f, 1/(2Δx), r, ν/Δx², ½, the jet U(y) by row and the slope of the ridge by column."""
    return shallow_water.constants(rotation, friction, viscosity, jet, width, ridge).tolist()


def constants(entry: Entry, step: float, parameters: Mapping[str, float] | None) -> States:
    """Return the checked constants of a model in double precision: h, h/2, h/6, h/3, then the model's own.

    Raises ``ValueError`` naming the parameters that there are.
    """
    given = {} if parameters is None else parameters
    if not isinstance(given, Mapping):
        raise TypeError(f"parameters must be a mapping of names to numbers, got {type(given).__name__}")
    known = inspect.signature(entry.function).parameters
    for name in given:
        checks.choice(f"parameter of {entry.name}", name, known)
    own = entry(**{name: checks.real(name, value) for name, value in given.items()})
    return np.array([step, step / 2, step / 6, step / 3, *own])


def rounded_constants(values: States, bits: int, exponent_bits: int = DOUBLE_EXPONENT) -> States:
    """Return the constants rounded to nearest, once; h/2 is half the rounded h."""
    found = round_to(values, bits, exponent_bits=exponent_bits)
    found[1:2] = round_to(found[:1] / 2, bits, exponent_bits=exponent_bits)
    return found


def model(name: Any) -> Entry:
    """Return the entry of a compiled model; ``TypeError`` tells what a function is good for here."""
    if callable(name):
        raise TypeError("this needs one of the compiled models by its name; a function runs in low_precision_run")
    return MODELS[name]
