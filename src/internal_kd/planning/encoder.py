"""The shape of an encoder, and the operations and bytes that follow from it.

Activations, normalisations, softmax, embeddings and the optimizer are not counted: they move memory
rather than compute. L is the length of an example in tokens, h the width of the layers, f the one
of their feed-forward part; sums over examples are in `Texts`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from internal_kd.errors import UserError
from internal_kd.models.layer_maps import read_layers
from internal_kd.objectives.registry import (
    HEAD_SIZE,
    HEADS,
    HIDDEN,
    Amounts,
    reading_teacher,
    target_bytes,
    targets_of,
)
from internal_kd.planning.texts import TaskTexts, Texts
from internal_kd.specs.config import BaseModel, StudyConfig
from internal_kd.specs.jobs import TrainingJob
from internal_kd.specs.pretraining import Pretraining
from internal_kd.specs.students import StudentJob

Facts = Mapping[str, Any]  # of a model's config.json

FINGERPRINT_DATA = ("encoders.json",)
KNOWN = Path(__file__).parent / FINGERPRINT_DATA[0]
EMBEDDED = Path(__file__).parents[1] / "embedded" / "assets" / "config.json"

# Families whose top layer computes [CLS] alone, see `models.attention`.
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


def base_encoder(config: StudyConfig, base: BaseModel, made: Path) -> Encoder:
    """The shape of a base model, known before the model is there where that is possible.

    Args:
        config: of the study.
        base: the study's base model, or that of its students.
        made: folder that the workflow puts it into.

    Raises:
        UserError: it cannot be known yet.
    """
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


# Backward passes take two products for each of the forward pass: one for the weights, one for the
# input.
BACKWARD = 2


def layer_flops(encoder: Encoder, texts: Texts) -> float:
    """A whole layer: 8 h² L projections, 4 h L² attention, 4 h f L feed-forward."""
    h, f = encoder.hidden, encoder.feed_forward
    return (8 * h * h + 4 * h * f) * texts.tokens + 4 * h * texts.squares


def top_layer_flops(encoder: Encoder, texts: Texts, scores: bool) -> float:
    """The layer on top, whose output only [CLS] needs.

    Args:
        encoder: its shape.
        texts: what it reads.
        scores: whether a loss or a signal needs the attention scores of all tokens.
    """
    if not encoder.cls_top:
        return layer_flops(encoder, texts)
    h, f = encoder.hidden, encoder.feed_forward
    keys_and_values = 4 * h * h * texts.tokens
    queries = 2 * h * h * (texts.tokens if scores else texts.rows)
    products = 2 * h * (texts.squares if scores else texts.tokens)
    context = 2 * h * texts.tokens
    rest = (2 * h * h + 4 * h * f) * texts.rows
    return keys_and_values + queries + products + context + rest


def head_flops(encoder: Encoder, texts: Texts, classes: int) -> float:
    """Pooler and classifier."""
    return (2 * encoder.hidden**2 + 2 * encoder.hidden * classes) * texts.rows


def layers_flops(
    encoder: Encoder, texts: Texts, first: int, last: int, *, scores: bool = False
) -> float:
    """Forward pass of layers `first` to `last`, one-based; the last one is on top."""
    if first > last:
        return 0.0
    below = (last - first) * layer_flops(encoder, texts)
    return below + top_layer_flops(encoder, texts, scores)


def classifier_flops(
    encoder: Encoder, texts: Texts, layers: int, classes: int, *, scores: bool = False
) -> float:
    """Forward pass of a classifier with `layers` of the encoder's layers."""
    body = layers_flops(encoder, texts, 1, layers, scores=scores)
    return body + head_flops(encoder, texts, classes)


FLOAT = 4
# Parameters, those of the best epoch, and two moments of the optimizer.
COPIES_IN_CHECKPOINT = 4
# Measured: a row of predictions without its logits and probabilities; a token of text, compressed.
PREDICTION = 14
TEXT_TOKEN = 3
# A token's number and segment; a row's offset, label and index.
TOKEN, TOKEN_ROW = 5, 24


def signal_bytes(job: StudentJob, encoder: Encoder, train: Texts) -> float:
    """Bytes of the teacher's signals for all of a run's training examples, stored in fp32.

    As `distillation.signals.signal_bytes` counts, which the run itself decides by.
    """
    targets = targets_of(job.experiment.internal)
    sizes = {HEADS: encoder.heads, HIDDEN: encoder.hidden}
    sizes[HEAD_SIZE] = encoder.hidden // encoder.heads
    amounts = Amounts(train.rows, train.tokens, train.squares)
    matched = read_layers(job.experiment.layer_map, encoder.layers, job.run.layers)
    layers = len(set(matched.values()))
    return sum(target_bytes(name, layers, sizes, amounts) for name in targets)


def read_signals(job: StudentJob) -> tuple[str, ...]:
    """The losses of a run that read the teacher's signals."""
    output = reading_teacher(job.experiment.output)
    return (*sorted(job.experiment.internal), *sorted(output))


def stored_signals(
    job: StudentJob, encoder: Encoder, task: TaskTexts, budget_mb: float
) -> tuple[str, ...]:
    """The losses of a run whose signals are stored; none without a teacher or with a live one."""
    read, signals = read_signals(job), job.distillation.signals
    if not read or signals is None:
        return ()
    train = task.train.times(job.run.percent / 100)
    fits = signal_bytes(job, encoder, train) <= budget_mb * 1e6
    return read if signals.source == "stored" or (signals.source == "auto" and fits) else ()


def stored_bytes(job: TrainingJob, encoder: Encoder, task: TaskTexts, budget_mb: float) -> float:
    """Bytes of the stored signals that a run reads."""
    if not isinstance(job, StudentJob) or not stored_signals(job, encoder, task, budget_mb):
        return 0
    return signal_bytes(job, encoder, task.train.times(job.run.percent / 100))


def model_bytes(encoder: Encoder, layers: int, classes: int) -> float:
    """A classifier on disk, without its tokenizer."""
    return FLOAT * encoder.parameters(layers, classes)


def run_bytes(encoder: Encoder, layers: int, task: TaskTexts) -> float:
    """What a run writes: model and predictions."""
    rows = task.validation.rows + task.test.rows
    row = PREDICTION + 2 * FLOAT * task.classes
    return model_bytes(encoder, layers, task.classes) + rows * row


def checkpoint_bytes(encoder: Encoder, layers: int, task: TaskTexts) -> float:
    """A run's checkpoint, which is there while it trains."""
    return COPIES_IN_CHECKPOINT * model_bytes(encoder, layers, task.classes)


def corpus_bytes(texts: Texts) -> float:
    """Tokens of unlabelled text."""
    return FLOAT * texts.rows + TOKEN * texts.tokens


def data_bytes(task: TaskTexts) -> float:
    """Tokens and texts of a task."""
    splits = (task.train, task.validation, task.test)
    rows, tokens = sum(split.rows for split in splits), sum(split.tokens for split in splits)
    return TOKEN_ROW * rows + (TOKEN + TEXT_TOKEN) * tokens
