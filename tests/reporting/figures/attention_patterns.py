"""Attention maps with patterns that BERT shows, drawn at random, and what figures make of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from internal_kd.evaluation.attention_maps import AttentionMaps
from internal_kd.specs.reports import ModelsSettings, Row
from internal_kd.study.glue import GLUE

SHORT = ["[CLS]", "how", "do", "i", "get", "into", "college", "?", "[SEP]"]
TEXTS = (
    "if donald trump loses the general election , will he attempt to seize power by force claiming "
    "the election was fraud ##ulent ?",
    "how will donald trump react if and when he loses the election ?",
)
LONG = ["[CLS]", *TEXTS[0].split(), "[SEP]", *TEXTS[1].split(), "[SEP]"]
SETTINGS = ModelsSettings(
    task_specs=GLUE,
    study="small",
    note="Not the paper's numbers.",
    teacher=Row("exp1.0", "Teacher"),
    standard=Row("exp2.0", "Student soft", "random"),
    internal=Row("exp3.2", "Student soft + kl + cos", "random"),
)


def patterned_maps(tokens: Sequence[str], layers: int = 4, heads: int = 4) -> AttentionMaps:
    """A teacher that attends to [SEP], [CLS], itself or the next token, and two students.

    The student of internal KD is near to it, that of standard KD is not.
    """
    rng = np.random.default_rng(0)
    size = len(tokens)
    special = np.isin(tokens, ["[CLS]", "[SEP]"])
    patterns = [
        np.tile(np.array(tokens) == "[SEP]", (size, 1)),
        np.tile(np.arange(size) == 0, (size, 1)),
        np.eye(size),
        np.eye(size, k=1),
    ]
    scores = np.array([[4.0 * patterns[(i + j) % 4] for j in range(heads)] for i in range(layers)])
    teacher, standard, internal = (
        _softmax(scores + noise * rng.normal(size=scores.shape)) for noise in (0.5, 2.0, 0.6)
    )
    divergences = (_divergence(teacher, student) for student in (standard, internal))
    matched = np.arange(2, 2 * layers + 1, 2)
    pictures = (teacher, standard, internal)
    return AttentionMaps(12, np.array(tokens), special, matched, *pictures, *divergences)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores)
    return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)


def _divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return (p * np.log(p / q)).sum(-1).mean(-1)


@dataclass
class Drawn:
    """What a module handed to `save_figure`."""

    figure: Figure
    frame: pd.DataFrame
    remarks: str

    @property
    def axes(self) -> list[Any]:
        """The panels, without the colour bar."""
        return [axes for axes in self.figure.axes if axes.get_label() != "<colorbar>"]


def drawn(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, draw: Callable[..., None], *args: Any
) -> Drawn:
    """Call a module's drawing function and keep the figure instead of saving it."""
    found: list[Drawn] = []

    def keep(figure: Figure, frame: pd.DataFrame, out: Any, remarks: Sequence[str]) -> None:
        plt.close(figure)
        found.append(Drawn(figure, frame, " ".join(remarks).replace("\n", " ")))

    monkeypatch.setattr(module, "save_figure", keep)
    draw(*args)
    return found[0]


def words(labels: Sequence[Any]) -> list[str]:
    """The texts of tick labels."""
    return [label.get_text() for label in labels]
