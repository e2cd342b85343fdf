"""The frame of the fields room."""

from typing import Any

from workbench import fields
from workbench.figures import fields as figures
from workbench.ui.fields.budget import BudgetView
from workbench.ui.fields.canvas import FieldsView
from workbench.ui.fields.codecs import CodecView
from workbench.ui.fields.downscaling import DownscalingView, OwnRainView
from workbench.ui.fields.latent import LatentView
from workbench.ui.fields.own_populations import OwnPopulationsView
from workbench.ui.fields.population import PopulationsView
from workbench.ui.fields.sliced import SlicedLossView
from workbench.ui.fields.training import TrainingView
from workbench.ui.kit.room import Room


class FieldsRoom(Room):
    """Train a vector field, and judge it against the exact one."""

    slug = "fields"
    also = ("arXiv 2302.00482",)
    view_classes = (
        FieldsView,
        TrainingView,
        BudgetView,
        PopulationsView,
        OwnPopulationsView,
        LatentView,
        CodecView,
        DownscalingView,
        OwnRainView,
        SlicedLossView,
    )

    @classmethod
    def thumbnail(cls) -> Any:
        """Return exact, memorised and learned field of five blobs."""
        return figures.field_arrows(fields.field_report())
