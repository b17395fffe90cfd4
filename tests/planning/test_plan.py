import csv
import json

import pytest

from internal_kd.planning.costs import Costs
from internal_kd.planning.jobs import Job
from internal_kd.planning.plan import make_plan, shortened
from internal_kd.planning.plan_layout import plan_text, summary, write_plan
from internal_kd.planning.progress import make_progress
from internal_kd.planning.progress_layout import progress_text
from internal_kd.planning.speed import device_speed
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
    assert cost.seconds == device_speed(study.config["plan"]).seconds(cost.work)
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
    speed, cost = device_speed(fast.config["plan"]), Costs(fast).of(run)
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
    start = study.config["plan"]["devices"]["a100"]["start_seconds"]
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


def test_progress_tells_runs_by_state_and_the_time_left(study) -> None:
    costs = Costs(study)
    jobs = jobs_of(study, "rte", "exp2.0", done=2)
    jobs.append(Job("table1", ("results/paper/table1.csv",), False))
    running, failed = (jobs[number].run for number in (2, 3))
    assert running is not None
    assert failed is not None
    folder = costs.results / "logs" / "distill"
    folder.mkdir(parents=True)
    half = "50%|##| 1950/3900 [00:30<00:45, 9.1step/s]"
    epoch = "epoch 24 (output): loss 0.5000, validation accuracy 0.6000, 1 s\n"
    (folder / f"{running.name}.log").write_text(f"{epoch}\r{half}")
    (folder / f"{failed.name}.log").write_text("error: out of paper\n")
    progress = make_progress(jobs, costs)
    assert progress.table() == [
        ("rte", "exp2.0", {"done": 2, "running": 1, "failed": 1, "to do": 1})
    ]
    left = 45 + 2 * costs.of(jobs[3]).seconds + costs.of(jobs[-1]).seconds
    assert progress.seconds_left == pytest.approx(left)
    text = progress_text(progress)
    assert (
        "running:\n  exp2.0 on rte, 6 layers, 100 % of the data, seed 2: epoch 26 of 50, "
        "step 1950 of 3900; last epoch: loss 0.5000, validation accuracy 0.6000, 1 s"
    ) in text
    assert f"seed 3: out of paper ({folder}/{failed.name}.log)" in text
    assert "2 of 5 runs and 0 of 1 other jobs of paper done; about " in text


def test_a_stopped_run_has_the_rest_of_its_work_to_do(study) -> None:
    costs = Costs(study)
    (run, *_) = jobs_of(study, "rte", "exp2.0")
    assert run.run is not None
    log = costs.results / "logs" / "distill" / f"{run.run.name}.log"
    log.parent.mkdir(parents=True)
    log.write_text("75%|##| 75/100 [00:30<00:10, 2.5step/s]\nstopped by SIGTERM in epoch 3\n")
    progress = make_progress([run], costs)
    assert [state.state for state in progress.runs] == ["stopped"]
    assert progress.seconds_left == pytest.approx(costs.of(run).seconds / 4)
