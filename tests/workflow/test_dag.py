import re
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.study.configs import read_study
from tests.study.test_student_base import FITTING, write_model
from tests.workflow.snakemake import job_counts, planned, snakemake

SNAKEFILE = ("--snakefile", str(ROOT / "Snakefile"))
TABLE1 = ("--", "results/table1.csv")
TABLE1_JOBS = {"base_model": 1, "student_init": 1, "table1": 1}
REPORTED_ONCE = {
    **{f"table{number}": 1 for number in (1, 2, 3, 4)},
    "glue_submission": 1,
    "significance": 1,
    "claims": 1,
    "figure_attention_kl": 1,
    "figure_calibration": 1,
    "index": 1,
    "report": 1,
    "all": 1,
}
PAPER_FIGURES = {
    "figure_parameters": 4,
    "figure_data_size": 2,
    "figure_convergence": 2,
    "figure_attention": 1,
    "figure_heads": 1,
    "attention_maps": 1,
}


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory) -> Path:
    """A working directory with files like those studies/minilm.yaml needs, without content."""
    folder = tmp_path_factory.mktemp("minilm")
    model = folder / "models" / "all-MiniLM-L6-v2"
    model.mkdir(parents=True)
    (model / "config.json").write_text('{"num_hidden_layers": 6}')
    (model / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    for task in ("cola", "mrpc"):
        (folder / "glue" / task).mkdir(parents=True)
        for split in ("train", "validation"):
            (folder / "glue" / task / f"{split}.parquet").write_bytes(b"PAR1PAR1")
    return folder


def test_table1_of_the_default_study(tmp_path):
    seeds = len(read_study().seeds)
    jobs = planned(tmp_path, *SNAKEFILE, *TABLE1)
    assert jobs == TABLE1_JOBS | {"task_data": 4, "teacher": 4, "distill": 10 * 4 * seeds}


def test_default_target_is_everything(tmp_path):
    seeds = len(read_study().seeds)
    layer_sweep, size_sweep = 2 * 2 * 4, 2 * 3 + 2 * 4  # QNLI's students on all data are new too
    assert planned(tmp_path, *SNAKEFILE) == REPORTED_ONCE | PAPER_FIGURES | {
        "base_model": 1,
        "student_init": 3,
        "task_data": 5,
        "teacher": 5,
        "distill": (10 * 4 + layer_sweep + size_sweep) * seeds,
        "attention": 2 * 4 * seeds,
    }


def test_whole_paper_study_is_planned_offline(tmp_path):
    overlay = ROOT / "studies" / "paper.yaml"
    jobs = planned(tmp_path, *SNAKEFILE, "--configfile", str(overlay))
    assert jobs == REPORTED_ONCE | PAPER_FIGURES | {
        "base_model": 1,
        "student_init": 5,
        "task_data": 5,
        "teacher": 5 * 5,
        "distill": (10 * 4 + 4 * 2 * 4 + 3 * 2 + 4 * 2) * 5,
        "attention": 2 * 4 * 5,
    }


@pytest.mark.parametrize(
    ("name", "starts", "students", "general"),
    [
        ("objectives", 3 + 3 + 1, 3 * (6 * 3 + 5 * 2 + 2), 1),
        ("objectives-full", 4 + 1 + 1, 6 * (9 * 5 + 1), 0),
    ],
)
def test_studies_of_objectives_are_planned(tmp_path, name, starts, students, general):
    overlay = ("--configfile", str(ROOT / "studies" / f"{name}.yaml"))
    jobs = planned(tmp_path, *SNAKEFILE, *overlay, "--config", "tasks=[rte]")
    once = ("base_model", "task_data", "teacher", "objectives", "starts", "mappings")
    once = (*once, "objective_claims")
    figures = ("figure_objective_scores", "figure_start_slopes")
    trained = {"student_init": starts, "distill": students}
    trained |= {"corpus": 1, "agnostic": general} if general else {}
    assert jobs == dict.fromkeys([*once, *figures, "index", "report", "all"], 1) | trained


def test_teachers_of_the_same_share_are_runs_of_their_own(tmp_path):
    changes = "sweeps={data_size: {fractions: [0.1, 0.5], tasks: [qqp], teacher: same}}"
    target = "results/figures/fig3.csv"
    jobs = planned(tmp_path, *SNAKEFILE, "--config", changes, "seeds=[0, 1]", "--", target)
    assert (jobs["teacher"], jobs["distill"]) == (1 + 2 * 2, 2 * 3 * 2)


def test_paper_study_is_planned_offline(tmp_path):
    overlay = ROOT / "studies" / "paper.yaml"
    target = "results/paper/table1.csv"
    jobs = planned(tmp_path, *SNAKEFILE, "--configfile", str(overlay), "--", target)
    assert jobs == TABLE1_JOBS | {"task_data": 4, "teacher": 4 * 5, "distill": 10 * 4 * 5}


def test_minilm_study_is_planned_from_local_folders(stand_ins):
    overlay = ROOT / "studies" / "minilm.yaml"
    target = "results/minilm/table1.csv"
    jobs = planned(stand_ins, *SNAKEFILE, "--configfile", str(overlay), "--", target)
    assert jobs == TABLE1_JOBS | {"task_data": 2, "teacher": 2 * 3, "distill": 10 * 2 * 3}


def test_students_without_teacher_do_not_wait_for_one(tmp_path):
    target = "results/runs/rte/exp1.1/layers3/train100/seed0/metrics.json"
    jobs = planned(tmp_path, *SNAKEFILE, "--", target)
    assert jobs == {"base_model": 1, "student_init": 1, "task_data": 1, "distill": 1}


def test_any_size_share_and_seed_of_a_run_is_a_target(tmp_path):
    target = "results/runs/qqp/exp3.2/layers2/train30/seed11/metrics.json"
    jobs = planned(tmp_path, *SNAKEFILE, "--", target)
    assert jobs == {"base_model": 1, "student_init": 1, "task_data": 1, "teacher": 1, "distill": 1}


def test_starts_differ_by_folder(tmp_path):
    changes = "experiments={exp2.0: {init: random}, exp3.0: {init: [1, 2, 4]}}"
    sweeps = "sweeps={layers: {counts: []}}"
    config = ("--config", changes, "seeds=[0, 1]", "tasks=[rte]", sweeps)
    jobs = planned(tmp_path, *SNAKEFILE, *config, *TABLE1)
    assert jobs["student_init"] == 4  # upper, two random ones, the list


@pytest.mark.parametrize(
    ("teachers", "starts"),
    [([0], ["seed0"]), ([0, 1], ["seed0", "seed1"])],  # a teacher's students share their start
)
def test_students_of_a_teacher_wait_for_the_model_that_they_are_cut_from(
    tmp_path, teachers, starts
):
    experiment = "experiments={exp1.1: {init_from: teacher}}"
    rows = "table1={experiments: [exp1.1]}"
    seeds = ("seeds=[0, 1]", f"teacher={{seeds: {teachers}}}")
    config = ("--config", experiment, rows, *seeds, "tasks=[rte]")
    output = snakemake(tmp_path, "-n", "-p", *SNAKEFILE, *config, *TABLE1).stdout
    jobs = job_counts(output)
    assert (jobs["student_init"], jobs["teacher"]) == (len(starts), len(starts))
    folder = r"results/runs/rte/exp1\.0/layers8/train100/(seed\d)/model"
    start = r"results/init/teacher-rte-train100-(seed\d)-upper/layers3"
    assert Counter(re.findall(rf"--base {folder} --out {start}", output)) == {
        (seed, seed): 1 for seed in starts
    }
    assert Counter(re.findall(rf"--init {start} .* --teacher {folder}", output)) == {
        (seed, seed): 2 // len(starts) for seed in starts
    }


def test_students_of_another_width_have_a_base_model_of_their_own(tmp_path):
    write_model(tmp_path / "small")
    overlay = {
        **FITTING,
        "student": {"base_model": {"source": "folder", "path": "small", "revision": None}},
        "tasks": ["rte"],
        "seeds": [0],
    }
    overlay["student"]["base_model"]["layers"] = 4
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(overlay))
    config = ("--configfile", "small.yaml")
    output = snakemake(tmp_path, "-n", "-p", *SNAKEFILE, *config, *TABLE1).stdout
    jobs = job_counts(output)
    assert (jobs["base_model"], jobs["student_init"], jobs["teacher"]) == (2, 1, 1)
    assert re.search(r"jobs base .*--like results/base --out results/student_base ", output)
    assert "--base results/student_base --out results/init/upper/layers3" in output
    assert "--base results/base --data results/data/rte/tokens.npz" in output


def test_command_line_changes_single_values(tmp_path):
    changes = ("tasks=[rte]", "student={layers: 2}", "seeds=[5]")
    output = snakemake(tmp_path, "-n", *SNAKEFILE, "--config", *changes, *TABLE1).stdout
    jobs = job_counts(output)
    assert (jobs["teacher"], jobs["distill"]) == (1, 10)
    assert "results/runs/rte/exp3.6/layers2/train100/seed5" in output


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        (["seedz=[0]"], ["config: seedz: unknown key; did you mean 'seeds'?"]),
        (
            ["student={layers: 9, training: {epochs: 12}, per_task: null}"],
            ["config: student.layers: is 9, but the base model has only 8 layers"],
        ),
        (
            ["student={training: {learning_rate: 2e-5}}", "table1={experiments: [exp9]}"],
            [
                "config: student.training.learning_rate: is the text '2e-5', not a number; "
                "write 2.0e-5",
                "config: table1.experiments: unknown experiment 'exp9'",
            ],
        ),
        (["data={source: folder, path: nowhere}"], ["config: data.path: the folder 'nowhere'"]),
    ],
)
def test_mistakes_end_a_dry_run_with_a_sentence_each(tmp_path, changes, sentences):
    result = snakemake(tmp_path, "-n", *SNAKEFILE, "--config", *changes)
    assert result.returncode != 0
    assert "Traceback" not in result.stdout
    reported = [line for line in result.stdout.splitlines() if line.startswith("config: ")]
    assert len(reported) == len(sentences)
    for line, sentence in zip(reported, sentences, strict=True):
        assert line.startswith(sentence)


def test_misspelt_overlay_file_is_reported(tmp_path):
    result = snakemake(tmp_path, "-n", *SNAKEFILE, "--configfile", "studies/papr.yaml")
    assert result.returncode != 0
    assert "papr.yaml" in result.stdout


@pytest.mark.slow
def test_paper_study_without_the_hub_ends_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    overlay = str(ROOT / "studies" / "paper.yaml")
    target = "results/paper/table1.csv"
    result = snakemake(tmp_path, "--cores", "1", *SNAKEFILE, "--configfile", overlay, "--", target)
    assert result.returncode != 0
    assert "Traceback" not in result.stdout
    after = result.stdout.split("Exiting because a job execution failed")[1]
    sentences = [line for line in after.splitlines() if line.startswith("error: ")]
    assert len(sentences) == 1
    assert sentences[0].startswith("error: base_model.path: 'bert-base-uncased' could not be")


def test_every_rule_declares_what_it_needs():
    """What `--lint` does not check: benchmark, threads, GPU, memory, time, fingerprint."""
    found = 0
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = file.read_text()
        # Rules that a loop makes.
        text += textwrap.dedent("".join(re.findall(r"\n    rule:\n(?:(?:        .*)?\n)+", text)))
        for rule in re.split(r"\n(?=(?:use )?rule\b)", text)[1:]:
            name = rule.split(":", 1)[0]
            found += 1
            inherited = () if name.startswith("use") else ("conda:",)
            for part in ("log:", "benchmark:", *inherited, "threads:", "message:"):
                assert f"\n    {part}" in rule, (name, part)
            for part in ("code=", "settings="):
                assert f"\n        {part}" in rule, (name, part)
            assert "\n        **needs(RESOURCES[" in rule, name
    assert found == 12


def test_lint_is_clean():
    result = snakemake(ROOT, "--lint")
    assert result.returncode == 0, result.stdout


def test_files_are_formatted():
    files = [str(ROOT / "Snakefile"), *map(str, (ROOT / "workflow" / "rules").glob("*.smk"))]
    result = subprocess.run(
        [Path(sys.executable).parent / "snakefmt", "--check", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
