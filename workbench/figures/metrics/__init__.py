"""Figures of the metrics room, a module for each family."""

from typing import Any

from workbench.figures.metrics.rankings import roc_and_pr

FIGURES = {
    "ranking": roc_and_pr,
}
STUDIES: dict[str, Any] = {}

__all__ = ["FIGURES", "STUDIES", "roc_and_pr"]
