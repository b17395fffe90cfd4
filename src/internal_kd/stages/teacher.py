"""Stage `teacher`: fine-tune the base model on a task (Experiment 1.0)."""

import time
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

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
from internal_kd.models.loading import new_classifier
from internal_kd.specs.jobs import TeacherJob, decode
from internal_kd.stages.cli import recorder, run_stage
from internal_kd.stages.failed_runs import note_failed_run
from internal_kd.streams import Streams
from internal_kd.torch_setup import select_device, use_threads

INPUTS = ("base", "data")


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--data", type=Path, required=True, help="tokens of the task")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--checkpoints", type=Path, help="folder to resume from if interrupted")


def main(args: Namespace) -> None:
    """Fine-tune; settings: a `TeacherJob`."""
    inputs, record = [args.base, args.data], recorder(args, INPUTS)
    job, train = (args.settings, args.code), partial(_fine_tune, args)
    run_resumable(args.checkpoints, args.out, *job, inputs, train, record)


def _fine_tune(args: Namespace, out: Path, checkpoints: Checkpoints | None) -> None:
    started = time.perf_counter()
    use_threads()
    job, device = decode(args.settings, TeacherJob), select_device()
    streams = Streams("teacher", job.run.task, job.run.seed)
    data = load_run_data(args.data, job.run, job.selection, streams)
    model = new_classifier(args.base, data.labels, streams.head, device)
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
    write_run(out, model, data, result, args.base, RunRecord(job, args.code, started))


if __name__ == "__main__":
    run_stage(
        "internal_kd.stages.teacher",
        add_arguments,
        main,
        inputs=None,
        on_failure=note_failed_run,
    )
