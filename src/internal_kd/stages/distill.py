"""Stage `distill`: train a student, with or without a teacher (Experiments 1.1 to 3.6)."""

import logging
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from internal_kd.distillation.checkpoints import Checkpoints
from internal_kd.distillation.companions import Companion, Settings, companions
from internal_kd.distillation.run import carry_out, write_run
from internal_kd.distillation.together import LockStep, Student
from internal_kd.distillation.workshop import Workshop
from internal_kd.runtime import select_device, use_threads
from internal_kd.stages.cli import recorder, run_stage

logger = logging.getLogger(__name__)

INPUTS = ("init", "data", "teacher")


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--init", type=Path, required=True, help="folder of the initial student")
    parser.add_argument("--data", type=Path, required=True, help="tokens of the task")
    parser.add_argument("--teacher", type=Path, help="folder of the teacher's model")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--checkpoints", type=Path, help="folder to go on from if interrupted")
    parser.add_argument(
        "--together",
        nargs="+",
        help="JSON file of planned runs, and names of some to train beside",
    )


def main(args: Namespace) -> None:
    """Train the student; settings: run, experiment, training, distillation, selection and
    teacher_seed.
    """
    inputs = [path for name in INPUTS if (path := getattr(args, name)) is not None]
    told = [args.settings, args.code]
    record = recorder(args, INPUTS)
    carry_out(args.checkpoints, args.out, told, inputs, partial(_distill, args), record)


def _distill(args: Namespace, out: Path, checkpoints: Checkpoints | None) -> None:
    started = time.perf_counter()
    use_threads()
    workshop = Workshop(args.settings, args.init, args.data, args.teacher, select_device())
    workshop.flags(args.settings)  # unreadable ones are told before hours of training
    # Compiled steps reuse their tensors, also those of a teacher that others still want to read.
    able = checkpoints and not args.settings["training"].get("compile")
    together = args.together if able else None
    with companions(together, args.code, workshop.inputs) as found:
        beside = _fitting(workshop, args.settings, found)
        if beside and checkpoints:
            own = _train_beside(args, workshop, checkpoints, beside, started)
            _leave(args, workshop, len(beside) + 1, own, out)
            return
    (source,) = workshop.sources([args.settings])
    training = workshop.training(args.settings, source, checkpoints)
    training.run()
    seconds = time.perf_counter() - started
    _leave(args, workshop, 1, Student(args.settings, training, seconds), out)


def _fitting(workshop: Workshop, own: Settings, found: Sequence[Companion]) -> list[Companion]:
    """The companions whose signals the budget holds; the others are let go."""
    fits = workshop.fitting([own, *(companion.settings for companion in found)])[1:]
    for companion, fit in zip(found, fits, strict=True):
        if not fit:
            logger.info("%s is left out: its signals do not fit beside", companion.name)
            companion.let_go()
    return [companion for companion, fit in zip(found, fits, strict=True) if fit]


def _train_beside(
    args: Namespace,
    workshop: Workshop,
    checkpoints: Checkpoints,
    beside: Sequence[Companion],
    started: float,
) -> Student:
    """Train the student of this run in step with its companions, which leave their files."""
    names = ", ".join(companion.name for companion in beside)
    logger.info("%d students in step: this one and %s", len(beside) + 1, names)
    sources = workshop.sources([args.settings, *(other.settings for other in beside)])
    batches = workshop.batches(args.settings)
    training = workshop.training(args.settings, sources[0], checkpoints, batches)
    own = Student(args.settings, training, time.perf_counter() - started)
    others = []
    for companion, source in zip(beside, sources[1:], strict=True):
        with companion.failures_told():
            training = workshop.training(
                companion.settings, source, companion.checkpoints, batches, companion.log
            )
            others.append(Student(companion.settings, training, companion=companion))
    LockStep(own, others, partial(_leave, args, workshop, len(beside) + 1)).run()
    return own


def _leave(args: Namespace, workshop: Workshop, students: int, student: Student, out: Path) -> None:
    """Put the files of a student whose steps are all done into a folder."""
    write_run(
        out,
        student.training.model,
        workshop.data,
        student.training.result(),
        settings=student.settings,
        code=args.code,
        tokenizer=args.init,
        flags=workshop.flags(student.settings),
        seconds=student.seconds,
        students=students,
    )


if __name__ == "__main__":
    run_stage("internal_kd.stages.distill", add_arguments, main, inputs=None)
