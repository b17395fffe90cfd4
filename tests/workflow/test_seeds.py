"""Three seeds with a teacher for each, and other readings, through the real workflow."""

import csv
import json
from pathlib import Path

import pytest
import yaml

from tests.workflow.snakemake import snakemake
from tests.workflow.tiny import STUDY, make_project

pytestmark = pytest.mark.slow

SEEDS = [0, 1, 2]
READING = {
    "label": "head: the untrained teacher's",
    "reading_of": "exp3.4",
    "internal": {"attention_kl": 1.0, "cls_cosine": 1.0},
    "output": {"soft": 1.0},
    "schedule": "stacked",
    "output_from": "end",
    "layer_reduction": "sum",
    "head_init": "teacher_start",
}
TABLES = ("table1", "table2", "table3", "significance", "claims", "readings")
RESULTS = Path("results/tiny")


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("seeds"))
    study = STUDY | {
        "seeds": SEEDS,
        "teacher": STUDY["teacher"] | {"seeds": SEEDS},
        "experiments": {"exp3.4-start": READING},
        "table1": {"experiments": ["exp1.0", "exp2.0", "exp2.0t", "exp3.4"]},
        "sweeps": {"layers": {"counts": []}, "data_size": {"fractions": []}},
        "selection": {"split": "holdout", "share": 0.25},
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(study))
    targets = [str(RESULTS / f"{name}.csv") for name in TABLES]
    done = snakemake(folder, "--cores", "2", "--configfile", "tiny.yaml", "--", *targets)
    assert done.returncode == 0, done.stdout
    return folder / RESULTS


def rows_of(results: Path, name: str) -> list[dict[str, str]]:
    with open(results / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def metrics_of(results: Path, experiment: str, layers: int, seed: int) -> dict:
    folder = results / f"runs/rte/{experiment}/layers{layers}/train100/seed{seed}"
    return json.loads((folder / "metrics.json").read_text())


def test_every_seed_has_a_teacher_of_its_own(results) -> None:
    losses = {metrics_of(results, "exp1.0", 4, seed)["validation"]["mcc"] for seed in SEEDS}
    assert len(losses) > 1
    (teacher,) = [
        row
        for row in rows_of(results, "table1")
        if row["experiment"] == "exp1.0" and row["split"] == "validation"
    ]
    assert (teacher["n"], teacher["std"] != "") == ("3", True)


def test_nothing_that_is_held_out_is_trained_on(results) -> None:
    every = [("exp1.0", 4), *((name, 2) for name in ("exp2.0", "exp2.0t", "exp3.4"))]
    for name, layers in every:
        for seed in SEEDS:
            assert metrics_of(results, name, layers, seed)["train_examples"] == 24


def test_rows_are_tested_against_the_baseline_of_their_head(results) -> None:
    baselines = {
        (row["experiment"], row["baseline"])
        for row in rows_of(results, "significance")
        if row["experiment"] == "exp3.4" and row["same_start"] == "True"
    }
    assert baselines == {("exp3.4", "exp2.0t")}


def test_readings_are_compared_with_what_they_are_readings_of(results) -> None:
    (row,) = rows_of(results, "readings")
    assert (row["reading"], row["of"], row["seeds"]) == ("exp3.4-start", "exp3.4", "3")
    assert float(row["low"]) <= float(row["effect"]) <= float(row["high"])
