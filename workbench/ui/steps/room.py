"""The steps room."""

import holoviews as hv

from workbench import data
from workbench.figures import steps as figures
from workbench.ui.kit.room import Room
from workbench.ui.steps.bottlenecks import BottlenecksView
from workbench.ui.steps.limits import LimitsView
from workbench.ui.steps.molecules import MoleculeView
from workbench.ui.steps.saddle_study import SaddleStudy
from workbench.ui.steps.saddles import SaddleView
from workbench.ui.steps.spike import SpikeView
from workbench.ui.steps.study import SpikeStudy
from workbench.ui.steps.sweep import SweepView, TemperatureView
from workbench.ui.steps.taylor import TaylorView
from workbench.ui.steps.text import TextView
from workbench.ui.steps.training import TrainingView
from workbench.ui.steps.zeros import ZerosView


class StepsRoom(Room):
    """What limits a training step, and how to cap it."""

    slug = "steps"
    view_classes = (
        ZerosView,
        TaylorView,
        LimitsView,
        SweepView,
        SpikeView,
        TextView,
        TrainingView,
        BottlenecksView,
        TemperatureView,
        SpikeStudy,
        SaddleView,
        MoleculeView,
        SaddleStudy,
    )

    @classmethod
    def thumbnail(cls) -> hv.Overlay:
        """Return the complex zeros of the softmax of a trained net."""
        # so small a picture has no room for a legend that hides nothing; the room itself has one
        return figures.zeros_plane(data.result("steps/zeros_map.nc")).opts(show_legend=False, backend="bokeh")
