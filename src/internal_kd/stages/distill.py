"""Stage `distill`: train a student, with or without a teacher (Experiments 1.1 to 3.6)."""

import time
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.run import RunRecord, run_resumable, write_run
from internal_kd.distillation.run_builder import RunBuilder
from internal_kd.distillation.signal_source import SignalOptions, describe_signals
from internal_kd.objectives.extensions import load_extensions
from internal_kd.specs.jobs import decode
from internal_kd.specs.records import read_metrics
from internal_kd.specs.students import StudentJob
from internal_kd.stages.cli import recorder, run_stage
from internal_kd.stages.failed_runs import note_failed_run
from internal_kd.torch_setup import select_device, use_threads

INPUTS = ("init", "data", "teacher")


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--init", type=Path, required=True, help="folder of the initial student")
    parser.add_argument("--data", type=Path, required=True, help="tokens of the task")
    parser.add_argument("--teacher", type=Path, help="folder of the teacher's model")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--checkpoints", type=Path, help="folder to resume from if interrupted")
    parser.add_argument(
        "--signals",
        type=Path,
        help="folder for the teacher's signals, shared by runs; without it the teacher is live",
    )
    parser.add_argument(
        "--signals-mb", type=float, default=0.0, help="millions of bytes that they may take"
    )


def main(args: Namespace) -> None:
    """Train the student; settings: a `StudentJob`."""
    inputs = [path for name in INPUTS if (path := getattr(args, name)) is not None]
    write_manifest = recorder(args, INPUTS)
    run_resumable(
        args.checkpoints,
        args.out,
        args.settings,
        args.code,
        inputs,
        partial(_distill, args),
        lambda: write_manifest(read_metrics(args.out / "metrics.json").signals),
    )


def _distill(args: Namespace, out: Path, checkpoints: Checkpoints | None) -> None:
    started = time.perf_counter()
    use_threads()
    job = decode(args.settings, StudentJob)
    load_extensions(job.extensions)
    signals = SignalOptions(folder=args.signals, budget_mb=args.signals_mb)
    builder = RunBuilder(job, args.init, args.data, args.teacher, select_device(), signals)
    flags = builder.flags  # unreadable ones are reported before hours of training
    training = builder.training(checkpoints)
    result = training.run()
    write_run(
        out,
        training.model,
        builder.data,
        result,
        args.init,
        RunRecord(job, args.code, started, tuple(flags), describe_signals(builder.signals)),
    )


def _objectives(args: Namespace) -> tuple[str, ...]:
    """Modules that hold the run's objectives; those of the user's own files are loaded."""
    job = decode(args.settings, StudentJob)
    load_extensions(job.extensions)
    return job.experiment.modules


if __name__ == "__main__":
    run_stage(
        "internal_kd.stages.distill",
        add_arguments,
        main,
        inputs=None,
        more_code=_objectives,
        on_failure=note_failed_run,
    )
