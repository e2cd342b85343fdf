"""Pictures are read as a viewer shows them; what would fill the memory is refused before it is unpacked."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from workbench.clouds import read_picture
from workbench.flows.colour import image

FILES = Path(__file__).parents[1] / "data" / "files"


def encoded(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth, colour, rows, *others):
    """Write a PNG by hand, for the kinds that Pillow does not write."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(others) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_deep_greys_are_scaled():
    ramp = read_picture(FILES / "ramp16.png")
    with Image.open(FILES / "ramp16.png") as opened:
        exact = np.asarray(opened).astype(float) / 65535
    assert "16-bit grey, scaled" in ramp.sentence
    assert 0 < exact.mean() < 0.95
    np.testing.assert_allclose(ramp.pixels, np.repeat(exact[:, :, None], 3, axis=2), atol=0.5 / 255 + 1e-12)
    row = struct.pack(">3H", 0, 32768, 65535)
    clear = read_picture(png(3, 1, 16, 0, [row], chunk(b"tRNS", struct.pack(">H", 0))))
    np.testing.assert_allclose(clear.pixels[0, :, 0], [1, 0.5, 1], atol=1 / 255)
    with_alpha = read_picture(png(2, 1, 16, 4, [struct.pack(">4H", 0, 32768, 65535, 65535)]))
    np.testing.assert_allclose(with_alpha.pixels[0, :, 0], [0.5, 1], atol=1 / 255)
    colours = read_picture(png(1, 1, 16, 2, [struct.pack(">3H", 0, 32768, 65535)]))
    np.testing.assert_allclose(colours.pixels[0, 0], [0, 0.5, 1], atol=1 / 255)


def test_shallow_greys_and_palettes():
    np.testing.assert_allclose(read_picture(png(8, 1, 1, 0, [b"\xa0"])).pixels[0, :4, 0], [1, 0, 1, 0])
    np.testing.assert_allclose(read_picture(png(2, 1, 4, 0, [b"\x0f"])).pixels[0, :, 0], [0, 1])
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    picture = Image.new("P", (3, 1))
    picture.putpalette([value for colour in colours for value in colour])
    picture.putdata([0, 1, 2])
    np.testing.assert_allclose(read_picture(encoded(picture)).pixels[0], np.eye(3))
    clear = read_picture(encoded(picture, transparency=bytes([255, 0, 128])))
    np.testing.assert_allclose(clear.pixels[0], [[1, 0, 0], [1, 1, 1], [0.5, 0.5, 1]], atol=1 / 255)
    assert "transparent pixels on white" in clear.sentence


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP")])
def test_transparent_pixels_lie_on_white(mode, kind):
    black = (0,) * (len(mode) - 1)
    picture = Image.new(mode, (3, 1))
    picture.putdata([(*black, 0), (*black, 128), (*black, 255)])
    found = read_picture(encoded(picture, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))
    np.testing.assert_allclose(found.pixels[0, :, 0], [1, 127 / 255, 0], atol=1 / 255)


def test_a_colour_named_transparent():
    picture = Image.new("RGB", (2, 1), (10, 20, 30))
    picture.putpixel((1, 0), (0, 0, 0))
    found = read_picture(encoded(picture, transparency=(0, 0, 0)))
    np.testing.assert_allclose(found.pixels[0] * 255, [[10, 20, 30], [255, 255, 255]])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(orientation):
    upright = np.zeros((2, 3), np.uint8)
    upright[0, 0], upright[0, 2] = 255, 100
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: upright.T[::-1], 7: upright.T[::-1, ::-1], 8: upright.T[:, ::-1],
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read_picture(encoded(Image.fromarray(np.ascontiguousarray(stored)), exif=exif))
    np.testing.assert_allclose(found.pixels[:, :, 0] * 255, upright)
    assert ("turned" in found.sentence) == (orientation > 1)


def test_printers_colours_and_profiles():
    cyan = read_picture(encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG"))
    np.testing.assert_allclose(cyan.pixels[0, 0], [0, 1, 1], atol=0.02)
    assert "CMYK" in cyan.sentence
    lab_like = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = Image.new("RGB", (2, 2), (200, 100, 50))
    found = read_picture(encoded(plain, icc_profile=lab_like))
    np.testing.assert_allclose(found.pixels[0, 0] * 255, [200, 100, 50], atol=1)
    assert "by its colour profile" in found.sentence
    np.testing.assert_allclose(
        read_picture(encoded(plain, icc_profile=b"no profile")).pixels[0, 0] * 255, [200, 100, 50]
    )


def test_bombs_and_false_pictures():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8))
    bomb = png(60_000, 60_000, 8, 0, [])
    for data, message in (
        (bomb, "too many pixels|60000 × 60000"),
        (png(10_000, 9_000, 8, 0, []), "too many pixels|10000 × 9000 pixels; up to 40 million"),
        (png(7_000, 6_000, 1, 0, []), "7000 × 6000 pixels; up to 40 million"),
        (encoded(noise, "JPEG")[:-2000], "cannot be read to its end"),
        (b"\x89PNG but not", "no readable PNG"),
        (b"", "is empty"),
        (encoded(Image.new("RGB", (2, 2)), "GIF"), "no readable PNG"),
    ):
        with pytest.raises(ValueError, match=message):
            read_picture(data, name="bad.png")
    with pytest.raises(FileNotFoundError, match="no file"):
        read_picture("missing.png")
    with pytest.raises(ValueError, match="limit is 0 MiB"):
        read_picture(FILES / "ramp16.png", max_bytes=10)
    small = read_picture(encoded(Image.new("L", (900, 300), 255)), longest=480)
    assert small.pixels.shape == (160, 480, 3)
    assert small.sentence == "PNG of 900 × 300 pixels; shrunk to 480 × 160"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.data())
def test_a_changed_picture_is_read_or_refused_in_words(seed, data):
    raw = bytearray(encoded(Image.fromarray(np.random.default_rng(seed).integers(0, 256, (4, 5, 4), np.uint8))))
    place = data.draw(st.integers(8, len(raw) - 1))
    raw[place : place + 2] = data.draw(st.binary(min_size=2, max_size=2))
    try:
        found = read_picture(bytes(raw))
    except ValueError as error:
        message = str(error)
    else:
        message = found.sentence
        assert found.pixels.min() >= 0
        assert found.pixels.max() <= 1
    assert len(message) > 10


def test_arrays_as_pictures():
    deep = np.array([[[0, 32768, 65535]]], np.uint16)
    np.testing.assert_allclose(image("a", deep)[0, 0], [0, 32768 / 65535, 1])
    clear = np.array([[[0, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 51]]], np.uint8)
    np.testing.assert_allclose(image("a", clear)[0, :, 0], [1, 0, 0.8])
    with pytest.raises(ValueError, match="uint16 0…65535"):
        image("a", np.full((1, 1, 3), 300))
