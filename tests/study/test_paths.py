"""Where the files of a study lie."""

from dataclasses import fields

import pytest

from internal_kd.specs.runs import Run
from internal_kd.study.caches import remove_caches
from internal_kd.study.paths import Paths
from internal_kd.study.reports import Reads
from tests.study.configs import read_study

RUN = Run("rte", "exp3.4", layers=3, percent=100, seed=1)
FOLDER = "results/runs/rte/exp3.4/layers3/train100/seed1"
TEACHER = "results/runs/rte/exp1.0/layers8/train100/seed0"
NAME = "rte-exp3.4-layers3-train100-seed1"


@pytest.fixture(scope="module")
def paths():
    return Paths(read_study())


def test_patterns_have_the_wildcards_of_a_run(paths):
    values = {field.name: getattr(RUN, field.name) for field in fields(RUN)}
    assert paths.run.format(**values) == paths.folders([RUN])[0] == FOLDER
    assert paths.checkpoints.format(**values) == f"results/checkpoints/{NAME}"
    assert paths.distances.format(**values) == f"results/attention/{NAME}"
    assert paths.tokens.format(task="rte") == "results/data/rte/tokens.npz"


def test_manifests_lie_beside_what_they_describe(paths):
    assert paths.run_manifest(RUN) == f"{FOLDER}/manifest.json"
    assert paths.data_manifest("rte") == "results/data/rte/manifest.json"
    assert paths.distances_manifest(RUN) == f"results/attention/{NAME}.manifest.json"
    assert paths.maps_manifest("qqp", 3) == "results/attention/qqp-example3.manifest.json"


def test_a_student_starts_from_its_experiments_initial_model(paths):
    assert paths.student_init(RUN) == "results/init/upper/layers3"
    random = Paths(read_study(experiments={"exp1.1": {"init": "random"}}))
    student = Run("rte", "exp1.1", layers=3, percent=100, seed=1)
    assert random.student_init(student) == "results/init/random-rte-seed1/layers3"


def test_a_student_may_be_cut_from_its_teacher():
    student = Run("rte", "exp1.1", layers=3, percent=100, seed=1)
    for seeds, model in (([0], TEACHER), ([0, 1], TEACHER.replace("seed0", "seed1"))):
        changes = {"exp1.1": {"init_from": "teacher"}}
        study = read_study(seeds=[0, 1], teacher={"seeds": seeds}, experiments=changes)
        start = Paths(study).student_init(student)
        seed = seeds[-1]
        assert start == f"results/init/teacher-rte-train100-seed{seed}-upper/layers3"
        assert Paths(study).init_origin(start.split("/")[2]) == f"{model}/model"
        assert Paths(study).teacher_files(student)
    assert Paths(study).init_origin("random-rte-seed1") == "results/base"


def test_only_distilled_students_read_a_teacher(paths):
    assert paths.teacher(RUN) == TEACHER
    assert paths.teacher_files(RUN) == [f"{TEACHER}/model", f"{TEACHER}/metrics.json"]
    alone = Run("rte", "exp1.1", layers=3, percent=100, seed=1)
    assert paths.teacher_files(alone) == []


def test_inputs_and_options_of_a_table_name_the_same(paths):
    reads = Reads((RUN,), ("metrics.json",), (RUN,), ("rte",), ("rte", 2, (RUN,)))
    distances, examples = f"results/attention/{NAME}.parquet", "results/data/rte/examples.parquet"
    maps = "results/attention/rte-example2.npz"
    assert paths.read_by(reads) == [f"{FOLDER}/metrics.json", distances, examples, maps]
    assert paths.read_options(reads) == [
        *("--runs", FOLDER),
        *("--distances", distances),
        *("--examples", examples),
        *("--maps", maps),
    ]


def test_options_without_files_are_left_out(paths):
    assert paths.read_options(Reads(runs=(RUN,))) == ["--runs", FOLDER]
    assert paths.read_by(Reads()) == []


def test_caches_are_removed_and_checkpoints_kept(tmp_path, monkeypatch, paths):
    monkeypatch.chdir(tmp_path)
    kept, *caches = (
        tmp_path / "results" / name
        for name in (
            f"checkpoints/{NAME}",
            f"checkpoints/{NAME}.finished",
            f"checkpoints/{NAME}.finished.partial",
            "signals/teacher",
        )
    )
    for folder in (kept, *caches):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    remove_caches(paths)
    assert (kept / "file").is_file()
    assert not [folder for folder in caches if folder.exists()]
