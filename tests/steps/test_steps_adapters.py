"""Where the steps of a guard are told: TensorBoard, Weights & Biases, logging."""

import logging
import math

import pytest
import torch
from guarded import backward, problem

from workbench import steps
from workbench.steps import adapters


class Writer:
    def __init__(self):
        self.seen, self.words = [], []

    def add_scalar(self, name, value, step):
        self.seen.append((name, value, step))

    def add_text(self, name, text, step):
        self.words.append((name, text, step))

    def log(self, entries):
        self.seen.append(entries)


def run(on_step, rates=(1e-3, 50.0)):
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    guarded = steps.guard(optimizer, model, mode="cap", on_step=on_step)
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        backward(model, x, y)
        optimizer.step()
    backward(model, x, y)
    model[0].weight.grad[0, 0] = math.nan
    optimizer.step()
    return guarded


def test_tensorboard_gets_every_number_of_the_log():
    writer = Writer()
    guarded = run(steps.to_tensorboard(writer, "g/"))
    for name in ("r_proposed", "r_taken", "radius", "rising"):
        told = [value for n, value, step in writer.seen if n == f"g/{name}" and step < 2]
        assert told == guarded.log[name].values[:2].tolist()
    assert [value for n, value, _ in writer.seen if n == "g/refused"] == [0, 0, 1]
    assert [(text, step) for _, text, step in writer.words] == [("capped", 1), ("refused: gradient not finite", 2)]
    assert all(math.isfinite(value) for _, value, _ in writer.seen)


def test_the_real_tensorboard_writer(tmp_path):
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard.SummaryWriter(str(tmp_path)) as writer:
        run(steps.to_tensorboard(writer))
    assert list(tmp_path.iterdir())


def test_wandb_gets_one_dict_a_step():
    run_of_theirs = Writer()
    guarded = run(steps.to_wandb(run_of_theirs))
    assert [e["guard/step"] for e in run_of_theirs.seen] == [0, 1, 2]
    assert [e["guard/outcome"] for e in run_of_theirs.seen] == guarded.log.outcome.values.tolist()
    assert "guard/r_proposed" not in run_of_theirs.seen[2]  # a step without one


def test_logging_warns_of_what_was_done(caplog):
    with caplog.at_level(logging.INFO, logger="workbench.steps.guard"):
        run(steps.to_logging(every=1))
    assert [r.levelno for r in caplog.records] == [logging.INFO, logging.WARNING, logging.WARNING]
    assert "capped" in caplog.records[1].getMessage()
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="mine"):
        run(steps.to_logging(logging.getLogger("mine"), every=7), rates=(1e-3, 1e-3))
    assert [r.levelno for r in caplog.records] == [logging.INFO, logging.WARNING]


def test_what_is_no_writer_is_refused():
    for make in (steps.to_tensorboard, steps.to_wandb, steps.to_logging):
        with pytest.raises(TypeError, match="must"):
            make(3)
    with pytest.raises(ValueError, match="every"):
        steps.to_logging(every=0)
    assert adapters.NUMBERS
