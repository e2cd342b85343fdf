"""Shared by the tests of the numerics."""

import os

import numpy as np
import pytest
from hypothesis import settings

# The same examples in every run, so that a red run is about the change at hand; EXPLORE=1 looks for new ones.
settings.register_profile("steady", derandomize=True, database=None, deadline=None)
if not os.environ.get("EXPLORE"):
    settings.load_profile("steady")


@pytest.fixture
def rng():
    return np.random.default_rng(7)
