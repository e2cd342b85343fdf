"""Colour transfer: palettes are matched, images stay images, anything else is refused."""

import numpy as np
import pytest

from workbench import flows


@pytest.fixture
def photos():
    return flows.photograph("china", 12), flows.photograph("flower", 10)


def palette(image):
    return np.asarray(image, dtype=float).reshape(-1, 3)


def test_the_palette_is_taken_over(photos):
    source, target = photos
    made = flows.colour_transfer(source, target, steps=20)
    before = flows.sliced_wasserstein(palette(source), palette(target)).value
    after = flows.sliced_wasserstein(palette(made.image), palette(target)).value
    assert after < 2e-3 * before
    assert made.image.shape == source.shape
    assert made.image.min() >= 0
    assert made.image.max() <= 1
    assert (np.diff(made.sw2.values)[:5] < 0).all()
    np.testing.assert_allclose(made.sw2.values[0], before, rtol=0.05)


def test_strength_blends_and_the_own_palette_changes_nothing(photos):
    source, target = photos
    whole = flows.colour_transfer(source, target, steps=3).image.values
    half = flows.colour_transfer(source, target, steps=3, strength=0.5).image.values
    inside = (whole > 0) & (whole < 1)
    np.testing.assert_allclose(half[inside], (0.5 * source + 0.5 * whole)[inside], atol=1e-6)
    np.testing.assert_allclose(flows.colour_transfer(source, source, steps=3).image, source, atol=1e-4)


def test_bytes_and_transparency_are_understood(photos):
    source, target = photos
    as_bytes = (source * 255).round().astype(np.uint8)
    with_alpha = np.dstack([as_bytes, np.full(as_bytes.shape[:2], 255, np.uint8)])
    expected = flows.colour_transfer(as_bytes / 255, target, steps=2)
    np.testing.assert_array_equal(flows.colour_transfer(with_alpha, target, steps=2).image, expected.image)


def test_refusals(photos):
    source, target = photos
    for change, message in (
        ({"source": source[:, :, 0]}, "shape"),
        ({"target": target * 300}, r"\[0, 1\]"),
        ({"source": source * np.nan}, "NaN"),
        ({"steps": 0}, "at least 1"),
        ({"strength": 2}, "at most 1"),
        ({"eta": 0}, "greater than 0"),
        ({"method": "equispaced"}, "2 dimensions"),
    ):
        with pytest.raises(ValueError, match=message):
            flows.colour_transfer(**({"source": source, "target": target} | change))
