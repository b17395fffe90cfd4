"""Tables and figures that must be made again although their inputs are older than they are.

Each has a file of expectations among its inputs: what it should be made from. That file is written
while a workflow is planned, and gets another content whenever the manifest of the table shows that
it was made from something else: other settings, other code, or files that have changed since.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from internal_kd.errors import UserError
from internal_kd.expected_files import ExpectedFile, expected_file, record_of
from internal_kd.manifests import Manifest, digest, is_untouched, read_manifest, state_of
from internal_kd.study.expectations import Expected


class ExpectationFiles:
    """The files of what a study's tables and figures should be made from.

    Only the process that plans writes them: when a job starts, much of what its neighbours should
    be made from has been made. A dry run changes those that are there, so that it shows the tables
    to be made again.

    Args:
        results: folder of results.
        executes: tells whether this process plans and also executes.
        is_dry_run: tells whether nothing is executed after planning.
    """

    def __init__(
        self, results: str, executes: Callable[[], bool], is_dry_run: Callable[[], bool]
    ) -> None:
        self._results = results
        self._executes = executes
        self._is_dry_run = is_dry_run
        self._written: set[str] = set()

    def file(self, product: str, job: Mapping[str, object], expected: Expected) -> str | list[str]:
        """Path of such a file, up to date; an empty list where nothing is made.

        Args:
            product: the table or figure, by its path below the results.
            job: settings and code of the job that makes it.
            expected: all that it should be made from.
        """
        path = expected_file(self._results, product)
        if self._is_due(product, path):
            self._written.add(product)
            write_expectations(path, expected, job)
        return path if os.path.exists(path) else []

    def record(self, product: str) -> str:
        """Path of the manifest of a table or figure."""
        return str(record_of(expected_file(self._results, product)))

    def _is_due(self, product: str, path: str) -> bool:
        due = self._executes() and product not in self._written
        return due and (os.path.exists(path) or not self._is_dry_run())


def write_expectations(file: str, expected: Expected, job: Mapping[str, object]) -> None:
    """Write what a table or figure should be made from, as it was when it was so made, or again.

    Args:
        file: see `expected_files.expected_file`.
        expected: all that it should be made from.
        job: settings and code of the job that makes it.
    """
    path, record = Path(file), record_of(file)
    text = f'{{"job":"{digest(job)}",{expected.as_json[1:]}'
    made = _made(record)
    if made is None or not _is_made_from(record, made, text, expected):
        ExpectedFile(text, str(time.time_ns())).write(path)
    elif not _holds(path, ExpectedFile(text, made.stamp)):
        ExpectedFile(text, made.stamp).write(path)
        os.utime(path, ns=(record.stat().st_atime_ns, record.stat().st_mtime_ns))


def _made(record: Path) -> Manifest | None:
    with suppress(UserError):
        return read_manifest(record)
    return None


def _is_made_from(record: Path, made: Manifest, text: str, expected: Expected) -> bool:
    """Whether a table was made from what is expected and exists, and is unchanged since."""
    current = digest(text), state_of(map(Path, expected.manifests))
    return (made.expected, made.state) == current and is_untouched(record, made)


def _holds(path: Path, content: ExpectedFile) -> bool:
    with suppress(OSError, ValueError):
        return ExpectedFile.read(path) == content
    return False
