"""Predictors on models where the answer is known, and as a family."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from workbench import steps
from workbench.steps.predictors.curvature import largest_eigenvalue
from workbench.steps.predictors.registry import GROUPS, PREDICTORS
from workbench.steps.search import first_crossing


@pytest.fixture(scope="module")
def ray():
    data = steps.digits()
    model = steps.at_stage("mlp-tanh", "middle")
    x, y = data.train_inputs[:64], data.train_targets[:64]
    return steps.Ray(model, x, y, steps.unit_direction("-gradient", model, x, y))


@pytest.fixture
def small():
    """A linear model with few parameters, so that the dense Hessian is at hand."""
    g = torch.Generator().manual_seed(0)
    model = nn.Linear(3, 4)
    steps.networks.initialise(model, 1)
    x, y = torch.randn(20, 3, generator=g), torch.randint(0, 4, (20,), generator=g)
    return steps.Ray(model, x, y, steps.unit_direction("-gradient", model, x, y))


def dense_hessian(ray):
    size = ray.gradient.numel()
    return torch.stack([ray.hessian_product(row) for row in torch.eye(size, dtype=torch.float64)]).numpy()


def test_ray_derivatives_against_differences(ray):
    h = 1e-4
    up, down = ray.loss_at(h), ray.loss_at(-h)
    assert ray.slope == pytest.approx((up - down) / (2 * h), rel=1e-6)
    assert ray.curvature == pytest.approx((up - 2 * ray.loss + down) / h**2, rel=1e-4)
    assert ray.slope == pytest.approx(-float(ray.gradient.norm()), rel=1e-6)
    assert float(ray.flat_direction.norm()) == pytest.approx(1)


def test_the_gauss_newton_part_is_all_of_a_linear_models_curvature(small):
    assert small.gauss_newton_curvature == pytest.approx(small.curvature, rel=1e-10)
    assert steps.predict("gauss-newton-root", small) == pytest.approx(steps.predict("quadratic-root", small), rel=1e-9)


def test_lanczos_against_the_dense_hessian(small):
    assert largest_eigenvalue(small) == pytest.approx(np.linalg.eigvalsh(dense_hessian(small)).max(), rel=1e-3)
    expected = 2 * float(small.gradient.norm()) / np.linalg.eigvalsh(dense_hessian(small)).max()
    assert steps.predict("sharpness", small) == pytest.approx(expected, rel=1e-3)


def test_replay_is_the_loss_of_a_linear_model(small):
    tau = steps.predict("replay", small, ratio=3.0)
    assert small.loss_at(tau) == pytest.approx(3 * small.loss, rel=1e-5)
    assert (np.array([small.loss_at(t) for t in np.linspace(0, 0.999 * tau, 50)]) < 3 * small.loss).all()


def test_quadratic_root_solves_its_equation(ray):
    tau = steps.predict("quadratic-root", ray, ratio=2.0)
    assert ray.slope * tau + ray.curvature * tau**2 / 2 == pytest.approx(ray.loss, rel=1e-10)
    back = steps.predict("quadratic-return", ray)
    assert ray.slope * back + ray.curvature * back**2 / 2 == pytest.approx(0, abs=1e-10)


def test_critical_and_armijo(ray):
    critical, armijo = steps.predict("critical", ray), steps.predict("armijo", ray)
    assert ray.loss_at(critical) == pytest.approx(ray.loss, rel=1e-4)
    assert 0 < armijo <= critical
    assert ray.loss_at(armijo) == pytest.approx(ray.loss + 1e-4 * armijo * ray.slope, rel=1e-4)


def test_polyak(ray):
    assert steps.predict("polyak", ray) == pytest.approx(ray.loss / float(ray.gradient.norm()))


def test_smoothness_is_the_largest_radius_of_its_definition(ray):
    gamma = steps.predict("smoothness", ray)
    norm = float(ray.gradient.norm())

    def error(s):
        return float((ray.gradient_at(s) - ray.gradient - s * ray.curved_direction).norm())

    # the definition is tested at s ≤ γ; s = 1 % of ρ_a is where rounding starts
    assert all(error(s) <= s * norm / gamma * (1 + 1e-3) for s in np.linspace(0.05, 1, 20) * gamma)
    grown = 1.02 * gamma
    assert any(error(s) > s * norm / grown for s in np.linspace(0.05, 1, 60) * grown)


def test_radii_are_those_of_the_batch(ray):
    bound, dominance, exact = (steps.predict(p, ray) for p in ("bound", "dominance", "exact"))
    h = 1e-5
    slopes = (ray.logits_at(h) - ray.logits_at(-h)) / (2 * h)
    assert bound == pytest.approx(np.pi / np.ptp(slopes, axis=1).max(), rel=1e-6)
    assert bound <= dominance <= exact


@pytest.fixture(scope="module", params=["+gradient", "random"])
def once_and_twice(request):
    """A batch along some direction, and a batch in which every sample of it stands twice, along the same."""
    data = steps.digits()
    model = steps.at_stage("mlp-relu", "early")
    x, y = data.train_inputs[:32], data.train_targets[:32]
    direction = steps.unit_direction(request.param, model, x, y, seed=3)
    return steps.Ray(model, x, y, direction), steps.Ray(model, torch.cat([x, x]), torch.cat([y, y]), direction)


@pytest.mark.parametrize("predictor", list(PREDICTORS))
def test_every_predictor_answers_in_any_direction(predictor, once_and_twice):
    """Means and minima over a batch do not change when every sample counts twice; nothing else may be asked of it."""
    once, twice = (steps.predict(predictor, ray) for ray in once_and_twice)
    assert twice == pytest.approx(once, rel=1e-6)
    entry = PREDICTORS[predictor]
    assert entry.cost
    assert entry.reference
    assert entry.formula
    assert entry.function.__doc__


@pytest.mark.parametrize("predictor", list(PREDICTORS))
def test_the_currency_is_one(predictor, small):
    """Scaling the direction that is handed in changes nothing: τ is a distance."""
    longer = steps.Ray(small.model, small.inputs, small.targets, {n: 7 * v for n, v in small.direction.items()})
    assert steps.predict(predictor, longer) == pytest.approx(steps.predict(predictor, small), rel=1e-4)


def test_a_new_predictor_plugs_in(ray):
    def one(ray, ratio):
        """One."""
        return 1.0

    facts = {"label": "one", "formula": "1", "cost": "nothing", "reference": "here"}
    with pytest.raises(ValueError, match="lacks group"):
        PREDICTORS.add("always-one", **facts)
    with pytest.raises(ValueError, match="unknown group of the predictor 'always-one' 'radii'"):
        PREDICTORS.add("always-one", group="radii", **facts)
    PREDICTORS.add("always-one", group="replay", **facts)(one)
    try:
        assert steps.predict("always-one", ray) == 1.0
        ds = steps.limits("linear", predictors=["always-one", "bound"], samples=16)
        assert ds.predictor.values.tolist() == ["always-one", "bound"]
        assert ds.group.values.tolist() == [GROUPS["replay"], GROUPS["radius"]]
    finally:
        del PREDICTORS._entries["always-one"]


def test_bad_requests(ray):
    with pytest.raises(ValueError, match="unknown predictor"):
        steps.predict("tea leaves", ray)
    with pytest.raises(ValueError, match="greater than 1"):
        steps.predict("replay", ray, ratio=1.0)
    with pytest.raises(ValueError, match="finite and not zero"):
        steps.Ray(ray.model, ray.inputs, ray.targets, {n: 0 * v for n, v in ray.direction.items()})
    with pytest.raises(ValueError, match=r"class numbers in 0 … 9"):
        steps.Ray(ray.model, ray.inputs, ray.targets + 5, ray.direction)


def test_first_crossing():
    assert first_crossing(lambda t: t - 3.7, 0.01) == pytest.approx(3.7, rel=2e-6)
    assert first_crossing(lambda t: -1.0, 0.01) == math.inf
    assert first_crossing(lambda t: -1.0, math.inf) == math.inf
    assert first_crossing(lambda t: -1.0 if t < 2 else math.nan, 0.01) == pytest.approx(2, rel=2e-6)
