"""The plan of a study: what its jobs cost, as CSV, as Markdown, and as one line."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from internal_kd.planning.costs import Costs
from internal_kd.planning.wording import aligned, amount, counted, short
from internal_kd.planning.workflow import Job
from internal_kd.reporting.formats import MISSING, Cell, Column, Table, markdown
from internal_kd.specs.agnostic import AgnosticRun, agnostic_run_of_path

HOUR = 3600
GIGABYTE = 1e9


@dataclass(frozen=True)
class PlanRow:
    """Jobs of a rule on a task and an experiment; all but `finished` is of those to be done.

    Attributes:
        finished: jobs that are done.
        to_do: jobs that are not.
        steps: of the optimizer.
        tokens: trained on, without padding.
        flops: floating-point operations.
        hours: of all jobs one after the other.
        disk_gb: what they write.
        signals_gb: stored signals of the teacher, of the largest job.
        checkpoint_gb: on disk while it trains, of the largest job.
        gpu: whether they request a GPU.
    """

    rule: str
    task: str
    experiment: str
    finished: int
    to_do: int
    steps: int
    tokens: int
    flops: float
    hours: float
    disk_gb: float
    signals_gb: float
    checkpoint_gb: float
    gpu: bool


@dataclass(frozen=True)
class Plan:
    """The rows, and where the speed comes from."""

    rows: Sequence[PlanRow]
    basis: str

    def total(self, field: str, gpu: bool | None = None) -> float:
        """Sum of a field over all rows, or over those that request a GPU or not."""
        return sum(getattr(row, field) for row in self.rows if gpu is None or row.gpu == gpu)

    def largest(self, field: str) -> float:
        """Largest value of a field."""
        return max((getattr(row, field) for row in self.rows), default=0)


def make_plan(jobs: Iterable[Job], costs: Costs) -> Plan:
    """Add up what the jobs cost."""
    groups: dict[tuple[str, str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault(_key(job), []).append(job)
    rows = [_row(key, group, costs) for key, group in groups.items()]
    return Plan(sorted(rows, key=_order), costs.basis())


def _key(job: Job) -> tuple[str, str, str]:
    run = agnostic_run_of_path(job.files[0]) or job.run
    if isinstance(run, AgnosticRun):
        return job.rule, "", run.model
    if run is not None:
        return job.rule, run.task, run.experiment
    task = Path(job.files[0]).parent.name if job.rule == "task_data" else ""
    return job.rule, task, ""


def _row(key: tuple[str, str, str], jobs: Sequence[Job], costs: Costs) -> PlanRow:
    left = [costs.of(job) for job in jobs if not job.finished]
    return PlanRow(
        *key,
        finished=len(jobs) - len(left),
        to_do=len(left),
        steps=round(sum(cost.work.steps for cost in left)),
        tokens=round(sum(cost.work.tokens for cost in left)),
        flops=sum(cost.work.flops for cost in left),
        hours=sum(cost.seconds for cost in left) / HOUR,
        disk_gb=sum(cost.disk for cost in left) / GIGABYTE,
        signals_gb=_largest(cost.signals for cost in left),
        checkpoint_gb=_largest(cost.checkpoint for cost in left),
        gpu=_requests_gpu(key[0], costs),
    )


def _largest(sizes: Iterable[float]) -> float:
    return max(sizes, default=0) / GIGABYTE


def _requests_gpu(rule: str, costs: Costs) -> bool:
    needs = costs.study.config.resources.by_rule.get(rule.removesuffix("_maps"))
    return needs is not None and bool(needs.gpu)


# In the order in which they are done.
RULES = (
    *("base_model", "student_init", "corpus", "agnostic", "task_data", "teacher", "distill"),
    "attention",
)


def _order(row: PlanRow) -> tuple[int, str, str, str]:
    place = RULES.index(row.rule) if row.rule in RULES else len(RULES)
    return place, row.rule if place == len(RULES) else "", row.task, row.experiment


def shortened(plan: Plan) -> Plan:
    """The plan with one row for all jobs that take seconds: tables, figures, statistics."""
    rest = Plan([row for row in plan.rows if row.rule not in RULES], plan.basis)
    if not rest.rows:
        return plan
    sums = {name: rest.total(name) for name in ("finished", "to_do", "hours")}
    row = replace(rest.rows[0], rule="tables, figures", finished=int(sums["finished"]))
    row = replace(row, to_do=int(sums["to_do"]), hours=sums["hours"])
    return Plan([*(row for row in plan.rows if row.rule in RULES), row], plan.basis)


COLUMNS = {
    "rule": "rule",
    "task": "task",
    "experiment": "experiment",
    "finished": "done",
    "to_do": "to do",
    "steps": "steps",
    "tokens": "tokens",
    "flops": "FLOPs",
    "hours": "hours",
    "disk_gb": "disk GB",
    "signals_gb": "signals GB",
    "checkpoint_gb": "checkpoint GB",
}
TEXTS = ("rule", "task", "experiment")
SUMS = ("finished", "to_do", "steps", "tokens", "flops", "hours", "disk_gb")


def write_plan(plan: Plan, out: Path) -> None:
    """Write the plan as CSV to `out` and as Markdown beside it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(PlanRow)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in plan.rows)
    rows = [[Cell(text) for text in row] for row in _rows(plan)]
    columns = [Column(text, align="l" if name in TEXTS else "r") for name, text in COLUMNS.items()]
    table = Table("What is to be done", columns, [rows], [summary(plan)])
    out.with_suffix(".md").write_text(markdown(table), encoding="utf-8")


def plan_text(plan: Plan) -> str:
    """The plan for a terminal, and the line that sums it up."""
    rows = [list(COLUMNS.values()), *_rows(shortened(plan))]
    return f"{aligned(rows, left=len(TEXTS))}\n\n{summary(plan)}"


def plan_json(plan: Plan) -> str:
    """The plan for programs: its rows and where the speed comes from."""
    rows = [asdict(row) for row in plan.rows]
    return json.dumps({"basis": plan.basis, "rows": rows}, indent=1)


def _rows(plan: Plan) -> list[list[str]]:
    """The rows and their total."""
    rows = [[_shown(name, getattr(row, name)) for name in COLUMNS] for row in plan.rows]
    return [*rows, [_shown(name, _total(plan, name)) for name in COLUMNS]]


def _total(plan: Plan, name: str) -> str | float:
    if name in TEXTS:
        return "all" if name == "rule" else ""
    return plan.total(name) if name in SUMS else plan.largest(name)


def _shown(name: str, value: str | float) -> str:
    if isinstance(value, str):
        return value
    if name in ("finished", "to_do"):
        return f"{value:.0f}"
    if not value:
        return MISSING
    if name == "flops":
        return f"{value:.1e}"
    return short(value) if name in ("steps", "tokens") else amount(value)


def summary(plan: Plan) -> str:
    """Jobs, hours and gigabytes in one line."""
    to_do, done = int(plan.total("to_do")), int(plan.total("finished"))
    if not to_do:
        return f"nothing to be done: {counted(done, 'job')} done"
    jobs = f"{counted(to_do, 'job')} to do" + (f" and {done:,} done" if done else "")
    hours = [
        f"{amount(plan.total('hours', gpu))} {name}-hours"
        for gpu, name in ((True, "GPU"), (False, "CPU"))
        if plan.total("hours", gpu)
    ]
    disk = f"{amount(plan.total('disk_gb'))} GB on disk"
    return f"{jobs}, about {' and '.join(hours)} ({plan.basis}), {disk}"
