"""One run from data and model to the files that it writes."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from internal_kd.data.encoding import EncodedSplit, load_tokens, nested_stratified
from internal_kd.distillation.checkpoints import Checkpoints, run_identity
from internal_kd.distillation.finished import FinishedRun
from internal_kd.distillation.history import development_scores, write_history
from internal_kd.distillation.progress import ProgressFile, identity_of
from internal_kd.distillation.schedules import Schedule
from internal_kd.distillation.training import Objective, Training, TrainingResult, batches_of
from internal_kd.evaluation.metrics import flags_of, majority_baseline
from internal_kd.evaluation.predictions import SplitPredictions, write_predictions
from internal_kd.evaluation.trained import labelled, predict, scores_of
from internal_kd.locks import only_writer
from internal_kd.manifests import SignalOrigin
from internal_kd.models.bert import Classifier
from internal_kd.models.layers import count_parameters
from internal_kd.models.loading import copy_tokenizer
from internal_kd.specs.jobs import SelectionSettings, TrainingJob, encode
from internal_kd.specs.records import ParameterCounts, WrittenMetrics, write_metrics
from internal_kd.specs.runs import Run
from internal_kd.specs.training import TrainingSettings
from internal_kd.streams import Streams, holdout_seed

logger = logging.getLogger(__name__)

EVALUATED = ("validation", "test")
HOLDOUT = "holdout"
DEFAULT_METRIC = "accuracy"  # where neither study nor task name the score that selects


@dataclass(frozen=True)
class RunData:
    """Tokenised splits of a run's task, the training split cut to the run's share.

    Attributes:
        splits: by name; `train`, `validation`, where the task has one `test`, and `holdout` where a
            part of the training split is held out to choose the best epoch on.
        pad_token_id: of the tokenizer.
        labels: names of the classes.
    """

    splits: dict[str, EncodedSplit]
    pad_token_id: int
    labels: tuple[str, ...]

    @property
    def selection_split(self) -> str:
        """The split that the best epoch is chosen on."""
        return HOLDOUT if HOLDOUT in self.splits else "validation"


def load_run_data(
    tokens: str | Path, run: Run, selection: SelectionSettings, streams: Streams
) -> RunData:
    """Tokens of `run`'s task, with its nested, stratified share of the training split.

    Args:
        tokens: file of the task's tokens.
        run: its task and percent count.
        selection: what the best epoch is chosen on. The held-out rows are the same for every
            run of the task; the run's share is drawn from the others.
        streams: of the run.
    """
    splits, meta = load_tokens(tokens)
    if selection.split == HOLDOUT:
        splits |= _held_out(splits["train"], selection.share, run.task)
    train = splits["train"]
    splits["train"] = train.select(nested_stratified(train.labels, run.percent, streams.subset))
    return RunData(splits, meta.pad_token_id, meta.labels)


def _held_out(train: EncodedSplit, share: float, task: str) -> dict[str, EncodedSplit]:
    """The training split in two: what is left of it, and what is held out."""
    held = nested_stratified(train.labels, 100 * share, holdout_seed(task))
    rest = np.setdiff1d(np.arange(len(train)), held)
    return {"train": train.select(rest), HOLDOUT: train.select(held)}


def run_resumable(
    folder: Path | None,
    out: Path,
    settings: Mapping[str, object],
    code: str | None,
    inputs: Iterable[str | Path],
    train: Callable[[Path, Checkpoints | None], None],
    record: Callable[[], None],
) -> None:
    """Do a run, resuming from its checkpoints; nothing is to be done if it was finished before.

    A lock beside `folder` ensures that a run has one writer, for which others wait.

    Args:
        folder: for the checkpoints, removed when the run has ended well; None for none.
        out: folder that the run writes its files into.
        settings: of the run.
        code: fingerprint of the code.
        inputs: files and folders that the run reads.
        train: does the run and writes its files into the folder that it is given.
        record: called once all files are in `out`, before another writer can come.
    """
    if folder is None:
        train(out, None)
        record()
        return
    progress = ProgressFile(folder, identity_of(settings, code))
    with only_writer(folder.with_name(f"{folder.name}.lock")), progress:
        identity = run_identity([settings, code], inputs)
        finished = FinishedRun(folder.with_name(f"{folder.name}.finished"), identity)
        checkpoints = Checkpoints(folder, identity, progress=progress)
        if finished.restore(out):
            logger.info(
                "this run was already finished; its files are restored from %s", finished.folder
            )
        else:
            with finished.writing() as files:
                train(files, checkpoints)
            finished.put(out)
        checkpoints.remove()
        record()


def make_training(
    model: Classifier,
    data: RunData,
    objective: Objective,
    schedule: Schedule,
    settings: TrainingSettings,
    streams: Streams,
    checkpoints: Checkpoints | None = None,
    beside: nn.Module | None = None,
) -> Training:
    """The training of `model`, which is on its device, on a run's data; see `Training`."""
    return Training(
        model,
        batches_of(data.splits["train"], settings, streams, data.pad_token_id, model.device),
        objective,
        schedule,
        settings,
        evaluate=lambda model: {
            name: scores_of(predict(model, data.splits[name], data.pad_token_id, model.device))
            for name in dict.fromkeys(("validation", data.selection_split))
        },
        selected_by=(data.selection_split, settings.keep_metric or DEFAULT_METRIC),
        streams=streams,
        checkpoints=checkpoints,
        beside=beside,
    )


@dataclass(frozen=True)
class RunRecord:
    """What is recorded of a run beside its numbers.

    Attributes:
        job: what was trained.
        code: fingerprint of the code that ran.
        flags: remarks on the run known before its predictions.
        signals: where the teacher's signals came from, see `describe_signals`; None for a run that
            reads none.
        started: when the run started, on the clock of `time.perf_counter`.
    """

    job: TrainingJob
    code: str | None
    started: float
    flags: tuple[str, ...] = ()
    signals: SignalOrigin | None = None


def write_run(
    out: Path,
    model: Classifier,
    data: RunData,
    result: TrainingResult,
    tokenizer: str | Path,
    record: RunRecord,
) -> None:
    """Write model, history, predictions and metrics into the folder `out`.

    Args:
        tokenizer: folder whose tokenizer is put beside the model.
        record: what else is written into the metrics.
    """
    out.mkdir(parents=True, exist_ok=True)
    frames = {
        name: predict(model, data.splits[name], data.pad_token_id, model.device)
        for name in EVALUATED
        if name in data.splits
    }
    write_history(out / "history.csv", result.history)
    write_predictions(out / "predictions.parquet", frames)
    model.save_pretrained(out / "model")
    copy_tokenizer(tokenizer, out / "model")
    write_metrics(out / "metrics.json", _metrics(model, data, result, record, frames))


def _metrics(
    model: Classifier,
    data: RunData,
    result: TrainingResult,
    record: RunRecord,
    frames: Mapping[str, SplitPredictions],
) -> WrittenMetrics:
    labels = data.splits["train"].labels
    known = [name for name in frames if labelled(data.splits[name])]
    return WrittenMetrics(
        run=record.job.run,
        selected_epoch=result.selected_epoch,
        validation=scores_of(frames["validation"]),
        test=scores_of(frames["test"]) if "test" in known else None,
        majority={name: majority_baseline(labels, data.splits[name].labels) for name in known},
        last_epoch=development_scores(result.history[-1]),
        train_examples=len(labels),
        parameters=ParameterCounts(**count_parameters(model)),
        schedule=tuple(result.finished_layers),
        flags=(*record.flags, *flags_of(labels, frames["validation"])),
        code=record.code,
        settings=encode(record.job),
        signals=record.signals,
        speed=result.speed,
        seconds=round(time.perf_counter() - record.started, 2),
    )
