"""What the paper on climate in few bits claims, and what our small models say. Its text was read only in part: the
abstract, the introduction and the code of the soil column."""

import numpy as np
import xarray as xr

from workbench import data
from workbench.verdicts import Claim, Numbers, Rule, at_least, at_most, below

SWEEP = "flows.precision_sweep({!r}, …) in data/make_flows_bits.py"
LEVEL = 0.05
SHARE = 0.5
CHAOTIC = ("lorenz63", "lorenz96", "channel")


def _sweep(name: str) -> xr.Dataset:
    return data.result(f"flows/bits_{name}.nc")


def single_is_enough() -> Numbers:
    """Return the least corrected p-value of single precision, over the models with a climate and both roundings."""
    least = {name: float(_sweep(name).p_holm.sel(bits=23).min()) for name in CHAOTIC}
    return {
        "p": min(least.values()),
        "soil": soil_stagnates()["single"],
        "told": ", ".join(f"{name} {value:.2g}" for name, value in least.items()),
    }


def ten_bits_often() -> Numbers:
    """Count the models whose climate ten bits, rounded to nearest, leave alone."""
    p = {name: float(_sweep(name).p_holm.sel(bits=10, rounding="nearest")) for name in CHAOTIC}
    ds = _sweep("lorenz96")
    return {
        "good": sum(value > LEVEL for value in p.values()),
        "count": len(p),
        "share": sum(value > LEVEL for value in p.values()) / len(p),
        "told": ", ".join(f"{name} {value:.2g}" for name, value in p.items()),
        "w1": float(ds.w1.sel(bits=10, rounding="nearest")),
        "forcing": float(ds.changed_w1.sel(change=8.1)),
        "period": int(_sweep("lorenz63").period.sel(bits=10, rounding="nearest")),
    }


def stochastic_helps() -> Numbers:
    """Compare the roundings wherever rounding to nearest changes the climate."""
    ratios = []
    for name in CHAOTIC:
        ds = _sweep(name)
        bad = ds.p_holm.sel(rounding="nearest").values <= LEVEL
        w1 = ds.w1.values[bad]
        kinds = [str(kind) for kind in ds["rounding"].values]
        ratios += (w1[:, kinds.index("stochastic")] / w1[:, kinds.index("nearest")]).tolist()
    return {
        "formats": len(ratios),
        "share": float(np.mean(np.array(ratios) < SHARE)) if ratios else float("nan"),
        "better": float(np.mean(np.array(ratios) < 1)) if ratios else float("nan"),
        "median": float(np.median(ratios)) if ratios else float("nan"),
    }


def soil_stagnates() -> Numbers:
    """Return the errors of the soil after 60 years at 30 m, single precision and ten bits."""
    last = data.result("flows/bits_soil.nc").isel(time=-1).sel(depth=30)
    error = {str(name): abs(float((last.temperature - last.exact).sel(format=name))) for name in last.format.values}
    return {
        "single": error["23 nearest"],
        "single_stochastic": error["23 stochastic"],
        "ten_stochastic": error["10 stochastic"],
        "double": error["52 nearest"],
    }


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Low precision: single precision is more than enough for a model's climate.",
        single_is_enough,
        "Least p-value of 23 bits, corrected for all formats of the sweep: {told}. "
        "The soil column is wrong by {soil:.2g} K at 30 m after 60 years.",
        Rule(at_least("p", LEVEL) & at_most("soil", 0.1), partly=at_least("p", LEVEL)),
        SWEEP.format("lorenz63"),
        {"p": "the least corrected p-value", "soil": "the soil's error (K)"},
    ),
    Claim(
        "Low precision: ten bits (half precision) often suffice.",
        ten_bits_often,
        "Corrected p-value of 10 bits, round to nearest: {told}. Lorenz-63 repeats every {period:,} steps there; in "
        "Lorenz-96, a stand-in for the paper's climate model, W₁ = {w1:.2g} is less than a forcing of 8.1 instead of "
        "8 makes ({forcing:.2g}).",
        Rule(at_least("good", "count"), partly=at_least("good", 1)),
        SWEEP.format("lorenz96"),
        {"good": "models that ten bits leave alone", "count": "models"},
    ),
    Claim(
        "Low precision: stochastic rounding mitigates the errors of rounding to nearest.",
        stochastic_helps,
        "In {formats} formats rounding to nearest changes the climate; stochastic rounding more than halves W₁ in "
        "{share:.0%} of them (median ratio {median:.2g}).",
        Rule(at_least("share", 0.9), partly=at_least("better", 0.5)),
        SWEEP.format("channel"),
        {"share": "share of these formats in which it halves W₁", "better": "share in which it lowers W₁"},
    ),
    Claim(
        "Low precision: heat conduction in soil stagnates under rounding to nearest, not under stochastic rounding.",
        soil_stagnates,
        "At 30 m after 60 years single precision is wrong by {single:.2g} K to nearest and {single_stochastic:.2g} K "
        "stochastic; ten bits stochastic by {ten_stochastic:.2g} K.",
        Rule(at_least("single", 1.0) & at_most("single_stochastic", 0.01), partly=below("single_stochastic", "single")),
        "flows.soil_column(23, 'nearest') in data/make_flows_bits.py",
        {"single": "the error to nearest (K)", "single_stochastic": "the stochastic one (K)"},
    ),
)
