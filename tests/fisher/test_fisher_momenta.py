"""Momentum triples: every ordered pair is counted once, and the reversal signs are right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.fisher.monte_carlo import momenta


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([(3,), (4,), (3, 3), (4, 3), (3, 3, 3), (5, 4)]))
def test_weights_count_every_ordered_pair(shape):
    n = int(np.prod(shape))
    found = momenta.triples(shape)
    assert found.weight.sum() == n**2
    k = np.array(np.unravel_index(found.legs, shape))
    assert (k.sum(axis=2) % np.array(shape)[:, None] == 0).all()
    assert (np.diff(found.legs, axis=1) >= 0).all()


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (3, 4, 3)])
def test_reversal_signs(shape):
    rng = np.random.default_rng(0)
    b = np.fft.fftn(rng.normal(size=(len(shape), *shape)), axes=range(1, len(shape) + 1)) * momenta.centring_phases(
        shape
    )
    b = b.reshape(len(shape), -1)
    np.testing.assert_allclose(b[:, momenta.negatives(shape)], momenta.reversal_signs(shape) * b.conj(), atol=1e-12)
