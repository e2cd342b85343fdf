"""What used to switch SafeStep off, or make it wrong, without a word: each gives the right radius now, or an error."""

import functools
import math
import random
import shutil

import numpy as np
import pytest
import torch
from guarded import backward, flat, problem, same_state, snapshot
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import cross_entropy

from workbench import steps
from workbench.steps.guard_checks import checked_criterion
from workbench.steps.ranks import Ranks

METHODS = ("exact", "finite-difference")


class Layered(nn.Module):
    """Two layers with ``between`` in the middle, in float64 unless said otherwise."""

    def __init__(self, between, seed=0):
        super().__init__()
        self.first, self.last, self.between = nn.Linear(6, 12), nn.Linear(12, 4), between
        steps.networks.initialise(self, seed)

    def forward(self, x):
        return self.last(self.between(self.first(x)))


def direction_of(model, seed=0):
    g = torch.Generator().manual_seed(seed)
    return {n: torch.randn(p.shape, generator=g).to(p.dtype) for n, p in model.named_parameters()}


def radius(model, x, direction, **options):
    slopes = steps.logits_and_slopes(model, x, direction, **options).slopes
    return float(steps.bound_radius(slopes.double().numpy()).min())


def reference(model, x, direction):
    """The radius in float64 by reverse mode, a second engine."""
    names = list(direction)
    values = tuple(p.detach().double() for p in model.parameters())
    wide = tuple(direction[n].double() for n in names)

    def forward(*parameters):
        return torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), (x.double(),))

    _, slopes = torch.autograd.functional.jvp(forward, values, wide)
    return float(steps.bound_radius(slopes.numpy()).min())


# --- 1: tangents that do not arrive


def dropping(graph, _inputs):
    """A backend whose compiled code forward mode cannot see, as inductor's."""

    def run(*arguments):
        out = graph(*arguments)
        return tuple(t.detach().clone() for t in out) if isinstance(out, tuple | list) else out.detach().clone()

    return run


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("backend", ["eager", "aot_eager", dropping])
@pytest.mark.parametrize("where", ["whole", "activation", "in place"])
def test_compiled_models_are_measured_as_if_they_were_not(method, backend, where):
    torch._dynamo.reset()
    _, x, _ = problem()
    plain = Layered(torch.tanh)
    model = Layered(torch.compile(torch.tanh, backend=backend) if where == "activation" else torch.tanh)
    if where == "in place":
        model.compile(backend=backend)
    wrapped = torch.compile(model, backend=backend) if where == "whole" else model
    with torch.no_grad():
        wrapped(x)
    direction = dict(zip(dict(wrapped.named_parameters()), direction_of(plain).values(), strict=True))
    found = radius(wrapped, x, direction, method=method, verify=True)
    assert found == pytest.approx(reference(plain, x, direction_of(plain)), rel=1e-3 if method == "exact" else 5e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a compiler")
@pytest.mark.parametrize("method", METHODS)
def test_inductor_around_a_pointwise_model(method):
    """The radius was infinite and every step kept; with a compiled activation it was 2.66 instead of 1.98."""

    class Pointwise(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.linspace(-1, 1, 4))

        def forward(self, x):
            return torch.tanh(x[:, :4]) * self.scale

    _, x, y = problem()
    radii = []
    for compiled in (False, True):
        model = Pointwise()
        model = torch.compile(model) if compiled else model
        guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1e4), model, jvp=method)
        backward(model, x, y)
        guard.step(x)
        assert guard.log.outcome.values[-1] == "capped"
        radii.append(float(guard.log.radius[-1]))
    assert radii[1] == pytest.approx(radii[0], rel=1e-3)
    act = torch.compile(lambda h: torch.tanh(h) * torch.sigmoid(h))
    model = Layered(act)
    model(x).sum().backward()
    plain = Layered(lambda h: torch.tanh(h) * torch.sigmoid(h))
    expected = reference(plain, x, direction_of(plain))
    assert radius(model, x, direction_of(model), method=method) == pytest.approx(expected, rel=5e-3)


LOSSES = {
    "detach": lambda h: torch.tanh(h.detach()),
    "data": lambda h: torch.tanh(h.data),
    "numpy": lambda h: torch.from_numpy(np.tanh(h.detach().numpy())),
    "list": lambda h: torch.tanh(torch.tensor(h.tolist())),
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_tangent_lost_on_the_way_is_an_error_that_names_the_other_method(name):
    """The last layer moves as well, so that some tangent arrives: only a second measurement can tell."""
    model, (_, x, y) = Layered(LOSSES[name]), problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model)
    backward(model, x, y)
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    state = snapshot(model)
    with pytest.raises(steps.TangentError, match="finite-difference"):
        guard.step(x)
    assert same_state(model, state)
    direction = direction_of(model)
    found = radius(model, x, direction, method="finite-difference", verify=True)
    assert found == pytest.approx(reference(Layered(torch.tanh), x, direction), rel=5e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_parameter_that_moves_and_a_logit_that_stands_still_is_an_error(method):
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(6, 4))

        def forward(self, x):
            return x @ torch.ones(6, 4)

    with pytest.raises(steps.TangentError, match="takes"):
        steps.logits_and_slopes(Frozen(), problem()[1], {"weight": torch.ones(6, 4)}, method=method)


def test_verify_can_be_switched_off():
    model, (_, x, y) = Layered(LOSSES["detach"]), problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1e3), model, verify=False)
    backward(model, x, y)
    guard.step(x)
    assert guard.engaged


def test_gradient_checkpointing_inside():
    _, x, _ = problem()
    model = Layered(lambda h: torch.utils.checkpoint.checkpoint(torch.tanh, h, use_reentrant=False))
    expected = reference(Layered(torch.tanh), x, direction_of(model))
    for method in METHODS:
        assert radius(model, x, direction_of(model), method=method, verify=True) == pytest.approx(expected, rel=5e-3)


# --- 2: randomness that eval mode does not stop

DICE = {
    "dropout": lambda _, h: F.dropout(h, 0.3),
    "noise": lambda _, h: h + 0.1 * torch.randn_like(h),
    "numpy": lambda _, h: h * float(np.random.random()),  # noqa: NPY002
    "python": lambda _, h: h * random.random(),
    "held torch": lambda m, h: h * torch.rand((), generator=m.torch),
    "held numpy": lambda m, h: h * float(m.numpy.random()),
    "held python": lambda m, h: h * m.python.random(),
}


class Dicing(Layered):
    def __init__(self, name):
        super().__init__(lambda h: DICE[name](self, torch.tanh(h)))
        self.torch, self.numpy, self.python = (
            torch.Generator().manual_seed(1),
            np.random.default_rng(1),
            random.Random(1),
        )


@pytest.mark.parametrize("name", list(DICE))
def test_both_passes_of_a_difference_draw_the_same_numbers(name):
    """With two different draws the radius was 3e-22 and training stood still."""
    model, (_, x, _) = Dicing(name), problem()
    direction = direction_of(model)

    def streams():
        held = model.torch.get_state().tolist(), model.numpy.bit_generator.state, model.python.getstate()
        return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate(), held  # noqa: NPY002

    before = streams()
    exact = radius(model, x, direction, verify=True)
    assert streams() == before
    difference = radius(model, x, direction, method="finite-difference", verify=True)
    assert streams() == before
    assert difference == pytest.approx(exact, rel=0.01)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_random_stream_of_every_cuda_device_is_put_back():
    model, (_, x, _) = Dicing("dropout").cuda(), problem()
    states = [torch.cuda.get_rng_state(k) for k in range(torch.cuda.device_count())]
    direction = {n: v.cuda() for n, v in direction_of(model).items()}
    found = [
        float(steps.logits_and_slopes(model, x.cuda(), direction, method=m, verify=True).spread.max()) for m in METHODS
    ]
    assert found[0] == pytest.approx(found[1], rel=0.01)
    assert all(torch.equal(torch.cuda.get_rng_state(k), s) for k, s in enumerate(states))


def test_a_stream_that_nobody_can_reach_is_an_error_with_differences():
    generator = torch.Generator().manual_seed(0)
    model, (_, x, y) = Layered(lambda h: h * (torch.rand(h.shape, generator=generator) > 0.3)), problem()
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model, jvp="finite-difference")
    backward(model, x, y)
    state = snapshot(model)
    with pytest.raises(steps.TangentError, match="random numbers"):
        guard.step(x)
    assert same_state(model, state)


def test_training_with_functional_dropout_goes_on():
    model, (_, x, y) = Layered(lambda h: F.dropout(torch.tanh(h), 0.1)), problem()
    guard = steps.SafeStep(torch.optim.Adam(model.parameters(), lr=0.05), model, jvp="finite-difference")
    torch.manual_seed(0)
    for _ in range(40):
        backward(model, x, y)
        guard.step(x)
    assert float(cross_entropy(model(x), y).detach()) < 0.5
    assert float(guard.log.radius.min()) > 1e-3


# --- 3: 16-bit weights


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("seed", range(3))
def test_differences_of_16_bit_weights_are_taken_in_single_precision(dtype, seed):
    """They were up to 42 % off: a 16-bit difference keeps two digits of what it subtracts."""
    model, x, _ = problem(seed=seed, batch=64)
    model = model.to(dtype)
    x, direction = x.to(dtype), direction_of(model, seed)
    direction = {n: v.float() for n, v in direction.items()}
    found = radius(model, x, direction, method="finite-difference", verify=True)
    assert found == pytest.approx(reference(model, x, direction), rel=5e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("method", METHODS)
def test_a_16_bit_step_is_logged_as_it_was_taken(dtype, method):
    model, x, y = problem()
    model, x = model.to(dtype), x.to(dtype)
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=50.0), model, r_max=0.5, jvp=method)
    before = flat(model)
    backward(model, x, y)
    guard.step(x)
    taken = float((flat(model) - before).norm()) / float(guard.log.radius[-1])
    assert guard.log.r_taken.values[-1] == pytest.approx(taken, rel=1e-5)
    assert taken == pytest.approx(0.5, rel=0.05)


def test_a_forward_that_casts_by_itself_is_no_place_for_differences():
    class Casting(Layered):
        def forward(self, x):
            return F.linear(x.bfloat16(), self.first.weight.bfloat16())

    model, (_, x, _) = Casting(torch.tanh), problem()
    with pytest.raises(steps.TangentError, match=r"come out in torch\.bfloat16"):
        steps.logits_and_slopes(model, x, direction_of(model), method="finite-difference")
    assert math.isfinite(radius(model, x, direction_of(model), verify=True))  # the exact way is good to a hundredth


def test_autocast_around_the_measurement_is_left_for_differences():
    model, x, _ = problem(batch=64)
    expected = reference(model, x, direction_of(model))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = radius(model, x, direction_of(model), method="finite-difference")
        exact = radius(model, x, direction_of(model), verify=True)
    assert found == pytest.approx(expected, rel=5e-3)
    assert exact == pytest.approx(expected, rel=0.03)


def test_large_logits_get_double_precision():
    """Logits of 10⁶ in float32 hide a gap of 0.06 in their rounding."""
    model, (_, x, _) = Layered(torch.tanh), problem()
    with torch.no_grad():
        model.last.bias += torch.tensor([1e6, 1e6, 1e6, 1e6])
    found = radius(model, x, direction_of(model), method="finite-difference", verify=True)
    assert found == pytest.approx(reference(model, x, direction_of(model)), rel=5e-3)


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
