"""Text rendered to points, with the font that comes with Pillow."""

import numpy as np
from numpy.typing import NDArray

from workbench import checks

FONT_SIZE = 160
LONGEST_TEXT = 60


def text_cloud(text: str, n: int, seed: int | np.random.Generator = 0, *, depth: float = 0.0) -> NDArray[np.float64]:
    """Return ``n`` points spread evenly over the ink of a text: (n, 2), or (n, 3) for a positive ``depth``.

    The text is centred and its longer side spans [−1, 1]; ``depth`` is the thickness on the same scale. Raises
    ``ValueError`` for a text without ink or longer than 60 characters.

    >>> text_cloud("λ", 50).shape, text_cloud("λ", 50, depth=0.2).shape
    ((50, 2), (50, 3))
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"text may have up to {LONGEST_TEXT} characters, got {len(text)}")
    n = checks.integer("n", n, minimum=1)
    depth = checks.real("depth", depth, minimum=0)
    rng = checks.generator(seed)
    ink = _ink(text)
    if ink.sum() == 0:
        raise ValueError(f"the text {text!r} leaves no ink; give at least one visible letter or digit")
    flat = rng.choice(ink.size, n, p=(ink / ink.sum()).ravel())
    row, column = np.divmod(flat, ink.shape[1])
    pixels = np.stack([column + rng.random(n), ink.shape[0] - row - rng.random(n)], axis=1)
    points = (2 * pixels - [ink.shape[1], ink.shape[0]]) / max(ink.shape)
    if depth == 0:
        return points
    return np.column_stack([points, rng.uniform(-depth / 2, depth / 2, n)])


def _ink(text: str) -> NDArray[np.float64]:
    """Return the coverage of every pixel of the rendered text, cropped to its ink."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=FONT_SIZE)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    image = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), text, fill=255, font=font)
    return np.asarray(image, dtype=np.float64) / 255
