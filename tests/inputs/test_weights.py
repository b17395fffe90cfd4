"""Weights that are missing from a checkpoint or that the model does not use."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from internal_kd.jobs import base, student
from internal_kd.models.loading import load_classifier
from tests.conftest import ROOT
from tests.inputs.checkpoints import (
    LAYERS,
    change_weights,
    checkpoint,
    make_base,
    settings,
)
from tests.jobs.tiny_study import call
from tests.models.captures import represent
from tests.models.tiny import tiny_batch

# Numbers drawn without a seed would differ between processes, those of sets with the hash seed.
WITHOUT_POOLER = [
    ("Bert", "ForMaskedLM"),
    ("Roberta", "ForMaskedLM"),
    ("Bert", "ForTokenClassification"),
]


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def refused(capsys, job, chosen, **paths) -> str:
    """The sentence with which a job refuses what it is given."""
    with pytest.raises(SystemExit) as stop:
        call(job, chosen, **paths)
    text = capsys.readouterr().err
    assert stop.value.code == 2, text
    assert "Traceback" not in text
    return next(line for line in text.splitlines() if line.startswith("error: "))


@pytest.mark.parametrize(("family", "task"), WITHOUT_POOLER)
def test_a_missing_pooler_is_the_same_in_every_process(tmp_path, family, task) -> None:
    source = checkpoint(tmp_path / "model", family, task)
    for seed in "12":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")}
        command = [sys.executable, "-m", "internal_kd.jobs", "base"]
        command += ["--settings", json.dumps(settings(source))]
        subprocess.run([*command, "--out", str(tmp_path / seed)], env=environment, check=True)
    assert "pooler.dense.weight" in AutoModel.from_pretrained(tmp_path / "1").state_dict()
    assert hashes(tmp_path / "1") == hashes(tmp_path / "2")


@pytest.mark.parametrize("used_before", [0, 3])
def test_a_missing_pooler_does_not_depend_on_the_generator(tmp_path, used_before) -> None:
    source = checkpoint(tmp_path / "model", task="ForMaskedLM")
    torch.manual_seed(used_before)
    state = torch.get_rng_state()
    made = hashes(make_base(source, tmp_path / "one"))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    assert made == hashes(make_base(source, tmp_path / "other"))


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("encoder.layer.1.output.LayerNorm.bias", ()),
        ("embeddings.token_type_embeddings.weight", ()),
        ("pooler.dense.bias", ()),
        (
            "encoder.layer.0.attention.self.query.weight",
            ("pooler.dense.weight", "pooler.dense.bias"),
        ),
    ],
)
def test_weights_of_the_encoder_or_half_a_head_cannot_be_missing(
    tmp_path, capsys, name, also
) -> None:
    source = checkpoint(tmp_path / "model")
    change_weights(source, lambda weights: [weights.pop(each) for each in (name, *also)])
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert f"parameters of its config.json have no weights, such as {name}; " in message


@pytest.mark.parametrize(
    ("name", "norm"),
    [("ModernBert", "final_norm.weight"), ("Electra", "embeddings.LayerNorm.weight")],
)
def test_a_normalisation_outside_the_layers_is_no_head(tmp_path, capsys, name, norm) -> None:
    source = checkpoint(tmp_path / "model", name)
    change_weights(source, lambda weights: weights.pop(norm))
    assert norm in refused(capsys, base, settings(source), out=tmp_path / "base")


ODD = {
    "adapter": "encoder.layer.0.output.adapters.mine.down.weight",
    "layer beyond the config": f"encoder.layer.{LAYERS}.output.dense.bias",
    "relative positions": "encoder.layer.2.attention.self.distance_embedding.weight",
    "prompt": "prefix_encoder.embedding.weight",
}


@pytest.mark.parametrize("task", ["Model", "ForMaskedLM"])
@pytest.mark.parametrize("odd", ODD)
def test_unused_weights_are_rejected(tmp_path, capsys, odd, task) -> None:
    source = checkpoint(tmp_path / "model", task=task)
    name = ODD[odd] if task == "Model" else f"bert.{ODD[odd]}"
    change_weights(source, lambda weights: weights.update({name: torch.ones(2)}))
    message = refused(capsys, base, settings(source), out=tmp_path / "base")
    assert f"does not use 1 of its weights, such as {name}; " in message


def test_unused_weights_are_rejected_in_teachers_and_students(tmp_path, capsys) -> None:
    """BERT is read without Transformers there."""
    folder = checkpoint(tmp_path / "model", task="ForSequenceClassification")
    change_weights(
        folder, lambda weights: weights.update({f"bert.{ODD['adapter']}": torch.ones(2)})
    )
    message = refused(
        capsys, student, {"init": "upper", "layers": 2}, base=folder, out=tmp_path / "s"
    )
    assert ODD["adapter"] in message
    with pytest.raises(Exception, match="does not use 1 of its weights"):
        load_classifier(folder)


@pytest.mark.parametrize(
    ("family", "task"),
    [
        ("Bert", "ForPreTraining"),
        ("Bert", "ForQuestionAnswering"),
        ("Roberta", "ForSequenceClassification"),
        ("Electra", "ForPreTraining"),
        ("DistilBert", "ForMaskedLM"),
        ("ModernBert", "ForMaskedLM"),
    ],
)
def test_heads_of_other_tasks_are_dropped(tmp_path, family, task) -> None:
    source = checkpoint(tmp_path / "model", family, task)
    change_weights(
        source, lambda weights: weights.update({"embeddings.position_ids": torch.arange(64)[None]})
    )
    made = AutoModel.from_pretrained(make_base(source, tmp_path / "base"))
    assert made.config.num_hidden_layers == LAYERS


def test_parts_of_a_checkpoint_are_one(tmp_path) -> None:
    source = checkpoint(tmp_path / "model")
    model = AutoModel.from_pretrained(source)
    (source / "model.safetensors").unlink()
    model.save_pretrained(source, max_shard_size="10KB")
    assert len(list(source.glob("model-*.safetensors"))) > 1
    made = AutoModel.from_pretrained(make_base(source, tmp_path / "base"))
    for name, tensor in model.state_dict().items():
        assert torch.equal(made.state_dict()[name], tensor), name


@pytest.mark.parametrize("family", ["RobertaPreLayerNorm", "XLMRobertaXL", "Esm", "Camembert"])
def test_a_top_layer_that_only_resembles_berts_is_computed_whole(tmp_path, family) -> None:
    """Its [CLS] vector and logits are those of Transformers, by the model as it was saved."""
    folder = checkpoint(
        tmp_path / "model", family, "ForSequenceClassification", initializer_range=0.3
    )
    import transformers

    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    batch = tiny_batch()
    with torch.no_grad():
        ours = represent(load_classifier(folder), batch)
        whole = theirs.eval()(batch.input_ids, batch.attention_mask, output_hidden_states=True)
    torch.testing.assert_close(ours.logits, whole.logits)
    depth = represent(load_classifier(folder), batch, LAYERS)
    torch.testing.assert_close(ours.cls[-1], depth.cls[-1])
