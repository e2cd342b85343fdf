"""Checks and progress: the small shared modules."""

import decimal
import fractions
import io
import numbers

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import checks
from workbench.progress import Cancelled, Progress, RemainingTime, TqdmProgress


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0, np.nan], "1 value.*NaN or infinite"),
        ([[1.0]], "must have 1 dimension"),
        ([], "empty"),
    ],
)
def test_finite_array_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        checks.finite_array("x", value, ndim=1)


def test_finite_array_refuses_what_is_no_number():
    with pytest.raises(TypeError, match="array of numbers"):
        checks.finite_array("x", ["a"])


@pytest.mark.parametrize("value", [True, "3", None])
def test_integer_refuses_types(value):
    with pytest.raises(TypeError, match="whole number"):
        checks.integer("n", value)


@pytest.mark.parametrize(
    ("value", "message"), [(2.5, "whole"), (0, "at least 1"), (99, "at most 10"), (np.inf, "whole")]
)
def test_integer_refuses_values(value, message):
    with pytest.raises(ValueError, match=message):
        checks.integer("n", value, minimum=1, maximum=10)


def test_numbers_pass():
    assert checks.integer("n", np.int64(3)) == 3
    assert checks.integer("n", 3.0) == 3
    assert checks.real("x", np.float32(0.5), minimum=0) == 0.5
    with pytest.raises(ValueError, match="greater than 0"):
        checks.real("x", 0.0, exclusive_minimum=0)
    with pytest.raises(ValueError, match="finite"):
        checks.real("x", float("nan"))


def test_choice_names_what_exists():
    with pytest.raises(ValueError, match=r"Did you mean 'design'\? Choose one of: design, spiral"):
        checks.choice("method", "desing", ["design", "spiral"])


def test_memory_is_refused_before_it_is_taken():
    checks.memory(1, "a byte")
    with pytest.raises(ValueError, match=r"needs about .* GiB"):
        checks.memory(1e18, "an exabyte")


def test_generator_passes_through_and_seeds_repeat():
    rng = np.random.default_rng(3)
    assert checks.generator(rng) is rng
    assert checks.generator(5).random() == checks.generator(5).random()
    with pytest.raises(ValueError, match="at least 0"):
        checks.generator(-1)


def test_progress_can_be_cancelled():
    progress = Progress()
    progress.update(1, 10)
    progress.cancel()
    assert progress.cancelled
    with pytest.raises(Cancelled):
        progress.update(2, 10)


def test_tqdm_progress_draws():
    stream = io.StringIO()
    progress = TqdmProgress("work", file=stream)
    progress.update(1, 4, "first")
    progress.update(4, 4)
    assert "work" in stream.getvalue()
    assert "1/4" in stream.getvalue()


def test_remaining_time():
    meter = RemainingTime()
    assert meter.seconds(0, 10) is None
    assert meter.seconds(10, 10) == 0


HIDDEN = np.ma.array([1.0, 1e6], mask=[False, True])


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (HIDDEN, ValueError, r"masked array with 1 masked value.*filled"),
        ([[HIDDEN], [HIDDEN]], ValueError, "masked"),
        ([1.0, np.ma.masked], ValueError, "masked"),
        (np.array([1j]), TypeError, "complex numbers; give their real and imaginary parts"),
        ([1, 2 + 0j], TypeError, "complex"),
        (np.array([1j, None]), TypeError, "complex"),
        (["1", "2"], TypeError, r"got text \('1'\)"),
        (b"12", TypeError, "got text"),
        (np.array(["1"], dtype=np.dtypes.StringDType()), TypeError, "got text"),
        ([1.0, None], ValueError, r"a missing value \(None\) at index 1"),
        (np.array([[1.0, 2.0], [object(), 3.0]]), TypeError, r"got <object.*\(1, 0\)"),
        (np.array(["2020-01-01"], dtype="M8[D]"), TypeError, "dates or times"),
        (np.zeros(2, dtype=[("x", float)]), TypeError, "entries of type"),
        ([[1], [2, 3]], ValueError, "rows of different lengths"),
        ({1, 2}, TypeError, "got set"),
        ((k for k in range(3)), TypeError, "got generator"),
        ([10**400], ValueError, "too large for float64 at index 0"),
    ],
)
def test_what_numpy_would_lose_without_a_word_is_refused_by_name(value, error, message):
    with pytest.raises(error, match=message):
        checks.finite_array("x", value)


def test_arrays_of_other_libraries():
    import pandas as pd
    import scipy.sparse
    import torch
    import xarray as xr

    for value, error, message in [
        (pd.array([1, None], dtype="Int64"), ValueError, "1 value.* NaN"),
        (pd.Series([1.0, pd.NA], dtype=object), ValueError, "missing value .<NA>. at index 1"),
        (pd.DataFrame({"a": [1.0], "b": ["3"]}), TypeError, r"got '3' \(str\) at index \(0, 1\)"),
        (pd.Series(pd.date_range("2020", periods=2)), TypeError, "dates"),
        (xr.DataArray([1.0, np.nan]), ValueError, "NaN"),
        (xr.Dataset({"a": 1.0}), TypeError, "got Dataset"),
        (scipy.sparse.eye_array(3), TypeError, r"sparse .*toarray"),
        (torch.ones(2, requires_grad=True), TypeError, "requires a gradient.*detach"),
        ([torch.tensor(1.0, requires_grad=True)], TypeError, "requires a gradient"),
        (torch.ones(2, dtype=torch.bfloat16), TypeError, "BFloat16"),
        (torch.ones(2).to_sparse(), TypeError, "Sparse"),
        (torch.ones(2, dtype=torch.complex64), TypeError, "complex"),
    ]:
        with pytest.raises(error, match=message):
            checks.finite_array("x", value)
    for value in (pd.Series([1, 2], dtype="Int64"), xr.DataArray([1, 2]), torch.tensor([1, 2]), np.ma.array([1, 2])):
        np.testing.assert_array_equal(checks.finite_array("x", value), [1.0, 2.0])
    assert type(checks.finite_array("x", np.ma.array([1, 2]))) is np.ndarray


def test_numbers_that_the_type_cannot_hold():
    with pytest.raises(ValueError, match=r"1 value.* too large for float32; rescale"):
        checks.finite_array("x", [1e300, 1.0], dtype=np.float32)
    with pytest.raises(ValueError, match="whole numbers"):
        checks.finite_array("x", [1.5], dtype=np.int64)
    for number in (10**400, fractions.Fraction(10**400)):
        with pytest.raises(ValueError, match=r"finite, got .*\d"):
            checks.real("x", number)
    with pytest.raises(ValueError, match="at most 5, got a number of thousands of digits"):
        checks.integer("n", 10**5000, maximum=5)
    exact = [fractions.Fraction(1, 4), 2**70, decimal.Decimal("0.5"), True]
    np.testing.assert_array_equal(checks.finite_array("x", exact), [0.25, 2.0**70, 0.5, 1.0])


ENTRIES = st.one_of(
    st.floats(),
    st.integers(-(2**80), 2**80),
    st.complex_numbers(),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
    st.just(np.ma.masked),
    st.just(np.datetime64("2020-01-01")),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(ENTRIES, max_size=5) | st.lists(st.lists(ENTRIES, min_size=2, max_size=2), max_size=4))
def test_any_list_is_its_numbers_or_a_sentence(value):
    """The oracle looks at every entry by itself; the function must not lose or invent anything."""
    flat = [entry for row in value for entry in (row if isinstance(row, list) else [row])]
    good = bool(flat) and all(isinstance(entry, numbers.Real) and np.isfinite(float(entry)) for entry in flat)
    if good:
        assert checks.finite_array("x", value).ravel().tolist() == [float(entry) for entry in flat]
    else:
        with pytest.raises((ValueError, TypeError), match=r"^x "):
            checks.finite_array("x", value)


@settings(deadline=None, max_examples=200)
@given(
    hnp.arrays(
        hnp.floating_dtypes() | hnp.complex_number_dtypes() | hnp.integer_dtypes() | hnp.unicode_string_dtypes(),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0),
    ),
    st.data(),
)
def test_any_array_masked_or_not(values, data):
    mask = data.draw(hnp.arrays(bool, values.shape))
    real = values.dtype.kind in "iuf"
    good = real and values.size > 0 and bool(np.isfinite(values).all()) and not mask.any()
    with np.errstate(over="ignore"):
        good = good and bool(np.isfinite(values.astype(float)).all())
    if good:
        np.testing.assert_array_equal(checks.finite_array("x", np.ma.array(values, mask=mask)), values.astype(float))
    else:
        with pytest.raises((ValueError, TypeError), match=r"^x "):
            checks.finite_array("x", np.ma.array(values, mask=mask))
