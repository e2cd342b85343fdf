"""Runs that can be watched: what is published along the way, and where the estimate ends."""

import numpy as np
import pytest

from workbench import fisher, results
from workbench.progress import Progress


class Watcher(Progress):
    def __init__(self):
        super().__init__()
        self.seen = []

    def publish(self, ds):
        self.seen.append(results.validate(ds))


def test_every_batch_is_published_and_the_last_is_the_result():
    watcher = Watcher()
    ds = fisher.live_curvature("ising-2d", 4, samples=320, progress=watcher)
    assert len(watcher.seen) == 10
    np.testing.assert_array_equal(watcher.seen[-1].running_curvature, ds.running_curvature)
    assert watcher.seen[3].sizes["sample"] == 128
    assert float(ds.exact_curvature) == pytest.approx(-265.312142794)
    assert float(ds.running_curvature[-1]) == float(ds.scalar_curvature)
    assert abs(float(ds.scalar_curvature - ds.exact_curvature)) < 5 * float(ds.scalar_curvature_error)


def test_off_criticality_and_without_exact_value():
    assert float(fisher.live_curvature("ising-2d", 4, 0.5, samples=64).exact_curvature) == pytest.approx(
        float(fisher.ising_curvature(4, fisher.J_CRITICAL / 2).scalar_curvature)
    )
    assert np.isnan(float(fisher.live_curvature("potts-3", 4, samples=64).exact_curvature))
    with pytest.raises(ValueError, match="J_ratio must be at least"):
        fisher.live_curvature("ising-2d", 4, 0.0)
