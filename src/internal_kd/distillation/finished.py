"""The files of a run, kept until the workflow has them for certain.

Snakemake deletes the outputs of a job that failed, of one that it starts again, and of the members
of a group whose allocation failed. A run therefore writes its files into a folder of its own, where
nobody deletes any, and its outputs are hard links to them. Started again, it only links them again.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from internal_kd.manifests import file_hash

logger = logging.getLogger(__name__)

RECORD = "finished.json"
TRIES = 3  # a Snakemake that has just been started may delete outputs while they are linked


@dataclass(frozen=True)
class FinishedRecord:
    """Which run the kept files are of, and the hash of each by its relative path."""

    identity: str
    files: dict[str, str]


class FinishedRun:
    """The files of one run.

    Args:
        folder: contains nothing else.
        identity: hash of what decides the run's numbers, see `checkpoints.run_identity`.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder
        self.identity = identity

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A folder to write the files into; all of them are kept at the end, or none."""
        self.forget()
        partial = self.folder.with_name(f"{self.folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            record = FinishedRecord(self.identity, _hashes(partial))
            (partial / RECORD).write_text(json.dumps(asdict(record)), encoding="utf-8")
            partial.rename(self.folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    @property
    def kept(self) -> bool:
        """Whether the files of this very run are there."""
        record = self._record()
        return record is not None and record.identity == self.identity

    def restore(self, out: Path) -> bool:
        """Put the kept files into `out`; False if they are those of another run or damaged."""
        record = self._record()
        if record is None or record.identity != self.identity:
            self.forget()
            return False
        if _hashes(self.folder) != record.files:
            logger.warning("%s: the kept files are damaged; they are not used", self.folder)
            self.forget()
            return False
        self.put(out)
        return True

    def put(self, out: Path) -> None:
        """Link the kept files into `out`, or copy them on file systems without hard links."""
        for _ in range(TRIES):
            with suppress(FileNotFoundError):
                _link_tree(self.folder, out)
                return
        _link_tree(self.folder, out)

    def forget(self) -> None:
        """Remove the kept names; outputs that are linked to the files stay."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _record(self) -> FinishedRecord | None:
        with suppress(OSError, ValueError):
            return msgspec.json.decode((self.folder / RECORD).read_bytes(), type=FinishedRecord)
        return None


def _link_tree(source: Path, target: Path) -> None:
    for file in _files(source):
        _link(file, target / file.relative_to(source))


def _link(source: Path, target: Path) -> None:
    """A hard link, or a copy on file systems that have none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
    os.utime(target)


def _files(folder: Path) -> list[Path]:
    """The files of a run below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)


def _hashes(folder: Path) -> dict[str, str]:
    """Hash of every file of a run below a folder, by its relative path."""
    return {str(file.relative_to(folder)): file_hash(file) for file in _files(folder)}
