"""Rankings from the user's own files: CSV in its dialects, or Parquet where pyarrow is installed.

A column named "label" (or "y", "target", …) says which items are positive, "group" and "weight" are optional, every
other column of numbers is a score. Nothing is guessed: a missing value, a NaN, a row of another length and text among
numbers are refused with their row.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench.clouds.columns import named_column, read_columns
from workbench.clouds.source import bytes_of
from workbench.metrics.rankings.inputs import MOST_GROUPS, Sample, sample
from workbench.progress import Progress

DEFAULT_LIMIT = 64 * 2**20
ROLES = {
    "label": ("label", "labels", "y", "y_true", "target", "truth", "class", "outcome"),
    "group": ("group", "groups", "subgroup"),
    "weight": ("weight", "weights", "sample_weight"),
}
TRUTH = {"0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True)
class RankingReading:
    """What a file holds: labels (N,), scores by the name of their column, groups, weights, and how it was read."""

    positive: NDArray[np.bool_]
    scores: Mapping[str, NDArray[Any]]
    group: NDArray[np.str_] | None
    weights: NDArray[np.float64] | None
    sentence: str

    def sample(self, name: str | None = None) -> Sample:
        """Return one column of scores (the first) with its labels, weights and groups, checked."""
        chosen = next(iter(self.scores)) if name is None else name
        return sample(self.positive, self.scores[chosen], weights=self.weights, group=self.group)


def read_rankings(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    positive: str | None = None,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> RankingReading:
    """Read labels and scores from a CSV, TSV or Parquet file, and say how it was read.

    ``source`` is a path, or a binary file with a ``.name``. The first row names the columns: one of "label", "y",
    "y_true", "target", "truth", "class", "outcome" holds the labels (0 and 1, true and false, or two texts of which
    ``positive`` is the positive one), "group" and "weight" may be there, all other columns of numbers are scores.

    Raises ``FileNotFoundError``; ``ValueError`` for an unknown or broken format, a missing value (with its row), and
    a file without labels or without scores. Parquet, and every file if ``apart``, is read in a process apart with
    bounded time and memory, which ``progress`` can end.

    >>> import io
    >>> stream = io.BytesIO(b"label;model\\n1;0,9\\n0;0,2\\n1;0,4\\n")
    >>> stream.name = "mine.csv"
    >>> found = read_rankings(stream)
    >>> found.scores["model"].tolist(), found.sentence
    ([0.9, 0.2, 0.4], '3 items, 2 positive; scores: model; separated by semicolons; decimal comma')
    """
    name, data = bytes_of(source, max_bytes)
    columns, told = read_columns(data, name, apart=apart, progress=progress)
    return reading_of(columns, name, positive, told)


def reading_of(columns: Mapping[str, NDArray[Any]], name: str, positive: str | None, told: str) -> RankingReading:
    """Return columns by their roles: labels, groups, weights, scores; errors as :func:`read_rankings`."""
    roles = {role: named_column(columns, names, name) for role, names in ROLES.items()}
    if roles["label"] is None:
        listed = ", ".join(list(columns)[:8])
        raise ValueError(
            f"{name} has the columns {listed}; name the one that says which items are positive “label”, and give it "
            "0 and 1"
        )
    others = {key: value for key, value in columns.items() if key not in roles.values()}
    scores = {key: value for key, value in others.items() if value.dtype.kind != "U"}
    left_out = [key for key in others if key not in scores]
    if not scores:
        raise ValueError(f"{name} has no column of numbers beside {roles['label']!r}; give one or more scores")
    group = None if roles["group"] is None else columns[roles["group"]].astype(str)
    if group is not None and len(np.unique(group)) > MOST_GROUPS:
        raise ValueError(f"{name} names {len(np.unique(group))} groups; up to {MOST_GROUPS} are told apart")
    weights = None
    if roles["weight"] is not None:
        weights = columns[roles["weight"]]
        if weights.dtype.kind == "U":
            raise ValueError(f"the column {roles['weight']!r} of {name} holds text; weights are numbers above 0")
        weights = weights.astype(float)
    is_positive = _labels(columns[roles["label"]], roles["label"], name, positive)
    shown = list(scores)[:6] + ["…"] * (len(scores) > 6)
    parts = [f"{len(is_positive)} items, {int(is_positive.sum())} positive", f"scores: {', '.join(shown)}"]
    parts += [f"{role}s" for role in ("group", "weight") if roles[role] is not None]
    parts += [f"left out: {', '.join(left_out[:6])}"] if left_out else []
    found = RankingReading(is_positive, scores, group, weights, "; ".join([*parts, told]))
    for key in scores:  # one class only, weights of 0: refused here, where the file's name is known
        found.sample(key)
    return found


def _labels(values: NDArray[Any], column: str, file: str, positive: str | None) -> NDArray[np.bool_]:
    kinds = np.unique(values)
    if len(kinds) > 2:
        raise ValueError(f"the column {column!r} of {file} holds {len(kinds)} different labels; a ranking needs two")
    texts = [_plain(kind) for kind in kinds.tolist()]
    if positive is not None and positive.strip():
        wanted = positive.strip()
        if wanted not in texts:
            raise ValueError(f"positive={wanted!r} is none of the labels of {file}: {' and '.join(texts)}")
        return values == kinds[texts.index(wanted)]
    if all(text.lower() in TRUTH for text in texts):
        return np.isin(values, [kind for kind, text in zip(kinds, texts, strict=True) if TRUTH[text.lower()]])
    if len(kinds) == 1:
        raise ValueError(f"all labels of {file} are {texts[0]}; a ranking needs positives and negatives")
    raise ValueError(f"{file} holds the labels {texts[0]} and {texts[1]}; say which is positive")


def _plain(label: Any) -> str:
    """Return a label as people write it: 1.0 is "1"."""
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label).strip()
