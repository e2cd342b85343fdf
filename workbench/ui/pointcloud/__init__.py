"""The WebGL2 point-cloud viewer."""

from workbench.ui.pointcloud.viewer import PointCloud

__all__ = ["PointCloud"]
