"""Second-order optimisers to guard and to compare with, from their papers."""

from workbench.steps.optimisers.adahessian import AdaHessian, hutchinson_diagonal
from workbench.steps.optimisers.mfac import MFAC, InverseFisher

__all__ = ["MFAC", "AdaHessian", "InverseFisher", "hutchinson_diagonal"]
