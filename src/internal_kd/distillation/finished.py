"""What a run has left, kept until the workflow has it for certain.

Snakemake deletes the outputs of a failed job, and with those of a group of jobs that share one
allocation also the outputs of its members that had ended well. A finished run therefore leaves hard
links to its files in a second folder, and started again takes them from there.
"""

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path

logger = logging.getLogger(__name__)

RECORD = "finished.json"


class FinishedRun:
    """The files of one run, under a second name.

    Args:
        folder: nothing else lies in it.
        identity: hash of what decides the run's numbers, see `checkpoints.run_identity`.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder
        self.identity = identity

    def keep(self, out: Path) -> None:
        """Keep the files below `out`, as a whole or not at all; what cannot be kept is told."""
        partial = self.folder.with_name(f"{self.folder.name}.partial")
        self.forget()
        shutil.rmtree(partial, ignore_errors=True)
        try:
            _link_tree(out, partial)
            record = {"identity": self.identity, "files": _hashes(out)}
            (partial / RECORD).write_text(json.dumps(record), encoding="utf-8")
            partial.rename(self.folder)
        except OSError as error:
            logger.warning("%s: not kept a second time: %s", out, error.strerror)

    @property
    def kept(self) -> bool:
        """Whether the files of this very run are there."""
        return self._record().get("identity") == self.identity

    def restore(self, out: Path) -> bool:
        """Put the kept files into `out`; False if they are those of another run or damaged."""
        record = self._record()
        if record.get("identity") != self.identity:
            self.forget()
            return False
        _link_tree(self.folder, out)
        (out / RECORD).unlink()
        if _hashes(out) != record["files"]:
            logger.warning("%s: the kept files are damaged; they are not used", self.folder)
            self.forget()
            return False
        logger.info("this run was finished before; its files are taken from %s", self.folder)
        return True

    def forget(self) -> None:
        """Remove the second names; the files stay where the run has left them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _record(self) -> dict:
        try:
            record: dict = json.loads((self.folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record


def _link_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    """A hard link, or a copy on file systems that have none."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    os.utime(target)


def _hashes(folder: Path) -> dict[str, str]:
    """Hash of every file below a folder, by its relative path."""
    hashes = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with open(file, "rb") as content:
            digest = hashlib.file_digest(content, "blake2b").hexdigest()
        hashes[str(file.relative_to(folder))] = digest
    return hashes
