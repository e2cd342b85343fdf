"""M-FAC against its dense steps: groups, sparse gradients, resuming, and what it refuses."""

import copy

import pytest
import torch
from guarded import tiny
from torch import nn
from torch.nn.functional import cross_entropy

from workbench import steps


@pytest.mark.parametrize("poison", [float("nan"), float("inf"), 1e200])
def test_mfac_refuses_a_lost_gradient_and_goes_on_as_if_it_had_not_been(poison):
    """One NaN in the window would make every weight NaN for ever, since each depends on all of them."""

    def run(model, poisoned):
        optimizer = steps.MFAC(model.parameters(), lr=0.05, window=3, damping=0.1)
        for k in range(7):
            if poisoned and k in (0, 2, 5):
                for p in model.parameters():
                    p.grad = torch.zeros_like(p)
                model[0].weight.grad[0, 0] = poison
                before = copy.deepcopy(model.state_dict())
                with pytest.raises(ValueError, match="nothing was changed"):
                    optimizer.step()
                assert all(torch.equal(v, before[n]) for n, v in model.state_dict().items())
            model.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()

    model, x, y = tiny()
    twin, _, _ = tiny()
    run(model, poisoned=True)
    run(twin, poisoned=False)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))


def test_mfac_takes_a_group_that_is_added_later():
    """The window of the whole model from the start, its second part without gradients at first, is the reference."""
    model, x, y = tiny()
    twin, _, _ = tiny()
    late = steps.MFAC(model[0].parameters(), lr=0.05, window=3, damping=0.1)
    whole = steps.MFAC(
        [{"params": list(twin[0].parameters())}, {"params": list(twin[2].parameters()), "lr": 0.02}],
        lr=0.05,
        window=3,
        damping=0.1,
    )
    for k in range(8):
        if k == 4:
            late.add_param_group({"params": list(model[2].parameters()), "lr": 0.02})
        for net, optimizer in ((model, late), (twin, whole)):
            net.zero_grad()
            cross_entropy(net(x), y).backward()
            if k < 4:
                net[2].zero_grad()
            optimizer.step()
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    with pytest.raises(ValueError, match="one device"):
        late.add_param_group({"params": [nn.Parameter(torch.zeros(2, device="meta"))]})
    late.step()  # the refused group is gone again


def test_mfac_takes_sparse_gradients():
    def run(sparse):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(7, 4, sparse=sparse), nn.Linear(4, 3)).double()
        optimizer = steps.MFAC(model.parameters(), lr=0.1, window=3, damping=0.1)
        for k in range(6):
            optimizer.zero_grad()
            tokens = torch.tensor([k % 7, 2, 2])
            cross_entropy(model(tokens), torch.tensor([0, 1, 2])).backward()
            optimizer.step()
        return model

    for a, b in zip(run(True).parameters(), run(False).parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_mfac_keeps_its_window_in_float32_for_16_bit_weights():
    model = nn.Linear(3, 2).bfloat16()
    twin = nn.Linear(3, 2)
    twin.load_state_dict({n: v.float() for n, v in model.state_dict().items()})
    updates = []
    for net in (model, twin):
        before = [p.detach().double().clone() for p in net.parameters()]
        optimizer = steps.MFAC(net.parameters(), lr=0.5, window=4, damping=1e-2)
        for p in net.parameters():
            p.grad = torch.ones_like(p)
        optimizer.step()
        updates.append([p.detach().double() - b for p, b in zip(net.parameters(), before, strict=True)])
        assert optimizer.state[next(net.parameters())]["fisher"]["rows"].dtype == torch.float32
    for narrow, wide in zip(*updates, strict=True):
        torch.testing.assert_close(narrow, wide, rtol=0.05, atol=0.01)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_mfac_keeps_its_window_on_the_parameters_device():
    model = nn.Linear(3, 2).cuda()
    optimizer = steps.MFAC(model.parameters(), window=3)
    for _ in range(5):
        optimizer.zero_grad()
        model(torch.ones(4, 3, device="cuda")).sum().backward()
        optimizer.step()
    kept = optimizer.state[model.weight]["fisher"]
    assert {kept[name].device.type for name in ("rows", "gram", "inverse")} == {"cuda"}


def test_mfac_step_is_the_dense_one():
    model, x, y = tiny()
    twin, _, _ = tiny()
    optimizer = steps.MFAC(model.parameters(), lr=0.05, window=3, damping=0.01, momentum=0.9, weight_decay=0.1)
    kept, momentum = [], 0.0
    for _ in range(5):
        for net in (model, twin):
            net.zero_grad()
            cross_entropy(net(x), y).backward()
        optimizer.step()
        flat = torch.cat([(p.grad + 0.1 * p.detach()).reshape(-1) for p in twin.parameters()])
        kept = [*kept, flat][-3:]
        stacked = torch.stack(kept)
        dense = 0.01 * torch.eye(len(flat), dtype=torch.float64) + stacked.T @ stacked / 3
        momentum = 0.9 * momentum + torch.linalg.solve(dense, flat)
        start = 0
        with torch.no_grad():
            for p in twin.parameters():
                p -= 0.05 * momentum[start : start + p.numel()].view_as(p)
                start += p.numel()
        for a, b in zip(model.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def test_mfac_resumes_from_its_state_dict():
    def run(model, optimizer, count):
        for _ in range(count):
            model.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()

    model, x, y = tiny()
    model, x = model.float(), x.float()
    optimizer = steps.MFAC(model.parameters(), lr=0.05, window=4, damping=0.1)
    run(model, optimizer, 6)
    other, _, _ = tiny()
    other.float().load_state_dict(model.state_dict())
    resumed = steps.MFAC(other.parameters(), lr=0.05, window=4, damping=0.1)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    run(model, optimizer, 3)
    run(other, resumed, 3)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_mfac_refuses():
    model, _, _ = tiny()
    for options, message in (({"window": 0}, "window"), ({"damping": 0}, "damping"), ({"momentum": 1.0}, "momentum")):
        with pytest.raises(ValueError, match=message):
            steps.MFAC(model.parameters(), **options)
    with pytest.raises(ValueError, match="needs about"):
        steps.InverseFisher(10**9, 10**6, 0.1)
    with pytest.raises(ValueError, match="shape"):
        steps.InverseFisher(3, 2, 0.1).push(torch.zeros(4))
