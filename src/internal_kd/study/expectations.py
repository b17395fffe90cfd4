"""What the files of a study should have been made with: settings and code, by manifest.

Tables and figures get this for all that they read and for its upstream files, down to the base
model, and compare it with the manifests that the jobs left.

Tables and figures that must be made again although their inputs are older than they are.

Each has a file of expectations among its inputs: what it should be made from. That file is written
while a workflow is planned, and gets another content whenever the manifest of the table shows that
it was made from something else: other settings, other code, or files that have changed since.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from internal_kd.errors import UserError
from internal_kd.expected_files import ExpectedFile, expected_file, record_of
from internal_kd.manifests import NAME as MANIFEST
from internal_kd.manifests import Manifest, digest, is_untouched, read_manifest, state_of
from internal_kd.specs.jobs import encode
from internal_kd.specs.runs import Run
from internal_kd.study import settings
from internal_kd.study.config import BASE, Study
from internal_kd.study.paths import Paths
from internal_kd.study.reports import Reads


@dataclass(frozen=True)
class Expectation:
    """Settings and fingerprint of the code that a job of today would get."""

    settings: settings.Settings
    code: str

    @cached_property
    def as_json(self) -> str:
        """As one line of JSON."""
        return settings.as_json({"settings": self.settings, "code": self.code})


@dataclass(frozen=True)
class Expected:
    """What a table or figure should be made from.

    Attributes:
        jobs: by path of the manifest.
        read: manifests of what the table itself reads; the files of other jobs may be deleted.
        shown: manifests of tables and figures that a page shows as they are.
    """

    jobs: dict[str, Expectation] = field(default_factory=dict)
    read: frozenset[str] = frozenset()
    shown: tuple[str, ...] = ()

    @property
    def manifests(self) -> list[str]:
        """Paths of all manifests, sorted."""
        return sorted({*self.jobs, *self.shown})

    @classmethod
    def all_of(cls, parts: Iterable["Expected"]) -> "Expected":
        """The union of the parts."""
        jobs: dict[str, Expectation] = {}
        read: set[str] = set()
        for part in parts:
            jobs |= part.jobs
            read |= part.read
        return cls(jobs, frozenset(read))

    def then(self, path: str, job: Expectation) -> "Expected":
        """A job whose files are read, with this upstream of it."""
        return Expected(self.jobs | {path: job}, frozenset([path]))

    @property
    def as_json(self) -> str:
        """As one line of JSON."""
        jobs = (f"{json.dumps(path)}:{self.jobs[path].as_json}" for path in sorted(self.jobs))
        named = settings.as_json({"read": sorted(self.read), "shown": self.shown})
        return f'{{"jobs":{{{",".join(jobs)}}},{named[1:]}'


class Expectations:
    """The expectations of one study.

    Args:
        study: that is planned.
        code: gives the fingerprint of a job's code.
        code_of_student: gives that of the students of an experiment.
        code_of_general_student: gives that of a general student.
    """

    def __init__(
        self,
        study: Study,
        code: Callable[[str], str],
        code_of_student: Callable[[str], str],
        code_of_general_student: Callable[[str], str],
    ) -> None:
        self.study = study
        self.paths = Paths(study)
        self.code = code
        self.code_of_student = code_of_student
        self.code_of_general_student = code_of_general_student
        self._runs: dict[Run, Expected] = {}

    def runs(self, runs: Iterable[Run]) -> Expected:
        """Runs, their data, their initial students and their teachers."""
        return Expected.all_of(map(self._run, runs))

    def examples(self, tasks: Iterable[str]) -> Expected:
        """Texts of tasks."""
        return Expected.all_of(map(self._data, tasks))

    def distances(self, runs: Iterable[Run]) -> Expected:
        """Distances of students from their teachers."""
        return Expected.all_of(map(self._distances, runs))

    def maps(self, runs: Iterable[Run], task: str, example: int) -> Expected:
        """Attention of some models on one example of a task."""
        job_settings = settings.attention_maps_settings(task, example)
        own = Expectation(job_settings, self.code("attention_maps"))
        return self.runs(runs).then(self.paths.maps_manifest(task, example), own)

    def report(self, reads: Reads) -> Expected:
        """What a table or figure reads."""
        parts = [self.runs(reads.runs), self.distances(reads.distances), self.examples(reads.tasks)]
        if reads.maps is not None:
            task, example, shown = reads.maps
            parts.append(self.maps(shown, task, example))
        return Expected.all_of(parts)

    def _run(self, run: Run) -> Expected:
        if run not in self._runs:
            behind = Expected.all_of(self._before(run))
            self._runs[run] = behind.then(self.paths.run_manifest(run), self._training(run))
        return self._runs[run]

    def _training(self, run: Run) -> Expectation:
        if self.study.experiments[run.experiment].is_teacher:
            return Expectation(encode(settings.teacher_job(self.study, run)), self.code("teacher"))
        code = self.code_of_student(run.experiment)
        return Expectation(encode(settings.student_job(self.study, run)), code)

    def _before(self, run: Run) -> Iterator[Expected]:
        """The data, the start and the teacher of a run."""
        yield self._data(run.task)
        yield self._start(run)
        if self.study.experiments[run.experiment].needs_teacher:
            yield self._run(self.study.teacher_of(run))

    def _start(self, run: Run) -> Expected:
        """What a run starts from: a base model, a part of it or of a teacher, a general student."""
        experiment = self.study.experiments[run.experiment]
        if experiment.is_teacher:
            return self._base
        if experiment.init_from in self.study.agnostic:
            return self._general_student(experiment.init_from, run.layers)
        init = settings.init_name(self.study, run)
        teacher = settings.init_teacher(self.study, init)
        origin = self._student_base if teacher is None else self._run(teacher)
        return origin.then(
            f"{self.paths.student_init(run)}/{MANIFEST}", self._cut(init, run.layers)
        )

    def _cut(self, init: str, layers: int) -> Expectation:
        """Of an initial student."""
        return Expectation(settings.student_init_settings(init, layers), self.code("student"))

    def _general_student(self, name: str, layers: int) -> Expected:
        """A general student, what it starts from, and its text."""
        init = settings.agnostic_init_name(self.study.agnostic[name])
        start = f"{self.paths.agnostic_init(name, layers)}/{MANIFEST}"
        text = Expectation(settings.corpus_settings(self.study), self.code("corpus"))
        behind = [
            self._base,
            self._student_base.then(start, self._cut(init, layers)),
            self._base.then(f"{self.paths.corpus}/{MANIFEST}", text),
        ]
        job = encode(settings.agnostic_job(self.study, name, layers))
        folder = self.study.agnostic_run(name, layers).path(self.study.results)
        own = Expectation(job, self.code_of_general_student(name))
        return Expected.all_of(behind).then(f"{folder}/{MANIFEST}", own)

    def _data(self, task: str) -> Expected:
        job_settings = settings.task_data_settings(self.study, task)
        own = Expectation(job_settings, self.code("data"))
        return self._base.then(self.paths.data_manifest(task), own)

    def _distances(self, run: Run) -> Expected:
        own = Expectation(settings.attention_settings(run), self.code("attention"))
        return self._run(run).then(self.paths.distances_manifest(run), own)

    @cached_property
    def _base(self) -> Expected:
        return Expected().then(*self._base_job(BASE))

    @cached_property
    def _student_base(self) -> Expected:
        """The base model that students start from; their own one is compared with the teacher's."""
        folder = self.study.student_base
        return self._base if folder == BASE else self._base.then(*self._base_job(folder))

    def _base_job(self, folder: str) -> tuple[str, Expectation]:
        job = settings.base_model_job(self.study, folder)
        job_settings = settings.base_model_settings(self.study, folder)
        path = f"{self.paths.bases.format(base=folder)}/{MANIFEST}"
        return path, Expectation(job_settings, self.code(job))


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
