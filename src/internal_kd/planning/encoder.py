"""The shape of an encoder: what its sizes, its work and its files follow from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from internal_kd.errors import UserError
from internal_kd.specs.config import StudyConfig
from internal_kd.specs.pretraining import Pretraining

Facts = Mapping[str, Any]  # of a model's config.json

FINGERPRINT_DATA = ("encoders.json",)
KNOWN = Path(__file__).parent / FINGERPRINT_DATA[0]
EMBEDDED = Path(__file__).parents[1] / "embedded" / "assets" / "config.json"

# Families whose top layer computes [CLS] alone, see `models.top_layer`.
LIKE_BERT = ("bert", "roberta", "electra")


@dataclass(frozen=True)
class Encoder:
    """Sizes of a base model.

    Attributes:
        layers: transformer layers.
        hidden: width of the layers.
        feed_forward: width inside their feed-forward part.
        heads: attention heads of a layer.
        embedded: vectors in its embedding tables: words, positions, segments.
        embedding: width of these vectors.
        cls_top: whether its top layer computes its output for [CLS] alone.
    """

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    embedded: int
    embedding: int
    cls_top: bool

    def parameters(self, layers: int, classes: int) -> int:
        """Parameters of a classifier with `layers` of its layers."""
        h, f, e = self.hidden, self.feed_forward, self.embedding
        embeddings = self.embedded * e + 2 * e + (e * h + h if e != h else 0)
        layer = 4 * (h * h + h) + (h * f + f) + (f * h + h) + 4 * h
        head = h * h + h + classes * h + classes
        return embeddings + layers * layer + head


def encoder_of(config: Facts) -> Encoder:
    """The shape that a model's `config.json` describes; DistilBERT names the same things otherwise.

    Raises:
        KeyError: it describes no encoder of these families.
    """
    hidden = _first(config, "hidden_size", "dim")
    tables = ("vocab_size", "max_position_embeddings", "type_vocab_size")
    return Encoder(
        layers=_first(config, "num_hidden_layers", "n_layers"),
        hidden=hidden,
        feed_forward=_first(config, "intermediate_size", "hidden_dim"),
        heads=_first(config, "num_attention_heads", "n_heads"),
        embedded=sum(config.get(table, 0) for table in tables),
        embedding=config.get("embedding_size", hidden),
        cls_top=config.get("model_type") in LIKE_BERT,
    )


def _first(config: Facts, name: str, other: str) -> int:
    return int(config[other] if name not in config else config[name])


def base_encoder(config: StudyConfig, made: Path) -> Encoder:
    """The shape of a study's base model, known before the model is there where that is possible.

    Args:
        config: of the study.
        made: folder that the workflow puts the base model into.

    Raises:
        UserError: it cannot be known yet.
    """
    base = config.base_model
    if base.source == "pretrain":
        return _to_be_pretrained(config.pretraining, base.layers)
    if base.source == "embedded":
        return encoder_of(_read(EMBEDDED))
    path = str(base.path)
    for file in (Path(path) / "config.json", made / "config.json"):
        if file.is_file():
            return encoder_of(_read(file))
    known = _read(KNOWN)
    if path not in known:
        raise UserError(
            f"base_model.path: the sizes of '{path}' are unknown until it is "
            f"downloaded; fetch it first with: snakemake --cores 1 {made}"
        )
    return encoder_of(known[path])


def _to_be_pretrained(settings: Pretraining, layers: int) -> Encoder:
    model = settings.model
    return Encoder(
        layers=layers,
        hidden=model.hidden_size,
        feed_forward=model.feed_forward,
        heads=model.heads,
        embedded=settings.vocabulary_size + settings.max_length + 2,
        embedding=model.hidden_size,
        cls_top=True,
    )


def _read(file: Path) -> Facts:
    try:
        found: Facts = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: not JSON; save the model again") from error
    return found
