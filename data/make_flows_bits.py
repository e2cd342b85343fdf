"""Make the results behind the verdicts on climate in few bits: run ``python data/make_flows_bits.py``.

Sweeps of formats for three models and the soil column in six formats. About five minutes on two quiet cores.
"""

import sys
from pathlib import Path

import xarray as xr

from workbench import flows, results
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "flows"
SWEEPS = {
    "lorenz63": {},
    "lorenz96": {
        "bits": (4, 5, 6, 7, 8, 10, 23),
        "runs": 6,
        "reference_runs": 12,
        "steps": 20_000,
        "cycle_steps": 20_000,
        "yardstick": {"forcing": (8.02, 8.05, 8.1, 8.5)},
    },
    "channel": {
        "bits": (8, 10, 12, 14, 16, 23),
        "runs": 6,
        "reference_runs": 12,
        "steps": 40_000,
        "cycle_steps": 40_000,
        "yardstick": {"zonal": (0.951, 0.955, 0.96)},
    },
}
SOIL = ((52, "nearest"), (23, "nearest"), (23, "stochastic"), (16, "nearest"), (13, "nearest"), (10, "stochastic"))


def main(names: list[str]) -> None:
    """Compute and store the named results, by default all."""
    for name in names or ["first", *SWEEPS, "soil"]:
        if name == "first":
            ds = flows.precision_climate("lorenz63", 10, "nearest", runs=4, reference_runs=8, steps=20_000)
        elif name == "soil":
            made = [flows.soil_column(bits, rounding, years=60, frames=13) for bits, rounding in SOIL]
            labels = xr.DataArray([f"{bits} {rounding}" for bits, rounding in SOIL], dims="format")
            labels.attrs = {"long_name": "bits and rounding", "units": "1"}
            ds = xr.concat([one[["temperature", "exact"]] for one in made], dim=labels.rename("format"))
            ds = results.stamp(ds.drop_attrs(deep=False), "workbench.flows.soil_column", {"years": 60, "frames": 13})
        else:
            ds = flows.precision_sweep(name, **SWEEPS[name], progress=TqdmProgress(name))
        path = results.save(ds, FOLDER / f"bits_{name}.nc")
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
