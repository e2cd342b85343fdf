"""Daily series from other people's files: a table with a date beside its numbers, or one variable of a NetCDF file.

Which columns or which variable are rain is told by their names, as records of weather are commonly labelled; units that
a file gives are judged, and steps of time other than a day are refused. Nothing is converted silently.
"""

import io
import re
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench.clouds.decoding import TextFile, open_text
from workbench.clouds.dialects import MISSING, Layout, is_number, layout_of
from workbench.clouds.tables import read_columns
from workbench.results.hdf5 import Unfit, unpacked_bytes

RAIN = {"rain", "rainfall", "precip", "precipitation", "prcp", "prec", "pr", "rr", "tp", "rre", "rsk"}
DATES = {"date", "day", "month", "year", "time", "datetime", "timestamp", "datum", "doy", "index", "id", "station"}
TIMES = ("time", "day", "date", "t", "valid_time")
DAYS = {"day": 1.0, "hour": 1 / 24, "minute": 1 / 1440, "second": 1 / 86400}
IN_MM = {
    "", "1", "mm", "mm/day", "mm/d", "mmday-1", "mmd-1", "mm/24h", "kgm-2", "kgm-2day-1", "kgm-2d-1", "kg/m2",
    "kg/m2/day", "millimeter", "millimeters", "millimetre", "millimetres",
}  # fmt: skip
"""Units of a depth of water in a day, without blanks and ^."""


def read_daily_table(data: bytes, name: str, column: str | None = None) -> tuple[NDArray[np.float64], str]:
    """Return the columns of rain of a table (days, sites) and a sentence that says how they were read.

    ``column`` names one. Otherwise the columns called rain, precipitation, prcp, pr, rr or tp (in any case, with a unit
    in brackets) are taken, or else all that hold numbers and are no date. Raises ``ValueError`` with the row for what
    :func:`workbench.clouds.tables.read_table` refuses, for a column that is not there, and for units that are not mm.

    >>> table = b"date,rain (mm),wind\\n2012-01-01,1.5,3\\n2012-01-02,0,4\\n"
    >>> values, sentence = read_daily_table(table, "mine.csv")
    >>> values.tolist(), sentence
    ([[1.5], [0.0]], '2 rows; columns rain (mm) of 3 (left out: date, wind); separated by commas; 1 header row')
    """
    text = open_text(data, name)
    layout = layout_of(text, xyz=False)
    layout.chosen = _columns(text, layout, column)
    labels = [layout.names[index] for index in layout.chosen] if layout.names else _header(text, layout)
    for label in labels:
        if unit := re.search(r"[\[(]\s*([^\])]*?)\s*[\])]", label):
            check_unit(name, unit[1], label)
    return read_columns(text, layout)


def read_daily_netcdf(data: bytes, name: str, variable: str | None, max_bytes: int) -> tuple[NDArray[np.float64], str]:
    """Return one variable of a NetCDF-4 file as (days, sites), and a sentence that says how it was found.

    Time lies along a dimension called time, day, date or t, else along the first; all others are sites, and those
    without a value on any day (sea, say) are left out. Without ``variable`` the one is taken that is alone, or called
    (or described by ``standard_name``) as rain. Raises ``ValueError`` for a damaged file, for one that unpacks to more
    than ``max_bytes``, for other units than mm a day, and where the time coordinate steps by less or more than a day.

    >>> import xarray as xr
    >>> ds = xr.Dataset({"pr": (("time", "x"), [[1.0, 2.0], [3.0, 4.0]], {"units": "mm day-1"})})
    >>> read_daily_netcdf(bytes(ds.to_netcdf(engine="h5netcdf")), "mine.nc", None, 10_000)[1]
    "variable 'pr', days along 'time', sites along x"
    """
    try:
        unpacked_bytes(io.BytesIO(data), max_bytes)
        with xr.open_dataset(io.BytesIO(data), engine="h5netcdf", decode_times=False, decode_timedelta=False) as ds:
            chosen = _variable(ds, name, variable)
            days = next((dim for dim in chosen.dims if str(dim).lower() in TIMES), chosen.dims[0])
            check_unit(name, str(chosen.attrs.get("units", "")), str(chosen.name))
            if days in ds.coords:
                _check_step(name, ds.coords[days])
            values = np.asarray(chosen.transpose(days, ...).values, dtype=np.float64)
    except Unfit as error:
        raise ValueError(f"{name} is refused: {error}") from None
    except (OSError, KeyError, RuntimeError) as error:
        raise ValueError(f"{name} is damaged or no NetCDF-4 file: {str(error)[:200]}") from None
    rest = " × ".join(str(dim) for dim in chosen.dims if dim != days)
    if values.size == 0:
        raise ValueError(f"{name} holds no value of {chosen.name!r} (its shape is {chosen.shape})")
    values = values.reshape(len(values), -1)
    empty = np.isnan(values).all(axis=0)
    told = f"variable {chosen.name!r}, days along {str(days)!r}" + (f", sites along {rest}" if rest else "")
    if empty.any() and not empty.all():
        values = values[:, ~empty]
        told += f" ({int(empty.sum()):,} without any value left out)"
    return values, told


def check_unit(name: str, unit: str, label: str) -> None:
    """Refuse units that are no depth of water in millimetres a day."""
    plain = re.sub(r"[\s^*·]", "", unit.lower().replace("⁻", "-").replace("²", "2").replace("¹", "1").replace("−", "-"))
    if plain not in IN_MM:
        raise ValueError(
            f"{name} gives {label[:40]!r} in {unit[:30]!r}; give millimetres a day: kg m⁻² s⁻¹ times 86,400, metres "
            "times 1,000, inches times 25.4, hours summed to days"
        )


def _columns(text: TextFile, layout: Layout, column: str | None) -> list[int]:
    names = layout.names or []
    if column is not None:
        if column not in names:
            raise ValueError(f"{text.name} has no column {column!r}; it has: {', '.join(names)[:200] or 'no names'}")
        return [names.index(column)]
    named = [index for index, label in enumerate(names) if _words(label) & RAIN]
    if named:
        return named
    first = next(line for number, line in text.lines() if number == layout.first_line)
    values = layout.split(first)
    chosen = [
        index
        for index in range(layout.width)
        if not (names and _words(names[index]) & DATES) and (names or is_number(values[index], layout.separator))
    ]
    if names:  # a text is left out; a value that is missing will be refused with its row
        chosen = [k for k in chosen if MISSING.fullmatch(values[k]) or not _is_text(values[k], layout.separator)]
    if not chosen:
        raise ValueError(f"{text.name} has no column of numbers beside its dates; give rain in mm in one of them")
    return chosen


def _is_text(value: str, separator: str) -> bool:
    return re.search(r"[^\W\d_]{2}", value) is not None and not is_number(value, separator)


def _header(text: TextFile, layout: Layout) -> list[str]:
    """Return the last line above the first row, which may have more words than the table has columns."""
    above = [line for number, line in text.lines() if number < layout.first_line and line.strip()]
    return above[-1:] if layout.headers else []


def _words(label: str) -> set[str]:
    return set(re.findall(r"[a-z]+", label.lower()))


def _variable(ds: xr.Dataset, name: str, variable: str | None) -> xr.DataArray:
    usable = [key for key, found in ds.data_vars.items() if found.dtype.kind in "iuf" and found.ndim >= 1]
    usable = [key for key in usable if not str(key).endswith(("_bnds", "_bounds"))]
    if variable is not None and variable not in usable:
        raise ValueError(f"{name} has no numeric variable {variable!r} along time; it has: {_listed(usable)}")
    if variable is None and len(usable) != 1:
        known = [
            key for key in usable if (_words(str(key)) | _words(str(ds[key].attrs.get("standard_name", "")))) & RAIN
        ]
        if len(known) != 1:
            raise ValueError(
                f"{name} has {len(usable)} numeric variables ({_listed(usable)}), and {len(known)} called rain; "
                "keep one in the file, or name it with variable=…"
            )
        usable = known
    return ds[variable or usable[0]]


def _check_step(name: str, time: xr.DataArray) -> None:
    """Refuse a time coordinate that does not step by a day where it says what it counts."""
    found = re.match(r"\s*(day|hour|minute|second)s?\s+since", str(time.attrs.get("units", "")))
    if found is None or time.size < 2 or time.dtype.kind not in "iuf":
        return
    step = float(np.median(np.diff(time.values.astype(np.float64)))) * DAYS[found[1]]
    if not 0.9 < step < 1.1:
        raise ValueError(f"{name} has a value every {_span(step)}, not every day; sum or select it to days first")


def _span(days: float) -> str:
    return f"{days:g} days" if abs(days) >= 1 else f"{24 * days:g} h"


def _listed(names: list[Any]) -> str:
    return ", ".join(map(str, names[:10])) or "none"
