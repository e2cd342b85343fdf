"""The frame of the flows room."""

from workbench import data
from workbench.ui.flows.behind import FlowsBehindView
from workbench.ui.flows.bits import BitsView
from workbench.ui.flows.colour import ColourView
from workbench.ui.flows.compare import CompareView
from workbench.ui.flows.covariances import CovariancesView
from workbench.ui.flows.directions import DirectionsView
from workbench.ui.flows.exact import ExactView
from workbench.ui.flows.flow import FlowView
from workbench.ui.flows.paper import PaperView
from workbench.ui.flows.study import EstimatorStudy
from workbench.ui.flows.where import WhereView
from workbench.ui.kit.pointcloud import PointCloud
from workbench.ui.kit.room import Room


class FlowsRoom(Room):
    """Watch one point cloud flow into another; compare the estimators that drive it."""

    slug = "flows"
    view_classes = (
        FlowView,
        CompareView,
        DirectionsView,
        WhereView,
        ColourView,
        PaperView,
        CovariancesView,
        ExactView,
        BitsView,
        EstimatorStudy,
        FlowsBehindView,
    )

    @classmethod
    def thumbnail(cls) -> PointCloud:
        """Return the shipped first flow, moving."""
        flow = data.result("flows/first_flow.nc")
        viewer = PointCloud(height=300)
        viewer.show(
            flow.positions.values,
            target=flow.target.values,
            values=flow.positions.values[0, :, -1],
            labels=[f"SW₂² {value:.3g}" for value in flow.sw2.values],
            description=f"A torus of {flow.sizes['point']} points flows into a cube.",
        )
        return viewer
