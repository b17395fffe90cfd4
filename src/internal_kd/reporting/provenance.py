"""Whether a table or figure is made from what it should be made from, and the remark if not.

Files that were changed, exchanged or lost after their jobs had written them are refused. Files made
with other settings, code, packages or inputs than the study has now are used; a remark below
the table names them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from internal_kd.errors import UserError
from internal_kd.evaluation.metrics import score
from internal_kd.expected_files import ExpectedFile
from internal_kd.manifests import (
    NAME,
    Manifest,
    check_files,
    read_by,
    read_manifest,
    state_of,
    written_by,
)
from internal_kd.reporting.runs import predictions_in
from internal_kd.reporting.scores import read_metrics
from internal_kd.specs.jobs import decode

SHOWN = 3  # jobs that a remark names for one difference
IDENTITY = ("run", "task", "example")  # settings that identify the files
TOLERANCE = 1e-9  # of scores from 0 to 1
RUN_PARTS = 5  # folders that a run is named by
REMEDY = "Delete what is named here to have it made again."

Settings = Mapping[str, object]


@dataclass(frozen=True)
class ExpectedJob:
    """What the study expects of a job: its settings, and the fingerprint of its code."""

    settings: Settings
    code: str


@dataclass(frozen=True)
class Expected:
    """What a table should be made from.

    Attributes:
        jobs: by path of the manifest.
        read: manifests of what the table itself reads; the files of other jobs may be gone.
        shown: manifests of tables and figures that a page shows as they are.
    """

    jobs: Mapping[str, ExpectedJob]
    read: frozenset[str]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """A job behind a table: its manifest, and what the study expects of it."""

    path: Path
    made: Manifest
    settings: Settings
    code: str

    @property
    def name(self) -> str:
        """Of its run, or the path of its files."""
        if self.is_run:
            return "-".join(self.path.parts[-1 - RUN_PARTS : -1])
        return str(self.path).removesuffix(NAME).rstrip("/.")

    @property
    def is_run(self) -> bool:
        """Whether it is a training."""
        return self.path.name == NAME and "run" in self.settings


@dataclass(frozen=True)
class Provenance:
    """What was found out about the files behind a table.

    Attributes:
        remarks: to be put below the table.
        expected: digest of what was expected.
        stamp: of the file that it was read from.
        state: digest of the files' sizes and times, see `manifests.state_of`.
    """

    remarks: tuple[str, ...]
    expected: str
    stamp: str
    state: str


def check(expectations: Path) -> Provenance:
    """Check all that a table is made from.

    Raises:
        UserError: a manifest or a file is missing, damaged, changed or of something else.
    """
    file = ExpectedFile.read(expectations)
    expected = decode(json.loads(file.text), Expected)
    state = state_of(map(Path, sorted({*expected.jobs, *expected.shown})))
    jobs = list(_jobs(expected))
    for job in jobs:
        _check_identity(job)
        check_files(job.path, job.made, all_there=str(job.path) in expected.read)
    read = (job.path for job in jobs if job.is_run and str(job.path) in expected.read)
    _check_scores(path.parent for path in read)
    remarks = (*_remarks(jobs), *_remarks_of(map(Path, expected.shown)))
    return Provenance(remarks, file.digest, file.stamp, state)


def _jobs(expected: Expected) -> Iterator[Job]:
    """The jobs in the order of their paths; those whose files are not read may be gone."""
    for name, job in expected.jobs.items():
        path = Path(name)
        if path.exists() or name in expected.read:
            yield Job(path, read_manifest(path), job.settings, job.code)


def _check_identity(job: Job) -> None:
    for key in IDENTITY:
        if job.settings.get(key) != job.made.settings.get(key):
            raise UserError(
                f"{job.path} is that of {job.made.settings.get(key)}, not of "
                f"{job.settings.get(key)}; delete '{job.path.parent}' and call snakemake again"
            )


def _check_scores(folders: Iterable[Path]) -> None:
    """Compare the development scores of runs with those that their predictions give."""
    for folder in folders:
        split = predictions_in(folder).get("validation")
        (given,) = (run.validation for run in read_metrics([folder / "metrics.json"]))
        found = None if split is None else score(split.labels, split.predictions)
        if not given or not found or any(abs(given[k] - found[k]) > TOLERANCE for k in found):
            raise UserError(
                f"{folder}: the scores in metrics.json are not those of predictions.parquet; "
                f"delete '{folder}' and call snakemake again"
            )


def _remarks(jobs: Iterable[Job]) -> Iterator[str]:
    """Sentences about whole files that are not what the study would make now."""
    jobs = list(jobs)
    what = {
        "made with other settings than the study has now": _settings(jobs),
        "made by another version of the code": _code(jobs),
        "made with several versions of a package": _versions(jobs),
        "made from other files than are there now": _inputs(jobs),
    }
    for reason, names in what.items():
        if names:
            texts = (f"{text} ({_listed(found)})" for text, found in names.items())
            yield f"Attention, {reason}: {'; '.join(texts)}. {REMEDY}"


def _remarks_of(shown: Iterable[Path]) -> Iterator[str]:
    """The remarks below tables and figures, with the names of those that have them."""
    found: dict[str, list[str]] = {}
    for record in shown:
        made = read_manifest(record)
        check_files(record, made)
        for remark in made.remarks:
            found.setdefault(remark, []).append(record.stem)
    for remark, names in found.items():
        yield f"{', '.join(names)}: {remark}"


def _settings(jobs: Iterable[Job]) -> dict[str, list[str]]:
    """Names of jobs by the difference of their settings."""
    found: dict[str, list[str]] = {}
    for job in jobs:
        now, then = _flat(job.settings), _flat(job.made.settings)
        for key in sorted(now.keys() | then.keys()):
            if now.get(key) != then.get(key):
                text = f"{key} {_shown(then.get(key))}, now {_shown(now.get(key))}"
                found.setdefault(text, []).append(job.name)
    return found


def _code(jobs: Iterable[Job]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for job in jobs:
        if job.made.code != job.code:
            found.setdefault(f"{job.made.code}, now {job.code}", []).append(job.name)
    return found


def _versions(jobs: Iterable[Job]) -> dict[str, list[str]]:
    """Names of jobs by version, of packages of which there are several."""
    found: dict[str, dict[str, list[str]]] = {}
    for job in jobs:
        for package, version in job.made.versions.items():
            found.setdefault(package, {}).setdefault(f"{package} {version}", []).append(job.name)
    return {text: names for by in found.values() if len(by) > 1 for text, names in by.items()}


def _inputs(jobs: Iterable[Job]) -> dict[str, list[str]]:
    """Names of jobs by a file that was made again after they read it."""
    there = {file: found for job in jobs for file, found in written_by(job.path, job.made)}
    found: dict[str, list[str]] = {}
    for job in jobs:
        for file, then in read_by(job.path, job.made):
            if there.get(file, then) != then:
                found.setdefault(str(file), []).append(job.name)
    return found


def _flat(settings: Settings, above: str = "") -> dict[str, object]:
    """Values by dotted key."""
    found: dict[str, object] = {}
    for key, value in settings.items():
        nested = _flat(value, f"{above}{key}.") if isinstance(value, Mapping) else None
        found |= {f"{above}{key}": value} if nested is None else nested
    return found


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
