"""Embeddings: what the paper's energy confusion sees, what retrieval scores see, and what training unseen classes tells.

"Energy confused adversarial metric learning for zero-shot image retrieval and clustering" (ECAML), AAAI 2019, arXiv
1901.07169.
"""

from workbench.metrics.embeddings.baselines import EMBEDDING_BASELINES
from workbench.metrics.embeddings.confusion import energy_confusion, energy_distance
from workbench.metrics.embeddings.losses import EMBEDDING_LOSSES
from workbench.metrics.embeddings.retrieval import retrieval
from workbench.metrics.embeddings.zero_shot import zero_shot

__all__ = [
    "EMBEDDING_BASELINES",
    "EMBEDDING_LOSSES",
    "energy_confusion",
    "energy_distance",
    "retrieval",
    "zero_shot",
]
