"""The WebGL2 viewer of point clouds and surfaces."""

from workbench.ui.kit.pointcloud.viewer import PointCloud

__all__ = ["PointCloud"]
