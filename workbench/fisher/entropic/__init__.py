"""Entropic curvature of densities: between two measures, at every cell of a field, and of a whole periodic box.

After T. T. Takeuchi, "A Geometric Theory of Cosmological Structure via Entropic Curvature in Wasserstein Space", arXiv
2604.00593, of which only the abstract could be read: it has no numbers, no code and no data. The definitions are their
natural reading, everything else is derived and tested here.

From the ground up: ``grid`` (derivatives by Fourier transforms), ``symmetric`` (matrices by components, classes by
signs), ``fields`` (random densities), ``curvature`` and ``scale`` (fields), ``statistics`` (closed forms), ``measures``
and ``pairs`` (two measures), ``periodic`` (exact transport of a box), ``files``, ``study`` and ``report``.
"""

from workbench.fisher.entropic.curvature import TENSORS, curvature_field
from workbench.fisher.entropic.fields import FIELDS, field
from workbench.fisher.entropic.files import FieldReading, cloud_in_cell, read_field
from workbench.fisher.entropic.measures import Bumps, Normal, Table
from workbench.fisher.entropic.pairs import entropic_curvature
from workbench.fisher.entropic.periodic import PeriodicTransport, periodic_reconstruction, periodic_transport
from workbench.fisher.entropic.report import web_report
from workbench.fisher.entropic.scale import scale_flow
from workbench.fisher.entropic.statistics import PowerLaw, curvature_statistics, eigenvalue_shares
from workbench.fisher.entropic.study import web_study
from workbench.fisher.entropic.symmetric import web

__all__ = [
    "FIELDS",
    "TENSORS",
    "Bumps",
    "FieldReading",
    "Normal",
    "PeriodicTransport",
    "PowerLaw",
    "Table",
    "cloud_in_cell",
    "curvature_field",
    "curvature_statistics",
    "eigenvalue_shares",
    "entropic_curvature",
    "field",
    "periodic_reconstruction",
    "periodic_transport",
    "read_field",
    "scale_flow",
    "web",
    "web_report",
    "web_study",
]
