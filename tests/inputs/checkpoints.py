"""Base models as users bring them: of many families, from other tasks, incomplete, in parts."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file

from internal_kd.jobs import base
from tests.jobs.tiny_study import call, tiny_tokenizer
from tests.models.tiny import SIZES, VOCABULARY

LAYERS = 4
SHAPE = {**SIZES, "num_hidden_layers": LAYERS, "max_position_embeddings": 64, "pad_token_id": 0}
DISTILBERT = {"dim": 16, "n_heads": 2, "hidden_dim": 32, "n_layers": LAYERS}
MODERNBERT = {
    **{key: SHAPE[key] for key in SHAPE if key != "initializer_range"},
    "local_attention": 8,
    **{f"{name}_token_id": number for name, number in zip(("cls", "bos"), (2, 2), strict=True)},
    **{f"{name}_token_id": number for name, number in zip(("sep", "eos"), (3, 3), strict=True)},
}
SHAPES = {
    "DistilBert": {**DISTILBERT, "vocab_size": VOCABULARY, "pad_token_id": 0},
    "ModernBert": MODERNBERT,
    "Electra": {**SHAPE, "embedding_size": 16},
}

Weights = dict[str, torch.Tensor]


def random_model(name: str, task: str, **changes: Any) -> transformers.PreTrainedModel:
    """A random model of a family after a task."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**{**SHAPES.get(name, SHAPE), **changes})
    return getattr(transformers, f"{name}{task}")(config)


def checkpoint(folder: Path, name: str = "Bert", task: str = "Model", **changes: Any) -> Path:
    """The same in a folder, with a tokenizer."""
    random_model(name, task, **changes).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def change_weights(folder: Path, change: Callable[[Weights], object]) -> None:
    """Let `change` alter the weights in a folder."""
    file = folder / "model.safetensors"
    weights = load_file(file)
    change(weights)
    save_file(weights, file, metadata={"format": "pt"})


def change_json(file: Path, **changes: Any) -> None:
    """Other values in a JSON file."""
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def settings(path: Path, layers: int = LAYERS) -> dict[str, Any]:
    """Settings of the job that makes a base model of a folder."""
    return {"source": "folder", "path": str(path), "revision": None, "layers": layers}


def make_base(source: Path, out: Path) -> Path:
    """The base model that the workflow makes of a checkpoint."""
    call(base, settings(source), out=out)
    return out


def tokens(ids: torch.Tensor, types: torch.Tensor | None = None, padding: int = -1) -> Any:
    """Texts as models are given them: `ids` int64 `[texts, tokens]`, by default in one segment."""
    mask = (ids != padding).long()
    return SimpleNamespace(
        input_ids=ids,
        token_type_ids=torch.zeros_like(ids) if types is None else types,
        attention_mask=mask,
        padded=not bool(mask.all()),
    )
