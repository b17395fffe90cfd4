"""Job `agnostic`: distil a general student from the base model on unlabelled text."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from internal_kd.distillation.agnostic import AgnosticBuilder, AgnosticFiles, write_agnostic
from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.run import run_resumable
from internal_kd.jobs.cli import Call, Job
from internal_kd.jobs.failed_runs import note_failed_run
from internal_kd.jobs.files import Option, Reads, Writes
from internal_kd.objectives.extensions import load_extensions
from internal_kd.objectives.registry import modules_of
from internal_kd.specs.agnostic import AgnosticJob
from internal_kd.specs.jobs import decode
from internal_kd.torch_setup import select_device, use_threads


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    base: Annotated[Path, Reads("folder of the base model, which is the teacher")]
    init: Annotated[Path, Reads("folder of the initial student")]
    corpus: Annotated[Path, Reads("folder of the tokens")]
    out: Annotated[Path, Writes("folder of the general student, its history and its metrics")]
    checkpoints: Annotated[Path | None, Option("folder to resume from if interrupted")] = None


def main(files: Files, job: AgnosticJob, call: Call[Files]) -> None:
    """Distil the student."""
    run_resumable(
        files.checkpoints,
        files.out,
        call.settings,
        call.code,
        call.inputs,
        partial(_distill, call, job),
        call.recorder(),
    )


def _distill(
    call: Call[Files], job: AgnosticJob, out: Path, checkpoints: Checkpoints | None
) -> None:
    started, files = time.perf_counter(), call.files
    use_threads()
    load_extensions(job.extensions)
    folders = AgnosticFiles(files.base, files.init, files.corpus)
    builder = AgnosticBuilder(job, folders, select_device())
    write_agnostic(out, builder, builder.training(checkpoints), call.code, started)


def _objectives(call: Call[Files]) -> tuple[str, ...]:
    """Modules that hold the objectives; those of the user's own files are loaded."""
    job = decode(call.settings, AgnosticJob)
    load_extensions(job.extensions)
    return modules_of(job.internal, ())


JOB = Job(Files, AgnosticJob, main, more_code=_objectives, on_failure=note_failed_run)
