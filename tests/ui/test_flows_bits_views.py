"""The tab of climates in few bits, without a browser."""

import numpy as np
import pytest

from workbench import flows
from workbench.progress import Progress
from workbench.ui.flows.bits import OWN, SOIL, BitsView, RunsFile


def small(view, **changes):
    return view.values() | {"steps": 2000, "runs": 2} | changes


def shown(view, inputs):
    view.check(inputs)
    ds = view.compute(inputs, Progress())
    view.show(ds)
    for picture in view.figures:
        assert picture.summary(ds)
    return view.sentence(ds)


def test_the_first_result_is_shipped_and_is_what_the_defaults_ask_for():
    view = BitsView()
    assert view.cost(view.values()).is_quick
    view.start()
    assert view.result.attrs["function"] == "workbench.flows.precision_climate"
    sentence = view.sentence(view.result)
    assert "10 bits, round to nearest: W₁(z)" in sentence
    assert "repeats every" in sentence
    again = flows.precision_climate("lorenz63", 10, "nearest", runs=4, reference_runs=8, steps=20_000)
    np.testing.assert_array_equal(view.result.period, again.period)
    np.testing.assert_allclose(float(view.result.w1), float(again.w1), rtol=0.5)  # chaos: double rounds by processor
    np.testing.assert_array_equal(view.result.low_orbit, again.low_orbit)


@pytest.mark.parametrize("model", ["lorenz63", "lorenz96", "channel"])
def test_every_model_computes_draws_and_tells(model):
    view = BitsView()
    sentence = shown(view, small(view, model=model, rounding="stochastic"))
    assert "stochastic rounding" in sentence
    assert "cycle" not in sentence
    assert "no shift that fits" in sentence or "times the 95 % floor" in sentence


def test_the_soil_tells_what_it_takes_to_move():
    view = BitsView()
    sentence = shown(view, small(view, model=SOIL, bits=13))
    assert "A node moves only where |δ²T| is at least 12 K" in sentence
    assert "Below 0 m nothing has changed" in view.figures[0].summary(view.result)


def test_own_runs_are_read_and_tested_or_refused():
    view = BitsView()
    with pytest.raises(ValueError, match="Runs under test"):
        view.check(small(view, model=OWN))
    rng = np.random.default_rng(0)

    def file(name, shift):
        rows = (rng.normal(size=(200, 6)) + shift).tolist()
        return RunsFile(name, "\n".join(",".join(map(str, row)) for row in rows).encode())

    inputs = small(view, model=OWN, low_file=file("a.csv", 1.0), high_file=file("b.csv", 0.0))
    sentence = shown(view, inputs)
    assert sentence.startswith("Your runs: W₁(your quantity) = 0.99 ± 0.07")
    view.take("low_file", "big.nc", b"0" * (20 * 2**20 + 1))
    assert "up to 20 MiB" in view.complaint
    with pytest.raises(ValueError, match="neither a table"):
        view.compute(inputs | {"low_file": RunsFile("a.doc", b"x")}, Progress())


def test_controls_hide_what_a_model_does_not_read():
    view = BitsView()
    rows = view.controls()
    assert len(rows) == 8
    view.model = SOIL
    assert view.complaint == ""


def test_a_difference_is_told_as_the_forcing_that_does_as_much():
    view = BitsView(model="lorenz96")
    ds = view.compute(small(view), Progress())
    told = {w1: view.sentence(ds.assign(w1=w1, p_value=0.002)) for w1 in (0.005, 0.027, 0.9)}
    assert "A forcing of 8.02 does more." in told[0.005]
    assert "A forcing of 8.05 to 8.1 does as much." in told[0.027]
    assert "A forcing of 8.5 does less." in told[0.9]
    assert "A forcing" not in view.sentence(ds.assign(p_value=0.4))
