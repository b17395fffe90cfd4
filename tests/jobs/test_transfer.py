"""Students that learn from all teacher layers at once, and students of another width."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file

from internal_kd.errors import UserError
from internal_kd.evaluation.predictions import read_predictions
from internal_kd.jobs import base, distill, student
from internal_kd.objectives.functions import LayerLoss
from tests.jobs.test_resume import distil_until_killed, same_run, settings_of
from tests.jobs.tiny_study import call, experiment_settings, tiny_tokenizer, write_base

COMBINED = {"internal": {"hidden_mse": 1.0, "cls_mse": 0.5}, "layer_map": "all"}


def settings(source: str, **experiment) -> dict:
    """Of a run with losses of hidden states, beside the soft labels."""
    signals = {"source": source, "attention": "fp32"}
    chosen = experiment_settings("exp3.2", **{"internal": {}, **experiment})
    return settings_of("exp3.2", signals=signals) | {"experiment": chosen}


def paths(tiny: Path, out: Path) -> dict:
    return {
        "init": tiny / "init",
        "data": tiny / "rte.npz",
        "teacher": tiny / "teacher/model",
        "out": out,
        "checkpoints": out.with_name(f"{out.name}-checkpoints"),
        "signals": out.parent / "signals",
        "signals-mb": "100",
    }


def train(tiny: Path, out: Path, chosen: dict, **changes: Path) -> Path:
    call(distill, chosen, **paths(tiny, out) | changes)
    return out


@pytest.fixture(scope="module")
def stored(tiny, tmp_path_factory) -> Path:
    """A run with stored signals of all layers."""
    return train(tiny, tmp_path_factory.mktemp("stored") / "run", settings("stored", **COMBINED))


def test_it_learns_from_all_layers_of_the_teacher(stored) -> None:
    history = pd.read_csv(stored / "history.csv")
    for name in ("hidden_mse", "hidden_mse_layer1", "hidden_mse_layer2"):
        assert history[name].iloc[-1] < 0.9 * history[name].iloc[0]
    recorded = json.loads((stored / "metrics.json").read_text())["signals"]
    assert set(recorded["stores"]) == {"logits", "hidden_1-2-3-4", "cls_1-2-3-4"}


def test_the_saved_model_is_a_plain_student(tiny, stored) -> None:
    start = load_file(tiny / "init/model.safetensors")
    saved = load_file(stored / "model/model.safetensors")
    head = {"classifier.weight", "classifier.bias"}
    assert saved.keys() == {f"bert.{name}" for name in start} | head


def test_stored_and_live_signals_give_the_same_student(tiny, stored, tmp_path) -> None:
    live = train(tiny, tmp_path / "live", settings("live", **COMBINED))
    found = [
        read_predictions(run / "predictions.parquet")["validation"].logits for run in (live, stored)
    ]
    np.testing.assert_allclose(*found, atol=1e-3)


def test_a_killed_run_equals_an_uninterrupted_one(tiny, stored, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("INTERNAL_KD_CHECKPOINT_MINUTES", "0")
    chosen, killed = settings("stored", **COMBINED), tmp_path / "killed"
    distil_until_killed(monkeypatch, 31, chosen, paths(tiny, killed))
    train(tiny, killed, chosen)
    same_run(killed, stored)


@pytest.mark.parametrize("source", ["live", "stored"])
def test_stacked_layers_learn_from_all_layers_too(tiny, tmp_path, source) -> None:
    chosen = settings(source, **COMBINED, schedule="stacked", output_from="end")
    history = pd.read_csv(train(tiny, tmp_path / "run", chosen) / "history.csv")
    assert history["hidden_mse_layer2"].isna().tolist() == [True, True, False, False, True]


def test_objectives_of_single_layers_are_refused() -> None:
    with pytest.raises(UserError, match="layer_map: all does not fit cls_cosine"):
        LayerLoss("cls_cosine", combined=True)


def base_settings(path: Path, **changes) -> dict:
    found = {"source": "folder", "path": str(path), "revision": None, "layers": 3}
    return found | {"max_length": 64} | changes


@pytest.fixture(scope="module")
def narrow(tiny, tmp_path_factory) -> Path:
    """An initial student of 12 units and 3 heads; its teacher has 16 and 2."""
    folder = tmp_path_factory.mktemp("narrow")
    own = write_base(folder / "model", layers=3, hidden_size=12, num_attention_heads=3)
    call(base, base_settings(own), like=tiny / "base", out=folder / "student_base")
    start = {"init": "lower", "layers": 2}
    call(student, start, base=folder / "student_base", out=folder / "init")
    return folder / "init"


@pytest.mark.parametrize(
    ("experiment", "column"),
    [
        ({"internal": {"hidden_mse": 1.0}}, "hidden_mse"),
        ({"internal": {"hidden_mse": 1.0}, "layer_map": "all"}, "hidden_mse"),
        (
            {"internal": {"query_relation_kl": 1.0, "value_relation_kl": 1.0}, "layer_map": "last"},
            "value_relation_kl",
        ),
    ],
)
def test_a_narrower_student_learns_alike_from_stored_and_live_signals(
    tiny, narrow, tmp_path, experiment, column
) -> None:
    logits = []
    for source in ("live", "stored"):
        run = train(tiny, tmp_path / source, settings(source, **experiment), init=narrow)
        history = pd.read_csv(run / "history.csv")
        assert history[column].iloc[-1] < 0.97 * history[column].iloc[0]
        logits.append(read_predictions(run / "predictions.parquet")["validation"].logits)
    np.testing.assert_allclose(*logits, atol=1e-3)
    saved = load_file(run / "model/model.safetensors")
    counted = json.loads((run / "metrics.json").read_text())["parameters"]
    assert counted["total"] == sum(values.numel() for values in saved.values())
    assert saved["classifier.weight"].shape == (2, 12)


@pytest.mark.parametrize(
    ("experiment", "sentence"),
    [
        ({"internal": {"attention_kl": 1.0}}, "exp3.2.internal.attention_kl: needs a student with"),
        ({"internal": {"attention_mse": 1.0}}, "number of attention heads, but they have 3 and 2"),
        ({"internal": {"cls_cosine": 1.0}}, "number of hidden units, but they have 12 and 16"),
        ({"head_init": "teacher"}, "exp3.2.head_init: student and teacher have 12 and 16 hidden"),
    ],
)
def test_what_needs_equal_sizes_is_refused_by_name(
    tiny, narrow, tmp_path, capsys, experiment, sentence
) -> None:
    with pytest.raises(SystemExit):
        train(tiny, tmp_path / "run", settings("live", **experiment), init=narrow)
    assert sentence in capsys.readouterr().err


def test_relation_heads_must_divide_both_widths(tiny, narrow, tmp_path, capsys) -> None:
    chosen = settings("live", internal={"value_relation_kl": 1.0})
    chosen["distillation"]["relation_heads"] = 8
    with pytest.raises(SystemExit):
        train(tiny, tmp_path / "run", chosen, init=narrow)
    assert "8 relation heads do not divide the widths" in capsys.readouterr().err


def other_words(folder: Path) -> None:
    """Another vocabulary."""
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace('"w9"', '"other"'))


def other_ends(folder: Path) -> None:
    """The same vocabulary with other special tokens at the end of texts."""
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = None
    tokenizer.save_pretrained(folder)
    file = folder / "tokenizer.json"
    single = [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ]
    end = {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
    pair = [*single, end, end, {"Sequence": {"id": "B", "type_id": 0}}, end]
    special = {
        name: {"id": name, "ids": [number], "tokens": [name]}
        for name, number in (("[CLS]", 2), ("[SEP]", 3))
    }
    processor = {"type": "TemplateProcessing", "single": [*single, end], "pair": pair}
    content = json.loads(file.read_text()) | {
        "post_processor": processor | {"special_tokens": special}
    }
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "changes", "sentence"),
    [
        (other_words, {}, "student.base_model: its tokenizer has another vocabulary"),
        (other_ends, {}, "student.base_model: its tokenizer has other special tokens"),
        (lambda _: None, {"max_length": 513}, "student.base_model: the model has 512 positions"),
        (lambda _: None, {"layers": 2}, "student.base_model.layers: is 2, but the model has 3"),
    ],
)
def test_a_model_for_other_tokens_is_refused(
    tiny, tmp_path, capsys, spoil, changes, sentence
) -> None:
    own = write_base(tmp_path / "model", layers=3, hidden_size=12, num_attention_heads=3)
    spoil(own)
    with pytest.raises(SystemExit):
        call(base, base_settings(own, **changes), like=tiny / "base", out=tmp_path / "out")
    assert sentence in capsys.readouterr().err
