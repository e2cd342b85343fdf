"""One function over a grid of parameters: on this machine or on a cluster, resumable, every cell kept.

>>> from workbench import sweeps
>>> sweeps.find("fisher.ising_curvature").__name__
'ising_curvature'
"""

from workbench.sweeps.engine import WorkersDied
from workbench.sweeps.experiments import experiments, find
from workbench.sweeps.forecast import cost
from workbench.sweeps.run import sweep
from workbench.sweeps.status import Status, failures, status
from workbench.sweeps.study import Study, read_study, run_study
from workbench.sweeps.workers import processes
from workbench.sweeps.zarr_regions import open_zarr

__all__ = [
    "Status",
    "Study",
    "WorkersDied",
    "cost",
    "experiments",
    "failures",
    "find",
    "open_zarr",
    "processes",
    "read_study",
    "run_study",
    "status",
    "sweep",
]
