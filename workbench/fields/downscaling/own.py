"""One's own rain: a CSV with a day in every row, or a NetCDF of days and pixels, and its return levels in mm."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, isolated, results
from workbench.clouds import foreign
from workbench.clouds.daily import read_daily_netcdf, read_daily_table
from workbench.fields.core.laws import Floats
from workbench.fields.downscaling.gain import SAMPLERS, from_rain, rain_quantile, to_rain, wdr_inflation
from workbench.progress import Progress

LARGEST = 16 * 2**20
TABLES = (".csv", ".tsv", ".txt")
HDF5 = b"\x89HDF\r\n\x1a\n"
LEAST_DAYS, MOST_VALUES = 60, 2_000_000
MOST_MM, LEAST_MM = 5000.0, 0.5
"""No day on earth had as much, and no record is without a day of so little; a file beyond is in other units."""
RESAMPLES = 200


def read_rain(
    source: str | Path | bytes,
    *,
    name: str = "the upload",
    variable: str | None = None,
    progress: Progress | None = None,
) -> tuple[Floats, str]:
    """Read daily rain in mm: returns (days, sites) and a sentence that says how it was read.

    ``source`` is a path, or bytes with the file's ``name``. A table (CSV, TSV, text) has a day in every row and a site
    in every column; of named columns those called rain, precipitation, prcp, pr, rr or tp, else all but dates and
    texts. Of a NetCDF-4 file the numeric variable that is alone or called so is taken, days along its time, all other
    dimensions sites. ``variable`` names the column or variable. Both are read in a process apart, with bounded time and
    memory; ``progress`` may end the reading. Raises ``FileNotFoundError``; ``ValueError`` for another format, more than
    16 MiB, units other than mm a day where the file names them, steps other than a day, or no rain (see
    :func:`rain_report`).

    >>> rows = "\\n".join(["rain", *(str(k % 7) for k in range(70))]).encode()
    >>> values, sentence = read_rain(rows, name="mine.csv")
    >>> values.shape, sentence
    ((70, 1), '70 days at 1 site; 70 rows; column rain; separated by spaces; 1 header row')
    """
    if not isinstance(source, bytes):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path.name} has more than the {LARGEST / 2**20:.0f} MiB that are read here")
        source, name = path.read_bytes(), path.name
    if len(source) > LARGEST:
        raise ValueError(f"{name} has more than the {LARGEST / 2**20:.0f} MiB that are read here")
    if source.startswith(HDF5):
        limits = isolated.Limits(seconds=20, memory=3 * LARGEST + 2**28)
        values, told = isolated.read(
            read_daily_netcdf, source, name, variable, LARGEST, limits=limits, progress=progress
        )
    elif Path(name).suffix.lower() in TABLES:
        bound = foreign.limits(len(source))
        values, told = isolated.read(read_daily_table, source, name, variable, limits=bound, progress=progress)
    else:
        raise ValueError(f"{name} is neither a table ({', '.join(TABLES)}) nor a NetCDF-4 file (.nc); convert it first")
    values = _daily(name, values)
    sites = values.shape[1]
    return values, f"{len(values):,} days at {sites:,} site{'s' * (sites > 1)}; {told}"


def _daily(name: str, rain: ArrayLike) -> Floats:
    """Return rain as (days, sites) in mm, or refuse it in words."""
    values = checks.finite_array(name, rain, ndim=(1, 2, 3))
    values = values.reshape(len(values), -1)
    if values.size > MOST_VALUES:
        raise ValueError(f"{name} has {values.size:,} values; up to {MOST_VALUES:,} are taken here: keep fewer pixels")
    if len(values) < LEAST_DAYS:
        days = "1 day" if len(values) == 1 else f"{len(values)} days"
        raise ValueError(f"{name} has {days}; return levels need {LEAST_DAYS} or more, a row for each day")
    if (values < 0).any():
        raise ValueError(f"{name} holds negative rain ({values.min():g}); mark missing days by leaving them out")
    if values.max() > MOST_MM:
        raise ValueError(f"{name} holds {values.max():g} mm in a day; give millimetres a day, at most {MOST_MM:g}")
    wet = int((values > 0).sum())
    if wet < 20:
        raise ValueError(f"{name} has {wet} wet values; a spread needs 20 or more")
    if values.max() < LEAST_MM:
        raise ValueError(
            f"{name} has nothing above {values.max():.3g}: that is no rain in millimetres a day; kg m⁻² s⁻¹ are to be "
            "multiplied by 86,400, metres by 1,000, inches by 25.4"
        )
    return values


@results.experiment
def rain_report(rain: Any, w: float = 0.2, sampler: str = "ode", block: int = 15, seed: int = 0) -> xr.Dataset:
    """Return the return levels of daily rain, and what the regulariser would make of them at its own optimum.

    ``rain`` (days,), (days, sites) or (days, y, x) in mm a day, at least 60 days, none negative. The wet values are
    fitted by y = log(1 + R)/5 ~ N(mean, spread²), by their moments, and the dry share kept. Along ``period`` (days):
    ``level``, the empirical one with ``low`` and ``high``, its 95 % interval from blocks of ``block`` neighbouring
    days drawn again, NaN beyond what the record holds (whose maximum no empirical quantile exceeds: that is
    extrapolation, and only the fits go there); ``fitted`` and ``regularised``, whose spread is κ times the fit's.
    Scalars: ``wet``, ``mean``, ``spread``, ``inflation`` κ, ``largest``. Cost: a second for 10⁶ values.
    No condition is used: κ is that of a model that knows nothing of the day, the most that the regulariser can do.

    >>> days = to_rain(np.random.default_rng(0).normal(0.3, 0.2, 400))
    >>> ds = rain_report(days)
    >>> bool(0.15 < ds.spread < 0.25), bool((ds.regularised >= ds.fitted)[-1])
    (True, True)
    """
    values = _daily("rain", rain)
    w = checks.real("w", w, minimum=0.0, maximum=0.99)
    checks.choice("sampler", sampler, SAMPLERS)
    block = checks.integer("block", block, minimum=1, maximum=len(values) // 4)
    rng = np.random.default_rng(checks.integer("seed", seed, minimum=0))
    days = len(values)
    wet = values > 0
    share = float(wet.mean())
    y = from_rain(values[wet])
    mean, spread = float(y.mean()), float(y.std(ddof=1))
    if spread < 1e-3:
        raise ValueError("rain is the same on all wet days; there is no spread to judge")
    kappa = wdr_inflation(spread, w, sampler=sampler)
    period = np.geomspace(2, max(10_000.0, 5.0 * days), 60)
    level = 1 - 1 / period
    inside = period <= days
    levels, low, high = (np.full(len(period), np.nan) for _ in range(3))
    levels[inside] = np.quantile(values, level[inside])
    starts = rng.integers(days, size=(RESAMPLES, -(-days // block)))
    again = []
    thin = values if values.size <= 200_000 else values[:, rng.choice(values.shape[1], 200_000 // days + 1)]
    for row in starts:
        at = ((row[:, None] + np.arange(block)) % days).ravel()[:days]
        again.append(np.quantile(thin[at], level[inside]))
    low[inside], high[inside] = np.quantile(again, [0.025, 0.975], axis=0)
    within = np.clip(1 - (1 - level) / share, 1e-9, 1 - 1e-12)  # the level among wet values
    curves = [np.where(1 - level < share, rain_quantile(mean, s, within), 0.0) for s in (spread, kappa * spread)]
    return results.dataset(
        {
            "level": (("period",), levels, "empirical return level", "mm/day"),
            "low": (("period",), low, "lower end of its 95 % interval", "mm/day"),
            "high": (("period",), high, "upper end of its 95 % interval", "mm/day"),
            "fitted": (("period",), curves[0], "return level of the fit", "mm/day"),
            "regularised": (("period",), curves[1], "return level of the fit with its spread times κ", "mm/day"),
            "wet": ((), share, "share of wet values"),
            "mean": ((), mean, "mean of y = log(1 + R)/5 of wet values"),
            "spread": ((), spread, "standard deviation of y of wet values"),
            "inflation": ((), kappa, "κ of the regularised optimum"),
            "largest": ((), float(values.max()), "largest value of the record", "mm/day"),
            "days": ((), days, "days of the record", "days"),
            "mean_rain": ((), float(values.mean()), "mean rain", "mm/day"),
        },
        {"period": (("period",), period, "return period", "days")},
    )


def example_days(count: int = 1500, seed: int = 0) -> Floats:
    """Return invented days of rain at one site (count,) in mm, four in ten of them wet, for a first look.

    >>> bool(0.35 < (example_days() > 0).mean() < 0.5)
    True
    """
    rng = np.random.default_rng([19, checks.integer("seed", seed, minimum=0)])
    wet = rng.random(checks.integer("count", count, minimum=1, maximum=100_000)) < 0.42
    return np.where(wet, to_rain(rng.normal(0.27, 0.17, count)), 0.0)
