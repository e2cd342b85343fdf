"""Where point clouds come from: named shapes, text, files of many formats, and real data.

>>> from workbench import clouds
>>> clouds.cloud("torus", 500).shape
(500, 3)
"""

from workbench.clouds.files import load_cloud
from workbench.clouds.named import SHAPES, cloud
from workbench.clouds.real_data import digit, photograph, terrain_heights
from workbench.clouds.text import text_cloud

__all__ = ["SHAPES", "cloud", "digit", "load_cloud", "photograph", "terrain_heights", "text_cloud"]
