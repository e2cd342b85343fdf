"""The figures of signals show the numbers of their Dataset, on both backends."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import data, metrics
from workbench.figures import metrics as figures
from workbench.figures.choose import figure_for
from workbench.metrics import signals

BUMPS = signals.bumps()
PAPER = signals.paper_mixture()


@pytest.fixture(scope="module")
def made():
    example = metrics.SIGNAL_EXAMPLES["paper"]()
    state = signals.drawn(example.density, example.a, example.b)
    return {
        "line": metrics.signal_report(),
        "plane": metrics.signal_report(**state._asdict()),
        "iem": metrics.iem(BUMPS, -0.25, 0.25),
        "balance": metrics.information_balance(BUMPS, -0.25, 0.3),
        "matrix": metrics.iem_matrix(BUMPS, [-2.0, 0.0, 0.3, 2.0]),
        "tensor": metrics.iem_tensor(PAPER, [[0.5, 0.0], [0.0, 1.0]]),
        "path": metrics.iem_geodesic(BUMPS, -2.0, 2.0),
        "pairs": metrics.confusable_pairs(PAPER, (0.5, 0.0), 0.5),
        "two": metrics.confusable_pairs(BUMPS, 2.0, 4.0),
        "fit": metrics.fit_mixture(BUMPS.sample(200), components=(1, 2)),
        "invariances": metrics.signal_invariances(BUMPS, -1.0, 0.5),
        "points": metrics.points_report(count=30),
        "flat": metrics.points_report(BUMPS.sample(60), count=20, components=2),
        **{name: data.result(f"metrics/signals_{name}.nc") for name in ("photographs", "masking", "digits", "patches")},
    }


NAMES = ("line", "plane", "iem", "balance", "matrix", "tensor", "path", "pairs", "two", "fit", "invariances", "points",
         "flat", "photographs", "masking", "digits", "patches")  # fmt: skip


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize("name", NAMES)
def test_every_result_finds_its_figure_and_it_draws(made, name, backend):
    element = figure_for(made[name])
    draw(element, backend)
    assert hv.Store.lookup_options("bokeh", element, "plot").kwargs["title"]


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("line", figures.distance_from_a), ("plane", figures.distance_from_a), ("line", figures.snr_spectrum),
        ("plane", figures.signal_lengths), ("points", figures.points_in_plane), ("flat", figures.points_in_plane),
        ("points", figures.against_euclid), ("photographs", figures.distortion_distances),
        ("photographs", figures.beside_ssim),
    ],
)  # fmt: skip
def test_the_other_pictures_draw(made, name, figure, backend):
    draw(figure(made[name]), backend)


def find(overlay, kind, label=""):
    return next(e for e in overlay if isinstance(e, kind) and e.label == label)


def test_handles_carry_their_items(made):
    state = signals.signal_state("two-bumps")
    figure = figures.signal_density(made["line"], handles=signals.handles(state))
    assert find(figure, hv.Points, "bumps")["item"].tolist() == [10, 20]
    assert find(figure, hv.Points, "widths")["x"].tolist() == [-1.5, 2.5]
    assert find(figure, hv.Points, "a")["x"].tolist() == [-2.0]


def test_the_curves_are_those_of_the_result(made):
    ds = made["line"]
    curve = find(figures.distance_from_a(ds), hv.Curve, "IEM from a")
    np.testing.assert_array_equal(curve["d"], ds.distance_map.values)
    lengths = figures.signal_lengths(ds)
    np.testing.assert_allclose(
        lengths.dimension_values("distance"), [float(ds.distance), float(ds.ridge_distance), float(ds.length)]
    )
    path = next(e for e in figures.signal_density(made["plane"]) if isinstance(e, hv.Path) and len(e.data[0]) == 33)
    np.testing.assert_allclose(np.column_stack([path["x"], path["y"]])[:33], made["plane"].path.values)


def test_the_row_of_pictures_stands_in_the_order_of_the_metric(made):
    ds = made["photographs"]
    texts = [e.data[2] for e in figures.distortion_row(ds) if isinstance(e, hv.Text)]
    assert texts[0] == "original"
    assert [float(text.split()[-1]) for text in texts[1:]] == sorted(float(f"{v:.1f}") for v in ds.iem.values)


def test_an_unfinished_result_has_the_bars_of_a_finished_one(made):
    whole, part = (figures.signal_lengths(ds) for ds in (made["line"], made["line"].drop_vars("length")))
    assert list(whole.dimension_values("what")) == list(part.dimension_values("what"))
    assert np.isnan(part.dimension_values("distance")[-1])
