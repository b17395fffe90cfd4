"""Texts as long as a model has positions for, and not longer, whatever its family counts from."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModel

from internal_kd.jobs import data
from internal_kd.models.limits import limits_in
from internal_kd.models.pretrained import inputs_of, load_encoder
from internal_kd.specs.config import BaseModel
from internal_kd.specs.jobs import encode
from internal_kd.study.files import base_model_problems
from internal_kd.study.glue import GLUE
from tests.inputs.checkpoints import LAYERS, change_json, checkpoint, make_base, tokens
from tests.inputs.test_weights import refused
from tests.jobs.tiny_study import call

# Rows of the table of positions and the longest text that fits.
FAMILIES = {
    "Bert": 64,
    "Electra": 64,
    "DistilBert": 512,
    "Roberta": 62,
    "Camembert": 62,
    "XLMRoberta": 62,
    "ModernBert": 64,
}
FROM_PADDING = [name for name in FAMILIES if "oberta" in name or name == "Camembert"]


def model(folder: Path, family: str, **changes: int) -> Path:
    if family in FROM_PADDING:
        changes = {"pad_token_id": 1, **changes}
    return checkpoint(folder, family, **changes)


def problems(folder: Path, max_length: int) -> list[str]:
    settings = BaseModel(source="folder", path=str(folder), revision=None, layers=LAYERS)
    return [str(problem) for problem in base_model_problems(settings, max_length)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_dry_run_checks_the_limit(tmp_path, family):
    folder, longest = model(tmp_path / "model", family), FAMILIES[family]
    assert problems(folder, longest) == []
    (message,) = problems(folder, longest + 1)
    assert message.startswith(f"config: data.max_length: is {longest + 1}, but the model in ")
    assert message.endswith(f"has {longest} positions; write at most {longest}")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_of_that_length_can_be_computed(tmp_path, family):
    encoder = load_encoder(model(tmp_path / "model", family))
    ids = torch.full((1, FAMILIES[family]), 7)
    assert torch.isfinite(encoder(**inputs_of(encoder, tokens(ids)))[0]).all()


@pytest.mark.parametrize(("family", "padding"), [("Roberta", 0), ("Roberta", 5), ("Camembert", 3)])
def test_the_first_position_follows_the_padding_token(tmp_path, family, padding):
    folder = model(tmp_path / "model", family, pad_token_id=padding)
    longest = 64 - padding - 1
    assert problems(folder, longest) == []
    assert len(problems(folder, longest + 1)) == 1
    assert limits_in(folder).positions == longest


@pytest.mark.parametrize("family", FROM_PADDING)
def test_positions_are_those_of_transformers_also_with_padding(tmp_path, family):
    folder = model(tmp_path / "model", family)
    ids = torch.tensor([[5, 6, 7, 1, 1], [5, 6, 7, 8, 9]])
    mask = (ids != 1).long()
    ours, theirs = load_encoder(folder).eval(), AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        found = ours(**inputs_of(ours, tokens(ids, padding=1)))[0]
        expected = theirs(input_ids=ids, attention_mask=mask)[0]
    torch.testing.assert_close(found[mask.bool()], expected[mask.bool()])


@pytest.mark.parametrize("family", ["Roberta", "DistilBert"])
def test_an_undeclared_limit_is_found_by_trial(tmp_path, capsys, family):
    """The number is not in its config.json: the job that tokenises inspects the model itself."""
    base = make_base(model(tmp_path / "model", family), tmp_path / "base")
    rows = 10 if family == "Roberta" else 8
    config = json.loads((base / "config.json").read_text())
    assert "max_position_embeddings" in config
    change_json(base / "config.json", max_position_embeddings=rows)
    folder = tmp_path / "text/rte"
    folder.mkdir(parents=True)
    words = ["w1 w2", "w3 w4"]
    columns = {"sentence1": words, "sentence2": words, "label": [0, 1]}
    for split in ("train", "validation"):
        pq.write_table(pa.table(columns), folder / f"{split}.parquet")
    chosen = {
        "task": "rte",
        "spec": encode(GLUE["rte"].data),
        "source": "folder",
        "path": str(folder.parent),
        "limit": None,
    }
    paths = {"base": base, "tokens": tmp_path / "tokens.npz", "examples": tmp_path / "examples"}
    call(data, {**chosen, "max_length": 8}, **paths)
    sentence = refused(capsys, data, {**chosen, "max_length": 9}, **paths)
    assert "data.max_length: is 9, but the base model has 8 positions" in sentence
