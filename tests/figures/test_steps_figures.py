"""The steps figures show the numbers of their Dataset, on both backends."""

import holoviews as hv
import numpy as np
import pytest
import torch
from drawing import draw

from workbench import steps
from workbench.figures import steps as figures
from workbench.figures.choose import figure_for


def guard_log():
    """The log of a small training: capped steps, and one that was taken back."""
    model = torch.nn.Linear(3, 4)
    steps.networks.initialise(model, 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    guarded = steps.guard(optimizer, model, mode="cap")
    for k in range(8):
        optimizer.param_groups[0]["lr"] = 100.0 if k in (3, 4) else 0.1
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(torch.eye(3)), torch.tensor([0, 1, 2])).backward()
        if k == 6:
            model.weight.grad[0, 0] = float("nan")
        optimizer.step()
    return guarded.log


@pytest.fixture(scope="module")
def made():
    return {
        "zeros": steps.zeros_map("mlp-tanh", stages=("early", "converged"), samples=40),
        "taylor": steps.taylor_orders("linear", orders=(1, 5, 20), linearised=True, samples=16, points=41),
        "limits": steps.limits("linear", samples=24),
        "sweep": steps.sweep_radius("linear", r=(0.5, 1, 2, 8), samples=32, directions=("-gradient", "random")),
        "temperature": steps.temperature_scaling("linear", samples=32),
        "spike": steps.spike("linear", steps=12, at=6, persistent=True),
        "table": steps.spike_table(("linear",), multipliers=(10.0, 1000.0), steps=8, at=4, seeds=(0, 1)),
        "bottlenecks": steps.bottlenecks("mlp-tanh", samples=40, count=7),
        "text": steps.text_survival(
            faults=("none", "overflow"), rules=("none", "guard"), steps=30, at=10, seeds=(0, 1)
        ),
        "log": guard_log(),
        "spread": steps.prediction_spread(
            networks=("linear",), stages=("middle", "converged"), predictors=("bound", "replay"), samples=32
        ),
    }


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_every_figure_draws(made, backend):
    drawn = [
        *[figures.zeros_plane(made["zeros"], stage="early", colour=c) for c in ("margin", "target", "sample")],
        figures.radii_by_stage(made["zeros"]),
        figures.taylor_polynomials(made["taylor"], highest=5),
        figures.taylor_errors(made["taylor"]),
        figures.limit_marks(made["limits"]),
        figures.spread_bars(made["spread"]),
        figures.sweep_accuracy(made["sweep"]),
        figures.sweep_loss(made["sweep"]),
        figures.temperature_curves(made["temperature"]),
        figures.spike_loss(made["spike"]),
        figures.spike_accuracy(made["spike"]),
        figures.spike_r(made["spike"]),
        figures.spike_table_marks(made["table"]),
        figures.bottleneck_images(made["bottlenecks"]),
        figures.bottleneck_spreads(made["bottlenecks"]),
        *[figures.text_losses(made["text"], fault=f) for f in ("none", "overflow")],
        figures.text_engaged(made["text"]),
        figures.training_r(made["log"], r_max=0.5),
        *[figures.training_pairs(made["log"], r_max=r) for r in (0.5, 1e9)],
        *[figure_for(ds) for ds in made.values()],
    ]
    for element in drawn:
        draw(element, backend)


def curves(overlay):
    return {e.label: e for e in overlay if isinstance(e, hv.Curve) and e.label}


def test_a_log_is_drawn_as_it_was(made):
    ds = made["log"]
    drawn = figures.training_r(ds)
    shown = curves(drawn)
    finite = np.isfinite(ds.r_proposed.values)
    np.testing.assert_allclose(shown["proposed"]["r"][finite], ds.r_proposed.values[finite])
    marks = {e.label: e for e in drawn if isinstance(e, hv.Scatter)}
    assert marks["changed"]["step"].tolist() == ds.step.values[ds.engaged.values].tolist() == [3, 4]
    assert marks["not finite"]["step"].tolist() == [6]
    bars = figures.training_pairs(ds)
    assert sum(bars["steps"]) == int((ds.r_proposed > 1).sum())


def test_the_language_models_losses_are_those_of_the_runs(made):
    ds = made["text"]
    drawn = figures.text_losses(ds, fault="overflow")
    marks = {e.label: e for e in drawn if isinstance(e, hv.Scatter)}
    assert set(marks) == {"none: 2 at NaN", "guard, replay"}
    np.testing.assert_allclose(
        sorted(marks["guard, replay"]["loss"]), sorted(ds.loss.sel(fault="overflow", rule="guard").values)
    )


def test_the_plane_shows_zeros_and_circles(made):
    ds = made["zeros"]
    plane = figures.zeros_plane(ds, stage="converged", zoom=1e9)
    points = next(e for e in plane if isinstance(e, hv.Points))
    one = ds.sel(stage="converged")
    kept = one.certified.values & np.isfinite(one.exact.values)
    expected = np.sort(np.tile(one.zero_real.values[kept], 2))
    np.testing.assert_allclose(np.sort(points["real part"]), expected)
    assert points["imaginary part"].sum() == pytest.approx(0)
    arcs = curves(plane)
    radius = np.hypot(arcs["ρ_a, bound"]["real part"], arcs["ρ_a, bound"]["imaginary part"])
    np.testing.assert_allclose(radius, float(one.bound.min()))
    assert set(arcs) == {"ρ_a, bound", "ρ_dom, dominance", "ρ*, exact"}


def test_taylor_curves_are_the_polynomials(made):
    ds = made["taylor"]
    shown = curves(figures.taylor_errors(ds))
    np.testing.assert_allclose(shown["order 5"]["error"], np.maximum(ds.error.sel(order=5)[ds.tau > 0], 1e-16))
    assert set(curves(figures.taylor_polynomials(ds, highest=5))) == {"order 1", "order 5", "loss"}


def test_marks_stand_at_the_predictions(made):
    ds = made["limits"]
    figure = figures.limit_marks(ds)
    shown = np.sort(np.concatenate([e["distance"] for e in figure if isinstance(e, hv.Scatter)]))
    tau = ds.tau.values[0]
    np.testing.assert_allclose(shown, np.sort(tau[np.isfinite(tau) & (tau > 0)]))
    lines = [float(e.data) for e in figure if isinstance(e, hv.VLine)]
    np.testing.assert_allclose(lines, ds.onset.values[0][np.isfinite(ds.onset.values[0])])


def test_colour_and_mark_tell_the_group_of_a_predictor(made):
    ds = made["limits"]
    drawn = {e.label: e for e in figures.limit_marks(ds) if isinstance(e, hv.Scatter)}
    rows = ds.label.values[::-1].tolist()
    for title, marks in drawn.items():
        names = {ds.label.values[i] for i in np.flatnonzero(ds.group.values == title)}
        assert {rows[int(k)] for k in marks["predictor"]} <= names
    styles = [hv.Store.lookup_options("bokeh", e, "style").kwargs for e in drawn.values()]
    assert len({(style["color"], style["marker"]) for style in styles}) == len(drawn) > 2


def test_a_result_stored_before_predictors_had_groups_still_draws(made):
    old = made["limits"].drop_vars("group")
    assert [e.label for e in figures.limit_marks(old) if isinstance(e, hv.Scatter)] == ["predictors"]


def test_sweeps_and_spikes(made):
    shown = curves(figures.sweep_accuracy(made["sweep"]))
    np.testing.assert_allclose(shown["random"]["accuracy"], made["sweep"].accuracy.sel(direction="random")[0])
    spike = curves(figures.spike_accuracy(made["spike"]))
    np.testing.assert_allclose(spike["SafeStep"]["accuracy"], made["spike"].accuracy.sel(rule="safe", seed=0))
    figure = figures.spike_r(made["spike"])
    engaged = [e for e in figure if isinstance(e, hv.Scatter)]
    assert engaged
    assert all(len(e) for e in engaged)


def test_images_are_the_inputs(made):
    ds = made["bottlenecks"]
    image = next(e for e in figures.bottleneck_images(ds) if isinstance(e, hv.Image))
    pixels = image.dimension_values("input", flat=False)
    assert np.nansum(pixels) == pytest.approx(float(ds.inputs.sum()), rel=1e-6)
    labels = next(e for e in figures.bottleneck_images(ds) if isinstance(e, hv.Labels))
    assert labels["text"][0] == f"1: {int(ds.target[0])} → {int(ds.prediction[0])}"
