"""Checks and progress: the small shared modules."""

import io

import numpy as np
import pytest

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
