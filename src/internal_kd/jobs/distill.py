"""Job `distill`: train a student, with or without a teacher (Experiments 1.1 to 3.6)."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.run import RunRecord, run_resumable, write_run
from internal_kd.distillation.run_builder import RunBuilder
from internal_kd.distillation.signal_source import SignalOptions, describe_signals
from internal_kd.jobs.cli import Call, Job
from internal_kd.jobs.failed_runs import note_failed_run
from internal_kd.jobs.files import Option, Reads, Writes
from internal_kd.objectives.extensions import load_extensions
from internal_kd.specs.jobs import decode
from internal_kd.specs.records import read_metrics
from internal_kd.specs.students import StudentJob
from internal_kd.torch_setup import select_device, use_threads


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    init: Annotated[Path, Reads("folder of the initial student")]
    data: Annotated[Path, Reads("tokens of the task")]
    teacher: Annotated[Path | None, Reads("folder of the teacher's model")] = None
    out: Annotated[Path, Writes("folder of the run")]
    checkpoints: Annotated[Path | None, Option("folder to resume from if interrupted")] = None
    signals: Annotated[
        Path | None,
        Option("folder for the teacher's signals, shared by runs; without it the teacher is live"),
    ] = None
    signals_mb: Annotated[float, Option("millions of bytes that they may take")] = 0.0


def main(files: Files, job: StudentJob, call: Call[Files]) -> None:
    """Train the student."""
    write_manifest = call.recorder()
    run_resumable(
        files.checkpoints,
        files.out,
        call.settings,
        call.code,
        call.inputs,
        partial(_distill, call, job),
        lambda: write_manifest(read_metrics(files.out / "metrics.json").signals),
    )


def _distill(
    call: Call[Files], job: StudentJob, out: Path, checkpoints: Checkpoints | None
) -> None:
    started, files = time.perf_counter(), call.files
    use_threads()
    load_extensions(job.extensions)
    signals = SignalOptions(folder=files.signals, budget_mb=files.signals_mb)
    builder = RunBuilder(job, files.init, files.data, files.teacher, select_device(), signals)
    flags = builder.flags  # unreadable ones are reported before hours of training
    training = builder.training(checkpoints)
    result = training.run()
    write_run(
        out,
        training.model,
        builder.data,
        result,
        files.init,
        RunRecord(job, call.code, started, tuple(flags), describe_signals(builder.signals)),
    )


def _objectives(call: Call[Files]) -> tuple[str, ...]:
    """Modules that hold the run's objectives; those of the user's own files are loaded."""
    job = decode(call.settings, StudentJob)
    load_extensions(job.extensions)
    return job.experiment.modules


JOB = Job(Files, StudentJob, main, more_code=_objectives, on_failure=note_failed_run)
