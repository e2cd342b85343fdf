"""The guard in other people's training loops: accelerate, transformers' Trainer, Lightning, where they are installed.

The measure everywhere is "replay": what the log says must be the change of the logits that a bystander computes.
"""

import copy
import math

import numpy as np
import pytest
import torch
from guarded import problem
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from workbench import steps

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs: progress bars, few workers, no logger, deprecations
VOCABULARY = 40


class Bystander:
    """Follows ``model`` on a copy of its own, in float64: the change of the logits that a step's batches saw."""

    def __init__(self, model, keep=lambda logits, inputs: logits):
        self.model, self.keep, self.batches, self.r = model, keep, [], []
        self.copies = [copy.deepcopy(model).double().eval() for _ in range(2)]
        model.register_forward_pre_hook(self._note, with_kwargs=True)

    def _note(self, module, arguments, keywords):
        if module.training and torch.is_grad_enabled():
            self.batches.append((arguments, keywords))

    @torch.no_grad()
    def on_step(self, record):
        before, after = self.copies
        after.load_state_dict(self.model.state_dict())
        widest = 0.0
        for arguments, keywords in self.batches:
            inputs = [v.double() if v.is_floating_point() else v for v in arguments]
            change = self.keep(self._logits(after, inputs, keywords), keywords) - self.keep(
                self._logits(before, inputs, keywords), keywords
            )
            widest = max(widest, float((change.amax(-1) - change.amin(-1)).max()))
        self.r.append(widest / math.pi)
        self.batches.clear()
        before.load_state_dict(after.state_dict())

    @staticmethod
    def _logits(model, inputs, keywords):
        out = model(*inputs, **keywords)
        return getattr(out, "logits", out)


def loader():
    _, x, y = problem(batch=64)
    return DataLoader(TensorDataset(x, y), batch_size=8)


@pytest.fixture
def accelerate():
    module = pytest.importorskip("accelerate", reason="the package accelerate is not installed")
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(True)
    yield module
    AcceleratorState._reset_state(True)


@pytest.mark.parametrize("when", ["before prepare", "after prepare"])
@pytest.mark.parametrize("precision", ["no", "bf16"])
@pytest.mark.parametrize("mode", ["warn", "cap"])
def test_accelerate(accelerate, when, precision, mode):
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2, mixed_precision=precision)
    model, _, _ = problem()
    bystander = Bystander(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
    options = {"mode": mode, "measure": "replay", "on_step": bystander.on_step}
    if when == "before prepare":
        guarded = steps.guard(optimizer, model, **options)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.9)
    called, stepped, batches, schedule = accelerator.prepare(model, optimizer, loader(), schedule)
    if when == "after prepare":
        guarded = steps.guard(stepped, called, **options)
    for x, y in batches:
        with accelerator.accumulate(called):
            loss = cross_entropy(called(x), y)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(called.parameters(), 1.0)
            stepped.step()
            schedule.step()
            stepped.zero_grad()
    assert guarded.log.sizes["step"] == len(bystander.r) == 4
    if mode == "warn":
        np.testing.assert_allclose(guarded.log.r_proposed, bystander.r, rtol=2e-3)
        assert guarded.counts["would be capped"] >= 2
    else:
        assert float(guarded.log.r_taken.max()) <= 1 + 1e-6
        assert guarded.counts["capped"] >= 2
        np.testing.assert_allclose(guarded.log.r_taken, bystander.r, rtol=0.5)  # the rest is curvature


@pytest.mark.parametrize("whose", ["own", "the trainer's"])
@pytest.mark.parametrize("half", [False, True])
def test_transformers_trainer(whose, half, tmp_path):
    transformers = pytest.importorskip("transformers", reason="the package transformers is not installed")
    pytest.importorskip("accelerate", reason="the package accelerate is not installed, which Trainer needs")
    sizes = {"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 12}
    off = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    config = transformers.GPT2Config(vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=0, **sizes, **off)
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(config)

    def keep(logits, inputs):
        """The rows that transformers trains on: position t against label t + 1, unless that is −100."""
        return logits[:, :-1][inputs["labels"][:, 1:] != -100]

    bystander = Bystander(model, keep)
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path),
        use_cpu=True,
        bf16=half,
        max_steps=6,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        learning_rate=3e-3,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    tokens = torch.randint(1, VOCABULARY, (64, 12), generator=torch.Generator().manual_seed(0))
    labels = tokens.clone()
    labels[:, :4] = -100
    rows = [{"input_ids": t, "labels": y} for t, y in zip(tokens, labels, strict=True)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3) if whose == "own" else None
    trainer = transformers.Trainer(model, arguments, train_dataset=rows, optimizers=(optimizer, None))
    optimizer = optimizer or trainer.create_optimizer()
    guarded = steps.guard(optimizer, model, measure="replay", on_step=bystander.on_step)
    trainer.train()
    assert guarded.log.sizes["step"] == len(bystander.r) == 6
    np.testing.assert_allclose(guarded.log.r_proposed, bystander.r, rtol=5e-3)
    assert (guarded.log.position >= 3).all()


@pytest.mark.parametrize("mode", ["warn", "cap"])
def test_lightning(mode, tmp_path):
    lightning = pytest.importorskip("lightning", reason="the package lightning is not installed")
    net, _, _ = problem()
    bystander = Bystander(net)

    class Task(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = net

        def training_step(self, batch, _index):
            x, y = batch
            return cross_entropy(self.net(x), y)

        def configure_optimizers(self):
            optimizer = torch.optim.AdamW(self.net.parameters(), lr=0.5)
            self.guarded = steps.guard(optimizer, self.net, mode=mode, measure="replay", on_step=bystander.on_step)
            return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1)}

    task = Task()
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=1,
        accumulate_grad_batches=2,
        gradient_clip_val=1.0,
        default_root_dir=tmp_path,
        **quiet,
    )
    trainer.fit(task, loader())
    log = task.guarded.log
    assert log.sizes["step"] == len(bystander.r) == 4
    if mode == "warn":
        np.testing.assert_allclose(log.r_proposed, bystander.r, rtol=2e-3)
    else:
        assert float(log.r_taken.max()) <= 1 + 1e-6
        assert task.guarded.counts["capped"] >= 2


def test_a_module_that_the_training_does_not_call_is_named(tmp_path):
    """In Lightning it is easy to guard the LightningModule whose forward nobody calls."""
    lightning = pytest.importorskip("lightning", reason="the package lightning is not installed")

    class Task(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(6, 4)

        def training_step(self, batch, _index):
            return cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
            steps.guard(optimizer, self)
            return optimizer

    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = lightning.Trainer(accelerator="cpu", devices=1, max_epochs=1, default_root_dir=tmp_path, **quiet)
    with pytest.raises(ValueError, match="guard the module that the training calls"):
        trainer.fit(Task(), loader())
