"""Two processes under DistributedDataParallel take one and the same step, that of one process with the whole batch."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import two_ranks
import two_shards
from guarded import flat
from torch import nn

from workbench import steps
from workbench.steps.ranks import Ranks

pytestmark = pytest.mark.slow  # two processes that find each other
SCRIPT = Path(__file__).with_name("two_ranks.py")


def on_two_ranks(script, folder):
    """Run ``script`` as two processes that meet in ``folder``."""
    if not dist.is_available():
        pytest.skip("this torch has no torch.distributed")
    paths = [str(script.parents[2]), str(script.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "GLOO_SOCKET_IFNAME": "lo"}
    started = [
        subprocess.Popen(
            [sys.executable, script, str(rank), "2", str(folder)], env=environment, stderr=subprocess.PIPE, text=True
        )
        for rank in (0, 1)
    ]
    try:
        for process in started:
            _, said = process.communicate(timeout=300)
            assert process.returncode == 0, said[-3000:]
    finally:
        for process in started:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    on_two_ranks(SCRIPT, folder)
    return lambda name, rank: np.load(folder / f"{name}-{rank}.npz")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    on_two_ranks(SCRIPT.with_name("two_shards.py"), folder)
    return [np.load(folder / f"shards-{rank}.npz") for rank in (0, 1)]


@pytest.mark.parametrize("name", list(two_ranks.RUNS))
def test_two_ranks_stay_bit_for_bit_the_same(runs, name):
    """Each scaled by its own factor, and the models drifted 5 % apart in five steps."""
    first, second = runs(name, 0), runs(name, 1)
    for column in ("path", "radius", "r_taken", "engaged", "outcome", "sample", "rank"):
        np.testing.assert_array_equal(first[column], second[column], err_msg=column)
    assert first["engaged"].sum() >= 8
    assert first["r_taken"].max() <= 0.5 * (1 + 1e-6)
    assert first["outcome"][7] == f"refused: {'gradient' if name == 'hooks' else 'logits'} not finite"
    np.testing.assert_array_equal(first["path"][7], first["path"][6])
    if name == "whole":
        assert set(first["rank"].tolist()) == {0, 1}


@pytest.mark.parametrize("name", list(two_ranks.RUNS))
def test_the_radius_is_that_of_the_whole_batch(runs, name):
    """One process that measures both halves along the direction that the two took."""
    found = runs(name, 0)
    model = two_ranks.network()
    before = flat(model)
    torch.nn.utils.vector_to_parameters(torch.from_numpy(found["path"][0]).float(), model.parameters())
    step = flat(model) - before
    pieces = torch.split(step / step.norm(), [p.numel() for p in model.parameters()])
    start = two_ranks.network()
    direction = {n: v.view_as(p).float() for (n, p), v in zip(start.named_parameters(), pieces, strict=True)}
    # the first forward in training mode has moved BatchNorm's statistics on each rank by its own half
    x, _ = two_ranks.data()
    spreads = []
    for half in (x[:16], x[16:]):
        copy = two_ranks.network()
        copy(half)
        spreads.append(steps.logits_and_slopes(copy, half, direction).spread)
    delta = np.quantile(torch.cat(spreads).double().numpy(), two_ranks.RUNS[name][0])
    tolerance = 0.01 if name == "difference" else 1e-4
    assert found["radius"][0] == pytest.approx(np.pi / delta, rel=tolerance)


def test_a_group_needs_a_distributed_training():
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="not initialised"):
        steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model, group=object())
    assert Ranks(False, model).size == Ranks(None, model).size == 1


def test_a_sharded_model_takes_the_steps_of_a_whole_one(shards):
    """One factor on all ranks: the one that a single process finds with the whole batch and the whole model."""
    path, guarded = two_shards.train(two_shards.network(), *two_shards.data(), lambda p: p)
    first, second = shards
    for column in ("path", "radius", "r_proposed", "r_taken", "update_norm", "sample", "rank"):
        np.testing.assert_array_equal(first[column], second[column], err_msg=column)
    np.testing.assert_allclose(first["path"], path, rtol=1e-3, atol=1e-4)
    for column in ("radius", "r_proposed", "r_taken", "update_norm"):
        np.testing.assert_allclose(first[column], guarded.log[column], rtol=1e-3, err_msg=column)
    assert (first["r_taken"] < first["r_proposed"] * 0.99).sum() >= 5
    np.testing.assert_array_equal(first["sample"] + 16 * first["rank"], guarded.log["sample"])


def test_what_cannot_be_measured_of_shards_is_refused(shards):
    for found in shards:
        for name in ("exact", "finite-difference"):
            assert f"measure='{name}' would need a copy that no process holds" in str(found[f"said-{name}"])
        assert "1 processes decide on a step" in str(found["said-alone"])
        assert "computes in 16 bits" in str(found["said-bfloat16"])


def test_sharded_parameters_are_refused(tmp_path):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, distribute_tensor

    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'meeting'}", rank=0, world_size=1)
    try:
        model, mesh = nn.Linear(4, 2), init_device_mesh("cpu", (1,))
        model.weight = nn.Parameter(distribute_tensor(model.weight.detach(), mesh, [Replicate()]))
        with pytest.raises(ValueError, match="sharded over processes"):
            steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model)
    finally:
        dist.destroy_process_group()
