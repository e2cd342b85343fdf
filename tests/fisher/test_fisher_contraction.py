"""The symmetry-reduced contraction: rounds, threads and cancellation leave the number alone."""

import numpy as np
import pytest

from workbench import parallel
from workbench.fisher import contraction, metric
from workbench.fisher.torus import torus
from workbench.progress import Cancelled, Progress


def density(lattice, **options):
    pairs = metric.pairs(lattice)
    F = metric.metric_in_space(pairs)
    return contraction.cumulant_density(pairs, F, metric.to_momentum(F), **options)


@pytest.mark.parametrize("lattice", [torus(7), torus(8), torus((5, 8), 0.4, 0.3)])
def test_bounded_memory_gives_the_same_number(lattice, monkeypatch):
    whole = density(lattice)
    rounds = density(lattice, max_memory=200_000 if lattice.isotropic else 100_000)
    np.testing.assert_array_equal(rounds, whole)
    monkeypatch.setattr(contraction, "BUFFER", 1)
    np.testing.assert_allclose(density(lattice), whole, rtol=1e-13)


def test_thread_count_changes_no_bit(monkeypatch):
    whole = density(torus(12))
    monkeypatch.setattr(parallel, "THREADS", 1)
    np.testing.assert_array_equal(density(torus(12)), whole)


def test_progress_ends_full_and_cancels():
    class Recorder(Progress):
        def __init__(self):
            super().__init__()
            self.seen = []

        def show(self, done, total, message):
            self.seen.append((done, total))

    recorder = Recorder()
    density(torus(8), progress=recorder, max_memory=300_000)
    assert recorder.seen[-1][0] == recorder.seen[-1][1]
    assert all(a[0] < b[0] for a, b in zip(recorder.seen[:-1], recorder.seen[1:], strict=True))
    recorder.cancel()
    with pytest.raises(Cancelled):
        density(torus(8), progress=recorder)


def test_past_memory_is_refused():
    with pytest.raises(ValueError, match="of memory"):
        density(torus(400), max_memory=1e15)
