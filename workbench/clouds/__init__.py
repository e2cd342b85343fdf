"""Where point clouds come from: named shapes, text, files of many formats, and real data.

>>> from workbench import clouds
>>> clouds.cloud("torus", 500).shape
(500, 3)
"""

from workbench.clouds.files import Reading, load_cloud, read_cloud
from workbench.clouds.named import SHAPES, cloud
from workbench.clouds.pictures import read_picture
from workbench.clouds.real_data import digit, photograph, terrain_heights
from workbench.clouds.text import text_cloud

__all__ = [
    "SHAPES",
    "Reading",
    "cloud",
    "digit",
    "load_cloud",
    "photograph",
    "read_cloud",
    "read_picture",
    "terrain_heights",
    "text_cloud",
]
