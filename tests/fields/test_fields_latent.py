"""Flows in a latent space: the identity for principal axes, the additive bound that fails, a truth in closed form."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from sklearn.datasets import load_digits

from workbench import fields
from workbench.fields.core.integrators import integrate
from workbench.fields.latent.codecs import axes_of, pca
from workbench.fields.latent.flow import sample_errors
from workbench.fields.latent.verdicts import CLAIMS
from workbench.transport import wasserstein
from workbench.verdicts import Outcome

GREY = load_digits().data / 16


@pytest.mark.parametrize("dimension", [2, 8, 20])
def test_for_principal_axes_the_errors_add_whatever_the_latent_law(dimension):
    x = GREY[:300]
    codec = pca(x, dimension)
    z = np.random.default_rng(1).normal(0.3, 1.0, (300, dimension))  # any law at all
    lost = np.mean(np.sum((x - codec.decode(codec.encode(x))) ** 2, axis=1))
    whole = wasserstein(x, codec.decode(z))
    assert whole == pytest.approx(lost + wasserstein(codec.encode(x), z), abs=1e-12)
    assert codec.axes.T @ codec.axes == pytest.approx(np.eye(dimension), abs=1e-12)


def test_the_digits_law_and_its_projections():
    law = fields.digits_law()
    assert np.trace(law.covariance) == pytest.approx(4.836486, abs=5e-7)
    values = np.linalg.eigvalsh(law.covariance)[::-1]
    for k, rest in ((2, 3.4925), (4, 2.5376), (8, 1.6502), (16, 0.8066), (32, 0.2228)):
        codec = axes_of(law.mean, law.covariance, k)
        assert codec.lost(law) == pytest.approx(values[k:].sum(), abs=1e-10)
        assert codec.lost(law) == pytest.approx(rest, abs=5e-5)
        inner = codec.law(law)
        assert np.diag(inner.covariance) == pytest.approx(values[:k], abs=1e-10)
        assert inner.mean == pytest.approx(np.zeros(k), abs=1e-12)


def test_the_exact_loss_of_a_sample_s_axes_is_that_of_fresh_points():
    law = fields.digits_law()
    codec = pca(law.sample(100, 0), 6)
    fresh = law.sample(20_000, 1)
    squares = np.sum((fresh - codec.decode(codec.encode(fresh))) ** 2, axis=1)
    assert abs(squares.mean() - codec.lost(law)) < 4 * squares.std() / math.sqrt(len(squares))
    assert codec.lost(law) > axes_of(law.mean, law.covariance, 6).lost(law)


def test_the_additive_bound_fails_and_the_square_of_the_sum_holds():
    ds = fields.additive_counterexample(1.0, 0.1)
    assert float(ds.carried) == pytest.approx(1.2464504802804610, abs=1e-15)
    assert float(ds.carried) == pytest.approx(quad(lambda t: 1 / math.hypot(t, 1 - t), 0, 1)[0], abs=1e-12)
    assert float(ds.squared) == pytest.approx(1.264826484054006, abs=1e-14)
    assert float(ds.additive) == pytest.approx(1.200855369231877, abs=1e-14)
    assert float(ds.triangle) == pytest.approx(2.0972, abs=5e-5)
    assert float(ds.worst_ratio) == pytest.approx(1.07735112114418, abs=1e-13)
    shifted = fields.additive_counterexample(1.0, 0.1, "translation")
    assert float(shifted.worst_ratio) == pytest.approx(1.367879441171442, abs=1e-14)


@pytest.mark.parametrize("kind", ["gaussian", "translation"])
def test_the_closed_forms_are_what_integration_gives_and_the_worst_ratio_is_reached(kind):
    ds = fields.additive_counterexample(0.7, 0.2, kind)
    unit = fields.standard_gaussian(1)
    exact = fields.exact_field(unit, unit) if kind == "gaussian" else lambda x, t: np.full_like(x, 3.0)
    x = unit.sample(50, 0)
    true = integrate(exact, x, 400).end
    ours = 0.7 + integrate(lambda y, t: exact(y, t) + 0.2, x, 400).end
    assert wasserstein(true, ours) == pytest.approx(float(ds.squared), abs=1e-7)
    worst = fields.additive_counterexample(float(ds.worst_at), 1.0, kind)
    assert float(worst.squared / worst.additive) == pytest.approx(float(ds.worst_ratio), abs=1e-12)
    for near in (0.9, 1.1):
        other = fields.additive_counterexample(near * float(ds.worst_at), 1.0, kind)
        assert float(other.squared / other.additive) < float(ds.worst_ratio)
    assert (ds.squared_along <= ds.triangle_along + 1e-12).all()


@pytest.fixture(scope="module")
def flows():
    rows = GREY[:400]
    return {codec: fields.latent_flow(rows, 6, codec, components=3) for codec in ("pca", "autoencoder")}


def test_a_flow_splits_exactly_with_principal_axes_and_not_with_an_autoencoder(flows):
    linear, bent = flows["pca"], flows["autoencoder"]
    assert abs(float(linear.gap)) < 1e-12
    assert float(linear.whole) == pytest.approx(float(linear.additive), abs=1e-12)
    assert abs(float(bent.gap)) > 1e-3
    for ds in flows.values():
        assert float(ds.whole) <= float(ds.triangle)
        assert float(ds.floor) > 0
        assert ds.picture.shape == ds.kept.shape


def test_the_autoencoder_decodes_within_its_proved_constant(flows):
    codec = fields.CODECS["autoencoder"].function(GREY[:200], 3, 0, None)
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 500, 3))
    stretch = np.linalg.norm(codec.decode(a) - codec.decode(b), axis=1) / np.linalg.norm(a - b, axis=1)
    assert 0.1 * codec.lipschitz < stretch.max() <= codec.lipschitz
    assert np.abs(codec.encode(GREY[:200])).max() < 1
    again = fields.CODECS["autoencoder"].function(GREY[:200], 3, 0, None)
    assert np.array_equal(again.decode(a), codec.decode(a))
    lost = np.mean(np.sum((GREY[:200] - codec.decode(codec.encode(GREY[:200]))) ** 2, axis=1))
    assert lost < 0.8 * np.var(GREY[:200], axis=0).sum()


def test_more_points_make_a_better_flow_and_the_projection_is_exact():
    few, many = (fields.best_dimension(dims=(2, 6), points=n, axes="law", paths=150) for n in (60, 2000))
    assert few.reconstruction.values == pytest.approx(many.reconstruction.values)
    assert (many.flow < few.flow).all()
    assert few.total.values == pytest.approx((few.reconstruction + few.flow).values)
    assert (many.one_sided < many.classical).all()
    assert (10.0**many.one_sided > many.flow).all()
    same = fields.best_dimension(dims=(2, 6), points=60, axes="law", paths=150)
    assert same.equals(few)


@pytest.mark.parametrize(("axes", "counts"), [(2, (50, 50, 50)), (3, (60, 30, 45))])
def test_the_error_of_a_sample_s_flow_is_what_repeated_samples_show(axes, counts):
    rng = np.random.default_rng(0)
    told = []
    for _ in range(60):
        kept, made, again = (rng.normal(size=(count, axes)) for count in counts)
        squares = (kept[:, 0] + 1) ** 2
        found, floor, error, both = sample_errors(kept, 1.3 * made + 0.5, again, squares)
        assert found == pytest.approx(wasserstein(kept, 1.3 * made + 0.5), rel=1e-12)
        told.append((found - floor, error, found - floor + squares.mean(), both))
    flow, error, total, both = np.array(told).T
    assert error.mean() == pytest.approx(flow.std(ddof=1), rel=0.3)
    assert both.mean() == pytest.approx(total.std(ddof=1), rel=0.3)


def test_own_rows_are_judged_by_rows_kept_out():
    rows = np.random.default_rng(0).normal(size=(120, 5)) * [3.0, 2.0, 0.1, 0.1, 0.0]  # a column that never changes
    ds = fields.best_dimension(rows, dims=(1, 2, 5), components=2)
    assert ds.attrs["truth"] == "unknown"
    assert ds.field_square.isnull().all()
    assert ds.picture.shape == (3, 24, 5)
    assert float(ds.reconstruction[2]) < 1e-20
    assert ds.reconstruction.values[0] > ds.reconstruction.values[1]
    assert (ds.flow_error > 0).all()
    assert (ds.total_error >= 0.5 * ds.flow_error).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fields.latent_flow(GREY[:20]), "needs at least 40"),
        (lambda: fields.latent_flow(np.ones((50, 3)), 1), "are alike"),
        (lambda: fields.latent_flow(GREY[:50, :4], 5), "dimension must be at most 4"),
        (lambda: fields.latent_flow(codec="pcb"), "pca"),
        (lambda: fields.latent_flow(learner="net"), "network"),
        (lambda: fields.latent_flow("faces"), "digits"),
        (lambda: fields.best_dimension(dims=(4, 2)), "rising"),
        (lambda: fields.best_dimension(dims=(65,)), "at most 64"),
        (lambda: fields.best_dimension(axes="own"), "sample"),
        (lambda: fields.best_dimension(points=3), "at least 40"),
        (lambda: fields.dimension_study(seeds=(0,)), "two seeds"),
        (lambda: fields.codec_study(seeds=(0, 0)), "two different seeds"),
        (lambda: fields.codec_study(dims=(65,)), "at most 64"),
        (lambda: fields.additive_counterexample(-1.0), "at least 0"),
        (lambda: fields.additive_counterexample(1e9), "at most"),
        (lambda: fields.additive_counterexample(kind="affine"), "translation"),
    ],
)
def test_what_cannot_be_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_verdicts_follow_from_the_study():
    assert [claim.verdict().outcome for claim in CLAIMS] == [Outcome.PARTLY, Outcome.PARTLY, Outcome.PARTLY]


@pytest.mark.parametrize(
    ("claim", "changed", "outcome"),
    [
        (0, {"most": 0.5}, Outcome.HOLDS),
        (0, {"true": False}, Outcome.FAILS),
        (1, {"net_low_many": -0.1}, Outcome.FAILS),
        (1, {"net_best_many": 64, "low_few": 0.1}, Outcome.PARTLY),
        (1, {"best_many": 16}, Outcome.HOLDS),
        (2, {"worst": 1.0}, Outcome.HOLDS),
        (2, {"gap": 0.1}, Outcome.FAILS),
    ],
)
def test_other_numbers_give_other_verdicts(claim, changed, outcome):
    one = CLAIMS[claim]
    assert one.verdict({**one.measure(), **changed}).outcome == outcome
