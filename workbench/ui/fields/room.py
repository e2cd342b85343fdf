"""The frame of the fields room."""

from typing import Any

from workbench import fields
from workbench.figures import fields as figures
from workbench.ui.fields.budget import BudgetView
from workbench.ui.fields.canvas import FieldsView
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
    paper = (
        "After Y. Lipman et al., “Flow matching for generative modeling”, arXiv 2210.02747, and A. Tong et al., "
        "“Improving and generalizing flow-based generative models with minibatch optimal transport”, arXiv 2302.00482; "
        "K. Nguyen and N. Ho, “Sliced Wasserstein estimation with control variates”, arXiv 2305.00402 (generators); "
        "L. Atanackovic et al., “Meta flow matching”, arXiv 2408.14608 (populations); Q. Dao et al., “Flow matching in "
        "latent space”, arXiv 2307.08698 (latent flows); Y. Liu et al., “Downscaling extreme precipitation with "
        "Wasserstein regularized diffusion”, arXiv 2410.00381 (downscaling)."
    )
    view_classes = (
        FieldsView,
        TrainingView,
        BudgetView,
        PopulationsView,
        OwnPopulationsView,
        LatentView,
        DownscalingView,
        OwnRainView,
        SlicedLossView,
    )

    @classmethod
    def thumbnail(cls) -> Any:
        """Return exact, memorised and learned field of five blobs."""
        return figures.field_arrows(fields.field_report())
