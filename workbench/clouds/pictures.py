"""Pictures as a viewer shows them: upright, opaque on white, in sRGB, with 16-bit greys scaled and not cut.

Pillow decodes; ``ImageOps.exif_transpose`` turns, ``ImageCms`` goes by an embedded colour profile. What is written here
is what Pillow leaves to its callers: the scale of 16-bit greys, which its conversion to RGB cuts at 255, and the white
paper under transparent pixels.
"""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps

from workbench import checks

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MOST_PIXELS = 40_000_000
BYTES_PER_PIXEL = 20
"""While a picture is decoded, turned and shrunk; three times as many where it is kept at its full size."""
DEFAULT_LIMIT = 64 * 2**20


@dataclass(frozen=True)
class ReadPicture:
    """A picture's ``pixels`` (height, width, 3) in [0, 1], and a ``sentence`` that says how they were read."""

    pixels: NDArray[np.float64]
    sentence: str


def read_picture(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    longest: int | None = None,
    max_bytes: int = DEFAULT_LIMIT,
) -> ReadPicture:
    """Read a PNG, JPEG, WebP or BMP picture from a path or its bytes; the first one of an animation.

    ``longest`` shrinks it so that neither side has more pixels. Raises ``FileNotFoundError``, and ``ValueError`` for a
    file larger than ``max_bytes`` or of more than 40 million pixels, seen before it is unpacked, or of another kind.

    >>> stream = io.BytesIO()
    >>> Image.fromarray(np.array([[0, 32768, 65535]], np.uint16)).save(stream, "PNG")
    >>> read_picture(stream.getvalue()).pixels[0, :, 0].round(3).tolist()
    [0.0, 0.502, 1.0]
    """
    if isinstance(source, (bytes, bytearray)):
        data, name = bytes(source), name or "the picture"
    else:
        path = Path(source)
        name = name or path.name
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        data = b"" if path.stat().st_size > max_bytes else path.read_bytes()
        _check_size(path.stat().st_size, name, max_bytes)
    _check_size(len(data), name, max_bytes)
    if longest is not None:
        longest = checks.integer("longest", longest, minimum=1)
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise ValueError(f"{name} is no readable PNG, JPEG, WebP or BMP picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{name} has too many pixels; up to 40 million fit") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{name} is no readable PNG, JPEG, WebP or BMP picture ({error})") from error
    with opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError(f"{name} has {opened.width} × {opened.height} pixels; up to 40 million fit")
        checks.memory(BYTES_PER_PIXEL * (1 if longest else 3) * opened.width * opened.height, name)
        notes = [f"{opened.format} of {opened.width} × {opened.height} pixels"]
        try:
            shown = _as_shown(opened, notes)
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise ValueError(f"{name} cannot be read to its end: {error}") from error
    if longest is not None and max(shown.size) > longest:
        shown.thumbnail((longest, longest))
        notes.append(f"shrunk to {shown.width} × {shown.height}")
    return ReadPicture(np.asarray(shown, dtype=np.float64) / 255, "; ".join(notes))


def on_white(colours: NDArray[np.float64], opacity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return colours (…, 3) in [0, 1] as they look on white paper, for an opacity (…) in [0, 1]."""
    return 1 - opacity[..., None] * (1 - colours)


def _check_size(size: int, name: str, max_bytes: int) -> None:
    if size == 0:
        raise ValueError(f"{name} is empty")
    if size > max_bytes:
        raise ValueError(f"{name} has {size / 2**20:.0f} MiB or more; the limit is {max_bytes / 2**20:.0f} MiB")


def _as_shown(opened: Image.Image, notes: list[str]) -> Image.Image:
    """Return the first frame as RGB, noting what was done to it."""
    if getattr(opened, "n_frames", 1) > 1:
        notes.append(f"the first of {opened.n_frames} frames")
    opened.load()
    picture = _upright(opened, notes)
    if picture.mode.startswith("I"):
        picture = _deep_grey(picture)
        notes.append("16-bit grey, scaled")
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        layers = picture.convert("RGBA")
        if layers.getchannel("A").getextrema()[0] < 255:
            notes.append("transparent pixels on white")
        picture = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
        picture.info["icc_profile"] = layers.info.get("icc_profile")
    if picture.mode == "CMYK":
        notes.append("CMYK")
    profile = opened.info.get("icc_profile")
    if profile and (managed := _in_srgb(picture, profile)) is not None:
        notes.append("by its colour profile")
        return managed
    return picture.convert("RGB")


def _deep_grey(deep: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits as one of 8, white staying white; its transparent value as opacity."""
    values = np.asarray(deep).astype(np.int64)
    grey = Image.fromarray(np.round(np.clip(values, 0, 65535) / 257).astype(np.uint8))
    clear = deep.info.get("transparency")
    if isinstance(clear, int):
        opacity = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
        grey = Image.merge("LA", (grey, opacity))
    return grey


def _upright(opened: Image.Image, notes: list[str]) -> Image.Image:
    """Turn a picture as its EXIF says. A damaged EXIF block turns nothing, in viewers too."""
    try:
        is_turned = opened.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)
        picture = ImageOps.exif_transpose(opened)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, EOFError):
        return opened
    notes += ["turned as its EXIF says"] * is_turned
    return picture


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """Return a picture in sRGB by its embedded profile, or None for a profile that does not fit it."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space)
        if mode is None or (mode == "CMYK") != (picture.mode == "CMYK"):
            return None
        return ImageCms.profileToProfile(
            picture.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
