"""Networks, data, training and checkpoints: they repeat, and touch nothing global."""

import numpy as np
import pytest
import torch

from workbench import steps
from workbench.steps.threads import one_thread
from workbench.steps.training import accuracy


@pytest.mark.parametrize("network", list(steps.NETWORKS))
def test_networks_are_made_from_their_seed_alone(network):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first, second, other = (steps.build(network, seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    for (name, a), b in zip(first.named_parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b), name
        assert torch.isfinite(a).all()
    assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))
    assert first(torch.rand(3, 64)).shape == (3, 10)


@pytest.mark.parametrize("network", list(steps.NETWORKS))
@pytest.mark.parametrize(("features", "classes"), [(1, 2), (13, 3), (784, 26)])
def test_networks_take_other_sizes(network, features, classes):
    model = steps.build(network, features=features, classes=classes)
    assert model(torch.rand(2, features)).shape == (2, classes)


@pytest.mark.parametrize("network", list(steps.NETWORKS))
def test_checkpoints_are_what_their_stage_says(network):
    data = steps.digits()
    scores = [accuracy(steps.at_stage(network, s), data.test_inputs, data.test_targets) for s in steps.STAGES]
    assert scores[0] < 0.35
    assert scores[1] < scores[3]
    assert scores[2] > 0.85
    assert scores[3] > 0.95
    assert not steps.at_stage(network, "converged").training


def test_attention_attends_to_several_tokens():
    assert steps.build("transformer").tokens == 8


def test_training_repeats_whatever_the_threads():
    data = steps.digits()
    before = torch.get_num_threads()
    weights = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model = steps.train(steps.build("mlp-tanh", seed=3), data, steps=15, seed=3)
        weights.append(torch.cat([p.detach().reshape(-1) for p in model.parameters()]))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert torch.equal(*weights)


def test_a_stage_that_is_not_shipped_is_trained():
    data = steps.digits()
    model = steps.at_stage("linear", "early", seed=5)
    stages = steps.train(steps.build("linear", seed=5), data, steps=steps.STAGES["early"], seed=5)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), stages.parameters(), strict=True))


def test_the_shipped_checkpoint_is_the_trained_one():
    stages = steps.train(steps.build("mlp-relu", seed=0), steps.digits(), steps=steps.STAGES["early"], seed=0)
    shipped = steps.at_stage("mlp-relu", "early")
    for a, b in zip(shipped.parameters(), stages.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=2e-3, atol=1e-5)


def test_threads_come_back_even_after_an_error():
    before = torch.get_num_threads()

    def fail():
        with one_thread(), one_thread():
            assert torch.get_num_threads() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert torch.get_num_threads() == before


def test_digits():
    data = steps.digits()
    assert len(data.train_inputs) + len(data.test_inputs) == 1797
    assert data.classes == 10
    assert data.features == 64
    assert 0 <= float(data.train_inputs.min()) < float(data.train_inputs.max()) <= 1
    assert data.describe() == {"name": "digits"}
    assert set(np.unique(data.test_targets)) == set(range(10))


def test_importing_the_room_does_not_load_torch():
    import subprocess
    import sys

    code = "import sys; from workbench import steps; steps.bound_radius([[0, 1.0]]); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
