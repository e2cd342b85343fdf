"""Downscaling: closed forms against brute force and integration, the exact field, scores, networks and own rain."""

import io
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

from workbench import data, fields, results
from workbench.fields.downscaling import denoiser as networks
from workbench.fields.downscaling.field import FieldLaw, coarsen, interpolated
from workbench.fields.downscaling.gain import C, inflation_report, matching_level, mean_rain, to_rain
from workbench.fields.downscaling.methods import quantile_mapped, training_quantiles
from workbench.fields.downscaling.own import rain_report, read_rain
from workbench.fields.downscaling.scores import fair_crps, tail_scores
from workbench.fields.downscaling.spread import SNR, _corrected, integrated
from workbench.fields.downscaling.verdicts import CLAIMS
from workbench.progress import Cancelled, Progress
from workbench.verdicts import Outcome


@pytest.mark.parametrize(
    ("s", "w", "knee", "kappa"),
    [
        (0.1, 0.2, 0.9473088594582505, 1.200586622152372),
        (0.2, 0.05, 2.981208725846002, 1.12674369704643),
        (0.2, 0.2, 1.304369545230437, 1.282441289060706),
        (0.2, 0.5, 0.5816455776561961, 1.557427195728085),
        (0.3, 0.2, 1.562276530931286, 1.343802224850263),
    ],
)
def test_the_table_of_inflations(s, w, knee, kappa):
    assert matching_level(s, w) == pytest.approx(knee, rel=1e-13)
    assert fields.wdr_inflation(s, w) == pytest.approx(kappa, rel=1e-13)


def test_inflation_where_matching_is_everywhere_or_nowhere():
    assert fields.wdr_inflation(0.2, 0.9) == pytest.approx(1.9907892456, rel=1e-10)
    assert fields.wdr_inflation(1.3, 0.5) == pytest.approx(1.9493055919, rel=1e-10)
    assert fields.wdr_inflation(0.2, 1e-4) == pytest.approx(1.0019889125, rel=1e-10)
    assert fields.wdr_inflation(0.2, 0.0) == 1.0
    gated = fields.wdr_inflation(0.2, 0.2, sigma_min=1e-6, gate=0.1)
    assert gated == pytest.approx(math.exp(0.2 * C / 1.6 * (math.hypot(0.2, 0.1) - 0.2)), rel=1e-10)


@pytest.mark.parametrize(("s", "w", "gate"), [(0.2, 0.2, None), (0.2, 0.9, None), (0.5, 0.05, None), (0.2, 0.2, 0.4)])
@pytest.mark.parametrize("sampler", ["ode", "sde"])
def test_inflation_is_that_of_the_integrated_variance(s, w, gate, sampler):
    noisy = sampler == "sde"

    def slope(u, v):  # along u = −ln σ
        sigma = math.exp(-u)
        a = float(fields.wdr_gain(s, sigma, w if gate is None or sigma < gate else 0.0))
        return 2 * ((1 + noisy) * (a - 1) * v + noisy * sigma**2)

    ends = (-math.log(50.0), -math.log(0.01))
    knees = sorted(-math.log(z) for z in (matching_level(s, w), gate) if z and 0.01 < z < 50)
    value, here = s * s + 2500.0, ends[0]
    for there in (*knees, ends[1]):
        value = solve_ivp(slope, (here, there), [value], method="DOP853", rtol=1e-11, atol=1e-14).y[0, -1]
        here = there
    kappa = math.sqrt(value / (s * s + 1e-4))
    assert fields.wdr_inflation(s, w, sampler=sampler, gate=gate) == pytest.approx(kappa, rel=1e-7)


def test_gains_minimise_the_loss():
    s, w = 0.2, 0.2
    known = {0.05: 0.9423859420298677, 0.5: 0.18423211052792632, 2.0: 0.09950371902099893}
    for sigma, gain in known.items():
        assert float(fields.wdr_gain(s, sigma, w)) == pytest.approx(gain, rel=1e-13)
        a = math.hypot(s, sigma)

        def loss(g, sigma=sigma, a=a):
            return (1 - w) * ((g - 1) ** 2 * s * s + (g * sigma) ** 2) / sigma**2 + w * C * abs(g * a - s)

        assert minimize_scalar(loss, bounds=(0, 1.5), method="bounded", options={"xatol": 1e-10}).x == pytest.approx(
            gain, abs=1e-6
        )


def test_the_batch_decides_between_regression_and_matching():
    found = [float(fields.wdr_gain(0.2, 2.0, 0.2, batch)) for batch in (1, 2, 4, 12, 64)]
    np.testing.assert_allclose(found, [0.0099, 0.029, 0.045, 0.0645, 0.083], atol=6e-4)
    large = fields.wdr_gain(0.2, np.array([0.05, 0.5]), 0.2, 1024)
    np.testing.assert_allclose(large, fields.wdr_gain(0.2, np.array([0.05, 0.5]), 0.2), rtol=0.02)


def test_the_gain_of_a_batch_minimises_its_loss():
    rng = np.random.default_rng(0)
    s, sigma, w, batch = 0.2, 0.3, 0.4, 6
    y, noise = s * rng.standard_normal((4000, batch)), rng.standard_normal((4000, batch))
    x, target = np.sort(y + sigma * noise, axis=1), np.sort(y, axis=1)

    def loss(g):
        square = (g - 1) ** 2 * s * s + (g * sigma) ** 2
        return (1 - w) * square / sigma**2 + w * np.abs(g * x - target).mean()

    found = minimize_scalar(loss, bounds=(0, 1.5), method="bounded", options={"xatol": 1e-10}).x
    assert float(fields.wdr_gain(s, sigma, w, batch)) == pytest.approx(found, abs=1e-6)


def test_inflation_without_a_formula_is_integrated():
    sigma = np.geomspace(50.0, 0.01, 1000)
    for w in (0.05, 0.2, 0.9):
        for sampler in ("ode", "sde"):
            kappa = integrated(0.2, sigma, fields.wdr_gain(0.2, sigma, w), sampler)
            assert float(kappa) == pytest.approx(fields.wdr_inflation(0.2, w, sampler=sampler), rel=1e-5)
    each = sigma[::10]
    full = integrated(0.2, each, fields.wdr_gain(0.2, each, 0.2, 12), "ode")
    assert fields.wdr_inflation(0.2, 0.2, batch=12) == pytest.approx(float(full), abs=1e-3)
    for sampler in ("ode", "sde", "pc"):
        batches = [fields.wdr_inflation(0.2, 0.2, sampler=sampler, batch=batch) for batch in (1, 4, 64)]
        assert batches[0] == 1.0
        assert batches[1] < batches[2] < fields.wdr_inflation(0.2, 0.2, sampler=sampler)
    assert fields.wdr_inflation(0.2, 0.2, sampler="pc", gate=0.02) < fields.wdr_inflation(0.2, 0.2, sampler="pc")


def test_the_paper_s_sampler_keeps_the_spread_that_many_pixels_have():
    rng = np.random.default_rng(1)
    s, count = 0.2, 20_000
    sigma = np.geomspace(50.0, 0.01, 60)
    gain = fields.wdr_gain(s, sigma, 0.2)
    x = math.hypot(s, 50.0) * rng.standard_normal(count)
    for k, level in enumerate(sigma):
        z, score = rng.standard_normal(count), -(1 - gain[k]) * x / level**2
        step = 2 * (SNR * np.linalg.norm(z) / np.linalg.norm(score)) ** 2
        x = x + step * score + math.sqrt(2 * step) * z
        apart = level**2 - (sigma[k + 1] ** 2 if k < 59 else 0.0)
        fresh = math.sqrt(apart) * rng.standard_normal(count) if k < 59 else 0.0
        x = x - apart * (1 - gain[k]) * x / level**2 + fresh
    assert x.std() == pytest.approx(math.sqrt(_corrected(s, sigma, gain)), rel=0.02)
    report = inflation_report(sampler="pc", batch=4)
    at = int(np.argmin(np.abs(report.weight.values - 0.2)))
    assert float(report.inflation_pc[at]) == pytest.approx(float(report.inflation), rel=1e-9)
    assert (report.level <= report.level_batch).all()
    assert (report.level_batch <= report.level_wdr).all()


def test_rain_of_a_gaussian_pixel_by_sampling():
    y = np.random.default_rng(0).normal(0.35, 0.2, 400_000)
    assert mean_rain(0.35, 0.2) == pytest.approx(to_rain(y).mean(), rel=0.02)
    ds = inflation_report()
    assert float(ds.extreme) == pytest.approx(125.5, abs=0.05)
    assert float(ds.extreme_wdr) == pytest.approx(301.8, abs=0.05)
    plain = inflation_report(w=0.0)
    np.testing.assert_allclose(plain.level_wdr, plain.level)


def test_what_no_loss_can_be_is_refused():
    for call, words in (
        (lambda: fields.wdr_gain(0.2, 0.0, 0.2), "greater than 0"),
        (lambda: fields.wdr_gain(0.2, 1.0, 1.0), "at most 0.99"),
        (lambda: fields.wdr_inflation(0.2, 0.2, 1.0, 0.5), "greater than"),
        (lambda: fields.wdr_inflation(0.2, 0.2, sampler="euler"), "sampler"),
        (lambda: fields.exact_downscaler(FieldLaw(), 5), "does not divide"),
        (lambda: fields.rain("cascade", size=12), "power of two"),
        (lambda: fields.downscale("exact", np.zeros((2, 3, 3))), "shape"),
        (lambda: fair_crps([[1.0]], [1.0]), "two members"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_the_exact_law_is_conditioning():
    law = FieldLaw()
    exact = fields.exact_downscaler(law)
    y = law.sample(3000, np.random.default_rng(0))
    np.testing.assert_allclose(np.cov(y.reshape(3000, -1).T)[0, :8], law.covariance[0, :8], atol=0.005)
    away = (y - exact.mean(coarsen(y))).reshape(3000, -1)
    np.testing.assert_allclose(away.var(axis=0).mean(), np.trace(exact.covariance) / 256, rtol=0.02)
    assert abs(np.mean(away[:, :1] * (coarsen(y) - 0.35).reshape(3000, -1))) < 0.002
    x, sigma = y[:2] + 0.3, 0.7
    score = np.linalg.solve(
        exact.covariance + sigma**2 * np.eye(256), (exact.mean(coarsen(y[:2])) - x).reshape(2, -1).T
    )
    np.testing.assert_allclose(
        exact.denoise(x, sigma, exact.mean(coarsen(y[:2]))), x + sigma**2 * score.T.reshape(x.shape), atol=1e-10
    )


def test_the_sampler_with_the_exact_score_draws_the_exact_law():
    exact = fields.exact_downscaler()
    coarse = coarsen(fields.rain(count=150, seed=1))
    mean = exact.mean(coarse)
    made = networks.sample_ode(
        lambda x, sigma: exact.denoise(x, sigma, mean),
        np.random.default_rng(2).standard_normal((150, 16, 16)),
        levels=60,
    )
    ratio = ((made - mean) ** 2).mean() / (np.trace(exact.covariance) / 256)
    assert ratio == pytest.approx(1, abs=0.04)
    np.testing.assert_allclose(coarsen(made), coarse, atol=0.01)


def test_interpolation_keeps_constants_and_mapping_the_training_tail():
    np.testing.assert_allclose(interpolated(np.full((1, 4, 4), 0.3)), 0.3)
    y = np.random.default_rng(0).normal(0.3, 0.4, (40, 16, 16))
    levels, wanted = training_quantiles()
    np.testing.assert_allclose(np.quantile(quantile_mapped(y), levels[10:-10]), wanted[10:-10], atol=0.003)
    beyond = quantile_mapped(np.append(y.ravel(), y.max() + 1.0), y)
    assert beyond[-1] == pytest.approx(beyond[:-1].max() + 1.0)


def test_the_fair_crps_is_unbiased_and_known_at_zero():
    rng = np.random.default_rng(0)
    for members in (2, 10):
        scores = fair_crps(rng.standard_normal((200_000 // members, members)), np.zeros(200_000 // members))
        error = scores.std() / math.sqrt(len(scores))
        assert scores.mean() == pytest.approx(0.23369497725510907, abs=4 * error)


def test_tails_against_plain_quantiles_and_dry_days():
    rng = np.random.default_rng(0)
    y, x = rng.normal(0.35, 0.2, (60, 50)), rng.normal(0.35, 0.25, (60, 3, 50))
    ds = tail_scores(x, y, (0.99, 0.999))
    plain = np.log(to_rain(np.quantile(x, 0.99)) / to_rain(np.quantile(y, 0.99)))
    assert float(ds.log_ratio[0]) == pytest.approx(plain, abs=0.05)
    assert float(ds.log_ratio_low[0]) > 0
    assert float(ds.bias) == pytest.approx(to_rain(x).mean() - to_rain(y).mean())
    np.testing.assert_array_equal(ds.log_ratio, tail_scores(x, y, (0.99, 0.999)).log_ratio)
    x[0, 0, 0], y[:5] = 3.0, -1.0
    told = tail_scores(x, y)
    assert (int(told.wild), int(told.dry)) == (1, 5)
    dry = tail_scores(np.full((10, 2, 4), -0.1), np.full((10, 4), -0.1))
    assert np.isnan(dry.log_ratio).all()
    assert int(dry.dry) == 10
    wider = tail_scores(np.repeat(x, 4, axis=0), np.repeat(y, 4, axis=0), (0.99,), blocks=4)
    narrow = tail_scores(np.repeat(x, 4, axis=0), np.repeat(y, 4, axis=0), (0.99,), blocks=1)
    width = [float(one.log_ratio_high[0] - one.log_ratio_low[0]) for one in (wider, narrow)]
    assert width[0] > 1.4 * width[1]


def test_a_batch_of_one_is_an_absolute_error_and_training_repeats():
    x, y = torch.randn(1, 6), torch.randn(1, 6)
    theta = torch.nn.functional.normalize(torch.randn(6, 9), dim=0)
    assert float(networks.sliced_distance(x, y, theta)) == pytest.approx(
        float(((x - y) @ theta).abs().mean()), abs=1e-6
    )
    one, again, other = (fields.train_denoiser(w, steps=4) for w in (0.0, 0.0, 0.2))
    for a, b, c in zip(one.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        fields.train_denoiser(steps=10, progress=progress)


def test_both_parametrisations_are_what_they_say_without_a_network():
    y = torch.from_numpy(fields.rain(count=2).astype(np.float32))
    sigma = torch.tensor([0.5, 3.0])
    for kind in networks.PARAMETRISATIONS:
        network = networks.Denoiser(kind)
        for parameter in network.parameters():
            torch.nn.init.zeros_(parameter)
        made = network(y, sigma, y)
        shrunk = 0.35 + 0.04 / (0.04 + sigma[:, None, None] ** 2) * (y - 0.35)
        assert torch.allclose(made, y if kind == "score" else shrunk, atol=1e-6)


def test_a_denoiser_comes_back_from_its_file_and_others_are_refused(tmp_path):
    network = fields.train_denoiser(steps=2, parametrisation="score")
    networks.save_denoiser(network, tmp_path / "a.safetensors")
    back = networks.read_denoiser(tmp_path / "a.safetensors")
    assert back.parametrisation == "score"
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), back.parameters(), strict=True))
    (tmp_path / "b.safetensors").write_bytes(b"no such thing")
    with pytest.raises(ValueError, match="holds no denoiser"):
        networks.read_denoiser(tmp_path / "b.safetensors")


def test_own_rain_is_read_and_its_levels_told():
    rng = np.random.default_rng(0)
    days = np.where(rng.random((400, 4)) < 0.4, to_rain(rng.normal(0.3, 0.15, (400, 4))), 0.0)
    table = "\n".join(",".join(f"{v:.3f}" for v in row) for row in days).encode()
    values, told = read_rain(table, name="mine.csv")
    np.testing.assert_allclose(values, days, atol=6e-4)
    assert told.startswith("400 days at 4 sites")
    stored = xr.Dataset({"rain": (("time", "y", "x"), days.reshape(400, 2, 2))}).to_netcdf(engine="h5netcdf")
    np.testing.assert_allclose(read_rain(io.BytesIO(bytes(stored)).getvalue(), name="mine.nc")[0], days)
    ds = rain_report(days)
    assert float(ds.wet) == pytest.approx((days > 0).mean())
    k = int(np.argmin(np.abs(ds.period.values - 20)))
    assert float(ds.low[k]) < float(ds.level[k]) < float(ds.high[k])
    assert np.isnan(ds.level.values[ds.period.values > 400]).all()
    assert float(ds.fitted[k]) == pytest.approx(float(ds.level[k]), rel=0.15)
    for bad, words in (
        (days[:30], "30 days"),
        (days - 1, "negative"),
        (days * 0, "wet values"),
        (days[:1], "has 1 day;"),
        (days[:0], "empty"),
        (np.where(days > 0, days, np.nan), "NaN"),
        (days + 9000, "millimetres"),
        (days / 86400, "multiplied by 86,400"),
    ):
        with pytest.raises(ValueError, match=words):
            rain_report(bad)
    with pytest.raises(ValueError, match="neither a table"):
        read_rain(b"abc", name="mine.pdf")


def test_the_shipped_study_has_what_its_verdicts_need():
    ds = data.result("fields/downscaling.nc")
    assert int(ds.days) >= 500
    assert ds.sizes["seed"] >= 5
    cheap = {"draws", "exact", "bilinear", "bilinear-mapped", "quantile-mapping"}
    assert cheap | {"diffusion", "wdr", "score", "score-wdr"} <= set(ds.downscaler.values)
    assert (ds.log_ratio_low < ds.log_ratio).all()
    assert (ds.log_ratio < ds.log_ratio_high).all()
    assert [claim.verdict().outcome for claim in CLAIMS] == [Outcome.HOLDS, Outcome.FAILS, Outcome.PARTLY]


@pytest.mark.parametrize(
    ("claim", "changed", "outcome"),
    [
        (0, {"difference": -0.2, "low": -0.25, "reach": 0.05}, Outcome.FAILS),
        (0, {"difference": 0.01, "low": -0.04, "reach": 0.05}, Outcome.OPEN),
        (1, {"tail": -0.05, "tail_reach": 0.01, "tail_high": -0.04, "law_high": -0.1}, Outcome.HOLDS),
        (1, {"tail": -0.05, "tail_reach": 0.01, "tail_high": -0.04, "law_high": 0.1}, Outcome.PARTLY),
        (1, {"tail": 0.0, "tail_reach": 0.01, "tail_high": 0.01}, Outcome.OPEN),
        (2, {"worst": 0.005}, Outcome.HOLDS),
        (2, {"own": 0.05}, Outcome.FAILS),
    ],
)
def test_other_numbers_give_other_verdicts(claim, changed, outcome):
    one = CLAIMS[claim]
    assert one.verdict({**one.measure(), **changed}).outcome == outcome


@pytest.mark.slow
def test_the_script_of_the_study_runs_to_its_end(tmp_path):
    script = Path(__file__).parents[2] / "data" / "make_fields_downscaling.py"
    subprocess.run([sys.executable, script, "--quick", "--folder", tmp_path], check=True, capture_output=True)
    ds = results.open(tmp_path / "downscaling.nc")
    assert ds.sizes["seed"] == 2
    assert networks.read_denoiser(tmp_path / "downscaler_wdr.safetensors").parametrisation == "preconditioned"
