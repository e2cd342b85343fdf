"""Spreads at the input of the last layer: the same numbers as the whole logits, without rows × classes memory."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from workbench import steps
from workbench.steps import head, head_screen, measure

VOCABULARY, WIDTH = 1000, 16


class Language(nn.Module):
    """Embedding, one residual layer, tied head; keyword ``labels`` are only for the guard to read."""

    def __init__(self, *, tied=True, bias=False, dropout=0.0, reentrant=None):
        super().__init__()
        self.embed, self.layer = nn.Embedding(VOCABULARY, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.dropout, self.reentrant = nn.Dropout(dropout), reentrant
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=bias)
        steps.networks.initialise(self, 0)
        nn.init.normal_(self.embed.weight, generator=torch.Generator().manual_seed(1))
        if tied:
            self.head.weight = self.embed.weight

    def forward(self, tokens, labels=None):
        h = self.embed(tokens)
        if self.reentrant is None or not torch.is_grad_enabled():
            h = h + torch.tanh(self.layer(h))
        else:
            h = h + checkpoint(lambda v: torch.tanh(self.layer(v)), h, use_reentrant=self.reentrant)
        return self.head(self.dropout(h))


def tokens_of(seed=0, batch=6, length=5):
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, VOCABULARY, (batch, length), generator=g)


def train(model, optimizer, batches):
    optimizer.zero_grad()
    for batch in batches:
        inputs = {"tokens": batch} if isinstance(batch, torch.Tensor) else batch
        logits = model(**inputs)
        cross_entropy(logits.reshape(-1, VOCABULARY), inputs["tokens"].reshape(-1).roll(1)).backward()
    optimizer.step()


@pytest.mark.parametrize("chunk", [1, 7, 64, 4096])
@pytest.mark.parametrize("rows", [0, 1, 33])
def test_the_spread_is_that_of_all_slopes(chunk, rows):
    g = torch.Generator().manual_seed(0)
    h, h_dot = torch.randn(rows, 5, generator=g), torch.randn(rows, 5, generator=g)
    w, w_dot, b_dot = (torch.randn(64, *size, generator=g) for size in ((5,), (5,), ()))
    slopes = h_dot @ w.T + h @ w_dot.T + b_dot
    expected = slopes.amax(1) - slopes.amin(1) if rows else torch.empty(0)
    torch.testing.assert_close(steps.logit_spread(h, h_dot, w, w_dot, b_dot, chunk=chunk), expected)
    only = steps.logit_spread(h, None, w, None, b_dot, chunk=chunk)
    torch.testing.assert_close(only, (b_dot.max() - b_dot.min()).expand(rows))


def test_many_rows_go_in_blocks(monkeypatch):
    monkeypatch.setattr(head, "BLOCK_ROWS", 4)
    g = torch.Generator().manual_seed(0)
    parts = tuple(torch.randn(*size, generator=g) for size in ((11, 3), (11, 3), (50, 3), (50, 3), (50,)))
    spread, top, bottom = head.spread_and_blocks(parts, 8)
    slopes = parts[1] @ parts[2].T + parts[0] @ parts[3].T + parts[4]
    torch.testing.assert_close(spread, slopes.amax(1) - slopes.amin(1))
    assert top.tolist() == (slopes.argmax(1) // 8).tolist()
    assert bottom.tolist() == (slopes.argmin(1) // 8).tolist()


@pytest.fixture
def screening(monkeypatch):
    """Screen small problems too, on any processor."""
    monkeypatch.setattr(head_screen, "has_fast_bfloat16", lambda device: True)
    monkeypatch.setattr(head_screen, "LEAST_CLASSES", 1)
    monkeypatch.setattr(head_screen, "LEAST_ROWS", 1)
    whole = []
    monkeypatch.setattr(
        head_screen, "spread_and_blocks", lambda *a: whole.append(len(a[0][0])) or head.spread_and_blocks(*a)
    )
    return whole


def random_parts(rows, seed, kind):
    g = torch.Generator().manual_seed(seed)
    h, h_dot, w, w_dot = (torch.randn(*size, generator=g) for size in ((rows, 24), (rows, 24), (300, 24), (300, 24)))
    if kind == "close":  # all rows within a hundredth of each other
        h, h_dot = h[:1] + 1e-3 * h, h_dot[:1] + 1e-3 * h_dot
    elif kind == "unequal":
        h, h_dot, w[7] = h * 30, h_dot * 1e-3, w[7] * 50
    elif kind == "tiny":
        h, h_dot = h * 1e-25, h_dot * 1e-25
    elif kind == "still":
        h_dot = None
    elif kind == "zero":
        h, h_dot = torch.zeros_like(h), torch.zeros_like(h_dot)
    return h, h_dot, w, head.Change(w + w_dot, w), None


@pytest.mark.parametrize("kind", ["plain", "close", "unequal", "tiny", "still", "zero"])
@pytest.mark.parametrize("seed", range(4))
def test_screened_is_the_widest_of_all_slopes(kind, seed, screening):
    parts = random_parts(40, seed, kind)
    h, h_dot, w, change, _ = (None if part is None else part for part in parts)
    slopes = h.double() @ change[slice(None)].double().T + (0 if h_dot is None else h_dot.double() @ w.double().T)
    true = slopes.amax(1) - slopes.amin(1)
    bounds = (bound.double() for bound in head_screen._bounds(parts, 64))
    for block, up, down, off in zip(slopes.split(64, dim=1), *bounds, strict=True):
        off = off * (1 + 1e-6)
        assert ((block.amax(1) - up).abs() <= off).all()
        assert ((block.amin(1) - down).abs() <= off).all()
    spread, top, bottom = head_screen.screened(parts, 64)
    row = int(spread.argmax())
    assert float(spread.max()) == pytest.approx(float(true.max()), rel=1e-5)
    assert float(true[row]) == pytest.approx(float(true.max()), rel=1e-5)
    if kind != "zero":
        assert (int(top[row]), int(bottom[row])) == (int(slopes[row].argmax()) // 64, int(slopes[row].argmin()) // 64)
    if kind in ("plain", "unequal", "still"):
        assert 0 < screening[0] <= 10  # few of the 40 rows are computed twice
    if kind in ("close", "zero", "tiny"):
        assert screening == [40]  # nothing can be told apart in 16 bits


def test_screened_looks_only_into_blocks_that_hold_an_end(monkeypatch, screening):
    """The widest row has its largest slope in the second block of classes and its smallest in the fifth."""
    h, h_dot, w, change, _ = random_parts(40, 0, "plain")
    h[3], h_dot[3] = 0.0, torch.eye(24)[0] * 50
    w[70, 0], w[290, 0] = 9.0, -9.0
    looked, real = [], head.spread_and_blocks
    monkeypatch.setattr(head_screen, "spread_and_blocks", lambda *a: looked.append(a[2]) or real(*a))
    spread, top, bottom = head_screen.screened((h, h_dot, w, change, None), 64)
    assert looked == [[1, 4]]
    assert (int(spread.argmax()), int(top[3]), int(bottom[3])) == (3, 1, 4)
    assert float(spread[3]) == pytest.approx(50 * 18, rel=1e-6)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_screening_leaves_what_is_not_finite_to_be_refused(poison, screening):
    h, h_dot, w, change, _ = random_parts(40, 0, "plain")
    h[3, 5] = poison
    spread, _, _ = head_screen.screened((h, h_dot, w, change, None), 64)
    assert screening == [40]
    assert not torch.isfinite(spread).all()


@pytest.mark.parametrize("how", ["exact", "replay"])
def test_a_guard_that_screens_logs_what_it_would_without(how, screening):
    logs = []
    for screens in (True, False):
        model = Language(tied=False)
        optimizer, guarded = guard_of(model, how, quantile=1.0)
        if not screens:
            guarded._engine.measure.quantile = 1.0 - 1e-12  # all spreads count then
        for n in range(4):
            train(model, optimizer, [tokens_of(n, 16, 8)])
        logs.append(guarded.log)
    assert len(screening) >= 3
    torch.testing.assert_close(*(torch.tensor(log.radius.values) for log in logs), rtol=1e-5, atol=0)
    for column in ("sample", "position", "rising", "falling"):
        assert logs[0][column].values.tolist() == logs[1][column].values.tolist()


def test_shapes_that_do_not_fit():
    h, w = torch.ones(2, 3), torch.ones(5, 3)
    for arguments in ((h, None, torch.ones(5, 4)), (h, torch.ones(2, 2), w), (h, h, w, h), (h, h, w, w, torch.ones(3))):
        with pytest.raises(ValueError, match=r"do not fit|must have shape"):
            steps.logit_spread(*arguments)
    with pytest.raises(ValueError, match="chunk"):
        steps.logit_spread(h, h, w, chunk=0)


def guard_of(model, how="replay", rate=3.0, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    return optimizer, steps.guard(optimizer, model, measure=how, **options)


def change_of_logits(model, optimizer, batches, keep=slice(None)):
    """Return the widest spread of the logits' actual change over π, the sample and the classes, by whole logits."""
    before = torch.cat([model.eval()(b) for b in batches]).detach()
    train(model.train(), optimizer, batches)
    change = (torch.cat([model.eval()(b) for b in batches]).detach() - before)[:, keep]
    model.train()
    spread = change.amax(-1) - change.amin(-1)
    sample, position = divmod(int(spread.argmax()), spread.shape[1])
    row = change[sample, position]
    return float(spread.max()) / math.pi, (sample, position, int(row.argmax()), int(row.argmin()))


@pytest.mark.parametrize(
    "options",
    [{}, {"tied": False}, {"bias": True}, {"tied": False, "bias": True}, {"reentrant": False}, {"reentrant": True}],
)
@pytest.mark.parametrize("micro", [1, 2])
def test_a_kept_input_gives_the_change_of_the_logits(options, micro, monkeypatch):
    model = Language(**options)
    optimizer, guarded = guard_of(model)
    calls = []
    monkeypatch.setattr(
        measure, "spreads_from_kept", lambda *a, real=measure.spreads_from_kept, **k: calls.append(1) or real(*a, **k)
    )
    for n in range(4):
        batches = [tokens_of(10 * n + k) for k in range(micro)]
        r, where = change_of_logits(model, optimizer, batches)
        record = guarded._engine.log._records[-1]
        assert record.r_proposed == pytest.approx(r, rel=2e-4)
        assert (record.sample, record.position, record.rising, record.falling) == where
    assert len(calls) == 3 * micro  # all steps but the first, which finds the layer and is measured by whole logits


@pytest.mark.parametrize("how", ["exact", "replay"])
def test_no_step_after_the_first_holds_rows_times_classes(how, monkeypatch):
    monkeypatch.setattr(head.spread_and_blocks, "__defaults__", (64, None))
    monkeypatch.setattr("workbench.steps.head_spreads.CHUNK", 64)
    model = Language()
    optimizer, guarded = guard_of(model, how)
    tokens = tokens_of(0, 16, 8)
    train(model, optimizer, [tokens])

    class Largest(TorchDispatchMode):
        numbers = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            for value in out if isinstance(out, tuple | list) else [out]:
                if isinstance(value, torch.Tensor):
                    Largest.numbers = max(Largest.numbers, value.numel())
            return out

    optimizer.zero_grad()
    cross_entropy(model(tokens).reshape(-1, VOCABULARY), tokens.reshape(-1)).backward()
    with Largest():
        optimizer.step()
    assert 0 < Largest.numbers <= VOCABULARY * WIDTH  # the weight itself; all logits would be 8 times as many
    assert guarded.log.sizes["step"] == 2


@pytest.mark.parametrize("how", ["exact", "replay"])
def test_ignored_positions_do_not_count(how):
    model, whole = Language(), Language()
    (optimizer, guarded), (other, reference) = guard_of(model, how), guard_of(whole, how)
    for n in range(3):
        tokens = tokens_of(n)
        labels = tokens.clone()
        labels[:, :3] = -100  # shifted by one, positions 2 and 3 are trained on
        train(model, optimizer, [{"tokens": tokens, "labels": labels}])
        train(whole, other, [tokens])
    assert set(guarded.log.position.values.tolist()) <= {2, 3}
    assert (guarded.log.r_proposed <= reference.log.r_proposed * (1 + 1e-5)).all()


def test_dropout_takes_two_passes_and_says_so():
    model, plain = Language(dropout=0.5), Language()
    optimizer, guarded = guard_of(model)
    train(model, optimizer, [tokens_of(0)])
    with pytest.warns(UserWarning, match="runs the model twice"):
        train(model, optimizer, [tokens_of(1)])
    assert not any(model.head._forward_hooks.values())
    before = {k: v.clone() for k, v in model.state_dict().items()}
    train(model, optimizer, [tokens_of(2)])
    plain.load_state_dict(before)
    change = (model.eval()(tokens_of(2)) - plain.eval()(tokens_of(2))).detach()
    expected = float((change.amax(-1) - change.amin(-1)).max()) / math.pi
    assert float(guarded.log.r_proposed[2]) == pytest.approx(expected, rel=2e-4)


def test_what_was_kept_before_the_weights_moved_is_not_used(monkeypatch):
    model = Language()
    optimizer, guarded = guard_of(model)
    train(model, optimizer, [tokens_of(0)])
    used = []
    monkeypatch.setattr(measure, "spreads_from_kept", lambda *a, **k: used.append(1))
    optimizer.zero_grad()
    tokens = tokens_of(1)
    cross_entropy(model(tokens).reshape(-1, VOCABULARY), tokens.reshape(-1)).backward()
    with torch.no_grad():
        model.layer.weight.mul_(2.0)
    before = model(tokens).detach()
    optimizer.step()
    change = model(tokens).detach() - before
    assert not used
    expected = float((change.amax(-1) - change.amin(-1)).max()) / math.pi
    assert float(guarded.log.r_proposed[1]) == pytest.approx(expected, rel=2e-4)


def test_sampled_rows_use_their_part_of_what_was_kept():
    model = Language()
    optimizer, sampled = guard_of(model, rows=2, seed=4)
    whole = steps.guard(optimizer, model, measure="replay")
    for n in range(6):
        train(model, optimizer, [tokens_of(n)])
    ratio = sampled.log.r_proposed.values / whole.log.r_proposed.values
    assert (ratio <= 1 + 1e-5).all()
    assert (ratio > 0.3).all()


def test_logits_that_are_not_the_layers_output_are_measured_whole():
    class Capped(Language):
        def forward(self, tokens):
            return 5 * torch.tanh(super().forward(tokens) / 5)

    model = Capped()
    optimizer, guarded = guard_of(model)
    for n in range(3):
        r, _ = change_of_logits(model, optimizer, [tokens_of(n)])
        assert float(guarded.log.r_proposed[n]) == pytest.approx(r, rel=2e-4)
    assert guarded._engine.measure.head is False
