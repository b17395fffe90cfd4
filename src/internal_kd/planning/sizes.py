"""Bytes that jobs need in memory and write to disk."""

from internal_kd.objectives.registry import (
    HEAD_SIZE,
    HEADS,
    HIDDEN,
    Amounts,
    reading_teacher,
    target_bytes,
    targets_of,
)
from internal_kd.planning.encoder import Encoder
from internal_kd.planning.texts import TaskTexts, Texts
from internal_kd.specs.jobs import TrainingJob
from internal_kd.specs.students import StudentJob

FLOAT = 4
# Parameters, those of the best epoch, and two moments of the optimizer.
COPIES_IN_CHECKPOINT = 4
# Measured: a row of predictions without its logits and probabilities; a token of text, compressed.
PREDICTION = 14
TEXT_TOKEN = 3
# A token's number and segment; a row's offset, label and index.
TOKEN, TOKEN_ROW = 5, 24


def signal_bytes(job: StudentJob, encoder: Encoder, train: Texts) -> float:
    """Bytes of the teacher's signals for all of a run's training examples, stored in fp32.

    As `distillation.signal_targets.signal_bytes` counts, which the run itself decides by.
    """
    targets = targets_of(job.experiment.internal)
    sizes = {HEADS: encoder.heads, HIDDEN: encoder.hidden}
    sizes[HEAD_SIZE] = encoder.hidden // encoder.heads
    amounts = Amounts(train.rows, train.tokens, train.squares)
    return sum(target_bytes(name, job.run.layers, sizes, amounts) for name in targets)


def read_signals(job: StudentJob) -> tuple[str, ...]:
    """The losses of a run that read the teacher's signals."""
    output = reading_teacher(job.experiment.output)
    return (*sorted(job.experiment.internal), *sorted(output))


def stored_signals(
    job: StudentJob, encoder: Encoder, task: TaskTexts, budget_mb: float
) -> tuple[str, ...]:
    """The losses of a run whose signals are stored; none without a teacher or with a live one."""
    read, signals = read_signals(job), job.distillation.signals
    if not read or signals is None:
        return ()
    train = task.train.times(job.run.percent / 100)
    fits = signal_bytes(job, encoder, train) <= budget_mb * 1e6
    return read if signals.source == "stored" or (signals.source == "auto" and fits) else ()


def stored_bytes(job: TrainingJob, encoder: Encoder, task: TaskTexts, budget_mb: float) -> float:
    """Bytes of the stored signals that a run reads."""
    if not isinstance(job, StudentJob) or not stored_signals(job, encoder, task, budget_mb):
        return 0
    return signal_bytes(job, encoder, task.train.times(job.run.percent / 100))


def model_bytes(encoder: Encoder, layers: int, classes: int) -> float:
    """A classifier on disk, without its tokenizer."""
    return FLOAT * encoder.parameters(layers, classes)


def run_bytes(encoder: Encoder, layers: int, task: TaskTexts) -> float:
    """What a run writes: model and predictions."""
    rows = task.validation.rows + task.test.rows
    row = PREDICTION + 2 * FLOAT * task.classes
    return model_bytes(encoder, layers, task.classes) + rows * row


def checkpoint_bytes(encoder: Encoder, layers: int, task: TaskTexts) -> float:
    """A run's checkpoint, which is there while it trains."""
    return COPIES_IN_CHECKPOINT * model_bytes(encoder, layers, task.classes)


def data_bytes(task: TaskTexts) -> float:
    """Tokens and texts of a task."""
    splits = (task.train, task.validation, task.test)
    rows, tokens = sum(split.rows for split in splits), sum(split.tokens for split in splits)
    return TOKEN_ROW * rows + (TOKEN + TEXT_TOKEN) * tokens
