"""Pre-training of the small BERT on the embedded language.

Two objectives, as BERT's: words hidden in the text are restored, and the [CLS] vector tells whether
the second text follows from the first (for a single sentence: whether it is intact). The pairs that
do not follow tell another event of the same cast, so bags of words do not tell them apart. Because
[CLS] learns that late or not at all from so little text, a third objective points at the words of
the second text for which the first gives no ground (as ELECTRA's replaced words).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding
from torch import nn
from torch.nn import functional
from tqdm import tqdm
from transformers import BertConfig, BertForPreTraining, PreTrainedTokenizerBase

from internal_kd.data.batches import Batch, LengthBucketedBatches, sorted_batches
from internal_kd.data.encoding import EncodedSplit, offsets_of
from internal_kd.embedded import base
from internal_kd.embedded.base import train_tokenizer
from internal_kd.embedded.corpus import Example, generate_corpus
from internal_kd.fingerprint import code_fingerprint

HELD_OUT_SHARE = 0.02
QUALITY_FILE = "pretraining.json"
IGNORED = -100


class Shape(msgspec.Struct, frozen=True):
    """The shape of the network, and the standard deviation of its first weights."""

    hidden_size: int
    heads: int
    feed_forward: int
    initializer_range: float


class Mimetic(msgspec.Struct, frozen=True):
    """Standard deviations of the start of W_Q and W_K, see `base.start_mimetic`."""

    common: float
    own: float


class Masking(msgspec.Struct, frozen=True):
    """Shares of words, see `hide_words`."""

    first: float
    second: float
    single: float
    mask: float
    random: float


class Stage(msgspec.Struct, frozen=True):
    """A stage of the pre-training.

    Attributes:
        layers: to which the model is grown first.
        masked: share of whole examples in which words may be hidden.
        steps: of the optimizer.
        first_rate: learning rate after the warm-up.
        last_rate: learning rate at the end.
        growth: how the model becomes deeper; the first stage needs none.
        faintness: factor on the output projections of the layers put in between.
    """

    layers: int
    masked: float
    steps: int
    first_rate: float = msgspec.field(name="from")
    last_rate: float = msgspec.field(name="to")
    growth: Literal["stack", "interleave"] | msgspec.UnsetType = msgspec.UNSET
    faintness: float | msgspec.UnsetType = msgspec.UNSET


class Settings(msgspec.Struct, frozen=True):
    """Settings of the pre-training, see `pretraining` in config.yaml."""

    seed: int
    examples: int
    single_share: float
    changed_share: float
    vocabulary_size: int
    max_length: int
    model: Shape
    mimetic: Mimetic
    masking: Masking
    pair_weight: float
    mark_weight: float
    batch_size: int
    weight_decay: float
    warmup: int
    max_grad_norm: float
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Masked:
    """A batch in which words of some examples are hidden.

    Attributes:
        input_ids: [b, l], as the model sees them.
        targets: [b, l], the hidden words, and -100 where none is to be predicted.
        is_masked: bool [b], whether words of the example may be hidden. Only whole examples are
            asked whether the second text follows, because a replaced word changes what it says;
            words are hidden only where it follows, because only then the first text tells them.
    """

    input_ids: torch.Tensor
    targets: torch.Tensor
    is_masked: torch.Tensor


@dataclass(frozen=True)
class Corpus:
    """Tokenised text; `unsupported` [tokens] marks words of second texts that do not follow."""

    split: EncodedSplit
    unsupported: npt.NDArray[np.bool_]

    def flags(self, batch: Batch) -> torch.Tensor:
        """The marks of a batch, bool [b, l]."""
        flags = torch.zeros(batch.input_ids.shape, dtype=torch.bool)
        for place, row in enumerate(batch.rows):
            start, end = self.split.offsets[row], self.split.offsets[row + 1]
            flags[place, : end - start] = torch.from_numpy(self.unsupported[start:end])
        return flags


def pretrain(settings: Settings, out: Path) -> dict[str, float]:
    """Make tokenizer and base model from the settings alone and write them to the folder `out`.

    Deterministic for the settings on one kind of CPU. Besides the `save_pretrained` files the
    folder gets `pretraining.json`: settings, code fingerprint and the quality on held-out text,
    which is also returned: `masked_accuracy` (all hidden words), `restated_accuracy` (those of
    second texts), `pair_accuracy`, `single_accuracy`.
    """
    torch.manual_seed(settings.seed)
    examples = list(
        generate_corpus(
            settings.examples, settings.single_share, settings.changed_share, settings.seed
        )
    )
    texts = (text for example in examples for text in (example.first, example.second) if text)
    tokenizer = train_tokenizer(texts, settings.vocabulary_size, settings.max_length)
    held_out = int(len(examples) * HELD_OUT_SHARE)
    model = new_model(settings, len(tokenizer))
    train(model, encode(examples[held_out:], tokenizer), tokenizer, settings)
    quality = evaluate(model, encode(examples[:held_out], tokenizer), tokenizer, settings)
    save(model, tokenizer, settings, quality, out)
    return quality


def new_model(settings: Settings, vocabulary_size: int) -> BertForPreTraining:
    """The untrained model, with the depth of the first stage."""
    shape = settings.model
    config = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=shape.hidden_size,
        num_hidden_layers=settings.stages[0].layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=settings.max_length,
        initializer_range=shape.initializer_range,
    )
    config._attn_implementation = "eager"
    model = BertForPreTraining(config)
    base.start_mimetic(model, settings.mimetic.common, settings.mimetic.own)
    base.start_sinusoidal(model, shape.initializer_range)
    return model


def encode(examples: list[Example], tokenizer: PreTrainedTokenizerBase) -> Corpus:
    """The corpus as ragged arrays of tokens."""
    ordered = sorted(examples, key=lambda example: example.second is None)
    pairs = [example for example in ordered if example.second is not None]
    singles = ordered[len(pairs) :]
    encodings: list[Encoding] = []
    if pairs:
        rows = tokenizer([e.first for e in pairs], [str(e.second) for e in pairs])
        encodings += rows.encodings or []
    if singles:
        encodings += tokenizer([e.first for e in singles]).encodings or []
    split = EncodedSplit(
        input_ids=np.concatenate([np.array(row.ids, dtype=np.int32) for row in encodings]),
        token_type_ids=np.concatenate(
            [np.array(row.type_ids, dtype=np.uint8) for row in encodings]
        ),
        offsets=offsets_of(np.array([len(row) for row in encodings])),
        labels=np.array([example.label for example in ordered], dtype=np.int64),
        indices=np.arange(len(ordered), dtype=np.int64),
    )
    flags = [_flags(e, row) for e, row in zip(ordered, encodings, strict=True)]
    return Corpus(split, np.concatenate(flags))


def _flags(example: Example, encoding: Encoding) -> npt.NDArray[np.bool_]:
    """Which tokens [l] belong to unsupported words of the second text."""
    words = str(example.second).split()
    return np.array(
        [
            kind == 1 and place is not None and words[place] in example.unsupported
            for kind, place in zip(encoding.type_ids, encoding.word_ids, strict=True)
        ]
    )


def train(
    model: BertForPreTraining,
    corpus: Corpus,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
) -> None:
    """All stages one after the other: each first grows the model to its number of layers.

    The head that marks unsupported words is a help of the training and thrown away after it.
    """
    batches = _endless(corpus.split, tokenizer, settings)
    marker = nn.Linear(model.config.hidden_size, 1)
    for number, stage in enumerate(settings.stages, start=1):
        _grow(model, stage)
        torch.manual_seed(settings.seed + number)
        model.train()
        parameters = [*model.parameters(), *marker.parameters()]
        optimizer, schedule = _optimizer(parameters, stage, settings)
        title = f"pre-training stage {number}, {stage.layers} layers"
        for _ in (bar := tqdm(range(stage.steps), desc=title, mininterval=10)):
            batch = next(batches)
            masked = hide_words(batch, tokenizer, settings.masking, stage.masked)
            loss = _loss(model, marker, batch, masked, corpus.flags(batch), settings)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
            optimizer.step()
            schedule.step()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)


def _endless(
    corpus: EncodedSplit, tokenizer: PreTrainedTokenizerBase, settings: Settings
) -> Iterator[Batch]:
    batches = LengthBucketedBatches(
        corpus, settings.batch_size, settings.seed, tokenizer.pad_token_id
    )
    epoch = 0
    while True:
        yield from batches.epoch(epoch)
        epoch += 1


def _grow(model: BertForPreTraining, stage: Stage) -> None:
    """Bring the model to the stage's depth: by a stacked copy, or by faint layers in between."""
    while model.config.num_hidden_layers < stage.layers:
        if stage.growth == "stack":
            base.stack(model)
        else:
            assert stage.faintness is not msgspec.UNSET
            base.interleave(model, stage.faintness)


def _optimizer(
    parameters: list[nn.Parameter], stage: Stage, settings: Settings
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW with warm-up to the stage's first learning rate, then linear to its last one."""
    first, last, warmup, steps = stage.first_rate, stage.last_rate, settings.warmup, stage.steps
    optimizer = torch.optim.AdamW(
        parameters,
        lr=first,
        betas=(0.9, 0.98),
        weight_decay=settings.weight_decay,
        fused=True,
    )

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        return float(1 + done * (last / first - 1))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def _loss(
    model: BertForPreTraining,
    marker: nn.Linear,
    batch: Batch,
    masked: Masked,
    flags: torch.Tensor,
    settings: Settings,
) -> torch.Tensor:
    hidden, words, pairs = predict(model, batch, masked)
    targets = masked.targets[masked.targets != IGNORED]
    labels = batch.labels.masked_fill(masked.is_masked, IGNORED)
    asked = (batch.token_type_ids == 1) & ~masked.is_masked[:, None]
    marks = functional.binary_cross_entropy_with_logits(
        marker(hidden[asked]).squeeze(1), flags[asked].float(), reduction="sum"
    )
    return (
        _mean_loss(words, targets)
        + settings.pair_weight * _mean_loss(pairs, labels)
        + settings.mark_weight * marks / max(1, int(asked.sum()))
    )


def _mean_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over the prediction targets; 0 if there are none."""
    total = functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")
    return total / max(1, int((targets != IGNORED).sum()))


def predict(
    model: BertForPreTraining, batch: Batch, masked: Masked
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Top layer [b, l, d], logits of hidden words [hidden, vocabulary] and of pairs [b, 2]."""
    encoded = model.bert(
        input_ids=masked.input_ids,
        token_type_ids=batch.token_type_ids,
        attention_mask=batch.attention_mask,
    )
    top = encoded.last_hidden_state
    words = model.cls.predictions(top[masked.targets != IGNORED])
    return top, words, model.cls.seq_relationship(encoded.pooler_output)


def hide_words(
    batch: Batch, tokenizer: PreTrainedTokenizerBase, masking: Masking, examples: float
) -> Masked:
    """Choose words to predict, and hide them: as [MASK], as a random word of the batch, or not.

    `examples` is the share of following texts with hidden words. `masking` holds the shares asked
    for in their first texts (`first`), second texts (at most `second`, drawn anew for each: with
    all participants hidden, the roles must be read from the first text) and single sentences
    (`single`), and how many of these become [MASK] (`mask`) or another word (`random`).
    """
    ids = batch.input_ids
    is_word = ids >= len(tokenizer.all_special_ids)
    second = batch.token_type_ids == 1
    is_pair = second.any(dim=1, keepdim=True)
    share = torch.where(is_pair, masking.first, masking.single).expand(ids.shape)
    share = torch.where(second, masking.second * torch.rand(len(ids), 1), share)
    is_masked = (torch.rand(len(ids)) < examples) & (batch.labels == 0)
    asked = (torch.rand(ids.shape) < share) & is_word & is_masked[:, None]
    others = _other_words(ids, is_word)
    fate = torch.rand(ids.shape)
    hidden = torch.where(asked & (fate < masking.mask), tokenizer.mask_token_id, ids)
    swapped = asked & (fate >= masking.mask) & (fate < masking.mask + masking.random)
    targets = torch.where(asked, ids, IGNORED)
    return Masked(torch.where(swapped, others, hidden), targets, is_masked)


def _other_words(ids: torch.Tensor, is_word: torch.Tensor) -> torch.Tensor:
    """A word for each place [b, l], by halves from its own example and from the batch."""
    words = ids[is_word]
    anywhere = words[torch.randint(len(words), ids.shape)]
    columns = torch.randint(ids.shape[1], ids.shape)
    near = is_word.gather(1, columns) & (torch.rand(ids.shape) < 0.5)
    return torch.where(near, ids.gather(1, columns), anywhere)


@torch.no_grad()
def evaluate(
    model: BertForPreTraining,
    held_out: Corpus,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
) -> dict[str, float]:
    """Accuracies on held-out text; always the same words are hidden."""
    model.eval()
    torch.manual_seed(settings.seed)
    hits: dict[str, list[torch.Tensor]] = {"masked": [], "restated": [], "pair": [], "single": []}
    for batch in sorted_batches(held_out.split, settings.batch_size, tokenizer.pad_token_id):
        masked = hide_words(batch, tokenizer, settings.masking, examples=0.5)
        _, words, pairs = predict(model, batch, masked)
        asked = masked.targets != IGNORED
        right = words.argmax(dim=1) == masked.targets[asked]
        decided = pairs.argmax(dim=1) == batch.labels
        is_pair = (batch.token_type_ids == 1).any(dim=1)
        hits["masked"].append(right)
        hits["restated"].append(right[batch.token_type_ids[asked] == 1])
        hits["pair"].append(decided[is_pair & ~masked.is_masked])
        hits["single"].append(decided[~is_pair & ~masked.is_masked])
    return {
        f"{name}_accuracy": torch.cat(part).float().mean().item() for name, part in hits.items()
    }


def save(
    model: BertForPreTraining,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
    quality: dict[str, float],
    out: Path,
) -> None:
    """Write model, tokenizer and `pretraining.json`."""
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    record = {
        "code": code_fingerprint("internal_kd.embedded.pretraining"),
        "settings": msgspec.to_builtins(settings, order="sorted"),
        "quality": quality,
    }
    (out / QUALITY_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
