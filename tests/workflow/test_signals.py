"""The teacher's signals in the workflow: stored once, recorded, removed, and no reason to rerun."""

import json
from pathlib import Path

import pytest

from tests.workflow.snakemake import planned
from tests.workflow.tiny import ALL_JOBS, TARGET

pytestmark = pytest.mark.slow

RESULTS = Path("results/tiny")
RUN = "layers2/train100/seed0"


def options(*changes: str) -> list[str]:
    config = ["--config", *changes] if changes else []
    return ["--configfile", "tiny.yaml", *config, "--", TARGET]


@pytest.fixture
def project(finished_copy) -> Path:
    return finished_copy


def recorded(project: Path, experiment: str) -> dict:
    """Where a run's signals came from, by its metrics and, the same, by its manifest."""
    run = project / RESULTS / "runs/rte" / experiment / RUN
    metrics, manifest = (
        json.loads((run / name).read_text()) for name in ("metrics.json", "manifest.json")
    )
    assert metrics["signals"] == manifest["signals"]
    return metrics["signals"]


def test_runs_record_which_stores_they_read(project):
    assert recorded(project, "exp1.1") is None
    soft, stacked = recorded(project, "exp2.0"), recorded(project, "exp3.4")
    assert set(soft["stores"]) == {"logits"}
    assert set(stacked["stores"]) == {"logits", "cls_2-4", "attention_2-4_fp32"}
    assert soft["stores"]["logits"] == stacked["stores"]["logits"]


def test_one_run_writes_a_store_that_the_others_read(project):
    folder = project / RESULTS / "logs/distill"
    logs = [file.read_text() for file in folder.glob("*-train100-*.log")]
    assert sum(log.count("writing logits") for log in logs) == 1


def test_no_signal_store_remains(project):
    assert not (project / RESULTS / "signals").exists()
    assert planned(project, *options()) == {}


@pytest.mark.parametrize("budget_mb", [1, 9999])
def test_another_budget_reruns_nothing(project, budget_mb):
    change = f"distillation={{signals: {{budget_mb: {budget_mb}}}}}"
    assert planned(project, *options(change)) == {}


def test_a_live_teacher_is_another_setting(project):
    change = "distillation={signals: {source: live}}"
    assert planned(project, *options(change)) == {"distill": 2, "table1": 1}


def test_a_new_experiment_reruns_no_other(project):
    rows = "table1={experiments: [exp1.0, exp1.1, exp2.0, exp3.2, exp3.4]}"
    assert planned(project, *options(rows)) == {"distill": 1, "table1": 1}


def test_a_differently_trained_teacher_reruns_its_students(project):
    found = planned(project, *options("teacher={training: {epochs: 2}}"))
    assert found == {"teacher": 1, "distill": ALL_JOBS["distill"] - 1, "table1": 1}
