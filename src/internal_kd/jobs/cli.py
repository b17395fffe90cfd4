"""What jobs have in common: their form, log file, check of the code, reports of mistakes."""

import atexit
import gc
import json
import logging
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Generic, Protocol, TextIO, TypeVar

import msgspec

from internal_kd.errors import Interrupted, UserError, printable, reason
from internal_kd.fingerprint import current_fingerprint
from internal_kd.jobs.files import Reads, Writes, add_options, files_of, paths_of
from internal_kd.jobs.resource_errors import resource_error
from internal_kd.manifests import JobFields, SignalOrigin, hashes, write_manifest

FAULT = 1
USER_ERROR = 2
INTERRUPTED = 75  # EX_TEMPFAIL of sysexits.h: try again

Files = TypeVar("Files")
Files_co = TypeVar("Files_co", covariant=True)
Settings = TypeVar("Settings")


class Recorder(Protocol):
    """Writes the manifest of a job, if a path is given for one."""

    def __call__(self, signals: SignalOrigin | None = None) -> None:
        """Write it; `signals` is where a student had the teacher's signals from."""
        ...


@dataclass(frozen=True)
class Call(Generic[Files_co]):
    """How a job was called.

    Attributes:
        files: of the job.
        settings: as the JSON has them.
        code: fingerprint of the code that is expected to run, if there is one.
        manifest: path of the record of what was made from what, if one is to be written.
        log: file for progress and messages, if there is one.
    """

    files: Files_co
    settings: dict[str, object]
    code: str | None
    manifest: Path | None
    log: Path | None

    @property
    def inputs(self) -> list[Path]:
        """Files and folders that the job reads."""
        return paths_of(self.files, Reads)

    @property
    def outputs(self) -> list[Path]:
        """Files and folders that the job writes."""
        return paths_of(self.files, Writes)

    def recorder(self) -> Recorder:
        """What writes the manifest, if a path is given, from the inputs as they are now."""
        manifest = self.manifest
        if manifest is None:
            return lambda signals=None: None
        read = hashes(self.inputs)

        def record(signals: SignalOrigin | None = None) -> None:
            job: JobFields = {"settings": self.settings, "code": self.code, "signals": signals}
            write_manifest(manifest, self.outputs, read, **job)

        return record


@dataclass(frozen=True)
class Job(Generic[Files, Settings]):
    """A program that a rule of the workflow calls.

    Attributes:
        files: dataclass of its files in the module of the job, see `files`; the options of the
            command come from it.
        settings: type that its settings are decoded into.
        main: does the work; see `recorded` for one that does not need to know how it was called.
        more_code: gives modules that `main` loads by name, whose code counts as the job's.
        on_failure: is called with one sentence on what ended the job.
    """

    files: type[Files]
    settings: type[Settings]
    main: Callable[[Files, Settings, Call[Files]], None]
    more_code: Callable[[Call[Files]], Sequence[str]] = lambda _: ()
    on_failure: Callable[[Call[Files], str], None] = lambda *_: None

    @property
    def module(self) -> str:
        """Full name of its module, such as `internal_kd.jobs.distill`."""
        return self.files.__module__


def recorded(
    main: Callable[[Files, Settings], None],
) -> Callable[[Files, Settings, Call[Files]], None]:
    """Have a job write its manifest when `main` has done the work, if a path is given."""

    def recorded_main(files: Files, settings: Settings, call: Call[Files]) -> None:
        record = call.recorder()
        main(files, settings)
        record()

    return recorded_main


def run_job(job: Job[Files, Settings], argv: Sequence[str] | None = None) -> None:
    """Parse arguments, do the job and turn a user's mistake into one sentence and exit status 2.

    An interrupted training that can go on ends with status 75.

    Args:
        job: that is done.
        argv: arguments without the program's name; those of the process if None.
    """
    _collect_garbage_again()
    args = _parser(job).parse_args(argv)
    call = Call(files_of(job.files, args), args.settings, args.code, args.manifest, args.log)
    status, sentence = _status_of(job, call)
    if status in (FAULT, USER_ERROR):
        job.on_failure(call, sentence)
    if status:
        sys.exit(status)


def _collect_garbage_again() -> None:
    """After the imports of a job that is the process's program, see this package.

    What they made stays for good: not collecting it makes the process's end quicker too.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
        atexit.register(gc.freeze)


def _status_of(job: Job[Files, Settings], call: Call[Files]) -> tuple[int, str]:
    """Exit status of a job, and one sentence on what ended it, which is reported."""
    name = job.module
    try:
        if call.log is not None:
            _close_stdin()
        _log_to(call.log)
        more = job.more_code(call)
        name = more[-1] if more and job.module.endswith(".product") else job.module
        _check_code((job.module, *more), name, call.code)
        job.main(call.files, msgspec.convert(call.settings, job.settings), call)
    except UserError as error:
        return _refused(str(error))
    except Interrupted as interruption:
        logging.warning("%s", interruption)
        return INTERRUPTED, str(interruption)
    except Exception as error:
        sentence = resource_error(error, _written(call))
        if sentence is not None:
            return _refused(sentence)
        logging.exception("%s failed", name)
        return FAULT, f"{type(error).__name__}: {reason(error)}"
    return 0, ""


def _close_stdin() -> None:
    """A job has no terminal: what is typed there is no answer to a question of some library."""
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)


def _refused(sentence: str) -> tuple[int, str]:
    logging.error("error: %s", printable(sentence))
    return USER_ERROR, sentence


def _parser(job: Job[Files, Settings]) -> ArgumentParser:
    package, _, name = job.module.rpartition(".")
    parser = ArgumentParser(prog=f"python -m {package} {name}")
    parser.add_argument(
        "--settings", type=json.loads, default={}, help="JSON: the settings of this job"
    )
    parser.add_argument("--code", help="fingerprint of the code that is expected to run")
    parser.add_argument("--manifest", type=Path, help="record to write of what was made from what")
    parser.add_argument("--log", type=Path, help="file for progress and messages")
    add_options(parser, job.files)
    return parser


def _written(call: Call[Files]) -> Path:
    """Where a job writes: the first of its outputs, or its log."""
    return next(iter(call.outputs), call.log or Path())


def _log_to(path: Path | None) -> None:
    """Send all that goes to stderr into the log, and some of it to the terminal too."""
    if isinstance(sys.stderr, TextIOWrapper):  # also where the locale has another encoding
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    if path is not None:
        terminal = logging.StreamHandler(_second_stderr())
        terminal.addFilter(_shown_on_terminal(terminal.stream.isatty()))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        with open(path, "ab") as log:  # so that a process which still writes there makes no holes
            os.dup2(log.fileno(), 2)
        logging.getLogger().addHandler(terminal)
    logging.captureWarnings(True)
    for noisy in ("httpx", "httpx2", "urllib3", "filelock", "fsspec"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _second_stderr() -> TextIO:
    """What stderr is now, for when it leads into the log."""
    return os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")


def _shown_on_terminal(is_terminal: bool) -> Callable[[logging.LogRecord], bool]:
    """Warnings and errors; epochs too where jobs do not run side by side, or as the user says."""
    shown = os.environ.get("INTERNAL_KD_PROGRESS")
    progress = is_terminal if shown is None else shown == "1"

    def is_shown(record: logging.LogRecord) -> bool:
        ours = record.name.startswith("internal_kd.")
        return record.levelno >= logging.WARNING or (progress and ours)

    return is_shown


def _check_code(modules: Sequence[str], name: str, expected: str | None) -> None:
    """Sources edited while a job waited in a queue would falsify the record of what ran."""
    if expected is None:
        return
    found = current_fingerprint(*modules, planned=expected)
    if found != expected:
        raise UserError(
            f"the code of {name} changed since this job was planned "
            f"({expected} expected, {found} found); run snakemake again"
        )
