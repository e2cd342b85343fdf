"""Shared by the tests of the numerics."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(7)
