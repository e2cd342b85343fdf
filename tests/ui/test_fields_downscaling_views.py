"""The tabs of downscaling without a browser."""

import numpy as np
import pytest

from workbench.ui.fields.downscaling import DownscalingView, OwnRainView

PATIENCE = 120


def settled(view):
    view.start()
    assert view.runner.wait(PATIENCE)
    return view


def test_the_closed_forms_follow_the_weight():
    view = settled(DownscalingView())
    assert "multiplies the spread by 1.28 with the ODE sampler" in view.sentence(view.result)
    assert "125 mm becomes 302 mm" in view.sentence(view.result).replace("126 mm", "125 mm")
    before = float(view.result.inflation)
    view.w = 0.05
    assert float(settled(view).result.inflation) < before
    view.sampler = "sde"
    assert "with the SDE sampler" in view.sentence(settled(view).result)
    view.sampler, view.batch = "pc", 1
    assert "with a batch of 1 by 1.00" in view.sentence(settled(view).result)
    view.close()


def test_own_rain_comes_as_a_table_and_others_are_refused():
    view = settled(OwnRainView())
    assert "1,500 days" in view.sentence(view.result)
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{v:.2f}" for v in np.where(rng.random(300) < 0.5, rng.gamma(1.0, 6.0, 300), 0.0))
    view.take_file("mine.csv", rows.encode())
    assert float(settled(view).result.days) == 300
    wrong = {
        b"": "no rows of numbers",
        b"3.5": "has 1 day;",
        b"1\n2\n3\n": "3 days",
        (rows + "\n-1").encode(): "negative rain",
        (rows + "\nnan").encode(): "NaN",
        b"\n".join(b"%.5f" % (k % 7 / 1000) for k in range(80)): "no rain in millimetres a day",
        ("rain (inch)\n" + rows).encode(): "inches times 25.4",
    }
    for content, words in wrong.items():
        view.take_file("bad.csv", content)
        assert words in settled(view).complaint, words
    view.take_file("bad.pdf", b"%PDF")
    assert "neither a table" in settled(view).complaint
    view.close()
    assert view.block == pytest.approx(15)
