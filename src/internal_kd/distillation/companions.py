"""Runs that are trained beside the one that a process was started for.

What a companion leaves goes to where finished runs are kept, not to the outputs of its own job:
that one is yet to come, and takes the files from there.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from internal_kd.distillation.checkpoints import Checkpoints, run_identity
from internal_kd.distillation.finished import FinishedRun
from internal_kd.errors import reason, told_about
from internal_kd.locks import writer_if_free

logger = logging.getLogger(__name__)

Settings = dict[str, Any]
Told = dict[str, Any]


@dataclass
class Companion:
    """A run that this process alone works on, until it lets go.

    Attributes:
        settings: what its own job would be told.
        checkpoints: those of its own job.
        finished: where its files are kept.
        log: its progress, in the log of its own job.
        lock: held while it is open.
    """

    settings: Settings
    checkpoints: Checkpoints
    finished: FinishedRun
    log: IO[str]
    lock: IO[str]

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.checkpoints.folder.name

    def keep(self, leave: Callable[[Path], None]) -> None:
        """Have the run's files left in a folder, and keep them for its own job."""
        with self.finished.writing() as files:
            leave(files)
        self.checkpoints.remove()

    @contextmanager
    def failures_told(self) -> Iterator[None]:
        """What goes wrong inside ends this companion alone; its own job will meet it again."""
        try:
            yield
        except Exception as error:
            told = "%s failed beside another run: %s; its own job does it again"
            logger.warning(told, self.name, reason(error))
            self.let_go()

    def let_go(self) -> None:
        """Leave the run to its own job."""
        self.log.close()
        self.lock.close()


@contextmanager
def companions(
    together: Sequence[str] | None, code: str | None, inputs: Callable[[Settings], Sequence[Path]]
) -> Iterator[list[Companion]]:
    """The runs to train beside this process's own; they are let go at the end.

    Args:
        together: a file, and the names of runs that may be trained in step with this one. The file
            is JSON and has, for each run that the workflow is to make, by its name, `settings`,
            `out`, `checkpoints` and `log`.
        code: fingerprint of the code.
        inputs: files and folders that a run of these settings reads.

    Raises:
        UserError: the file is not such a one.
    """
    runs = _planned(*together) if together else []
    claimed = [_claim(run, code, inputs(run["settings"])) for run in runs]
    found = [companion for companion in claimed if companion is not None]
    try:
        yield found
    finally:
        for companion in found:
            companion.let_go()


def _planned(file: str, *names: str) -> list[Told]:
    """Those of the named runs that are planned; none where the workflow has planned nothing."""
    if not Path(file).exists():
        return []
    with told_about(file, "not a list of planned runs", "call snakemake again"):
        planned = json.loads(Path(file).read_text(encoding="utf-8"))
        return [planned[name] for name in names if name in planned]


def _claim(run: Told, code: str | None, inputs: Sequence[Path]) -> Companion | None:
    """The run, if nobody works on it and there is still something to do."""
    folder = Path(run["checkpoints"])
    lock = writer_if_free(folder.with_name(f"{folder.name}.lock"))
    if lock is None:
        logger.info("%s is left out: another process is working on it", folder.name)
        return None
    identity = run_identity([run["settings"], code], inputs)
    finished = FinishedRun(folder.with_name(f"{folder.name}.finished"), identity)
    if finished.kept or _is_there(run, code, inputs):
        lock.close()
        return None
    log = Path(run["log"])
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("", encoding="utf-8")
    # Appending leaves no holes where the run's own job, waiting meanwhile, begins the file anew.
    stream = open(log, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed by `let_go`
    return Companion(run["settings"], Checkpoints(folder, identity), finished, stream, lock)


def _is_there(run: Told, code: str | None, inputs: Sequence[Path]) -> bool:
    """Whether the run's own job has made it, from these inputs."""
    metrics = Path(run["out"], "metrics.json")
    try:
        left = json.loads(metrics.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    newest = max(path.stat().st_mtime for path in inputs)
    same = (left.get("settings"), left.get("code")) == (run["settings"], code)
    return same and metrics.stat().st_mtime >= newest
