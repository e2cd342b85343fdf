"""Other libraries (the extra [fields]) say what the room says: paths of fields, distances of clouds, scores of rain."""

import numpy as np
import pytest
import xarray as xr

from workbench import fields
from workbench.fields.downscaling.scores import fair_crps
from workbench.transport import wasserstein

NEEDED = "comes with the extra [fields]"


def paths(field, x0, end, **options):
    """Return the ends by torchdiffeq's dopri5 in double precision."""
    torch = pytest.importorskip("torch")
    torchdiffeq = pytest.importorskip("torchdiffeq", reason=NEEDED)

    def velocity(t, x):
        return torch.from_numpy(field(x.numpy(), float(t)))

    times = torch.tensor([0.0, end], dtype=torch.float64)
    return torchdiffeq.odeint(velocity, torch.from_numpy(x0), times, method="dopri5", **options)[-1].numpy()


def test_adaptive_steps_follow_the_exact_field_as_torchdiffeq_does():
    field = fields.exact_field("gaussian", "five-blobs")
    x0 = fields.standard_gaussian(2).sample(40, 0)
    theirs = paths(field, x0, 0.95, rtol=1e-9, atol=1e-9)
    ours = fields.integrate(field, x0, solver="adaptive", end=0.95, tolerance=1e-9).end
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_allclose(fields.integrate(field, x0, 400, "rk4", end=0.95).end, theirs, atol=1e-5)


def test_a_stiff_field_underflows_there_and_is_said_here():
    """Towards points velocities grow like 1/(1 − t): torchdiffeq gives up with an assertion, ours with fixed steps."""
    x0 = np.array([[0.3], [-0.2]])

    def without_end(x, t):
        return np.ones_like(x) / max(1.0 - t, 1e-300)

    with pytest.raises(AssertionError, match="underflow in dt"):
        paths(without_end, x0, 1.0, rtol=1e-6, atol=1e-6)
    assert "fixed steps of order 4 were taken" in fields.integrate(without_end, x0, solver="adaptive").note


def test_the_sinkhorn_divergence_of_geomloss_rises_to_our_exact_distance():
    """Its potentials are those of an annealing that stops early: a value from below, nearer the slower it cools."""
    torch = pytest.importorskip("torch")
    geomloss = pytest.importorskip("geomloss", reason=NEEDED)
    one = fields.populations("letters", 1, 100, held_out=True)[0]
    exact = wasserstein(one.source, one.target)
    clouds = torch.from_numpy(one.source), torch.from_numpy(one.target)
    missing = []
    for scaling in (0.9, 0.95, 0.98):
        loss = geomloss.SamplesLoss("sinkhorn", p=2, blur=1e-3, scaling=scaling, backend="tensorized")
        missing.append(1 - 2 * float(loss(*clouds)) / exact)  # it takes half the squares
    assert missing[0] > missing[1] > missing[2] > -1e-12  # slow enough it is exact, but for rounding
    assert missing[2] < 0.006


def test_the_scores_of_an_ensemble_are_those_of_scores():
    pytest.importorskip("scores", reason=NEEDED)
    from scores.probability import crps_for_ensemble

    rng = np.random.default_rng(0)
    ensemble, truth = rng.gamma(1.0, 5.0, (20, 6, 8)), rng.gamma(1.0, 5.0, (20, 8))
    theirs = crps_for_ensemble(
        xr.DataArray(ensemble, dims=("day", "member", "pixel")),
        xr.DataArray(truth, dims=("day", "pixel")),
        "member",
        method="fair",
        preserve_dims="all",
    )
    np.testing.assert_allclose(fair_crps(ensemble, truth), theirs.values, atol=1e-12)
