"""The survey: one row for each model and side, the same numbers as one by one."""

import pytest

from workbench import fisher


def test_rows():
    ds = fisher.monte_carlo_survey({"ising-3d": {3: 64}, "potts-3": {3: 64, 4: 32}}, chains=4)
    assert ds.model.values.tolist() == ["ising-3d", "potts-3", "potts-3"]
    assert ds.sites.values.tolist() == [27, 9, 16]
    one = fisher.monte_carlo_curvature("potts-3", 4, samples=32, chains=4, spacing=2, seed=1)
    assert float(ds.scalar_curvature[2]) == float(one.scalar_curvature)


def test_refusals():
    with pytest.raises(ValueError, match="empty"):
        fisher.monte_carlo_survey({})
    with pytest.raises(ValueError, match="potts-3"):
        fisher.monte_carlo_survey({"potts-5": {3: 64}})
