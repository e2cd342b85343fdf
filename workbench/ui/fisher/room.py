"""The fisher room: its questions and what holds of its papers."""

import holoviews as hv

from workbench import fisher
from workbench.figures import fisher as figures
from workbench.ui.fisher.across import AcrossView
from workbench.ui.fisher.identity import IdentityView
from workbench.ui.fisher.live import LiveView
from workbench.ui.fisher.metric import MetricView
from workbench.ui.fisher.models import ModelsView
from workbench.ui.fisher.pairs import PairsView
from workbench.ui.fisher.regulators import RegulatorsView
from workbench.ui.fisher.scaling import ScalingView
from workbench.ui.fisher.study import CurvatureStudy
from workbench.ui.fisher.transport import TransportView
from workbench.ui.fisher.web import WebView
from workbench.ui.kit.room import Room


class FisherRoom(Room):
    """Exact curvature of lattices far past the sizes of the paper, of densities, and of what learners see."""

    slug = "fisher"
    view_classes = (
        ScalingView,
        MetricView,
        AcrossView,
        LiveView,
        ModelsView,
        IdentityView,
        WebView,
        PairsView,
        TransportView,
        RegulatorsView,
        CurvatureStudy,
    )

    @classmethod
    def thumbnail(cls) -> hv.Overlay:
        """Return the exact effective exponents beside the paper's prediction."""
        exact = fisher.shipped_scaling()
        fit = fisher.fit_power_law(exact.sites, exact.scalar_curvature, window=(36, 81))
        predicted = fisher.EXPONENTS["ising-2d"].predicted
        return figures.exponents(exact, window=(6, 9), fit=fit, predicted=predicted, beyond=None)
