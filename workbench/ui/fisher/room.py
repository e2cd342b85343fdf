"""The fisher room: its six questions and what holds of the paper."""

from workbench.ui.fisher.across_view import AcrossView
from workbench.ui.fisher.identity_view import IdentityView
from workbench.ui.fisher.live_view import LiveView
from workbench.ui.fisher.metric_view import MetricView
from workbench.ui.fisher.models_view import ModelsView
from workbench.ui.fisher.scaling_view import ScalingView
from workbench.ui.room import Room
from workbench.ui.studies import CurvatureStudy


class FisherRoom(Room):
    """Exact curvature on Ising lattices, far past the sizes of the paper."""

    title, slug = "Fisher", "fisher"
    purpose = "See the Fisher metric of an Ising lattice, and how its curvature grows with size."
    paper = (
        "After M. Zhuravlev, “Fisher Curvature Scaling at Critical Points”, arXiv 2603.07651; exact values by "
        "Pfaffians where the paper used transfer matrices to L = 9 and Monte Carlo to L = 24."
    )
    view_classes = (ScalingView, MetricView, AcrossView, LiveView, ModelsView, IdentityView, CurvatureStudy)
