import csv
import json
import time
from typing import Any

import pytest

from internal_kd.distillation.progress import (
    TrainingProgress,
    identity_of,
    progress_file,
    write_progress,
)
from internal_kd.planning.costs import Costs
from internal_kd.planning.plan import (
    PlanRow,
    make_plan,
    plan_json,
    plan_text,
    shortened,
    summary,
    write_plan,
)
from internal_kd.planning.progress import make_progress, progress_json, progress_text
from internal_kd.planning.speed import device_speed
from internal_kd.planning.workflow import Job, run_files
from internal_kd.specs.jobs import encode
from internal_kd.specs.runs import Run
from internal_kd.study.config import Study
from tests.planning.test_measured import write_benchmark, write_run
from tests.study.configs import read_study


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    """The paper's study in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return read_study("paper")


def job(study: Study, run: Run, finished: bool = False) -> Job:
    rule = "teacher" if run.experiment == study.teacher.name else "distill"
    return Job(rule, (f"{run.path(study.results)}/model",), finished)


def jobs_of(study: Study, task: str, experiment: str, done: int = 0) -> list[Job]:
    runs = study.runs_of(study.experiments[experiment], task)
    return [job(study, run, number < done) for number, run in enumerate(runs)]


def test_a_run_costs_what_its_device_takes_for_its_work(study) -> None:
    costs = Costs(study)
    (run, *_) = jobs_of(study, "cola", "exp3.2")
    cost = costs.of(run)
    assert cost.work.steps == 50 * 268
    assert cost.seconds == device_speed(study.config.plan).seconds(cost.work)
    assert cost.disk / 1e6 == pytest.approx(4 * 66.96, rel=0.01)  # BERT_6 has 66.96 M parameters
    assert cost.checkpoint / cost.disk == pytest.approx(4, rel=0.01)
    assert cost.signals / 1e9 == pytest.approx(0.51, rel=0.05)


def test_finished_runs_correct_the_device(study) -> None:
    costs, (run, *_) = Costs(study), jobs_of(study, "rte", "exp1.1")
    assert run.run is not None
    before = costs.of(run).seconds
    folder = write_run(costs.results, run.run, seconds=3 * before, epochs=0)
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(metrics | {"settings": {}}))
    assert Costs(study).basis().startswith("estimate from plan.device")  # settings unknown
    metrics["settings"] = encode(costs.training_job(run.run))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    after = Costs(study)
    assert after.basis() == "estimate from 1 finished run"
    assert after.of(run).seconds == pytest.approx(3 * before, rel=0.01)
    given = read_study("paper", plan={"step_ms": 0})
    assert Costs(given).basis() == "estimate from plan.step_ms"


def test_bf16_is_as_fast_as_the_device_is_with_it(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    fast = read_study("paper", student={"training": {"precision": "bf16"}})
    (run, *_) = jobs_of(fast, "qqp", "exp1.1")
    speed, cost = device_speed(fast.config.plan), Costs(fast).of(run)
    assert cost.seconds == speed.seconds(cost.work, "bf16") < speed.seconds(cost.work)


def test_only_what_is_to_be_done_is_counted(study) -> None:
    costs = Costs(study)
    jobs = jobs_of(study, "rte", "exp2.0", done=2) + jobs_of(study, "rte", "exp1.0")
    teacher, student = make_plan(jobs, costs).rows
    assert (teacher.rule, student.rule) == ("teacher", "distill")
    assert (student.finished, student.to_do) == (2, 3)
    one = costs.of(jobs[0])
    assert student.steps == 3 * one.work.steps
    assert student.flops == pytest.approx(3 * one.work.flops)
    assert student.hours == pytest.approx(3 * one.seconds / 3600)
    assert student.checkpoint_gb == pytest.approx(one.checkpoint / 1e9)


def test_jobs_that_do_not_train_take_as_long_as_those_that_are_done(study) -> None:
    table = Job("table1", ("results/paper/table1.csv",), False)
    start = study.config.plan.devices["a100"].start_seconds
    assert Costs(study).of(table).seconds == start
    write_benchmark(Costs(study).results, "table1", 3)
    assert Costs(study).of(table).seconds == 3


def test_other_jobs_have_costs_of_their_own(study) -> None:
    costs, results = Costs(study), study.results
    init = costs.of(Job("student_init", (f"{results}/init/upper/layers6",), False))
    data = costs.of(Job("task_data", (f"{results}/data/qqp/tokens.npz",), False))
    name = Run("rte", "exp2.0", 6, 100, 0).name
    distances = costs.of(Job("attention", (f"{results}/attention/{name}.parquet",), False))
    assert init.disk / 1e6 == pytest.approx(4 * 66.96, rel=0.01)
    assert data.disk / 1e6 == pytest.approx(210, rel=0.05)
    assert distances.work.flops > 0
    base = costs.of(Job("base_model", (f"{results}/base",), False))
    assert base.work.flops == 0


def test_making_the_base_model_is_work(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    study = read_study(base_model={"source": "pretrain"})
    cost = Costs(study).of(Job("base_model", ("results/base",), False))
    assert cost.work.steps == 11_000


def test_the_line_counts_gpu_and_cpu_hours_apart(study) -> None:
    jobs = jobs_of(study, "rte", "exp2.0", done=1)
    jobs.append(Job("table1", ("results/paper/table1.csv",), False))
    plan = make_plan(jobs, Costs(study))
    gpu, cpu = plan.total("hours", gpu=True), plan.total("hours", gpu=False)
    assert gpu == pytest.approx(sum(row.hours for row in plan.rows if row.rule == "distill"))
    assert summary(plan) == (
        f"5 jobs to do and 1 done, about {gpu:.2g} GPU-hours and {cpu:.2g} CPU-hours "
        "(estimate from plan.device a100, nothing measured yet), 1.1 GB on disk"
    )


def test_the_line_when_all_is_done(study) -> None:
    plan = make_plan(jobs_of(study, "rte", "exp1.0", done=5), Costs(study))
    assert summary(plan) == "nothing to be done: 5 jobs done"


def test_the_table_is_written_and_small_jobs_share_a_row_on_the_terminal(study, tmp_path) -> None:
    jobs = jobs_of(study, "rte", "exp2.0")
    jobs += [Job(f"table{n}", (f"results/paper/table{n}.csv",), n == 1) for n in (1, 2, 3)]
    plan = make_plan(jobs, Costs(study))
    write_plan(plan, tmp_path / "new" / "plan.csv")
    with open(tmp_path / "new" / "plan.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rule"] for row in rows] == ["distill", "table1", "table2", "table3"]
    assert float(rows[0]["flops"]) == plan.rows[0].flops
    markdown = (tmp_path / "new" / "plan.md").read_text()
    assert "| distill | rte | exp2.0 | 0 | 5 |" in markdown
    text = plan_text(plan).splitlines()
    assert [line.split("  ")[0] for line in text[1:4]] == ["distill", "tables, figures", "all"]
    assert text[2].split()[2:4] == ["1", "2"]
    assert text[-1] == summary(plan)
    assert shortened(plan).total("hours") == pytest.approx(plan.total("hours"))


def test_the_plan_for_programs_has_all_rows(study) -> None:
    plan = make_plan(jobs_of(study, "rte", "exp2.0"), Costs(study))
    found = json.loads(plan_json(plan))
    assert found["basis"] == plan.basis
    assert [PlanRow(**row) for row in found["rows"]] == plan.rows


CODE = {"exp2.0": "abc"}


def write_attempt(costs: Costs, job: Job, state: str, **fields: Any) -> None:
    """The progress file of an earlier attempt at a run with today's settings."""
    assert job.run is not None
    identity, now = identity_of(encode(costs.training_job(job.run)), CODE["exp2.0"]), time.time()
    progress = TrainingProgress(identity, state, started=now, updated=now, **fields)  # type: ignore[arg-type]
    write_progress(progress_file(run_files(costs.results, job).checkpoints), progress)


def test_progress_shows_runs_by_state_and_the_remaining_time(study) -> None:
    costs = Costs(study)
    jobs = jobs_of(study, "rte", "exp2.0", done=2)
    jobs.append(Job("table1", ("results/paper/table1.csv",), False))
    last = {"loss": 0.5, "score": 0.6, "score_name": "validation accuracy", "epoch_seconds": 1.25}
    done = {"step": 1950, "steps": 3900, "epoch": 26, "epochs": 50, "step_seconds": 0.1}
    write_attempt(costs, jobs[2], "running", **done, **last)
    write_attempt(costs, jobs[3], "failed", reason="out of \x1b paper")
    progress = make_progress(jobs, costs, CODE)
    assert progress.table() == [
        ("rte", "exp2.0", {"done": 2, "running": 1, "failed": 1, "to do": 1})
    ]
    left = 195 + 2 * costs.of(jobs[3]).seconds + costs.of(jobs[-1]).seconds
    assert progress.seconds_left == pytest.approx(left)
    text = progress_text(progress)
    assert (
        "running:\n  exp2.0 on rte, 6 layers, 100 % of the data, seed 2: epoch 26 of 50, "
        "step 1950 of 3900; last epoch: loss 0.5000, validation accuracy 0.6000, 1.25 s"
    ) in text
    failed = jobs[3].run
    assert failed is not None
    assert f"seed 3: out of \\x1b paper (results/paper/logs/distill/{failed.name}.log)" in text
    assert "2 of 5 runs and 0 of 1 other jobs of paper done; about " in text


def test_progress_for_programs_has_every_run_and_its_attempt(study) -> None:
    costs, jobs = Costs(study), jobs_of(study, "rte", "exp2.0", done=1)
    write_attempt(costs, jobs[1], "running", step=3, steps=9)
    found = json.loads(progress_json(make_progress(jobs, costs, CODE)))
    states = [run["state"] for run in found["runs"]]
    assert states == ["done", "running", "to do", "to do", "to do"]
    assert (found["runs"][1]["seed"], found["runs"][1]["attempt"]["step"]) == (1, 3)
    assert found["runs"][0]["attempt"] is None
    assert (found["study"], found["at_a_time"]) == ("paper", 1)


def test_before_the_first_step_training_has_not_begun(study) -> None:
    costs, jobs = Costs(study), jobs_of(study, "rte", "exp2.0")
    write_attempt(costs, jobs[0], "running")
    progress = make_progress(jobs, costs, CODE)
    assert "seed 0: training has not started" in progress_text(progress)
    assert progress.seconds_left == pytest.approx(5 * costs.of(jobs[0]).seconds)


def test_a_stopped_run_counts_its_remaining_work(study) -> None:
    costs = Costs(study)
    (run, *_) = jobs_of(study, "rte", "exp2.0")
    write_attempt(costs, run, "interrupted", step=75, steps=100, epoch=3, epochs=4)
    progress = make_progress([run], costs, CODE)
    assert [state.state for state in progress.runs] == ["stopped"]
    assert "seed 0: epoch 3 of 4, step 75 of 100\n" in progress_text(progress)
    assert progress.seconds_left == pytest.approx(costs.of(run).seconds / 4)
