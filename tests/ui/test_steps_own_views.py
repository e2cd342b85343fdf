"""Tabs of the steps room that take a visitor's files: a guard's log, samples, the weights of a perceptron."""

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from workbench import data, results, steps
from workbench.ui.steps.limits import LimitsView
from workbench.ui.steps.room import StepsRoom
from workbench.ui.steps.spike import SpikeView
from workbench.ui.steps.sweep import SweepView
from workbench.ui.steps.text import TextView
from workbench.ui.steps.training import TrainingView


def log(rate=50.0, **options):
    model = nn.Linear(4, 3)
    steps.networks.initialise(model, 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    guarded = steps.guard(optimizer, model, mode="cap", **options)
    for k in range(5):
        x = torch.eye(4) * (k + 1)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
    return guarded.log


def answered(view):
    view.start()
    assert view.runner.wait(120)
    return view


def test_a_log_is_dropped_and_told():
    view = answered(TrainingView())
    shipped = view.result
    mine = log()
    view.take("mine.nc", results.to_bytes(mine))
    assert view.runner.wait(60)
    assert view.complaint == ""
    assert view.result.equals(mine)
    assert not view.result.equals(shipped)
    assert view.sentence(view.result) == steps.explain(mine, r_max=1.0)
    view.r_max = 0.05
    over = int((mine.r_proposed > 0.05).sum())
    assert 1 < over <= 5
    assert f"r_max 0.05 is exceeded at {over} of 5" in view.sentence(view.result)
    view.close()


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"no netcdf", "not a NetCDF-4 file"),
        (lambda: results.to_bytes(data.result("steps/limits.nc")), "made by workbench.steps.limits"),
        (lambda: results.to_bytes(log().drop_vars("radius")), "'radius' is missing"),
        (b"x" * (9 * 2**20), "MiB; this page takes files up to"),
    ],
)
def test_no_other_file_is_taken_for_a_log(contents, words):
    view = answered(TrainingView())
    before = view.result
    view.take("file.nc", contents if isinstance(contents, bytes) else contents())
    assert view.runner.wait(60)
    assert words in view.complaint
    assert view.result is before
    view.close()


def test_the_room_opens_a_log_in_its_tab_and_refuses_a_forged_one():
    room = StepsRoom()
    mine = log()
    room.open_result(results.to_bytes(mine), "log.nc")
    assert room.view.slug == "training"
    assert room.view.result.equals(mine)
    room.open_result(results.to_bytes(mine.drop_vars("outcome")), "log.nc")
    assert "'outcome' is missing" in room.notice
    room.close()


CSV = "a,b,c,label\n" + "".join(
    f"{x[0]:.4f},{x[1]:.4f},{x[2]:.4f},{'up' if x[0] > 0 else 'down'}\n"
    for x in np.random.default_rng(0).normal(size=(120, 3))
)


def weights(features=3):
    model = nn.Sequential(nn.Linear(features, 5), nn.Tanh(), nn.Linear(5, 2))
    steps.networks.initialise(model, 0)
    return model, save(model.state_dict())


@pytest.mark.parametrize("view_class", [LimitsView, SweepView])
def test_samples_and_a_perceptron_of_ones_own(view_class):
    view = answered(view_class(samples=32))
    model, contents = weights()
    view.activation = "tanh"
    view.take_samples("mine.csv", CSV.encode())
    view.take_weights("mine.safetensors", contents)
    view.dataset = "file"
    view.network = "file"
    assert view.runner.wait(120)
    view.run()
    assert view.runner.wait(120)
    assert view.complaint == ""
    mine = steps.read_data(CSV.encode(), name="mine.csv").data
    wanted = (
        steps.limits(model.eval(), data=mine, samples=32)
        if view_class is LimitsView
        else steps.sweep_radius(model.eval(), data=mine, samples=32)
    )
    name = "tau" if view_class is LimitsView else "loss_ratio"
    np.testing.assert_allclose(view.result[name], wanted[name], rtol=1e-4)
    assert len(view.sentence(view.result)) > 20
    for picture in view.figures:
        assert len(picture.summary(view.result)) > 10
    view.close()


def test_files_that_do_not_fit_are_refused_in_words():
    view = answered(LimitsView(samples=32))
    with pytest.raises(ValueError, match="weights of a perceptron"):
        view.check({**view.values(), "network": "file"})
    with pytest.raises(ValueError, match="samples with their classes"):
        view.check({**view.values(), "dataset": "file"})
    view.take_weights("mine.safetensors", weights()[1])
    view.network = "file"
    view.run()
    assert view.runner.wait(60)
    assert "the network takes 3 features and tells 2 classes; the data (digits) have 64" in view.complaint
    view.close()


def test_rules_are_named_by_their_registry_alone():
    assert SpikeView().param.rules.names == {entry.label: name for name, entry in steps.RULES.items()}
    ds = steps.spike("linear", steps=6, at=3, rules=tuple(steps.RULES))
    assert ds.label.values.tolist() == [entry.label for entry in steps.RULES.values()]
    assert sorted(ds.colour.values.tolist()) == list(range(len(steps.RULES)))


def test_the_language_model_tells_every_fault():
    view = answered(TextView())
    for fault in steps.FAULTS:
        view.fault = fault
        assert view.sentence(view.result).startswith(f"{fault}: held-out loss from ")
        for picture in view.figures:
            assert "nan" not in picture.summary(view.result)
    assert "overflowed" in TextView(fault="overflow").sentence(view.result)
    with pytest.raises(ValueError, match="comes after the last"):
        view.check({**view.values(), "at": 390, "steps": 100})
    assert not view.cost({**view.values(), "steps": 140}).is_quick
    view.close()
