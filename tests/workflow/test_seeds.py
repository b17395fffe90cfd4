"""Three seeds with a teacher for each, and other readings, through the real workflow."""

import csv
import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

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
CUT_FROM_TEACHER = {
    "label": "hidden states, from the teacher",
    "internal": {"hidden_mse": 1.0},
    "output": {"soft": 1.0},
    "init_from": "teacher",
}
TABLES = ("table1", "table2", "table3", "significance", "claims", "readings")
RESULTS = Path("results/tiny")


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("seeds"))
    study = STUDY | {
        "seeds": SEEDS,
        "teacher": STUDY["teacher"] | {"seeds": SEEDS},
        "experiments": {"exp3.4-start": READING, "hidden": CUT_FROM_TEACHER},
        "table1": {"experiments": ["exp1.0", "exp2.0", "exp2.0t", "exp3.4", "hidden"]},
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


def test_every_seed_is_cut_from_its_teacher(results) -> None:
    for seed in SEEDS:
        model = results / f"runs/rte/exp1.0/layers4/train100/seed{seed}/model"
        start = results / f"init/teacher-rte-train100-seed{seed}-upper/layers2"
        taught = load_file(model / "model.safetensors")
        for name, values in load_file(start / "model.safetensors").items():
            same = f"bert.{name}".replace("layer.1.", "layer.3.").replace("layer.0.", "layer.1.")
            assert torch.equal(values, taught[same]), name
        assert metrics_of(results, "hidden", 2, seed)["validation"]
    assert "Attention, " not in (results / "table1.md").read_text()


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
