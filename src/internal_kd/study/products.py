"""Tables and figures that must be made again although their inputs are older than they are.

Each has a file of expectations among its inputs: what it should be made from. That file is written
while a workflow is planned, and gets another content whenever the manifest of the table shows that
it was made from something else: other settings, other code, or files that have changed since.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from internal_kd.errors import UserError
from internal_kd.expected_files import ExpectedFile, record_of
from internal_kd.manifests import Manifest, digest, is_untouched, read_manifest, state_of
from internal_kd.study.expectations import Expected


def write_expectations(file: str, expected: Expected, job: Mapping[str, object]) -> None:
    """Write what a table or figure should be made from, as it was when it was so made, or anew.

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
    """Whether a table was made from what is expected and there, and lies there as it was made."""
    current = digest(text), state_of(map(Path, expected.manifests))
    return (made.expected, made.state) == current and is_untouched(record, made)


def _holds(path: Path, content: ExpectedFile) -> bool:
    with suppress(OSError, ValueError):
        return ExpectedFile.read(path) == content
    return False
