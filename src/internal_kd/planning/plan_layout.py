"""A plan as CSV, as Markdown, and as one line."""

import csv
import json
from dataclasses import asdict, fields
from pathlib import Path

from internal_kd.planning.plan import Plan, PlanRow, shortened
from internal_kd.planning.wording import aligned, amount, counted, short
from internal_kd.reporting.formats import MISSING, Cell, Column, Table, markdown

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
