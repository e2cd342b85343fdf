"""The frame of the flows room."""

from workbench.ui.flows.colour_view import ColourView
from workbench.ui.flows.compare_view import CompareView
from workbench.ui.flows.directions_view import DirectionsView
from workbench.ui.flows.flow_view import FlowView
from workbench.ui.flows.paper_view import PaperView
from workbench.ui.room import Room
from workbench.ui.studies import EstimatorStudy


class FlowsRoom(Room):
    """Watch one point cloud flow into another; compare the estimators that drive it."""

    title, slug = "Flows", "flows"
    purpose = "Watch one point cloud flow into another, and compare the estimators that drive it."
    paper = (
        "After K. Nguyen and N. Ho, “Sliced Wasserstein estimation with control variates”, ICLR 2024, arXiv 2305.00402."
    )
    view_classes = (FlowView, CompareView, DirectionsView, ColourView, PaperView, EstimatorStudy)
