"""Embeddings: what energy confusion and retrieval scores see, and whether the first helps to find unseen classes.

"Energy confused adversarial metric learning for zero-shot image retrieval and clustering" (ECAML), AAAI 2019, arXiv
1901.07169.
"""

from workbench.metrics.embeddings.baselines import EMBEDDING_BASELINES
from workbench.metrics.embeddings.blind import embedding_confusions, embedding_invariances
from workbench.metrics.embeddings.confusion import energy_confusion, energy_distance
from workbench.metrics.embeddings.files import EmbeddingReading, read_embeddings
from workbench.metrics.embeddings.hiding import hide_from
from workbench.metrics.embeddings.losses import EMBEDDING_LOSSES
from workbench.metrics.embeddings.report import WITH, WITHOUT, embedding_report
from workbench.metrics.embeddings.retrieval import retrieval
from workbench.metrics.embeddings.sight import SHAPES, confusion_sight, two_classes
from workbench.metrics.embeddings.yardsticks import EMBEDDING_YARDSTICKS
from workbench.metrics.embeddings.zero_shot import PAPERS_WEIGHT, zero_shot

__all__ = [
    "EMBEDDING_BASELINES",
    "EMBEDDING_LOSSES",
    "EMBEDDING_YARDSTICKS",
    "PAPERS_WEIGHT",
    "SHAPES",
    "WITH",
    "WITHOUT",
    "EmbeddingReading",
    "confusion_sight",
    "embedding_confusions",
    "embedding_invariances",
    "embedding_report",
    "energy_confusion",
    "energy_distance",
    "hide_from",
    "read_embeddings",
    "retrieval",
    "two_classes",
    "zero_shot",
]
