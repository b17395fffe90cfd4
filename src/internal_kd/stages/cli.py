"""What stages have in common: arguments, log file, check of the code, reports of mistakes."""

import atexit
import gc
import json
import logging
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol, TextIO

from internal_kd.errors import Interrupted, UserError, printable, reason
from internal_kd.fingerprint import current_fingerprint
from internal_kd.manifests import JobFields, SignalOrigin, hashes, write_manifest
from internal_kd.stages.resource_errors import resource_error

FAULT = 1
USER_ERROR = 2
INTERRUPTED = 75  # EX_TEMPFAIL of sysexits.h: try again


def run_stage(
    module: str,
    add_arguments: Callable[[ArgumentParser], None],
    main: Callable[[Namespace], None],
    argv: Sequence[str] | None = None,
    *,
    inputs: Sequence[str] | None = (),
    outputs: Sequence[str] = ("out",),
    more_code: Callable[[Namespace], Sequence[str]] = lambda _: (),
    on_failure: Callable[[Namespace, str], None] = lambda *_: None,
) -> None:
    """Parse arguments, run `main` and turn a user's mistake into one sentence and exit status 2.

    An interrupted training that can go on ends with status 75.

    Args:
        module: full name of the stage's module, such as `internal_kd.stages.distill`.
        add_arguments: adds the stage's own arguments.
        main: does the work.
        argv: arguments without the program's name; those of the process if None.
        inputs: names of the arguments that are files or folders to read; None where `main` calls
            what `recorder` gives.
        outputs: names of the arguments that are files or folders to write. Both are recorded in the
            manifest, where the stage is given a path for one.
        more_code: gives modules that `main` loads by name, whose code counts as the stage's.
        on_failure: is called with the arguments and one sentence on what ended the stage.
    """
    _collect_garbage_again()
    parser = _parser(module)
    add_arguments(parser)
    args = parser.parse_args(argv)
    recorded = main if inputs is None else partial(_recorded, main, inputs, outputs)
    status, sentence = _status_of(module, more_code, recorded, args)
    if status in (FAULT, USER_ERROR):
        on_failure(args, sentence)
    if status:
        sys.exit(status)


def _collect_garbage_again() -> None:
    """After the imports of a stage that is the process's program, see this package.

    What they made stays for good: not collecting it makes the process's end quicker too.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
        atexit.register(gc.freeze)


def _status_of(
    module: str,
    more_code: Callable[[Namespace], Sequence[str]],
    main: Callable[[Namespace], None],
    args: Namespace,
) -> tuple[int, str]:
    """Exit status of a stage, and one sentence on what ended it, which is reported."""
    name = module
    try:
        if args.log is not None:
            _close_stdin()
        _log_to(args.log)
        more = more_code(args)
        name = more[-1] if more and module.endswith(".product") else module
        _check_code((module, *more), name, args.code)
        main(args)
    except UserError as error:
        return _refused(str(error))
    except Interrupted as interruption:
        logging.warning("%s", interruption)
        return INTERRUPTED, str(interruption)
    except Exception as error:
        sentence = resource_error(error, _written(args))
        if sentence is not None:
            return _refused(sentence)
        logging.exception("%s failed", name)
        return FAULT, f"{type(error).__name__}: {reason(error)}"
    return 0, ""


def _close_stdin() -> None:
    """A job has no terminal: what is typed there is no answer to a question of some library."""
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)


def _recorded(
    main: Callable[[Namespace], None],
    inputs: Sequence[str],
    outputs: Sequence[str],
    args: Namespace,
) -> None:
    """Do the work, and write a manifest if a path is given."""
    record = recorder(args, inputs, outputs)
    main(args)
    record()


class Recorder(Protocol):
    """Writes the manifest of a stage, if a path is given for one."""

    def __call__(self, signals: SignalOrigin | None = None) -> None:
        """Write it; `signals` is where a student had the teacher's signals from."""
        ...


def recorder(args: Namespace, inputs: Sequence[str], outputs: Sequence[str] = ("out",)) -> Recorder:
    """What writes the manifest of a stage, from its inputs as they are now.

    Args:
        args: of the stage.
        inputs, outputs: names of its arguments, see `run_stage`.
    """
    if args.manifest is None:
        return lambda signals=None: None
    read = hashes(path for name in inputs if (path := getattr(args, name)) is not None)
    written = [getattr(args, name) for name in outputs]

    def record(signals: SignalOrigin | None = None) -> None:
        job: JobFields = {"settings": args.settings, "code": args.code, "signals": signals}
        write_manifest(args.manifest, written, read, **job)

    return record


def _refused(sentence: str) -> tuple[int, str]:
    logging.error("error: %s", printable(sentence))
    return USER_ERROR, sentence


def _parser(module: str) -> ArgumentParser:
    parser = ArgumentParser(prog=f"python -m {module}")
    parser.add_argument(
        "--settings", type=json.loads, default={}, help="JSON: the settings of this stage"
    )
    parser.add_argument("--code", help="fingerprint of the code that is expected to run")
    parser.add_argument("--manifest", type=Path, help="record to write of what was made from what")
    parser.add_argument("--log", type=Path, help="file for progress and messages")
    return parser


def _written(args: Namespace) -> Path:
    """Where a stage writes: its first argument of these names."""
    given = (getattr(args, name, None) for name in ("out", "tokens", "log"))
    return next((path for path in given if path is not None), Path())


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
