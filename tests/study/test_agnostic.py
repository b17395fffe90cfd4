"""General students in a config: mistakes, settings of their jobs, and what starts from them."""

import re

import pytest

from internal_kd.errors import UserError
from internal_kd.specs.config import encode_config
from internal_kd.specs.jobs import encode
from internal_kd.specs.runs import Run
from internal_kd.study import settings
from internal_kd.study.config import load
from internal_kd.study.expectations import Expectations
from internal_kd.study.paths import Paths
from tests.study.configs import merged, read_config, read_study

LOSS = {"internal": {"attention_mse": 1.0}}
TUNED = {"tuned": {"label": "x", "output": {"hard": 1.0}, "init_from": "att"}}
RUN = Run("rte", "tuned", 3, 100, 1)
MODEL = "results/agnostic/att/layers3/seed0"


def model(**changes) -> dict:
    return {"agnostic": {"att": LOSS | changes}}


def compared(**changes) -> dict:
    return {**model(**changes), "experiments": {"exp2.0": {"init_from": "att"}}}


MISTAKES = {
    "no loss": ({"agnostic": {"att": {}}}, "agnostic.att.internal: this key is missing"),
    "empty loss": (model(internal={}), "agnostic.att.internal: is empty"),
    "unknown key": (model(layer_mp="last"), "agnostic.att.layer_mp: unknown key; did you mean"),
    "name of another start": (
        {"agnostic": {"teacher": LOSS}},
        "agnostic.teacher: 'teacher' has a meaning of its own in init_from",
    ),
    "loss that needs labels": (
        model(internal={"hard": 1.0}),
        "agnostic.att.internal.hard: a loss of the output needs a task",
    ),
    "unknown loss": (
        model(internal={"atention_mse": 1.0}),
        "agnostic.att.internal.atention_mse: unknown objective; did you mean 'attention_mse'?",
    ),
    "layers that do not fit": (
        model(layer_map=[2, 9, 4]),
        "agnostic.att.layer_map: is [2, 9, 4]; name 3 layers (student.layers) between 1 and 8",
    ),
    "listed layers of several depths": (
        compared(init=[1, 2, 3]),
        "agnostic.att.init: lists layers for one depth, but sweeps.layers.counts has others",
    ),
    "steps without an evaluation at the end": (
        model(training={"steps": 1000, "evaluate_every": 300}),
        "agnostic.att.training.steps: 1000 steps are no multiple of evaluate_every, 300; write",
    ),
    "more masks than tokens": (
        model(masking={"mask": 0.95}),
        "agnostic.att.masking.random: mask and random are 0.95 and 0.1 of the chosen tokens; write",
    ),
    "unknown start": (
        model() | {"experiments": {"exp2.0": {"init_from": "atto"}}},
        "experiments.exp2.0.init_from: unknown start 'atto'; did you mean 'att'?",
    ),
    "layers of a general student": (
        model() | {"experiments": {"exp2.0": {"init_from": "att", "init": "last"}}},
        "experiments.exp2.0.init: has no effect on the general student att",
    ),
    "path of generated text": (
        model() | {"corpus": {"path": "text"}},
        "corpus.path: is 'text', but corpus.source is embedded, which reads no path; write null",
    ),
    "no path": (
        model() | {"corpus": {"source": "files"}},
        "corpus.path: is null, but corpus.source is files; name the text",
    ),
    "no files": (
        model() | {"corpus": {"source": "files", "path": "no/*.txt"}},
        "corpus.path: 'no/*.txt' is no file, no folder with .txt or .txt.gz files",
    ),
    "no data set": (
        model() | {"corpus": {"source": "dataset", "path": "./no"}},
        "corpus.path: the folder './no' does not exist",
    ),
    "positions": (
        model() | {"corpus": {"max_length": 128}},
        "corpus.max_length: is 128, but the base model has 64 positions; write at most 64",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(name, tmp_path, monkeypatch) -> None:
    changes, sentence = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        read_study(**changes)
    assert re.findall(r"^config: ", str(error.value), re.MULTILINE) == ["config: "]
    assert str(error.value).startswith(f"config: {sentence}")


def test_text_that_nobody_learns_from_is_not_checked(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_study(corpus={"source": "files", "path": "no/*.txt"}).agnostic == {}


def test_text_in_the_results_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/runs").mkdir(parents=True)
    (tmp_path / "results/runs/a.txt").write_text("text\n")
    with pytest.raises(UserError, match=r"corpus\.path: 'results/runs/a\.txt' is in the results"):
        read_study(**model(), corpus={"source": "files", "path": "results/runs/a.txt"})


def test_a_config_with_general_students_survives_being_written() -> None:
    config = read_config(**model(training={"steps": 500}), experiments=TUNED)
    study = load(config)
    written = encode_config(study.config)
    assert load(written).config == study.config
    assert load(merged(read_config(), written)).config == study.config


def test_a_job_gets_what_acts_with_every_value_written_out() -> None:
    study = read_study(**model(training={"steps": 1000}))
    job = encode(settings.agnostic_job(study, "att", 3))
    assert (job["layers"], job["seed"], job["held_out"]) == (3, 0, 500)
    assert job["training"]["learning_rate"] == 5e-4
    assert job["masking"] == {"share": 0.15, "mask": 0.8, "random": 0.1}
    same = read_study(**model(training={"steps": 1000}, init="lower"), experiments=TUNED)
    assert encode(settings.agnostic_job(same, "att", 3)) == job


def test_relation_heads_count_for_losses_of_relations_alone() -> None:
    heads = {"distillation": {"relation_heads": 2}}
    without = settings.agnostic_job(read_study(**model(), **heads), "att", 3)
    relations = model(internal={"query_relation_kl": 1.0})
    assert without.relation_heads is None
    assert settings.agnostic_job(read_study(**relations, **heads), "att", 3).relation_heads == 2


def test_the_text_job_gets_the_keys_of_its_source_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("text\n")
    generated = settings.corpus_settings(read_study())
    assert generated == {
        "source": "embedded",
        "max_length": 64,
        "pack": False,
        "examples": 20000,
        "seed": 1,
    }
    files = settings.corpus_settings(read_study(corpus={"source": "files", "path": "a.txt"}))
    assert files.keys() == {"source", "max_length", "pack", "path", "files"}


def test_text_files_of_one_name_in_several_folders_all_count(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "text.txt").write_text(f"{folder}\n")
    found = settings.corpus_settings(read_study(corpus={"source": "files", "path": "*/text.txt"}))
    assert len(set(found["files"].values())) == 2


def test_a_study_without_general_students_is_planned_as_before() -> None:
    """Neither they nor the experiments that start from them change the settings of other runs."""
    run = Run("rte", "exp3.2", 3, 100, 0)
    alone, beside = read_study(), read_study(**model(), experiments=TUNED)
    for study in (alone, beside):
        assert Paths(study).student_init(run) == "results/init/upper/layers3"
    assert settings.student_job(alone, run) == settings.student_job(beside, run)


def test_students_of_every_seed_start_from_the_same_general_student() -> None:
    study = read_study(**model(init="random", seed=4), experiments=TUNED)
    paths = Paths(study)
    assert paths.student_init(RUN) == "results/agnostic/att/layers3/seed4/model"
    assert paths.agnostic_init("att", 3) == "results/init/random-agnostic-seed4/layers3"
    job = settings.student_job(study, RUN)
    assert (job.experiment.init, job.experiment.init_from) == ("upper", "base")


def test_a_table_expects_the_general_student_and_its_text() -> None:
    study = read_study(**model(), experiments=TUNED)
    expected = Expectations(study, str, str, lambda name: f"code of {name}").runs([RUN])
    assert expected.jobs[f"{MODEL}/manifest.json"].code == "code of att"
    assert {"results/corpus/manifest.json", "results/init/upper/layers3/manifest.json"} < {
        *expected.jobs
    }
