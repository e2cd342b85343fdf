"""The WebGL2 point-cloud viewer."""

from workbench.ui.kit.pointcloud.viewer import PointCloud

__all__ = ["PointCloud"]
