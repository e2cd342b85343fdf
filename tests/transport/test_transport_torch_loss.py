"""The loss for PyTorch: kernel and plain path agree, gradcheck, a training loop, refusals."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from workbench import flows
from workbench.transport import torch_loss
from workbench.transport.torch_loss import SlicedWassersteinLoss, sliced_wasserstein_loss

METHODS = [name for name, entry in flows.ESTIMATORS.items() if entry.facts.get("dim", 3) == 3]


def clouds(n, m, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    y = torch.rand(m, 3, generator=generator, dtype=torch.float64) + 1
    return x.to(dtype).requires_grad_(), y.to(dtype).requires_grad_()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "m"), [(20, 20), (20, 13)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_two_engines_agree_in_value_and_both_gradients(method, n, m, weighted):
    x, y = clouds(n, m)
    weights = {}
    if weighted:
        weights = {"x_weights": torch.arange(1.0, n + 1), "y_weights": torch.linspace(0, 1, m)}
    found = {}
    for engine in ("kernel", "torch"):
        loss = sliced_wasserstein_loss(x, y, method=method, n_directions=24, engine=engine, **weights)
        found[engine] = (loss.item(), *torch.autograd.grad(loss, (x, y)))
    assert found["kernel"][0] == pytest.approx(found["torch"][0], rel=1e-12)
    for ours, theirs in zip(found["kernel"][1:], found["torch"][1:], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("engine", ["kernel", "torch"])
def test_gradcheck(p, engine):
    x, y = clouds(6, 5)

    def loss(a, b):
        return sliced_wasserstein_loss(a, b, n_directions=10, p=p, engine=engine)

    assert torch.autograd.gradcheck(loss, (x, y), eps=1e-7, atol=1e-6)


def test_float32_stays_float32_and_matches_the_numpy_function():
    x, y = clouds(500, 500, torch.float32)
    loss = sliced_wasserstein_loss(x, y, seed=4)
    loss.backward()
    assert loss.dtype == x.grad.dtype == torch.float32
    value, gradient = flows.sliced_wasserstein_gradient(
        x.detach().numpy(), y.detach().numpy(), seed=np.random.default_rng(4)
    )
    # the function draws its repeats from spawned streams, the loss from the stream itself: compare by statistics
    assert loss.item() == pytest.approx(value, rel=1e-2)
    np.testing.assert_allclose(x.grad.numpy(), gradient, atol=0.1 * np.abs(gradient).max())


def test_the_chain_rule_goes_through():
    x, y = clouds(30, 30)
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    loss = 3 * sliced_wasserstein_loss(scale * x.detach(), y.detach(), seed=1)
    loss.backward()
    h = 1e-6
    ends = [3 * sliced_wasserstein_loss((2.0 + s * h) * x.detach(), y.detach(), seed=1).item() for s in (1, -1)]
    assert scale.grad.item() == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6)


def test_a_training_loop_learns_a_translation_and_a_scale():
    target = torch.as_tensor(flows.cloud("cube", 400) * 0.5 + 2, dtype=torch.float32)
    source = torch.as_tensor(flows.cloud("cube", 400, seed=1), dtype=torch.float32)
    layer = torch.nn.Linear(3, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3))
        layer.bias.zero_()
    loss_function = SlicedWassersteinLoss(n_directions=30)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = loss_function(layer(source), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 2e-3 * losses[0]
    assert torch.allclose(layer.bias.detach(), torch.full((3,), 2.0), atol=0.1)


def test_module_draws_fresh_directions():
    x, y = clouds(20, 20)
    loss = SlicedWassersteinLoss(method="monte-carlo", n_directions=5)
    assert loss(x, y).item() != loss(x, y).item()


def test_refusals():
    x, y = clouds(5, 5)
    with pytest.raises(TypeError, match=r"torch\.Tensor"):
        sliced_wasserstein_loss(np.eye(3), y)
    with pytest.raises(ValueError, match="non-empty"):
        sliced_wasserstein_loss(x[0], y)
    with pytest.raises(ValueError, match="NaN"):
        sliced_wasserstein_loss(x * float("nan"), y)
    with pytest.raises(ValueError, match="3 dimensions and y in 2"):
        sliced_wasserstein_loss(x, y[:, :2])
    with pytest.raises(ValueError, match=r"x_weights\.detach"):
        sliced_wasserstein_loss(x, y, x_weights=torch.ones(5, requires_grad=True))
    with pytest.raises(ValueError, match="p must be"):
        sliced_wasserstein_loss(x, y, p=4)
    with pytest.raises(ValueError, match="p = 2 only"):
        sliced_wasserstein_loss(x, y, method="lower-cv", p=1)
    with pytest.raises(ValueError, match="auto, kernel, torch"):
        sliced_wasserstein_loss(x, y, engine="cuda")


class NoWaiting(TorchDispatchMode):
    """Fails on every operation after which the host would wait for the device: those that hand it a value."""

    WAITING = (
        "_local_scalar_dense", "equal", "nonzero", "masked_select", "repeat_interleave", "bincount",
        "index_fill_", "index_fill",  # with a tensor as value, as in the gradient of trace(): a card reads the value
    )  # fmt: skip

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().removeprefix("aten::").split(".")[0]
        masked = name in ("index", "index_put", "index_put_") and any(
            isinstance(one, torch.Tensor) and one.dtype == torch.bool for group in args[1:2] for one in group
        )
        waits = name in self.WAITING or "unique" in name or masked
        assert not waits, f"{func.name()} waits for the device"
        return func(*args, **(kwargs or {}))


def test_the_watchman_sees_what_waits():
    x = torch.ones(3)
    square = torch.eye(3, requires_grad=True)
    waiting = (
        lambda: bool(x.sum() == 3), lambda: x[x > 0], lambda: x.nonzero(), lambda: torch.equal(x, x),
        lambda: square.trace().backward(),
    )  # fmt: skip
    for wait in waiting:
        with pytest.raises(AssertionError, match="waits for the device"), NoWaiting():
            wait()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("m", "weighted"), [(20, False), (13, False), (20, True)])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_plain_path_never_waits_for_its_device(method, m, weighted, device):
    """Tensors without values ("meta") cannot be waited for; on the CPU every operation is watched, back and forth."""
    x, y = (tensor.detach().to(device).requires_grad_() for tensor in clouds(20, m, torch.float32))
    weights = torch.rand(20).to(device) if weighted else None
    for seed in (1, np.random.default_rng(1)):
        with NoWaiting():
            loss = sliced_wasserstein_loss(
                x, y, method=method, n_directions=24, x_weights=weights, seed=seed, engine="torch"
            )
            loss.backward()
        assert loss.shape == ()
        assert loss.device.type == x.grad.device.type == device
        assert x.grad.shape == x.shape


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
@pytest.mark.parametrize("method", METHODS)
def test_a_card_is_never_waited_for_and_says_what_the_processor_says(method):
    found = []
    for device in ("cpu", "cuda"):
        x, y = (tensor.detach().double().to(device).requires_grad_() for tensor in clouds(20, 20, torch.float32))
        try:
            torch.cuda.set_sync_debug_mode("error" if device == "cuda" else "default")
            loss = sliced_wasserstein_loss(x, y, method=method, n_directions=100, seed=3, engine="torch")
            loss.backward()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        found.append((loss.item(), x.grad.cpu()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-13)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=0, atol=1e-13)


def test_nan_passes_through_the_plain_path_and_is_refused_by_the_kernel():
    x, y = clouds(20, 20)
    for bad in (float("nan"), float("inf")):
        broken = x.detach().clone()
        broken[3, 1] = bad
        assert not torch.isfinite(sliced_wasserstein_loss(broken, y, engine="torch"))
        with pytest.raises(ValueError, match="x holds 1 value"):
            sliced_wasserstein_loss(broken, y)


def test_weights_that_are_none_make_nan_where_nobody_looks():
    cloud = torch.zeros(3, 2)
    good = torch_loss._shares_unseen("x_weights", torch.tensor([1.0, 0.0, 3.0]), cloud)
    torch.testing.assert_close(good, torch.tensor([0.25, 0.0, 0.75]))
    whole = torch_loss._shares_unseen("x_weights", torch.tensor([1, 0, 3]), cloud)
    torch.testing.assert_close(whole, good)
    for bad in ([1.0, -1.0, 3.0], [0.0, 0.0, 0.0], [1.0, float("nan"), 1.0], [1.0, float("inf"), 1.0]):
        assert torch_loss._shares_unseen("x_weights", torch.tensor(bad), cloud).isnan().all()
    with pytest.raises(ValueError, match="one weight per point"):
        torch_loss._shares_unseen("x_weights", torch.ones(2), cloud)


@pytest.mark.parametrize("engine", ["kernel", "torch"])
def test_a_whole_number_as_seed_draws_the_same_whatever_came_between(engine):
    x, y = clouds(20, 20)
    first = sliced_wasserstein_loss(x, y, seed=5, engine=engine).item()
    assert sliced_wasserstein_loss(x, y, seed=6, engine=engine).item() != first
    assert sliced_wasserstein_loss(x, y, seed=5, engine=engine).item() == first


@pytest.mark.parametrize("engine", ["kernel", "torch"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_as_in_torchs_own_losses(engine, dtype):
    """The result and the gradient keep the type; only they are rounded, the work is done in single precision."""
    x, y = (tensor.detach().to(dtype).requires_grad_() for tensor in clouds(200, 200))
    loss = sliced_wasserstein_loss(x, y, engine=engine)
    loss.backward()
    wide = x.detach().float().requires_grad_()
    expected = sliced_wasserstein_loss(wide, y.detach().float(), engine=engine)
    expected.backward()
    own = torch.nn.functional.mse_loss(x, y)
    assert loss.dtype == own.dtype == x.grad.dtype == y.grad.dtype == dtype
    assert loss == expected.to(dtype)
    torch.testing.assert_close(x.grad, wide.grad.to(dtype), rtol=2 * torch.finfo(dtype).eps, atol=1e-6)


@pytest.mark.parametrize("engine", ["kernel", "torch"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_autocast_changes_no_digit(engine, dtype):
    x, y = (tensor.detach().to(dtype).requires_grad_() for tensor in clouds(100, 60))
    work = torch.promote_types(dtype, torch.float32)
    expected = sliced_wasserstein_loss(x.detach().to(work), y.detach().to(work), engine=engine)
    with torch.autocast("cpu", torch.bfloat16):
        loss = sliced_wasserstein_loss(x, y, engine=engine)
        own = torch.nn.functional.mse_loss(x[:60], y)
    loss.backward()
    assert loss == expected
    assert loss.dtype == own.dtype == work
    assert x.grad.dtype == y.grad.dtype == dtype


@pytest.mark.parametrize("engine", ["kernel", "torch"])
def test_two_types_meet_in_the_wider_one(engine):
    x, y = clouds(30, 30)
    exact = sliced_wasserstein_loss(x, y, engine=engine)
    mixed = sliced_wasserstein_loss(x, y.float(), engine=engine)
    assert mixed.dtype == torch.float64
    torch.testing.assert_close(mixed, exact, rtol=1e-6, atol=0)
    whole = torch.tensor([[0, 1, 2], [3, 4, 5]])
    loss = sliced_wasserstein_loss(x.float(), whole, engine=engine)
    assert loss == sliced_wasserstein_loss(x.float(), whole.float(), engine=engine)


@pytest.mark.parametrize("engine", ["kernel", "torch"])
@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool, torch.complex64])
def test_clouds_that_are_no_real_numbers_are_refused(engine, dtype):
    cloud = torch.ones(4, 3).to(dtype)
    with pytest.raises(TypeError, match=r"pass x\.float\(\)"):
        sliced_wasserstein_loss(cloud, cloud, engine=engine)


def test_two_devices_are_refused():
    x, y = clouds(5, 5)
    with pytest.raises(ValueError, match="x lies on cpu and y on meta"):
        sliced_wasserstein_loss(x, y.to("meta"))
    with pytest.raises(ValueError, match="kernel runs on CPU"):
        sliced_wasserstein_loss(x.to("meta"), y.to("meta"), engine="kernel")


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's own, hidden by it
@pytest.mark.parametrize("engine", ["kernel", "torch"])
def test_inside_a_compiled_function_the_loss_is_the_same(engine):
    x, y = clouds(30, 30)

    def step(points, generator):
        return 2 * sliced_wasserstein_loss(3 * points, y.detach(), engine=engine, seed=generator)

    compiled = torch.compile(step, backend="aot_eager")
    for _ in range(2):
        loss, expected = compiled(x, np.random.default_rng(2)), step(x, np.random.default_rng(2))
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)
        ours, plain = torch.autograd.grad(loss, x), torch.autograd.grad(expected, x)
        torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-12)
    generator = np.random.default_rng(3)
    assert compiled(x, generator) != compiled(x, generator)  # fresh directions, not those of the first trace
