"""What a run's metrics.json holds, for the job that writes it and for all who read it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from internal_kd.manifests import SignalOrigin
from internal_kd.specs.runs import Run

# Raised whenever runs of a former version must not stand beside new ones in a table.
# 1: teacher and students shared random numbers. 2: a stream for each purpose and role.
FORMAT = 2

Reason = Literal["threshold", "limit"]
Scores = Mapping[str, float]


@dataclass(frozen=True)
class LayerFinished:
    """A layer's distillation ended: after which one-based epoch, why, at which mean cosine loss."""

    layer: int
    epoch: int
    reason: Reason
    cosine: float | None


@dataclass(frozen=True)
class ParameterCounts:
    """Numbers of a model's parameters, see `models.layers.count_parameters`."""

    total: int
    embeddings: int
    layers: int
    pooler: int
    classifier: int


@dataclass(frozen=True)
class Speed:
    """How fast a training was; evaluation, the teacher's pass and start-up do not count.

    Attributes:
        device: its name.
        examples_per_second: of training.
        seconds_per_example: the same turned round, with more digits.
        real_tokens_per_padded_token: 1 if there is no padding; for the batches of epoch 1.
        peak_memory_mb: of the process, in millions of bytes.
        peak_gpu_memory_mb: of its tensors on a GPU; not written without a GPU.
    """

    device: str
    examples_per_second: float
    seconds_per_example: float
    real_tokens_per_padded_token: float
    peak_memory_mb: float
    peak_gpu_memory_mb: float | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """What tables, figures and statistics read of a run's metrics.json.

    Scores are 0 to 1 (MCC from -1), by metric.

    Attributes:
        format: see `FORMAT`.
        run: which one it is.
        validation: development scores of the kept epoch; None where the labels are hidden.
        test: test scores; None where the labels are hidden or the data have no test split.
        last_epoch: development scores of the last epoch.
        majority: scores of the most frequent class of the training split, by labelled split.
        parameters: of the model.
        train_examples: number of examples that the run trained on.
        schedule: the layers whose distillation ended before the training, in that order.
        flags: remarks on the run, see `evaluation.metrics`; those of its teacher come first.
    """

    format: int = FORMAT
    run: Run
    validation: Scores | None
    test: Scores | None
    last_epoch: Scores | None
    majority: Mapping[str, Scores]
    parameters: ParameterCounts
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
    """The whole content of a run's metrics.json.

    Attributes:
        selected_epoch: the one-based epoch whose model is kept.
        code: fingerprint of the code that ran, if the job was given one.
        settings: of the job, see `specs.jobs.encode`.
        signals: where the teacher's signals came from; None for a run that reads none.
        speed: of the training.
        seconds: from the start of the job to its end.
    """

    selected_epoch: int
    code: str | None
    settings: Mapping[str, object]
    signals: SignalOrigin | None
    speed: Speed
    seconds: float


@dataclass(frozen=True, kw_only=True)
class AgnosticMetrics:
    """The content of the metrics.json of a general model, distilled on unlabelled text.

    Attributes:
        layers: of the student.
        seed: of the training.
        steps: of the optimizer.
        held_out: mean loss on the held-out sequences after the last step, and its terms.
        sequences: number of sequences that it was trained on.
        parameters: of embeddings and layers.
        code, settings, speed, seconds: as in `WrittenMetrics`.
    """

    layers: int
    seed: int
    steps: int
    held_out: Mapping[str, float]
    sequences: int
    parameters: int
    code: str | None
    settings: Mapping[str, object]
    speed: Speed
    seconds: float


def write_metrics(path: Path, metrics: WrittenMetrics | AgnosticMetrics) -> None:
    """Write metrics as JSON, keys in alphabetical order."""
    text = json.dumps(msgspec.to_builtins(metrics), indent=1, sort_keys=True)
    path.write_text(f"{text}\n", encoding="utf-8")


def read_metrics(path: Path) -> WrittenMetrics:
    """Read what `write_metrics` wrote.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no metrics of a run.
    """
    return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), WrittenMetrics)
