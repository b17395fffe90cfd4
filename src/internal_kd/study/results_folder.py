"""The folder of a study's results: whose it is, and one workflow at a time that writes there.

Snakemake's own lock holds for a working directory, and is lost when any workflow ends there. This
one is in the folder of results, so that it also keeps out a workflow from another directory. The
kernel frees it when its process ends, however it ends; the file stays and names the study.
"""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from internal_kd.errors import UserError, printable
from internal_kd.locks import open_lock, try_lock
from internal_kd.study.problems import Problem

MARK = ".internal-kd.lock"


def owner(folder: Path) -> str | None:
    """Name of the study whose results a folder holds; None where no workflow has written there."""
    study = _read(folder / MARK).get("study")
    return study if isinstance(study, str) else None


def _read(mark: Path) -> dict[str, object]:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def hold(folder: Path, study: str) -> IO[str]:
    """Mark a folder as a study's results and lock it until the file that is returned is closed.

    Raises:
        UserError: another workflow is at work there.
        OSError: the folder or the file in it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = open_lock(folder / MARK)
    if not try_lock(lock):
        lock.close()
        raise UserError(
            f"results: {_holder(folder)} is using '{folder}'; wait for it to end, or name "
            "another folder"
        )
    lock.truncate(0)
    lock.write(json.dumps({"study": study, "process": os.getpid(), "host": socket.gethostname()}))
    lock.flush()
    return lock


def _holder(folder: Path) -> str:
    found = _read(folder / MARK)
    if not found:
        return "another workflow"
    return printable(f"a workflow (process {found.get('process')} on {found.get('host')})")


DEFAULT_RESULTS = "results"
DEFAULT_STUDY = "embedded"
CHECKOUT = Path(__file__).resolve().parents[3]
SOURCES = (
    *("benchmarks", "docs", "envs", "profiles", "src", "studies", "tests", "workflow"),
    *(".ci", ".git", ".snakemake", ".venv"),
)
# What the workflow writes into a folder of results: these folders, and files that end like this.
FOLDERS = frozenset(
    ("agnostic", "attention", "base", "benchmarks", "checkpoints", "corpus", "data", "figures")
) | {"init", "logs", "pages", "provenance", "runs", "student_base"}
ENDINGS = frozenset((".csv", ".html", ".lock", ".md", ".tex", ".zip"))
DEEP = 2  # depth of folders in results that are searched for other studies

Found = Iterator[Problem]


def results_problems(results: str, study: str) -> Found:
    """Why a folder cannot be that of a study's results; the first reason that is found."""
    for reasons in (_of_words, _of_places, _of_studies, _of_files):
        found = list(reasons(results, study))
        if found:
            yield Problem(("results",), found[0])
            return


def _of_words(results: str, study: str) -> Iterator[str]:
    """Problems of the path itself."""
    parts = results.split("/")
    if ".." in parts:
        yield f"'{results}' leads out of the working directory; remove '..'"
    elif "." in parts or "" in parts[1:] or parts == [""]:
        plain = os.path.normpath(results)
        better = advised(study) if plain in (".", "/") else plain.replace("//", "/")
        yield f"'{results}' has empty parts or '.'; write {better}"
    elif results == DEFAULT_RESULTS and study != DEFAULT_STUDY:
        yield f"'{results}' belongs to the default study; write {advised(study)} for '{study}'"


def advised(study: str) -> str:
    """A folder that a study may have."""
    return f"{DEFAULT_RESULTS}/{f'{study}-study' if _is_used(study) else study}"


def _is_used(name: str) -> bool:
    """Whether the workflow may write a file or folder of this name beside a study's table."""
    return name in FOLDERS or os.path.splitext(name)[1] in ENDINGS


def _of_places(results: str, study: str) -> Iterator[str]:
    """Sources, and what the default study writes; links are followed."""
    folder = resolved(results)
    for root in {Path.cwd(), CHECKOUT}:
        if root.is_relative_to(folder):
            yield f"'{results}' holds the working directory or the sources; write {advised(study)}"
        for name in SOURCES:
            if folder.is_relative_to(resolved(root / name)):
                yield f"'{name}' holds sources; write {advised(study)}"
        below = _below(folder, resolved(root / DEFAULT_RESULTS))
        if below and _is_used(below[0]):
            yield (
                f"'{DEFAULT_RESULTS}/{below[0]}' is used by the default study; "
                f"write {advised(study)}"
            )


def resolved(path: str | Path) -> Path:
    """A path with its links followed; one whose links go round in a circle stays as it is."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError):
        return Path(path).absolute()


def _below(path: Path, folder: Path) -> tuple[str, ...]:
    return path.relative_to(folder).parts if path.is_relative_to(folder) else ()


def _of_studies(results: str, study: str) -> Iterator[str]:
    """Other studies that have this folder, one around it or one inside."""
    folder = resolved(results)
    here = owner(folder)
    if here not in (None, study):
        yield (
            f"'{results}' holds the results of study '{here}'; write {advised(study)}, or remove "
            f"'{results}/{MARK}' if '{here}' is a former name of '{study}'"
        )
    around = [path for path in folder.parents if not _is_default(path)]
    inside = [] if _is_default(folder) else _folders_in(folder, DEEP)
    for other in (*around, *inside):
        if owner(other) is not None:
            yield (
                f"'{results}' and '{other}', the results of study '{owner(other)}', are nested; "
                f"write {advised(study)}"
            )


def _is_default(folder: Path) -> bool:
    """Whether it is the default study's, in which the others have folders of their own."""
    return folder in (resolved(DEFAULT_RESULTS), resolved(CHECKOUT / DEFAULT_RESULTS))


def _folders_in(folder: Path, depth: int) -> Iterator[Path]:
    """Folders below a folder, `depth` deep; links are not followed."""
    try:
        with os.scandir(folder) as found:
            below = [Path(entry) for entry in found if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for path in sorted(below):
        yield path
        if depth > 1:
            yield from _folders_in(path, depth - 1)


def _of_files(results: str, study: str) -> Iterator[str]:
    """A folder that cannot be made or written to."""
    folder = Path(results).absolute()
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.exists():
        yield f"'{there}' is a broken link; remove it or name another folder"
    elif not there.is_dir():
        yield f"'{there}' is a file, not a folder; name another folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        yield f"'{there}' cannot be written to; change its permissions or name another"


def input_problems(key: tuple[str, ...], path: str, results: str) -> Found:
    """A folder to be read that lies where the study writes, and would be removed."""
    below = _below(resolved(path), resolved(results))
    if below and _is_used(below[0]):
        yield Problem(
            key,
            f"'{path}' is in the results folder of this study, which is overwritten; "
            "copy it to another folder and name that",
        )
