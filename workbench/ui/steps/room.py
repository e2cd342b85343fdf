"""The steps room."""

from workbench.ui.room import Room
from workbench.ui.steps.bottlenecks import BottlenecksView
from workbench.ui.steps.limits import LimitsView
from workbench.ui.steps.spike import SpikeView
from workbench.ui.steps.sweep import SweepView, TemperatureView
from workbench.ui.steps.taylor import TaylorView
from workbench.ui.steps.zeros import ZerosView
from workbench.ui.studies import SpikeStudy


class StepsRoom(Room):
    """What limits a training step, and how to cap it."""

    title, slug = "Steps", "steps"
    purpose = "See what limits a training step, on which sample, and watch a guard cap it."
    paper = (
        "After P. Sao, “Ghosts of Softmax: Complex Singularities That Limit Safe Step Sizes in Cross-Entropy”, arXiv "
        "2603.13552; here every radius is measured along the update that is really made."
    )
    view_classes = (
        ZerosView,
        TaylorView,
        LimitsView,
        SweepView,
        SpikeView,
        BottlenecksView,
        TemperatureView,
        SpikeStudy,
    )
