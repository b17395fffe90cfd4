"""Our BERT computes what that of Transformers computes, and reads and writes the same files."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForSequenceClassification, BertModel

from internal_kd.models.bert import BertClassifier, is_plain_bert
from internal_kd.models.capture import logits_of
from internal_kd.models.loading import label_names, load_classifier, new_classifier
from tests.models.captures import represent
from tests.models.tiny import SIZES, tiny_batch, tiny_model

CPU = torch.device("cpu")
LABELS = ("no", "yes")


@pytest.fixture
def folder(tmp_path):
    """A classifier as Transformers writes it."""
    tiny_model(layers=3).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def pair(folder):
    """That classifier by us and by Transformers, in evaluation mode."""
    ours = load_classifier(folder)
    assert isinstance(ours, BertClassifier)
    return ours, tiny_model(layers=3).eval()


@pytest.mark.parametrize("lengths", [(6, 9, 3), (5, 5)])
def test_outputs_are_those_of_transformers(pair, lengths) -> None:
    batch = tiny_batch(lengths)
    batch.token_type_ids[:, 2:] = 1
    ours, theirs = (represent(model, batch) for model in pair)
    torch.testing.assert_close(ours.logits, theirs.logits)
    torch.testing.assert_close(logits_of(pair[0], batch), theirs.logits)
    assert len(ours.cls) == len(ours.scores) == 3
    for kind in ("cls", "scores"):
        for mine, other in zip(getattr(ours, kind), getattr(theirs, kind), strict=True):
            torch.testing.assert_close(mine, other)


def test_gradients_are_those_of_transformers(pair) -> None:
    batch, found = tiny_batch(), []
    for model in pair:
        outputs = represent(model, batch)
        scores = outputs.scores[-1].masked_fill(outputs.scores[-1] < -1e30, 0.0)
        cls = torch.stack(outputs.cls).square().sum()
        (outputs.logits.square().sum() + cls + scores.square().sum()).backward()
        found.append({name: p.grad for name, p in model.named_parameters()})
    assert found[0].keys() == found[1].keys()
    scale = max(gradient.abs().max() for gradient in found[1].values())
    for name, gradient in found[0].items():
        assert (gradient - found[1][name]).abs().max() <= 1e-5 * scale, name


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_first_layers_alone(pair, depth) -> None:
    batch = tiny_batch()
    whole = represent(pair[1], batch)
    ran = []
    for number, layer in enumerate(pair[0].bert.encoder.layer, start=1):
        layer.register_forward_hook(lambda *_, number=number: ran.append(number))
    part = represent(pair[0], batch, depth)
    assert ran == list(range(1, depth + 1))
    assert part.logits is None
    assert len(part.cls) == len(part.scores) == depth
    torch.testing.assert_close(part.cls[-1], whole.cls[depth - 1])
    torch.testing.assert_close(part.scores[-1], whole.scores[depth - 1])


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert"])
def test_first_layers_alone_in_other_families(family) -> None:
    model, batch = tiny_model(family, layers=3).eval(), tiny_batch()
    whole, part = represent(model, batch), represent(model, batch, 2)
    assert part.logits is None
    assert len(part.cls) == len(part.scores) == 2
    torch.testing.assert_close(part.cls[1], whole.cls[1])
    torch.testing.assert_close(part.scores[1], whole.scores[1])
    torch.testing.assert_close(represent(model, batch).logits, whole.logits)


def test_padding_known_to_be_absent_changes_nothing(pair) -> None:
    batch = tiny_batch((5, 5))
    padded, known = batch, type(batch)(**{**vars(batch), "padded": False})
    assert torch.equal(logits_of(pair[0], padded), logits_of(pair[0], known))


def test_files_are_those_of_transformers(pair, folder, tmp_path) -> None:
    pair[0].save_pretrained(tmp_path / "again")
    written = json.loads((tmp_path / "again" / "config.json").read_text())
    assert written == json.loads((folder / "config.json").read_text())
    again, info = BertForSequenceClassification.from_pretrained(
        tmp_path / "again", output_loading_info=True
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    for name, tensor in pair[1].state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_a_new_head_is_drawn_as_transformers_draws_it(tmp_path) -> None:
    torch.manual_seed(5)
    BertModel(BertConfig(**SIZES, num_hidden_layers=2)).save_pretrained(tmp_path)
    ours = new_classifier(tmp_path, LABELS, seed=3, device=CPU)
    torch.manual_seed(3)
    theirs = BertForSequenceClassification.from_pretrained(tmp_path, num_labels=2)
    assert isinstance(ours, BertClassifier)
    assert label_names(ours.config) == LABELS
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name


def test_half_precision_files_are_read_in_single_precision(folder) -> None:
    state = load_file(folder / "model.safetensors")
    halves = {name: tensor.half() for name, tensor in state.items()}
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    assert {p.dtype for p in load_classifier(folder).parameters()} == {torch.float32}


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "roberta"},
        {"hidden_act": "relu"},
        {"is_decoder": True},
        {"position_embedding_type": "relative_key"},
    ],
)
def test_other_architectures_fall_back_to_transformers(folder, change) -> None:
    assert is_plain_bert(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    assert not is_plain_bert(folder)


@pytest.mark.parametrize("missing", ["bert.pooler.dense.weight", None])
def test_incomplete_folders_fall_back_to_transformers(folder, missing) -> None:
    weights = folder / "model.safetensors"
    state = load_file(weights)
    state.pop(missing, None)
    weights.unlink()
    if missing:
        save_file(state, weights, metadata={"format": "pt"})
    assert not is_plain_bert(folder)


def test_training_imports_neither_transformers_nor_the_compiler_of_torch() -> None:
    heavy = ("transformers", "torch._dynamo", "pandas", "scipy", "datasets")
    finished = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, internal_kd.jobs.distill, internal_kd.jobs.teacher;"
            f"print([name for name in {heavy} if name in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == "[]"
