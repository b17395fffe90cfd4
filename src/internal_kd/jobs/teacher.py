"""Job `teacher`: fine-tune the base model on a task (Experiment 1.0)."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.finetuning import finetuning_objective
from internal_kd.distillation.run import (
    RunRecord,
    load_run_data,
    make_training,
    run_resumable,
    write_run,
)
from internal_kd.distillation.schedules import Schedule
from internal_kd.jobs.cli import Call, Job
from internal_kd.jobs.failed_runs import note_failed_run
from internal_kd.jobs.files import Option, Reads, Writes
from internal_kd.models.loading import new_classifier
from internal_kd.specs.jobs import TeacherJob
from internal_kd.streams import Streams
from internal_kd.torch_setup import select_device, use_threads


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    base: Annotated[Path, Reads("folder of the base model")]
    data: Annotated[Path, Reads("tokens of the task")]
    out: Annotated[Path, Writes("folder of the run")]
    checkpoints: Annotated[Path | None, Option("folder to resume from if interrupted")] = None


def main(files: Files, job: TeacherJob, call: Call[Files]) -> None:
    """Fine-tune."""
    train, record = partial(_fine_tune, call, job), call.recorder()
    run_resumable(
        files.checkpoints, files.out, call.settings, call.code, call.inputs, train, record
    )


def _fine_tune(
    call: Call[Files], job: TeacherJob, out: Path, checkpoints: Checkpoints | None
) -> None:
    started, files = time.perf_counter(), call.files
    use_threads()
    device = select_device()
    streams = Streams("teacher", job.run.task, job.run.seed)
    data = load_run_data(files.data, job.run, job.selection, streams)
    model = new_classifier(files.base, data.labels, streams.head, device)
    training = make_training(
        model,
        data,
        finetuning_objective,
        Schedule(),
        job.training,
        streams,
        checkpoints,
    )
    result = training.run()
    write_run(out, model, data, result, files.base, RunRecord(job, call.code, started))


JOB = Job(Files, TeacherJob, main, on_failure=note_failed_run)
