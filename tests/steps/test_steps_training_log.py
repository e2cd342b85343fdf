"""A guard's log, saved by a training and read by somebody else."""

import math

import numpy as np
import pytest
import torch
from guarded import backward, problem

from workbench import results, steps


def guarded_log(rates, mode="cap", poison=(), **options):
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    guarded = steps.guard(optimizer, model, mode=mode, **options)
    for k, rate in enumerate(rates):
        optimizer.param_groups[0]["lr"] = rate
        backward(model, x, y)
        if k in poison:
            model[0].weight.grad[0, 0] = math.nan
        optimizer.step()
    return guarded


RATES = [1e-3, 50.0, 1e-3, 2e-3]


def test_a_saved_log_says_what_the_guard_says(tmp_path):
    guarded = guarded_log(RATES, rows=4)
    file = results.save(guarded.log, tmp_path / "log.nc")
    for source in (file, file.read_bytes()):
        log = steps.read_log(source)
        assert log.equals(guarded.log)
        assert guarded.explain() in steps.explain(log)
    assert steps.explain(log).startswith("4 steps. Step 1 was the worst")
    assert "r_max 1 is exceeded at 1 of 4." in steps.explain(log)


def test_another_limit_is_a_what_if():
    log = guarded_log([1.0] * 6, mode="warn").log
    r = log.r_proposed.values
    limit = float(np.sort(r)[2]) * 1.0001
    told = steps.explain(log, r_max=limit)
    assert f"r_max {limit:g} is exceeded at 3 of 6; the learning rate is about" in told
    with pytest.raises(ValueError, match="r_max"):
        steps.explain(log, r_max=0)


def test_worst_steps_come_first_and_lost_ones_before_them():
    log = guarded_log([1e-3, 1e-3, 50.0, 1e-3], poison=(1,)).log
    assert [r.step for r in steps.worst_steps(log, 2)] == [1, 2]
    assert "Step 1 was the worst: refused: gradient not finite." in steps.explain(log)


def test_an_empty_log_and_one_without_lengths():
    assert steps.explain(guarded_log([]).log) == "The log holds no step yet."
    lean = guarded_log([0.5] * 5, mode="warn", measure="replay", protect="none", every=2).log
    assert lean.outcome.values[1] == "not measured"
    assert "nan" not in steps.explain(lean)
    assert "of 3." in steps.explain(lean) or "of 3;" in steps.explain(lean)


FORGED = [
    (lambda ds: ds.assign_attrs(function="workbench.steps.spike"), "made by workbench.steps.spike"),
    (lambda ds: ds.drop_vars("r_taken"), "'r_taken' is missing"),
    (lambda ds: ds.assign(r_taken=ds.r_taken.astype(str)), "'r_taken' is <U"),
    (lambda ds: ds.assign(r_taken=ds.r_taken.expand_dims(other=2)), "over"),
    (lambda ds: ds.assign(engaged=ds.engaged.astype(str)), "'engaged' is <U"),
    (lambda ds: ds.assign_coords(step=ds.step[::-1].values), "that increase"),
    (lambda ds: ds.assign_coords(step=ds.step.values + 0.5), "whole numbers"),
]


@pytest.mark.parametrize(("forge", "message"), FORGED)
def test_what_is_no_log_is_refused(forge, message):
    with pytest.raises(ValueError, match=message):
        steps.explain(forge(guarded_log(RATES).log))


def test_a_log_with_strange_options_is_still_read():
    log = guarded_log(RATES).log.assign_attrs(parameters='{"r_max": 2.0, "rows": "many"}')
    assert "(r_max 2)" in steps.explain(log)
    log = log.assign_attrs(parameters='{"r_max": "two"}')
    with pytest.raises((ValueError, TypeError), match="r_max"):
        steps.explain(log)


def test_a_log_of_an_older_version_is_read():
    log = guarded_log(RATES).log.drop_vars(["rank", "rising", "falling"])
    assert "class -1 rises against class -1" in steps.explain(log)
