"""The survival study on real text: its rules, its faults, its model."""

import numpy as np
import pytest
import torch
from torch import nn

from workbench import steps
from workbench.steps.experiments.spike_rules import RULES
from workbench.steps.experiments.text_survival import FAULTS
from workbench.steps.text import SYMBOLS, CharacterModel, excerpts, manual


def test_the_manual_is_long_and_in_the_alphabet():
    training, held_out = manual()
    assert len(training) > 300_000
    assert len(held_out) == pytest.approx(len(training) / 9, rel=1e-3)
    assert 0 <= int(training.min()) <= int(training.max()) < len(SYMBOLS)
    text = "".join(SYMBOLS[k] for k in training[:20_000])
    assert " the " in text
    x, y = next(excerpts(training, 1, 3, batch=4, context=9))
    assert torch.equal(x[:, 1:], y[:, :-1])


def test_the_model_does_not_see_the_future():
    model, (x, _) = CharacterModel(context=9).eval(), next(excerpts(manual()[0], 1, 0, batch=2, context=9))
    changed = x.clone()
    changed[:, 5] = (x[:, 5] + 1) % len(SYMBOLS)
    before, after = model(x), model(changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.equal(before[:, 5:], after[:, 5:])


def test_an_overflow_ends_all_but_the_guard():
    options = {"faults": ("none", "overflow"), "rules": ("none", "guard"), "steps": 32, "at": 20, "seeds": (1,)}
    ds = steps.text_survival(**options)
    loss = ds.loss.isel(seed=0)
    assert np.isinf(loss.sel(fault="overflow", rule="none"))
    assert float(loss.sel(fault="overflow", rule="guard")) < 1.1 * float(loss.sel(fault="none", rule="guard"))
    assert float(ds.engaged.sel(fault="overflow", rule="guard").item()) >= 1 / 32
    assert steps.text_survival(**options).drop_attrs().equals(ds.drop_attrs())


def test_what_it_refuses():
    for options in ({"faults": ("magic",)}, {"rules": ("magic",)}, {"seeds": ()}, {"steps": 5}, {"at": 150}):
        with pytest.raises(ValueError, match=r"unknown|at least|at most"):
            steps.text_survival(**options)
    assert len(FAULTS) == 5


def one_gradient(name, gradient, weight=1.0):
    model = nn.Linear(2, 2, bias=False)
    nn.init.constant_(model.weight, weight)
    rule = RULES[name](model, torch.optim.SGD(model.parameters(), lr=0.1), 1.0)
    model.weight.grad = torch.tensor(gradient)
    return model, rule


def test_adaptive_clipping_is_per_unit():
    model, rule = one_gradient("agc", [[3.0, 4.0], [1e-3, 0.0]])
    assert rule.change()
    limit = 0.01 * 2**0.5
    torch.testing.assert_close(model.weight.grad, torch.tensor([[0.6 * limit, 0.8 * limit], [1e-3, 0.0]]))


def test_zclip_clips_outliers_of_its_own_history_only():
    model, rule = one_gradient("zclip", [[1.0, 0.0], [0.0, 0.0]])
    for k in range(25):
        model.weight.grad = torch.tensor([[1.0 + 0.1 * (-1) ** k, 0.0], [0.0, 0.0]])
        assert not rule.change()
    model.weight.grad = torch.tensor([[1.1, 0.0], [0.0, 0.0]])
    assert not rule.change()
    mean, deviation = rule.mean, rule.variance**0.5 + 1e-6
    model.weight.grad = torch.tensor([[10.0, 0.0], [0.0, 0.0]])
    assert rule.change()
    expected = mean + 2.5**2 / ((10.0 - mean) / deviation) * deviation
    assert float(model.weight.grad.norm()) == pytest.approx(expected, rel=1e-5)
