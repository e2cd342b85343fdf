"""Scalers, masks, quantiles, losses and labels that used to mislead SafeStep without a word."""

import functools
import math

import numpy as np
import pytest
import torch
from guarded import METHODS, Layered, backward, direction_of, flat, problem, same_state, snapshot
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import cross_entropy

from workbench import steps
from workbench.steps.guard_checks import checked_criterion
from workbench.steps.ranks import Ranks

# --- 5: gradient scalers


def unscaled_first(scaler, guard, x):
    scaler.unscale_(guard.optimizer)
    scaler.step(guard, x)


def unscaled_through_the_guard(scaler, guard, x):
    scaler.unscale_(guard)
    scaler.step(guard, x)


WAYS = {
    "unscale_(optimizer), step(guard)": unscaled_first,
    "unscale_(guard), step(guard)": unscaled_through_the_guard,
    "step(guard)": lambda scaler, guard, x: scaler.step(guard, x),
    "guard.step(scaler)": lambda scaler, guard, x: guard.step(x, scaler=scaler),
    "unscale_(optimizer), guard.step(scaler)": lambda scaler, guard, x: (
        scaler.unscale_(guard.optimizer),
        guard.step(x, scaler=scaler),
    ),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_gradients_are_unscaled_once(way):
    """Unscaled twice, SGD's steps were smaller by the scale of 65536."""
    model, x, y = problem()
    twin, _, _ = problem()
    bare = torch.optim.SGD(twin.parameters(), lr=0.1)
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=0.1), model)
    scaler = torch.amp.GradScaler("cpu")
    for k in range(5):
        backward(twin, x, y)
        bare.step()
        guard.zero_grad()
        scaler.scale(cross_entropy(model(x), y)).backward()
        if k == 3:  # a step that the scaler must skip, and that must lower its scale
            model[0].weight.grad[0, 0] = float("inf")
            state, scale = snapshot(model), scaler.get_scale()
            WAYS[way](scaler, guard, x)
            scaler.update()
            assert same_state(model, state)
            assert scaler.get_scale() == scale / 2
            guard.zero_grad()
            scaler.scale(cross_entropy(model(x), y)).backward()
        WAYS[way](scaler, guard, x)
        scaler.update()
    torch.testing.assert_close(flat(model), flat(twin), rtol=1e-6, atol=1e-7)
    assert guard.log.outcome.values.tolist().count("kept") == 5


def test_scaler_and_closure_do_not_mix():
    model, x, y = problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=0.1), model)
    with pytest.raises(ValueError, match="cannot be combined"):
        guard.step(x, closure=lambda: backward(model, x, y), scaler=torch.amp.GradScaler("cpu"))


# --- 6: masked logits


class Masked(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.layer, self.value = nn.Linear(6, 5), value
        steps.networks.initialise(self, 0)

    def forward(self, x):
        gone = torch.zeros(len(x), 5, dtype=torch.bool)
        gone[:, 1] = True
        gone[::2, 4] = True
        return self.layer(x).masked_fill(gone, self.value)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [-math.inf, torch.finfo(torch.float32).min])
def test_a_masked_class_adds_to_no_spread(method, value):
    """Every step was refused (−∞), or the class that never moves counted as one that can win."""
    model, (_, x, y) = Masked(value), problem()
    y = torch.where(y == 1, 0, y)
    direction = {"layer.weight": torch.ones(5, 6), "layer.bias": torch.tensor([1.0, 9.0, 2.0, 3.0, 30.0])}
    direction["layer.weight"][2] = 0.5
    found = steps.logits_and_slopes(model, x, direction, method=method)
    plain = steps.logits_and_slopes(Masked(0.0).layer, x, {n[6:]: v for n, v in direction.items()}).slopes
    for row in range(len(x)):
        present = [0, 2, 3] if row % 2 == 0 else [0, 2, 3, 4]
        assert float(found.spread[row]) == pytest.approx(float(np.ptp(plain[row, present].numpy())), rel=1e-3)
    exact = steps.exact_radius(found.logits.double().numpy(), found.slopes.double().numpy())
    assert exact.certified.all()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1e3), model, jvp=method)
    backward(model, x, y)
    guard.step(x)
    assert guard.log.outcome.values.tolist() == ["capped"]


def test_a_row_without_any_class_is_refused():
    model, (_, x, y) = Layered(torch.tanh), problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model, logits=lambda z: z - math.inf)
    backward(model, x, y)
    guard.step(x)
    assert guard.log.outcome.values.tolist() == ["refused: logits not finite"]


def test_ten_refusals_in_a_row_are_said_aloud():
    model, x, y = problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model)
    for _ in range(9):
        backward(model, x, y)
        guard.step(x * math.inf)
    backward(model, x, y)
    with pytest.warns(RuntimeWarning, match="refused 10 steps in a row, the last one for: logits not finite"):
        guard.step(x * math.inf)
    backward(model, x, y)
    guard.step(x * math.inf)  # once is enough


# --- 7: more rows than torch.quantile takes


@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("rows", [1, 2, 10, 1001])
def test_the_quantile_is_numpys(fraction, rows):
    values = torch.rand(rows, generator=torch.Generator().manual_seed(rows), dtype=torch.float64)
    found = Ranks(False, nn.Linear(1, 1)).quantile(values, fraction)
    assert found == pytest.approx(np.quantile(values.numpy(), fraction), rel=1e-12)


def test_the_quantile_of_more_than_2_to_the_24_rows():
    rows = 2**24 + 5
    values = torch.arange(rows, dtype=torch.float32)
    found = Ranks(False, nn.Linear(1, 1)).quantile(values, 0.99)
    assert found == pytest.approx(np.quantile(values.numpy(), 0.99), rel=1e-6)


@pytest.mark.slow
def test_a_batch_of_more_than_2_to_the_24_rows():
    model = nn.Linear(1, 2, bias=False)
    x = torch.linspace(0, 1, 2**24 + 3)[:, None]
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1e4), model, quantile=0.5, verify=False)
    model.weight.grad = torch.tensor([[1.0], [-1.0]])
    guard.step(x)
    assert float(guard.log.radius[0]) == pytest.approx(math.pi / (0.5 * math.sqrt(2)), rel=1e-5)


# --- 8: cross-entropies under other names


class Weighted(nn.CrossEntropyLoss):
    pass


class LabelSmoothingCrossEntropy(nn.Module):
    """As another library names its own."""


@functools.wraps(cross_entropy)
def decorated(*arguments, **options):
    return cross_entropy(*arguments, **options)


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (Weighted(ignore_index=3), ("auto", 3)),
        (functools.partial(cross_entropy, ignore_index=5), ("auto", 5)),
        (functools.partial(functools.partial(cross_entropy, ignore_index=5), label_smoothing=0.1), ("auto", 5)),
        (functools.partial(F.nll_loss), ("auto", -100)),
        (functools.partial(F.binary_cross_entropy_with_logits, reduction="sum"), ("binary", -100)),
        (type("Mine", (nn.BCEWithLogitsLoss,), {})(), ("binary", -100)),
        (nn.CrossEntropyLoss(ignore_index=2).forward, ("auto", 2)),
        (functools.partial(nn.CrossEntropyLoss(ignore_index=7)), ("auto", 7)),
        (decorated, ("auto", -100)),
        (LabelSmoothingCrossEntropy(), ("auto", -100)),
        (nn.NLLLoss(ignore_index=1), ("auto", 1)),
        (torch.compile(nn.CrossEntropyLoss(ignore_index=4), backend="eager"), ("auto", 4)),
        (torch.compile(cross_entropy, backend="eager"), ("auto", -100)),
        (nn.CrossEntropyLoss, ("auto", -100)),
    ],
)
def test_a_cross_entropy_is_known_in_every_dress(criterion, expected):
    assert checked_criterion(criterion, "auto", -100) == expected


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        (functools.partial(F.mse_loss), "mse_loss is no cross-entropy"),
        (type("Mine", (nn.MSELoss,), {})(), "Mine is no cross-entropy"),
        (nn.BCELoss(), "use BCEWithLogitsLoss"),
        (lambda z, y: (z - y).sum(), "leave criterion out"),
    ],
)
def test_no_other_loss_is_taken_for_one(criterion, message):
    with pytest.raises(ValueError, match=message):
        checked_criterion(criterion, "auto", -100)


# --- 9: labels of language models


class LanguageModel(nn.Module):
    """Next-token logits; labels, if given, are shifted inside, as in transformers."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(11, 8), nn.Linear(8, 11)
        steps.networks.initialise(self, 0)

    def forward(self, input_ids, labels=None):
        return {"logits": self.head(self.embedding(input_ids))}


def tokens(prompt=0, seed=0):
    ids = torch.randint(0, 11, (4, 9), generator=torch.Generator().manual_seed(seed))
    labels = ids.clone()
    labels[:, :prompt] = -100
    return ids, labels


@pytest.mark.parametrize("prompt", [0, 3])
def test_unshifted_labels_as_targets_are_refused_with_both_ways_out(prompt):
    """They were accepted: the last position counted and that before the answer did not."""
    model, (ids, labels) = LanguageModel(), tokens(prompt)
    direction = direction_of(model)
    for inputs in (ids, {"input_ids": ids}, (ids,)):
        with pytest.raises(ValueError, match="shift=True"):
            steps.logits_and_slopes(model, inputs, direction, targets=labels)
    shifted = steps.logits_and_slopes(model, ids, direction, targets=labels, shift=True)
    assert shifted.position.reshape(4, -1)[0].tolist() == list(range(max(prompt - 1, 0), 8))
    by_hand = torch.cat([labels[:, 1:], torch.full((4, 1), -100)], dim=1)
    expected = steps.logits_and_slopes(model, ids, direction, targets=by_hand)
    torch.testing.assert_close(shifted.slopes, expected.slopes)
    copied = steps.logits_and_slopes(model, ids, direction, targets=labels, shift=False)
    assert copied.position.reshape(4, -1)[0].tolist() == list(range(prompt, 9))


def test_labels_among_the_inputs_are_read_as_the_model_reads_them():
    model, (ids, labels) = LanguageModel(), tokens(prompt=3)
    direction = direction_of(model)
    found = steps.logits_and_slopes(model, {"input_ids": ids, "labels": labels}, direction)
    assert found.position.reshape(4, -1)[0].tolist() == list(range(2, 8))
    other = ids.clone()  # a masked language model: most positions are not trained
    other[:, ::2] = 0
    targets = torch.where(torch.arange(9) % 2 == 0, ids, -100)
    found = steps.logits_and_slopes(model, {"input_ids": other, "labels": targets}, direction)
    assert found.position.reshape(4, -1)[0].tolist() == [0, 2, 4, 6, 8]
    classes = steps.logits_and_slopes(nn.Linear(6, 4), problem()[1], direction_of(nn.Linear(6, 4)))
    assert len(classes.slopes) == 16


def test_a_guard_reads_shifted_labels():
    model, (ids, labels) = LanguageModel(), tokens(prompt=3)
    guard = steps.SafeStep(torch.optim.Adam(model.parameters(), lr=1.0), model, shift=True)
    cross_entropy(model(ids)["logits"][:, :-1].reshape(-1, 11), labels[:, 1:].reshape(-1)).backward()
    guard.step(ids, labels)
    assert guard.engaged
    assert 2 <= int(guard.log.position[0]) <= 7
    with pytest.raises(ValueError, match="shift=True needs logits"):
        steps.logits_and_slopes(
            nn.Linear(6, 4), problem()[1], direction_of(nn.Linear(6, 4)), targets=problem()[2], shift=True
        )
