"""What a run leaves in its metrics.json: the training writes it, tables and figures read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from internal_kd.specs.runs import Run

Reason = Literal["threshold", "limit"]
Scores = Mapping[str, float]  # by metric, from 0 to 1; MCC from -1 to 1


@dataclass(frozen=True)
class LayerFinished:
    """A layer's distillation ended: after which one-based epoch, why, at which mean cosine loss."""

    layer: int
    epoch: int
    reason: Reason
    cosine: float | None


@dataclass(frozen=True)
class Parameters:
    """Numbers of parameters, see `models.parameters.count_parameters`."""

    total: int
    embeddings: int
    layers: int
    pooler: int
    classifier: int


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """What tables, figures and statistics read of it.

    Attributes:
        format: version of the files of a run, see `run_format`.
        run: which one.
        validation: development scores of the kept epoch; None where the labels are hidden.
        test: test scores; None where the labels are hidden or the data have no test split.
        last_epoch: development scores of the last epoch.
        majority: scores of always answering the majority class, by split.
        parameters: of the model.
        train_examples: number of examples trained on.
        schedule: layers in the order in which they were finished.
        flags: remarks on the run, see `evaluation.flags`.
    """

    format: int
    run: Run
    validation: Scores | None
    test: Scores | None
    last_epoch: Scores | None
    majority: Mapping[str, Scores]
    parameters: Parameters
    train_examples: int
    schedule: tuple[LayerFinished, ...]
    flags: tuple[str, ...]

    @property
    def scores(self) -> dict[str, Scores]:
        """The scores that are known, by split; `last_epoch` is the development set after it."""
        found = {"validation": self.validation, "test": self.test, "last_epoch": self.last_epoch}
        return {split: scores for split, scores in found.items() if scores is not None}


@dataclass(frozen=True, kw_only=True)
class WrittenMetrics(Metrics):
    """All that is written.

    Attributes:
        selected_epoch: the one whose model is kept, from 1.
        code: fingerprint of the code that ran.
        settings: of the training's job.
        signals: where the teacher's signals came from; None for a run that reads none.
        speed: see `distillation.speed.speed_of`.
        seconds: that the run took.
    """

    selected_epoch: int
    code: str | None
    settings: Mapping[str, object]
    signals: Mapping[str, object] | None
    speed: Mapping[str, float | str]
    seconds: float
