"""Daily rain of other people's files: which columns and variables are taken, and what is refused in words."""

import numpy as np
import pytest
import xarray as xr

from workbench.clouds.daily import read_daily_netcdf, read_daily_table

RAIN = np.where(np.random.default_rng(0).random(80) < 0.4, 4.5, 0.0)
DATES = [str(np.datetime64("2012-01-01") + day) for day in range(len(RAIN))]
GRID = RAIN[:, None] * np.ones((1, 6))


def table(head, row):
    return "\n".join([head, *(row(date, mm) for date, mm in zip(DATES, RAIN, strict=True))]).encode()


def stored(values=RAIN, dims=("time",), units="mm", time=None, **others):
    ds = xr.Dataset({"pr": (dims, values, {"units": units}), **others})
    if time is not None:
        ds = ds.assign_coords(time=("time", np.arange(len(RAIN)), {"units": time}))
    return bytes(ds.to_netcdf(engine="h5netcdf"))


@pytest.mark.parametrize(
    ("data", "column", "sites"),
    [
        (table("date,precipitation,tmax,weather", lambda d, mm: f"{d},{mm},3.1,fog"), None, 1),
        (table("date,tmax,precipitation", lambda d, mm: f"{d},{mm},3.1"), "tmax", 1),
        (table("date;a;b;kind", lambda d, mm: f"{d};{mm};{mm};fog"), None, 2),
        (table("", lambda d, mm: f"{d},{mm}"), None, 1),
        (table("RR [mm/day]\tq", lambda d, mm: f"{mm}\t0"), None, 1),
    ],
)
def test_columns_of_rain_are_found_beside_dates_and_texts(data, column, sites):
    values, told = read_daily_table(data, "mine.csv", column)
    np.testing.assert_array_equal(values, np.tile(RAIN[:, None], sites))
    assert told.startswith("80 rows")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no rows of numbers"),
        (table("date,rain (inch)", lambda d, mm: f"{d},{mm}"), "inches times 25.4"),
        (table("rain (m)", lambda d, mm: f"{mm}"), "metres times 1,000"),
        (table("date,rain", lambda d, mm: f"{d},{'' if d == DATES[3] else mm}"), "no value in column rain"),
        (table("date,a", lambda d, mm: f"{d},{mm or 'NA'}"), r"row 1 \(line 2\).*no value in column a"),
        (table("date,rain", lambda d, mm: f"{d},{mm or 'nan'}"), "NaN or infinite"),
        (table("date,day", lambda d, mm: f"{d},{mm}"), "beside its dates"),
    ],
)
def test_tables_without_rain_in_mm_are_refused(data, words):
    with pytest.raises(ValueError, match=words):
        read_daily_table(data, "mine.csv")
    with pytest.raises(ValueError, match="has no column 'snow'"):
        read_daily_table(table("date,rain", lambda d, mm: f"{d},{mm}"), "mine.csv", "snow")


def test_variables_of_rain_are_found_along_time():
    other = {"tas": ("time", RAIN + 280)}
    sea = GRID.copy()
    sea[:, 2] = np.nan
    for data, sites in (
        (stored(), 1),
        (stored(**other), 1),
        (stored(GRID.reshape(80, 2, 3), ("time", "y", "x"), "kg m-2 day-1", "days since 2000-01-01"), 6),
        (stored(GRID.T, ("x", "time")), 6),
        (stored(sea, ("time", "x")), 5),
    ):
        values, told = read_daily_netcdf(data, "mine.nc", None, 10**6)
        np.testing.assert_array_equal(values, np.tile(RAIN[:, None], sites))
        assert "days along 'time'" in told
    assert "1 without any value" in told
    values, _ = read_daily_netcdf(stored(**other), "mine.nc", "tas", 10**6)
    assert values.min() >= 280


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (stored(RAIN / 86400, units="kg m-2 s-1"), "times 86,400"),
        (stored(time="hours since 2000-01-01"), "a value every 1 h"),
        (stored(GRID[:0], ("time", "x")), "holds no value"),
        (stored(np.zeros(80), units="m"), "metres times 1,000"),
        (bytes(xr.Dataset({"a": ("t", RAIN), "b": ("t", RAIN)}).to_netcdf(engine="h5netcdf")), "0 called rain"),
        (b"\x89HDF\r\n\x1a\nabc", "damaged"),
    ],
)
def test_netcdf_without_daily_rain_in_mm_is_refused(data, words):
    with pytest.raises(ValueError, match=words):
        read_daily_netcdf(data, "mine.nc", None, 10**6)
    with pytest.raises(ValueError, match="no numeric variable 'snow'"):
        read_daily_netcdf(stored(), "mine.nc", "snow", 10**6)
    with pytest.raises(ValueError, match="unpacks"):
        read_daily_netcdf(stored(GRID, ("time", "x")), "mine.nc", None, 100)
