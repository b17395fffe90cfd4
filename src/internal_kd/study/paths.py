"""Where the files of a study lie: patterns of the workflow's rules, and paths of single files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from internal_kd.manifests import NAME as MANIFEST
from internal_kd.specs import agnostic, runs
from internal_kd.specs.runs import Run
from internal_kd.study.config import BASE, Study
from internal_kd.study.reports import Reads
from internal_kd.study.settings import agnostic_init_name, init_name, init_teacher


def as_options(files: Mapping[str, str | Sequence[str]]) -> list[str]:
    """The options of a command that name files; of several under one name the first."""
    named = ((name, [own] if isinstance(own, str) else list(own)) for name, own in files.items())
    return [word for name, own in named for file in own[:1] for word in (f"--{name}", file)]


@dataclass(frozen=True)
class Paths:
    """The paths of one study, all below its folder of results.

    Properties are patterns with wildcards in braces, unless there is one such file only.
    """

    study: Study

    @property
    def results(self) -> str:
        """The folder of results."""
        return self.study.results

    @property
    def logs(self) -> str:
        """Folder of logs."""
        return f"{self.results}/logs"

    @property
    def benchmarks(self) -> str:
        """Folder of run times and memory."""
        return f"{self.results}/benchmarks"

    @property
    def base(self) -> str:
        """Folder of the base model."""
        return f"{self.results}/{BASE}"

    @property
    def bases(self) -> str:
        """Folders of the base model, and of the one of students if they have their own."""
        return f"{self.results}/{{base}}"

    def base_option(self, folder: str) -> list[str]:
        """The option that names the base model whose tokenizer that of students must be."""
        return [] if folder == BASE else ["--like", self.base]

    @property
    def init(self) -> str:
        """Folders of initial students."""
        return f"{self.results}/init/{{init}}/layers{{layers}}"

    @property
    def corpus(self) -> str:
        """Folder of the tokens of unlabelled text."""
        return f"{self.results}/corpus"

    @property
    def agnostic(self) -> str:
        """Folders of general students."""
        return f"{self.results}/{agnostic.PATTERN}"

    @property
    def data(self) -> str:
        """Folders of tasks."""
        return f"{self.results}/data/{{task}}"

    @property
    def tokens(self) -> str:
        """Tokens of tasks."""
        return f"{self.data}/tokens.npz"

    @property
    def examples(self) -> str:
        """Texts of tasks."""
        return f"{self.data}/examples.parquet"

    @property
    def run(self) -> str:
        """Folders of runs."""
        return f"{self.results}/{runs.PATTERN}"

    @property
    def checkpoints(self) -> str:
        """Folders that interrupted runs resume from."""
        return f"{self.results}/checkpoints/{runs.NAME}"

    @property
    def agnostic_checkpoints(self) -> str:
        """Folders that interrupted trainings of general students resume from."""
        return f"{self.results}/checkpoints/{agnostic.NAME}"

    @property
    def signals(self) -> str:
        """Folder of the teachers' signals, which runs share."""
        return f"{self.results}/signals"

    @property
    def distances(self) -> str:
        """Distances of students from their teachers, without suffix."""
        return f"{self.results}/attention/{runs.NAME}"

    @property
    def maps(self) -> str:
        """Attention of three models on one example, without suffix."""
        return f"{self.results}/attention/{{task}}-example{{example}}"

    def folders(self, chosen: Iterable[Run]) -> list[str]:
        """Folders of some runs."""
        return [run.path(self.results) for run in chosen]

    def files(self, chosen: Iterable[Run], *names: str) -> list[str]:
        """Files of these names in the folders of some runs."""
        return [f"{folder}/{name}" for folder in self.folders(chosen) for name in names]

    def student_init(self, run: Run) -> str:
        """Folder of the model that a student run starts from."""
        name = self.study.experiments[run.experiment].init_from
        if name in self.study.agnostic:
            return f"{self.study.agnostic_run(name, run.layers).path(self.results)}/model"
        return self.init.format(init=init_name(self.study, run), layers=run.layers)

    def init_origin(self, init: str) -> str:
        """Folder of the model that an initial student is cut from, by its folder's name."""
        teacher = init_teacher(self.study, init)
        if teacher is None:
            return self.bases.format(base=self.study.student_base)
        return f"{teacher.path(self.results)}/model"

    def agnostic_init(self, model: str, layers: int | str) -> str:
        """Folder of the model that a general student starts from."""
        return self.init.format(init=agnostic_init_name(self.study.agnostic[model]), layers=layers)

    def teacher(self, run: Run) -> str:
        """Folder of the run that a student run learns from."""
        return self.study.teacher_of(run).path(self.results)

    def teacher_files(self, run: Run) -> list[str]:
        """Files of the teacher that a student run learns from; none if it needs no teacher."""
        if not self.study.experiments[run.experiment].needs_teacher:
            return []
        return self.files([self.study.teacher_of(run)], "model", "metrics.json")

    @property
    def signals_options(self) -> list[str]:
        """The options that say where a student finds the teacher's signals."""
        budget = self.study.config.distillation.signals.budget_mb
        return ["--signals", self.signals, "--signals-mb", str(budget)]

    def read_by(self, reads: Reads) -> list[str]:
        """All files that a table or figure is made from."""
        return [
            *self.files(reads.runs, *reads.run_files),
            *self._distances(reads),
            *self._examples(reads),
            *self._maps(reads),
        ]

    def read_options(self, reads: Reads) -> list[str]:
        """The options that name them in the command of a table or figure."""
        named = {
            "--runs": self.folders(reads.runs),
            "--distances": self._distances(reads),
            "--examples": self._examples(reads),
            "--maps": self._maps(reads),
        }
        return [word for option, files in named.items() if files for word in (option, *files)]

    def run_manifest(self, run: Run) -> str:
        """Manifest of a run."""
        return f"{run.path(self.results)}/{MANIFEST}"

    def data_manifest(self, task: str) -> str:
        """Manifest of a task's data."""
        return f"{self.data.format(task=task)}/{MANIFEST}"

    def distances_manifest(self, run: Run) -> str:
        """Manifest of a student's distances."""
        return f"{self.distances.format(**asdict(run))}.{MANIFEST}"

    def maps_manifest(self, task: str, example: int) -> str:
        """Manifest of the attention maps of an example."""
        return f"{self.maps.format(task=task, example=example)}.{MANIFEST}"

    def _distances(self, reads: Reads) -> list[str]:
        return [f"{self.distances.format(**asdict(run))}.parquet" for run in reads.distances]

    def _examples(self, reads: Reads) -> list[str]:
        return [self.examples.format(task=task) for task in reads.tasks]

    def _maps(self, reads: Reads) -> list[str]:
        if reads.maps is None:
            return []
        task, example, _ = reads.maps
        return [f"{self.maps.format(task=task, example=example)}.npz"]
