"""Students that start from a smaller pre-trained model of their own."""

import json
import shutil
from pathlib import Path

import pytest

from internal_kd.errors import UserError
from internal_kd.objectives.registry import HEADS, HIDDEN, OBJECTIVES
from internal_kd.planning.costs import Costs
from internal_kd.planning.workflow import Job
from internal_kd.specs.experiments import make_experiment
from internal_kd.specs.runs import Run
from internal_kd.specs.sizes import Sizes, misfits, sizes_in
from internal_kd.study import analysis, settings
from internal_kd.study.expectations import Expectations
from internal_kd.study.figures import skipped_figures
from internal_kd.study.files import EMBEDDED
from internal_kd.study.paths import Paths
from tests.study.configs import read_study

CONFIG = {
    "model_type": "bert",
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_hidden_layers": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
    "type_vocab_size": 2,
    "vocab_size": 560,
}
# Of the default config, what fits a student of half the width.
FITTING = {
    "table1": {"experiments": ["exp1.0", "exp2.0", "hidden"]},
    "comparison": {"internal": "hidden"},
    "figures": {"fig4": None, "fig10": None},
    "experiments": {
        "hidden": {"label": "h", "internal": {"hidden_mse": 1.0}, "output": {"soft": 1.0}}
    },
}
RUN = Run("rte", "hidden", 3, 100, 0)


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_model(tmp_path / "small")


def write_model(folder: Path, **changes: int) -> Path:
    """The files that planning reads of a model with the embedded base's tokenizer."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG | changes))
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    shutil.copy(EMBEDDED / "tokenizer.json", folder)
    return folder


def study_of(folder: Path, **changes):
    own = {"source": "folder", "path": str(folder), "revision": None, "layers": 4}
    student = {"base_model": own | changes.pop("base_model", {}), **changes.pop("student", {})}
    return read_study(**{**FITTING, **changes}, student=student)


def problems_of(folder: Path, **changes) -> list[str]:
    with pytest.raises(UserError) as caught:
        study_of(folder, **changes)
    return str(caught.value).splitlines()


def test_students_are_cut_from_it_and_teachers_are_not(folder):
    study = study_of(folder)
    paths = Paths(study)
    assert paths.init_origin(settings.init_name(study, RUN)) == "results/student_base"
    assert paths.init_origin("teacher-rte-train100-seed0-upper").endswith(
        "/exp1.0/layers8/train100/seed0/model"
    )
    assert paths.base_option("student_base") == ["--like", "results/base"]
    assert paths.base_option("base") == []
    own = settings.base_model_settings(study, "student_base")
    assert own["path"] == str(folder)
    assert (own["max_length"], "model.safetensors" in own["files"]) == (64, True)
    assert settings.base_model_job(study, "student_base") == "base"
    assert settings.base_model_settings(study) == settings.base_model_settings(read_study())


def test_tables_expect_it_upstream_of_students_alone(folder):
    codes = (lambda name: name,) * 3
    expectations = Expectations(study_of(folder), *codes)
    manifest = "results/student_base/manifest.json"
    assert manifest in expectations.runs([RUN]).jobs
    assert manifest not in expectations.runs([Run("rte", "exp1.0", 8, 100, 0)]).jobs


def test_what_needs_equal_sizes_is_refused_by_name(folder):
    rows = ["exp1.0", "exp2.0", "exp2.0t", "exp3.0", "exp3.1", "hidden"]
    lines = problems_of(
        write_model(folder.parent / "other", num_attention_heads=2),
        table1={"experiments": rows},
        experiments=FITTING["experiments"] | {"exp2.0": {"init_from": "teacher"}},
    )
    keys = [line.split(": ")[1] for line in lines]
    assert keys == [
        "experiments.exp2.0.init_from",
        "experiments.exp2.0t.head_init",
        "experiments.exp3.0.internal.attention_kl",
        "experiments.exp3.1.internal.cls_cosine",
    ]
    assert "they have 2 and 4; use one of cls_contrast, cls_cosine, cls_mse, hidden_mse" in lines[2]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"student": {"layers": 5}}, "student.layers: is 5, but student.base_model has only 4 lay"),
        (
            {"sweeps": {"layers": {"counts": [6]}}},
            "sweeps.layers.counts[0]: is 6, but student.base_model has only 4 layers",
        ),
        ({"base_model": {"layers": 6}}, "student.base_model.layers: is 6, but the model in"),
        (
            {"base_model": {"path": "nowhere"}},
            "student.base_model.path: 'nowhere/config.json' does",
        ),
        (
            {"base_model": {"source": "embedded"}},
            "student.base_model.source: 'embedded' is not all",
        ),
        (
            {"base_model": {"revision": "main"}},
            "student.base_model.revision: only the hub has revisions",
        ),
        (
            {"experiments": FITTING["experiments"] | {"exp2.0": {"head_init": "teacher_start"}}},
            "experiments.exp2.0.head_init: teacher_start is a head above base_model, but",
        ),
        (
            {"experiments": FITTING["experiments"] | {"exp1.1": {"init": [1, 2, 5]}}},
            "experiments.exp1.1.init: is [1, 2, 5]; name 3 layers (student.layers) between 1 and 4",
        ),
    ],
)
def test_mistakes_are_reported_when_planned(folder, changes, sentence):
    (line,) = problems_of(folder, **changes)
    assert sentence in line


def test_another_vocabulary_is_refused_when_planned(folder):
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace('"[MASK]"', '"[HIDE]"'))
    (line,) = problems_of(folder)
    assert "student.base_model.path: the tokenizer in" in line


def test_attention_of_students_of_other_sizes_is_not_compared(folder):
    study = study_of(folder)
    assert {"fig5", "fig11", "attention_kl"} <= set(skipped_figures(study))
    assert analysis.attention_runs(study) == ()
    equal = write_model(folder.parent / "equal", hidden_size=64)
    assert analysis.attention_runs(study_of(equal))
    assert "attention_kl" not in skipped_figures(study_of(equal))


def test_the_plan_counts_the_size_of_each_model(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own, usual = Costs(study_of(folder)), Costs(read_study(**FITTING))
    assert (own.encoder, own.student_encoder.hidden) == (usual.encoder, 32)
    assert own.encoder_of(Run("rte", "exp1.0", 8, 100, 0)) == own.encoder
    for rule, file in (
        ("student_init", "results/init/upper/layers3"),
        ("distill", f"{RUN.path('results')}/model"),
    ):
        job = Job(rule, (file,), False)
        assert own.of(job).disk < 0.5 * usual.of(job).disk
    job = Job("distill", (f"{RUN.path('results')}/model",), False)
    assert own.of(job).work.flops < usual.of(job).work.flops
    assert own.of(job).signals == usual.of(job).signals  # of the teacher
    assert own.of(Job("base_model", ("results/base",), False)).disk == (
        usual.of(Job("base_model", ("results/base",), False)).disk
    )


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_fit_students_that_are_equal_in_what_they_need(name):
    experiment = make_experiment("x", {"label": "x", "internal": {name: 1.0}})
    teacher, equal = Sizes(4, 64), OBJECTIVES[name].equal
    student = Sizes(4 if HEADS in equal else 2, 64 if HIDDEN in equal else 32)
    assert not list(misfits(experiment, None, teacher, student))
    assert bool(list(misfits(experiment, None, teacher, Sizes(2, 32)))) == bool(equal)


def test_families_name_their_sizes_differently():
    assert sizes_in({"n_heads": 2, "dim": 16}) == sizes_in(
        {"num_attention_heads": 2, "hidden_size": 16}
    )
    assert sizes_in({}) is None
