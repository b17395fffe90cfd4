"""The floor a task must not be solvable at: logistic regression on words and pairs of words."""

from itertools import pairwise

import pyarrow as pa
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

Features = dict[str, float]


def predictions(train: pa.Table, other: pa.Table, penalty: float = 0.3) -> list[int]:
    """Labels of `other` by a model fitted to `train`."""
    model = make_pipeline(DictVectorizer(), LogisticRegression(C=penalty, max_iter=2000))
    model.fit([features(row) for row in texts(train)], train.column("label").to_pylist())
    return list(model.predict([features(row) for row in texts(other)]))


def texts(table: pa.Table) -> list[list[str]]:
    """The texts of every row."""
    columns = [name for name in table.column_names if name not in ("label", "idx")]
    return [list(row.values()) for row in table.select(columns).to_pylist()]


def features(row: list[str]) -> Features:
    """Uni- and bi-grams of each text and, for pairs, which are in both and which in one only."""
    grams = [_grams(text.split()) for text in row]
    found: Features = {f"{place}:{gram}": 1.0 for place, part in enumerate(grams) for gram in part}
    if len(grams) == 2:
        first, second = grams
        found |= {f"both:{gram}": 1.0 for gram in first & second}
        found |= {f"one:{gram}": 1.0 for gram in first ^ second}
        found["share"] = len(first & second) / len(first | second)
        found["only in second"] = len(second - first) / 10
    return found


def _grams(words: list[str]) -> set[str]:
    return {*words, *(f"{one}_{two}" for one, two in pairwise(words))}
