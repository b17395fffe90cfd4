"""What each job of a study costs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import overload

from internal_kd.planning import work
from internal_kd.planning.encoder import (
    COPIES_IN_CHECKPOINT,
    Encoder,
    base_encoder,
    checkpoint_bytes,
    corpus_bytes,
    data_bytes,
    model_bytes,
    run_bytes,
    stored_bytes,
)
from internal_kd.planning.speed import (
    FinishedRun,
    Speed,
    Timed,
    corrected,
    device_speed,
    finished_runs,
    is_given,
    seconds_by_rule,
)
from internal_kd.planning.texts import TaskTexts, Texts, corpus_texts, task_texts
from internal_kd.planning.wording import counted
from internal_kd.planning.work import Work
from internal_kd.planning.workflow import Job
from internal_kd.specs.agnostic import AgnosticJob, AgnosticRun
from internal_kd.specs.jobs import TrainingJob
from internal_kd.specs.runs import Run
from internal_kd.study import settings
from internal_kd.study.config import BASE, STUDENT_BASE, Study


@dataclass(frozen=True)
class Cost:
    """What a job needs.

    Attributes:
        work: what it computes.
        seconds: how long it takes.
        disk: bytes that it writes.
        signals: bytes of stored signals that it reads.
        checkpoint: bytes on disk while it trains.
    """

    work: Work = field(default_factory=Work)
    seconds: float = 0
    disk: float = 0
    signals: float = 0
    checkpoint: float = 0


class Costs:
    """The costs of a study's jobs, as far as they follow from what is there.

    Args:
        study: whose jobs they are; its results are relative to the working directory.

    Raises:
        UserError: the sizes of the base model are not known.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.results = Path(study.results)
        self.encoder: Encoder = self._base_encoder(BASE)
        self.student_encoder: Encoder = self._base_encoder(study.student_base)
        self._texts: dict[str, TaskTexts] = {}

    def _base_encoder(self, folder: str) -> Encoder:
        base = self.study.base_model(folder)
        return base_encoder(self.study.config, base, self.results / folder)

    def encoder_of(self, run: Run) -> Encoder:
        """The shape of the model that a run starts from."""
        experiment = self.study.experiments[run.experiment]
        taught = experiment.is_teacher or experiment.init_from == "teacher"
        return self.encoder if taught else self.student_encoder

    def work_of(self, run: Run, job: TrainingJob) -> Work:
        """What a run computes."""
        texts, own = self.texts(run.task), self.encoder_of(run)
        return work.training_work(job, own, texts, self.budget_mb, self.encoder)

    def texts(self, task: str) -> TaskTexts:
        """The texts of a task of the study."""
        if task not in self._texts:
            tokens = self.results / "data" / task / "tokens.npz"
            self._texts[task] = task_texts(
                self.study.config.data,
                self.study.task_specs[task],
                tokens,
                self.study.definition(task),
            )
        return self._texts[task]

    @cached_property
    def timed(self) -> list[Timed]:
        """The finished runs of the study's tasks; none where the config gives a speed."""
        if is_given(self.study.config.plan):
            return []
        runs = [run for run in finished_runs(self.results) if run.run.task in self.study.tasks]
        return [timed for run in runs for timed in self._timed(run)]

    def _timed(self, run: FinishedRun) -> Iterator[Timed]:
        """The run, unless the study has no such task or objective any more."""
        with suppress(KeyError):
            done = self.work_of(run.run, run.job)
            yield Timed(done, run.job.training.precision, run.seconds)

    @cached_property
    def speed(self) -> Speed:
        """Speed of trainings."""
        return corrected(device_speed(self.study.config.plan), self.timed)

    def basis(self) -> str:
        """Where the speed comes from, for people."""
        plan = self.study.config.plan
        if self.timed:
            return f"estimate from {counted(len(self.timed), 'finished run')}"
        own = {"flops_per_second": plan.flops_per_second, "step_ms": plan.step_ms}
        given = [f"plan.{key}" for key, value in own.items() if value is not None]
        if given:
            return f"estimate from {' and '.join(given)}"
        return f"estimate from plan.device {plan.device}, nothing measured yet"

    @cached_property
    def seconds_by_rule(self) -> Mapping[str, float]:
        """Measured seconds of the jobs that do not train."""
        return seconds_by_rule(self.results)

    def of(self, job: Job) -> Cost:
        """What a job costs."""
        if job.trains:
            return self._training(job)
        made = OTHERS.get(job.rule, _nothing)(self, job)
        seconds = self.seconds_by_rule.get(job.rule) or self.speed.seconds(made.work)
        return Cost(made.work, seconds, made.disk)

    def _training(self, job: Job) -> Cost:
        run = job.training
        if isinstance(run, AgnosticRun):
            return self._general_student(run)
        training, texts = self.training_job(run), self.texts(run.task)
        done, own = self.work_of(run, training), self.encoder_of(run)
        return Cost(
            work=done,
            seconds=self.speed.seconds(done, training.training.precision),
            disk=run_bytes(own, run.layers, texts),
            signals=stored_bytes(training, self.encoder, texts, self.budget_mb),
            checkpoint=checkpoint_bytes(own, run.layers, texts),
        )

    def _general_student(self, run: AgnosticRun) -> Cost:
        job = self.training_job(run)
        done = work.agnostic_work(job, self.student_encoder, self.corpus, self.encoder)
        disk = model_bytes(self.student_encoder, run.layers, classes=0)
        return Cost(
            work=done,
            seconds=self.speed.seconds(done, job.training.precision),
            disk=disk,
            checkpoint=COPIES_IN_CHECKPOINT * disk,
        )

    @cached_property
    def corpus(self) -> Texts:
        """The unlabelled text, or as much of it as is known beforehand."""
        return corpus_texts(self.study.config.corpus, self.results / "corpus")

    @property
    def budget_mb(self) -> float:
        """Budget of stored signals, in millions of bytes."""
        return self.study.config.distillation.signals.budget_mb

    @overload
    def training_job(self, run: Run) -> TrainingJob: ...

    @overload
    def training_job(self, run: AgnosticRun) -> AgnosticJob: ...

    def training_job(self, run: Run | AgnosticRun) -> TrainingJob | AgnosticJob:
        """What is trained in a run, or as a general student."""
        if isinstance(run, AgnosticRun):
            return settings.agnostic_job(self.study, run.model, run.layers)
        if self.study.experiments[run.experiment].is_teacher:
            return settings.teacher_job(self.study, run)
        return settings.student_job(self.study, run)


def _nothing(costs: Costs, job: Job) -> Cost:
    """Tables and figures: kilobytes, and no more time than it takes to start."""
    return Cost()


def _base_model(costs: Costs, job: Job) -> Cost:
    folder = Path(job.files[0]).name
    config, own = costs.study.config, folder == STUDENT_BASE
    encoder = costs.student_encoder if own else costs.encoder
    disk = model_bytes(encoder, encoder.layers, classes=0)
    if costs.study.base_model(folder).source != "pretrain":
        return Cost(disk=disk)
    return Cost(work.pretraining_work(config.pretraining, encoder), disk=disk)


def _student_init(costs: Costs, job: Job) -> Cost:
    folder = Path(job.files[0])
    taught = settings.init_teacher(costs.study, folder.parent.name) is not None
    encoder = costs.encoder if taught else costs.student_encoder
    return Cost(disk=model_bytes(encoder, int(folder.name.removeprefix("layers")), classes=0))


def _task_data(costs: Costs, job: Job) -> Cost:
    return Cost(disk=data_bytes(costs.texts(Path(job.files[0]).parent.name)))


def _corpus(costs: Costs, job: Job) -> Cost:
    return Cost(disk=corpus_bytes(costs.corpus))


def _attention(costs: Costs, job: Job) -> Cost:
    assert job.run is not None
    texts = costs.texts(job.run.task)
    own = costs.encoder_of(job.run)
    return Cost(work.attention_work(job.run.layers, own, texts, costs.encoder))


OTHERS: dict[str, Callable[[Costs, Job], Cost]] = {
    "base_model": _base_model,
    "student_init": _student_init,
    "corpus": _corpus,
    "task_data": _task_data,
    "attention": _attention,
}
