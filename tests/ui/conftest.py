"""The pages' shared parts are tested without a server: results come back on the worker's thread."""

import pytest

from workbench.ui.kit.cache import RESULTS


@pytest.fixture(autouse=True)
def _fresh_cache():
    RESULTS.clear()
    yield
    RESULTS.clear()
