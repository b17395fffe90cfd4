"""What a base model was before: students are single-label classifiers of two classes in fp32."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, pipeline

from internal_kd.evaluation.predictions import read_predictions
from internal_kd.jobs import base, distill, student
from tests.inputs.checkpoints import change_json, change_weights, checkpoint, make_base, settings
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

LIVES = {
    "regression": {"problem_type": "regression", "num_labels": 1},
    "several labels": {
        "problem_type": "multi_label_classification",
        "id2label": {str(number): name for number, name in enumerate("abcde")},
        "label2id": {name: number for number, name in enumerate("abcde")},
    },
    "sentiments": {"id2label": {"0": "bad", "1": "good"}, "label2id": {"bad": 0, "good": 1}},
    "outputs": {"output_attentions": True, "output_hidden_states": True, "return_dict": False},
    "generation": {"do_sample": True, "num_beams": 4, "max_length": 7, "no_repeat_ngram_size": 3},
    "a trainer": {"finetuning_task": "sst2", "gradient_checkpointing": True, "use_cache": False},
}
FAMILIES = ("Bert", "DistilBert")


def trained(source: Path, folder: Path) -> Path:
    """A run of two layers of it, trained for an epoch."""
    made = make_base(source, folder / "base")
    call(student, {"init": "upper", "layers": 2}, base=made, out=folder / "init")
    chosen = {
        "run": run_of("exp1.1"),
        "experiment": experiment_settings("exp1.1"),
        "training": TRAINING | {"epochs": 1},
        "distillation": DISTILLATION,
        "selection": SELECTION,
        "teacher_seed": 0,
    }
    data = write_tokens(folder / "tokens.npz")
    call(distill, chosen, init=folder / "init", data=data, out=folder / "run")
    return folder / "run"


def assert_plain(run: Path) -> None:
    """Loads as what it is, and reproduces its own predictions."""
    config = json.loads((run / "model/config.json").read_text())
    assert config.get("problem_type") in (None, "single_label_classification")
    model = AutoModelForSequenceClassification.from_pretrained(run / "model").eval()
    assert model.config.num_labels == 2
    assert model.config.id2label == {0: "entailment", 1: "not_entailment"}
    assert {tensor.dtype for tensor in model.parameters()} == {torch.float32}
    output = model(input_ids=torch.tensor([[2, 7, 3]]), labels=torch.tensor([1]))
    assert output.logits.shape == (1, 2)
    assert output.attentions is None
    assert output.hidden_states is None
    assert output.loss.item() == pytest.approx(
        torch.nn.functional.cross_entropy(output.logits, torch.tensor([1])).item()
    )
    (prediction,) = pipeline("text-classification", str(run / "model"))("w1 w2")
    assert prediction["label"] in ("entailment", "not_entailment")
    assert len(read_predictions(run / "predictions.parquet")["validation"].labels) == 64


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_remains_of_an_earlier_task(tmp_path, family, life):
    source = checkpoint(tmp_path / "model", family, "ForSequenceClassification")
    change_json(source / "config.json", **LIVES[life])
    if life in ("regression", "several labels"):
        outputs = 1 if life == "regression" else 5
        change_weights(source, lambda weights: resize_head(weights, outputs))
    assert_plain(trained(source, tmp_path))


def resize_head(weights: dict[str, torch.Tensor], outputs: int) -> None:
    weights["classifier.weight"] = torch.zeros(outputs, 16)
    weights["classifier.bias"] = torch.zeros(outputs)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_another_precision_is_dropped(tmp_path, dtype):
    source = checkpoint(tmp_path / "model")

    def cast(weights: dict[str, torch.Tensor]) -> None:
        weights.update({name: tensor.to(dtype) for name, tensor in weights.items()})

    change_weights(source, cast)
    change_json(source / "config.json", dtype=str(dtype).removeprefix("torch."))
    assert_plain(trained(source, tmp_path))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", {"quantization_config": {"quant_method": "bitsandbytes"}}, "quantized"),
        ("config.json", {"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantized"),
        ("adapter_config.json", {"peft_type": "LORA"}, "an adapter belongs to"),
    ],
)
def test_partial_weights_are_rejected(tmp_path, capsys, file, content, message):
    source = checkpoint(tmp_path / "model")
    (source / file).touch()
    text = (source / file).read_text() or "{}"
    (source / file).write_text(json.dumps({**json.loads(text), **content}))
    assert message in refused(capsys, base, settings(source), out=tmp_path / "base")
