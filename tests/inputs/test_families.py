"""Every family of encoders through teacher, students and files, with plain Transformers at the end.

What comes out is compared with docs/data/encoders.csv, from which the tables of docs/encoders.md
are made.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import ModernBertConfig

from internal_kd.distillation.run_builder import check_attention
from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import read_predictions
from internal_kd.jobs import base, distill, student, teacher
from internal_kd.models import families as known_families
from internal_kd.models import loading
from internal_kd.models.bert import BertClassifier
from internal_kd.models.capture import capture
from internal_kd.models.features import FEATURES, CaptureRequest
from internal_kd.models.layers import count_parameters, head_parameters
from internal_kd.models.loading import load_classifier
from internal_kd.objectives.registry import OBJECTIVES
from internal_kd.specs.config import BaseModel
from internal_kd.study.files import base_model_problems
from tests.conftest import ROOT
from tests.inputs import plain_transformers
from tests.inputs.checkpoints import LAYERS, make_base, settings
from tests.inputs.families import REFUSED, WORKING, Family
from tests.inputs.test_weights import refused
from tests.jobs.tiny_study import (
    DISTILLATION,
    SELECTION,
    TRAINING,
    call,
    experiment_settings,
    run_of,
    write_tokens,
)
from tests.models.tiny import tiny_batch

DOCUMENTED = pd.read_csv(ROOT / "docs/data/encoders.csv", keep_default_na=False)
PAGE = ROOT / "docs/encoders.md"
SHORT = TRAINING | {"epochs": 3, "batch_size": 16}


@dataclass(frozen=True)
class Study:
    """A base, a student, tokens and a teacher of one family."""

    family: Family
    folder: Path

    def make(self) -> "Study":
        """Write them."""
        base = make_base(self.family.checkpoint(self.folder / "model"), self.folder / "base")
        cut = {"init": self.family.init, "layers": 2}
        call(student, cut, base=base, out=self.folder / "init")
        tokens = write_tokens(self.folder / "tokens.npz", pad=self.family.pad)
        chosen = {"run": run_of("exp1.0", layers=4), "training": SHORT, "selection": SELECTION}
        call(teacher, chosen, base=base, data=tokens, out=self.folder / "teacher")
        return self

    def distil(self, name: str, source: str, out: str = "", **changes: Any) -> Path:
        """Train a student with the teacher's signals live or stored."""
        run = self.folder / (out or f"{name}-{source}")
        experiment = experiment_settings(name, layer_map=self.family.layer_map, **changes)
        chosen = {
            "run": run_of(name),
            "experiment": experiment,
            "training": SHORT,
            "distillation": DISTILLATION | {"signals": {"source": source, "attention": "fp32"}},
            "selection": SELECTION,
            "teacher_seed": 0,
        }
        paths = {"init": self.folder / "init", "data": self.folder / "tokens.npz", "out": run}
        stores = {"signals": self.folder / "signals", "signals-mb": "100"}
        call(distill, chosen, **paths, teacher=self.folder / "teacher/model", **stores)
        return run


def families() -> list[Any]:
    """All, those that are not quick marked as slow."""
    marks = {True: [pytest.mark.families], False: [pytest.mark.families, pytest.mark.slow]}
    return [pytest.param(name, marks=marks[family.quick]) for name, family in WORKING.items()]


@pytest.fixture(scope="module", params=families())
def study(request, tmp_path_factory) -> Study:
    made = Study(WORKING[request.param], tmp_path_factory.mktemp(request.param))
    try:
        return made.make()
    except SystemExit as stop:
        raise AssertionError("a job refused the family") from stop


@pytest.fixture(scope="module")
def runs(study) -> dict[str, Path]:
    return {
        "live": study.distil("exp3.2", "live"),
        "stored": study.distil("exp3.2", "stored"),
        "progressive": study.distil("exp3.3", "stored"),
    }


def logits(run: Path, split: str = "validation") -> np.ndarray:
    return read_predictions(run / "predictions.parquet")[split].logits


def test_losses_are_finite_and_fall(runs) -> None:
    for run in (runs["live"], runs["stored"]):
        history = pd.read_csv(run / "history.csv")
        for term in ("attention_kl", "cls_cosine", "soft"):
            assert np.isfinite(history[term]).all()
        assert history["loss"].iloc[-1] < history["loss"].iloc[0]
        assert (history["attention_kl"] > 0).all()


def test_stored_signals_are_the_live_ones(runs) -> None:
    np.testing.assert_allclose(logits(runs["live"]), logits(runs["stored"]), rtol=1e-3, atol=1e-4)


def test_progressive_distillation_ends_with_the_output(runs) -> None:
    history = pd.read_csv(runs["progressive"] / "history.csv")
    assert history["stage"].tolist() == ["layers 1", "layers 2", "output"]
    assert np.isfinite(history["loss"]).all()


@pytest.fixture(scope="module")
def plain() -> Iterator[subprocess.Popen[str]]:
    """A process that knows nothing of this package."""
    environment = {key: os.environ[key] for key in os.environ if key != "PYTHONPATH"}
    program = [sys.executable, "-P", plain_transformers.__file__]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, env=environment, **pipes) as process:
        yield process


@pytest.mark.parametrize("split", ["validation", "test"])
def test_plain_transformers_give_the_same_predictions(study, runs, plain, split) -> None:
    out = study.folder / f"{split}.npy"
    given = [runs["progressive"] / "model", study.folder / "tokens.npz", split, out]
    plain.stdin.write(json.dumps([str(each) for each in given]) + "\n")
    plain.stdin.flush()
    assert plain.stdout.readline() == "written\n"
    expected = logits(runs["progressive"], split)
    np.testing.assert_allclose(np.load(out), expected, rtol=1e-3, atol=1e-4)


def test_berts_own_code_trains_as_transformers_code_does(tmp_path, monkeypatch) -> None:
    """Teacher and students of both; dropout draws other numbers."""
    family = Family(
        "Bert", dict.fromkeys(["hidden_dropout_prob", "attention_probs_dropout_prob"], 0)
    )
    runs = {}
    for way in ("own", "transformers"):
        if way == "transformers":
            monkeypatch.setattr(loading, "is_plain_bert", lambda *_, **__: False)
        study = Study(family, tmp_path / way).make()
        runs[way] = [study.distil("exp3.2", "stored"), study.distil("exp3.3", "live")]
        assert isinstance(load_classifier(runs[way][0] / "model"), BertClassifier) == (way == "own")
    for ours, theirs in zip(runs["own"], runs["transformers"], strict=True):
        np.testing.assert_allclose(logits(ours), logits(theirs), rtol=1e-3, atol=1e-4)
        terms = ["loss", "attention_kl", "cls_cosine", "soft"]
        found, expected = (pd.read_csv(run / "history.csv")[terms] for run in (ours, theirs))
        pd.testing.assert_frame_equal(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("objective", ["hidden_mse", "attention_mse", "value_relation_kl"])
def test_objectives_read_the_features_that_a_family_gives(study, capsys, objective) -> None:
    family = json.loads((study.folder / "base/config.json").read_text())["model_type"]
    feature = OBJECTIVES[objective].features[0]
    if feature in known_families.features_of(family):
        run = study.distil("exp3.0", "live", internal={objective: 1.0}, out=objective)
        assert np.isfinite(pd.read_csv(run / "history.csv")[objective]).all()
        return
    with pytest.raises(SystemExit):
        study.distil("exp3.0", "live", internal={objective: 1.0}, out=objective)
    assert (
        f"experiments.exp3.0.internal: {objective} reads the {feature} of attention, which "
        f"{family} does not give; leave it out or use another base model"
    ) in capsys.readouterr().err


def given_features(run: Path) -> str:
    """The features that a model gives when all are requested, as the documentation lists them."""
    model = load_classifier(run / "model")
    with torch.no_grad():
        found = capture(model, tiny_batch(), CaptureRequest.of(FEATURES, (1, 2)))
    return " ".join(name for name in FEATURES if {(name, 1), (name, 2)} <= found.features.keys())


def test_what_was_run_is_documented(study, runs) -> None:
    family = json.loads((study.folder / "base/config.json").read_text())["model_type"]
    (row,) = DOCUMENTED[DOCUMENTED["family"] == family].to_dict("records")
    assert row == {
        "family": family,
        "classes": study.family.name,
        "result": "works",
        "features": given_features(runs["live"]),
        "starts": "any" if study.family.init == "upper" else "from the first layer",
        "reason": "",
    }


def test_all_families_are_documented() -> None:
    rows = {result: set(part["family"]) for result, part in DOCUMENTED.groupby("result")}
    assert rows["works"] == set(WORKING)
    assert rows["refused"] == set(REFUSED) | set(known_families.REFUSED)


@pytest.mark.parametrize("result", ["works", "refused"])
def test_the_page_has_the_tables_of_the_data(result) -> None:
    part = DOCUMENTED[DOCUMENTED["result"] == result]
    columns = ["features", "starts"] if result == "works" else ["reason"]
    for row in part.to_dict("records"):
        cells = [f"`{row['family']}`", row["classes"], *(row[name] for name in columns)]
        assert f"| {' | '.join(cells)} |\n" in PAGE.read_text(encoding="utf-8")
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    assert len(rows) == len(DOCUMENTED) + 2  # and the heads of both tables


def documented_reason(family: str) -> str:
    (reason,) = DOCUMENTED[DOCUMENTED["family"] == family]["reason"]
    return reason


@pytest.mark.parametrize("family", known_families.REFUSED)
def test_families_that_cannot_work_are_refused_by_their_name(tmp_path, capsys, family) -> None:
    """When the study is planned, and by the job, which may be the first to see the model."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
    chosen = BaseModel(source="folder", path=str(tmp_path), revision=None, layers=LAYERS)
    (problem,) = (
        problem for problem in base_model_problems(chosen, 16) if "family" in str(problem)
    )
    assert documented_reason(family) in str(problem)
    message = refused(capsys, base, settings(tmp_path), out=tmp_path / "base")
    assert documented_reason(family) in message


@pytest.mark.parametrize("family", REFUSED)
def test_models_that_do_not_fit_are_refused(tmp_path, capsys, family) -> None:
    source = REFUSED[family].checkpoint(tmp_path / "model")
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert documented_reason(family) in message


@pytest.mark.parametrize(
    ("objective", "matched", "refused"),
    [
        ("attention_kl", {1: 1, 2: 2}, False),
        ("attention_kl", {1: 4, 2: 3}, False),
        ("attention_kl", {1: 2, 2: 4}, True),
        ("cls_cosine", {1: 2, 2: 4}, False),
    ],
)
def test_attention_to_near_tokens_is_not_compared_with_attention_to_all(
    objective, matched, refused
) -> None:
    teacher = ModernBertConfig(num_hidden_layers=4)
    student = ModernBertConfig(num_hidden_layers=2)
    message = (
        "experiments.exp3.2.layer_map: layer 1 of the student has full_attention but the teacher's "
        "layer 2 has sliding_attention, so their attention cannot be compared"
    )
    with pytest.raises(UserError, match=message) if refused else nullcontext():
        check_attention("experiments.exp3.2", [objective], student, teacher, matched)


@pytest.mark.parametrize("family", WORKING)
def test_each_parameter_is_of_embeddings_layers_or_head(family) -> None:
    model = WORKING[family].model(3)
    counts = count_parameters(model)
    total = counts.pop("total")
    assert total == sum(counts.values()) == sum(each.numel() for each in model.parameters())
    assert counts["classifier"] == 2 * (16 + 1)
    shared = [name for name in head_parameters(model) if "rel_" in name or "relative" in name]
    assert not shared
