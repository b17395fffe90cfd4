"""Attention of real students beside their teacher's, from runs to the figures."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
)

from internal_kd.data.batches import assemble
from internal_kd.data.encoding import load_tokens
from internal_kd.jobs import attention, attention_maps, distill
from internal_kd.specs.jobs import encode
from internal_kd.study.glue import GLUE
from tests.conftest import ROOT
from tests.distillation import reference
from tests.jobs.tiny_study import (
    DISTILLATION,
    SELECTION,
    TRAINING,
    call,
    experiment_settings,
    run_of,
)
from tests.models.tiny import SIZES
from tests.reporting.product import write_product

STUDENTS = {"standard": "exp2.0", "internal": "exp3.2"}
DEVELOPMENT = {"split": "validation"}
FIGURE = {
    "task_specs": {"rte": encode(GLUE["rte"])},
    "study": "tiny",
    "note": "A tiny model.",
    "teacher": {"name": "exp1.0", "label": "Teacher", "head": None},
    "standard": {"name": "exp2.0", "label": "Student soft", "head": "random"},
    "internal": {"name": "exp3.2", "label": "Student soft + kl + cos", "head": "random"},
}


@pytest.fixture(scope="module")
def runs(tiny, tmp_path_factory) -> dict[str, Path]:
    """Run folders of a teacher of four layers and two students of two."""
    folder = tmp_path_factory.mktemp("attention")
    for role, name in STUDENTS.items():
        settings = {
            "run": run_of(name),
            "experiment": experiment_settings(name),
            "training": TRAINING,
            "distillation": DISTILLATION,
            "selection": SELECTION,
            "teacher_seed": None,
        }
        paths = {"init": tiny / "init", "data": tiny / "rte.npz", "teacher": tiny / "teacher/model"}
        call(distill, settings, out=folder / role, **paths)
    return {"teacher": tiny / "teacher", **{role: folder / role for role in STUDENTS}}


@pytest.fixture(scope="module")
def distances(tiny, runs, tmp_path_factory) -> dict[str, Path]:
    """The distances of both students."""
    folder = tmp_path_factory.mktemp("distances")
    data, teacher = tiny / "rte.npz", runs["teacher"]
    files = {role: folder / f"{role}.parquet" for role in STUDENTS}
    for role, file in files.items():
        call(attention, DEVELOPMENT, data=data, teacher=teacher, student=runs[role], out=file)
    return files


@pytest.fixture(scope="module")
def maps(tiny, runs, tmp_path_factory) -> Path:
    """The maps of the fourth development example."""
    file = tmp_path_factory.mktemp("maps") / "maps.npz"
    call(attention_maps, {"example": 3, **DEVELOPMENT}, data=tiny / "rte.npz", out=file, **runs)
    return file


def eager(run: Path, tokens: Path, row: int) -> tuple:
    """Transformers' own attentions and [CLS] vectors of one sentence, in double precision."""
    model = AutoModelForSequenceClassification.from_pretrained(
        str(run / "model"), attn_implementation="eager", dtype=torch.float64
    ).eval()
    batch = assemble(load_tokens(tokens)[0]["validation"], np.array([row]), pad_token_id=0)
    with torch.no_grad():
        outputs = model(batch.input_ids, output_attentions=True, output_hidden_states=True)
    return outputs.attentions, [states[:, 0] for states in outputs.hidden_states[1:]]


@pytest.mark.parametrize("role", STUDENTS)
def test_distances_of_every_example_from_the_saved_models(tiny, runs, distances, role) -> None:
    frame = pd.read_parquet(distances[role])
    assert len(frame) == 64 * 2
    assert frame["index"].tolist() == np.repeat(np.arange(64), 2).tolist()
    assert set(frame["experiment"]) == {STUDENTS[role]}
    assert set(zip(frame["layer"], frame["teacher_layer"], strict=True)) == {(1, 2), (2, 4)}
    for row in (0, 31, 63):
        taught, taught_cls = eager(runs["teacher"], tiny / "rte.npz", row)
        learnt, learnt_cls = eager(runs[role], tiny / "rte.npz", row)
        for found in frame[frame["index"] == row].itertuples():
            p, q = taught[found.teacher_layer - 1], learnt[found.layer - 1]
            assert found.attention_kl == pytest.approx(reference_kl(p, q), 1e-3, 1e-6)
            pair = taught_cls[found.teacher_layer - 1], learnt_cls[found.layer - 1]
            assert found.cosine_distance == pytest.approx(reference.cls_cosine(*pair), 1e-3, 1e-6)


def reference_kl(p: torch.Tensor, q: torch.Tensor) -> float:
    """Equation 2 of attention probabilities, `[1, heads, tokens, tokens]`."""
    return reference.attention_kl(list(p.log()), list(q.log()))


def test_internal_distillation_brings_the_student_closer(distances) -> None:
    standard, internal = (
        pd.read_parquet(distances[role])
        .groupby("layer")[["attention_kl", "cosine_distance"]]
        .mean()
        for role in STUDENTS
    )
    assert (internal < standard).all(axis=None)


def test_maps_are_those_of_the_saved_models(tiny, runs, maps) -> None:
    with np.load(maps) as file:
        arrays = dict(file)
    assert arrays["example"] == 3
    assert arrays["teacher_layers"].tolist() == [2, 4]
    for role, layers in (("teacher", (1, 3)), ("standard", (0, 1)), ("internal", (0, 1))):
        attentions, _ = eager(runs[role], tiny / "rte.npz", 3)
        expected = torch.cat([attentions[layer] for layer in layers]).numpy()
        np.testing.assert_allclose(arrays[role], expected, atol=1e-5)
        assert arrays[role].shape[-1] == len(arrays["tokens"])
    assert arrays["tokens"][0] == "[CLS]"
    assert arrays["tokens"][1] in ("w53", "w54")


def test_maps_and_distances_agree(distances, maps) -> None:
    for role in STUDENTS:
        frame = pd.read_parquet(distances[role])
        expected = frame.loc[frame["index"] == 3, "attention_kl"]
        with np.load(maps) as file:
            np.testing.assert_allclose(file[f"{role}_layer_kl"], expected, rtol=1e-4)
            assert file[f"{role}_mean_kl"] == pytest.approx(expected.mean(), 1e-4)


def test_figures_of_real_maps(maps, tmp_path) -> None:
    settings = {**FIGURE, "task": "rte", "layer": None, "head": None}
    paths = ("--maps", maps, "--out")
    write_product("figures.attention:write_attention", settings, *paths, tmp_path / "fig5.csv")
    settings["head"] = 1
    write_product("figures.heads:write_heads", settings, *paths, tmp_path / "fig11.csv")
    for name in ("fig5", "fig11"):
        found = {path.suffix for path in tmp_path.glob(f"{name}.*")}
        assert found == {".csv", ".pdf", ".png"}
    chosen = pd.read_csv(tmp_path / "fig5.csv")[["layer", "head"]].drop_duplicates()
    assert chosen.to_numpy().tolist() == [[1, 2]]


def test_figure_of_real_distances(distances, tmp_path) -> None:
    settings = {**FIGURE, "tasks": ["rte"]}
    paths = ("--distances", *distances.values(), "--out", tmp_path / "a.csv")
    write_product("figures.attention_kl:write_attention_kl", settings, *paths)
    frame = pd.read_csv(tmp_path / "a.csv")
    expected = pd.read_parquet(distances["internal"]).groupby("layer")["attention_kl"].median()
    rows = frame[(frame["experiment"] == "exp3.2") & (frame["measure"] == "attention_kl")]
    assert rows.loc[rows["seed"] == "0", "median"].tolist() == pytest.approx(expected.tolist())


@pytest.mark.parametrize("name", ["attention", "heads", "attention_kl"])
def test_figures_start_without_torch(name) -> None:
    modules = f"internal_kd.jobs.product, internal_kd.reporting.figures.{name}"
    program = f"import sys, {modules}; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def assert_reported(capsys, *words: str) -> None:
    """One sentence on the terminal with these words, and no traceback."""
    text = capsys.readouterr().err
    assert "Traceback" not in text
    for word in words:
        assert word in text


def test_student_with_other_heads_is_refused(tiny, runs, tmp_path, capsys) -> None:
    shutil.copytree(runs["standard"], tmp_path / "run")
    config = BertConfig(**{**SIZES, "num_hidden_layers": 2, "num_attention_heads": 4})
    BertForSequenceClassification(config).save_pretrained(tmp_path / "run/model")
    paths = {"teacher": runs["teacher"], "student": tmp_path / "run", "data": tiny / "rte.npz"}
    with pytest.raises(SystemExit) as stop:
        call(attention, DEVELOPMENT, out=tmp_path / "a.parquet", **paths)
    assert stop.value.code == 2
    assert_reported(capsys, "the student has 4 attention heads, its teacher 2")


def test_example_that_does_not_exist_is_refused(tiny, runs, tmp_path, capsys) -> None:
    settings = {"example": 64, **DEVELOPMENT}
    with pytest.raises(SystemExit) as stop:
        call(attention_maps, settings, data=tiny / "rte.npz", out=tmp_path / "a.npz", **runs)
    assert stop.value.code == 2
    assert_reported(capsys, "example 64 does not exist", "rows 0 to 63")


def test_layer_that_does_not_exist_is_refused(maps, tmp_path, capsys) -> None:
    settings = {**FIGURE, "task": "rte", "layer": 3, "head": 1}
    paths = ("--maps", maps, "--out", tmp_path / "fig5.csv")
    with pytest.raises(SystemExit) as stop:
        write_product("figures.attention:write_attention", settings, *paths)
    assert stop.value.code == 2
    assert_reported(capsys, "figures.fig5.layer: 3", "1 to 2")
