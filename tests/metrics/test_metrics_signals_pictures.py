"""Photographs under the metric: ranges, equal errors, SSIM against loops, and the shipped mixture of patches."""

import io

import numpy as np
import pytest
from PIL import Image

from workbench import data, metrics
from workbench.metrics.signals.photographs import (
    grey_photograph,
    photograph_mixture,
    picture_distances,
    training_patches,
    unseen_crops,
)
from workbench.metrics.signals.pictures import C1, C2, QUANTISED, patches

CROP = unseen_crops(1)[0]


def png(values):
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("values", "read", "told"),
    [
        (np.array([[0, 255], [51, 102]], np.uint8), [[0, 1], [0.2, 0.4]], "range 0…255 (its type)"),
        (np.array([[0, 65535]] * 2, np.uint16), [[0, 1]] * 2, "range 0…65535 (its type)"),
        (np.array([[0.0, 0.5], [1.0, 0.25]]), [[0, 0.5], [1, 0.25]], "range 0…1 (inferred"),
        (np.array([[-1.0, 0.5], [1.0, 0.0]]), [[0, 0.75], [1, 0.5]], "range −1…1 (inferred"),
        (np.array([[0, 200], [51, 102]]), [[0, 200 / 255], [0.2, 0.4]], "range 0…255 (inferred"),
        (np.full((2, 2, 3), [255, 0, 0], np.uint8), [[0.299] * 2] * 2, "range 0…255 (its type)"),
    ],
)
def test_the_range_is_inferred_and_said(values, read, told):
    found = metrics.as_grey(values)
    np.testing.assert_allclose(found.values, read, atol=1e-12)
    assert told in found.sentence


def test_files_are_read_as_a_viewer_shows_them():
    values = (np.arange(64).reshape(8, 8) * 4).astype(np.uint8)
    found = metrics.as_grey(png(values))
    np.testing.assert_allclose(found.values, values / 255, atol=1e-12)
    assert "PNG of 8 × 8 pixels" in found.sentence


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((2, 2), -7.0), "none of the ranges"),
        (np.full((2, 2), np.nan), "NaN"),
        (np.zeros((2, 2, 4)), "4 channels"),
        (np.zeros(4), "2 or 3 dimension"),
        (b"GIF89a", "no readable PNG"),
    ],
)
def test_what_is_no_picture_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        metrics.as_grey(values)


def slow_ssim(a, b):
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    found = []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            x, y = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            xy = (window * (x - mx) * (y - my)).sum()
            found.append((2 * mx * my + C1) * (2 * xy + C2) / ((mx**2 + my**2 + C1) * (vx + vy + C2)))
    return np.mean(found)


def test_ssim_agrees_with_loops():
    a = CROP[:24, :30]
    b = metrics.distorted(a, "noise", 0.05, seed=1)[0]
    assert metrics.ssim(a, b) == pytest.approx(slow_ssim(a, b), abs=1e-12)
    assert metrics.ssim(a, a) == pytest.approx(1, abs=1e-12)
    with pytest.raises(ValueError, match="of one size, at least 11"):
        metrics.ssim(a, b[:20])


@pytest.mark.parametrize("name", metrics.DISTORTIONS)
@pytest.mark.parametrize("rmse", [0.01, 0.04])
def test_every_distortion_has_the_rmse_asked_for(name, rmse):
    spoiled, share = metrics.distorted(CROP, name, rmse, seed=2)
    assert np.sqrt(np.mean((spoiled - CROP) ** 2)) == pytest.approx(rmse, rel=1e-12)
    assert 0 < share <= 1.5
    again, _ = metrics.distorted(CROP, name, rmse, seed=2)
    np.testing.assert_array_equal(spoiled, again)


def test_a_flat_picture_has_no_contrast_to_lose():
    with pytest.raises(ValueError, match="less contrast changes this picture by 0 at most"):
        metrics.distorted(np.full((16, 16), 0.5), "contrast", 0.04)


def test_the_mixture_saw_the_left_halves_and_has_the_floor():
    density = photograph_mixture()
    assert (density.components, density.dimension) == (8, 64)
    assert density.least_variance >= 0.99 * QUANTISED
    held = training_patches(400, seed=9)
    assert density.log_density(held).mean() > metrics.Mixture.fit(held, 1, floor=QUANTISED).log_density(held).mean()
    assert patches(grey_photograph("china")[:16, :24]).shape == (6, 64)


def test_a_brighter_picture_is_near_and_noise_is_far():
    """Brightness moves along what the density varies in most; noise goes across it. Gaussian patches say it exactly."""
    originals = CROP[:16, :16]
    spoiled = [metrics.distorted(originals, name, 0.04, seed=3)[0] for name in ("brightness", "noise")]
    distance, error = picture_distances(photograph_mixture(), originals, spoiled, samples=32)
    assert distance[1] > 5 * distance[0]
    assert (error < 0.1 * distance).all()
    one = metrics.Mixture([1.0], np.zeros((1, 64)), [0.01 * np.eye(64)])
    flat, _ = picture_distances(one, originals, spoiled, samples=16)
    np.testing.assert_allclose(flat, 0.04 * 8 / 0.1, rtol=1e-9)  # RMSE · 8 pixels · 8 / (8 σ)


def test_the_study_of_an_own_picture_reads_and_crops_it():
    values = (255 * grey_photograph("flower")[100:140, 300:350]).astype(np.uint8)
    one = metrics.Mixture([1.0], np.full((1, 64), 0.5), [0.01 * np.eye(64)])
    ds = metrics.photograph_study(png(values), density=one, samples=16)
    assert ds.image.shape == (8, 40, 40)
    assert "PNG of 50 × 40 pixels" in ds.attrs["reading"]
    np.testing.assert_allclose(ds.iem, 3.2, rtol=1e-9)
    with pytest.raises(ValueError, match="the density has 1 dimensions"):
        metrics.photograph_study(density=metrics.Mixture([1.0], [0.0], [1.0]))
    with pytest.raises(ValueError, match="at least 16 × 16 are needed"):
        metrics.photograph_study(np.zeros((9, 40)), density=one)


def test_the_shipped_studies_are_whole():
    ds = data.result("metrics/signals_photographs.nc")
    assert ds.sizes["distortion"] == len(metrics.DISTORTIONS)
    assert (ds.iem_error < 0.05 * ds.iem).all()
    assert data.result("metrics/signals_masking.nc").sizes["patch"] == 300
    assert data.result("metrics/signals_digits.nc").accuracy[0] > 0.9
