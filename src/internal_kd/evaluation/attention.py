"""How far a student's attention and [CLS] vectors are from those of its teacher.

Section "Inspecting the Attention Behavior": Equations 2 and 3 by example, head and layer.
"""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from internal_kd.data.batches import Batch, assemble, sorted_batches
from internal_kd.errors import UserError
from internal_kd.evaluation.attention_distances import LayerDistances
from internal_kd.evaluation.attention_maps import AttentionMaps
from internal_kd.evaluation.trained import SplitTokens, TrainedRun
from internal_kd.models.bert import Classifier
from internal_kd.models.capture import capture, stacked
from internal_kd.models.features import Capture, CaptureRequest, probabilities
from internal_kd.models.layer_maps import group_tops
from internal_kd.objectives.attention import attention_kl_of_heads
from internal_kd.objectives.hidden import cosine_distances

logger = logging.getLogger(__name__)

COMPARISON_BATCH_SIZE = 32  # the scores of all layers and heads of both models are held at once
PROGRESS_SECONDS = 5.0
SIZES = {
    "num_attention_heads": "attention heads",
    "hidden_size": "hidden units",
    "vocab_size": "entries in its vocabulary",
}


def matched_layers(teacher: TrainedRun, student: TrainedRun, tokens: SplitTokens) -> Sequence[int]:
    """The one-based teacher layer of each student layer: the upper one of its group.

    All students are measured alike, whatever their experiment's map of layers.

    Raises:
        UserError: the models were trained on another task than that of the tokens, or they cannot
            be compared head by head, unit by unit, and layer by layer.
    """
    for trained in (teacher, student):
        if trained.run.task != tokens.task:
            raise UserError(
                f"{trained.folder}: trained on {trained.run.task}, but the tokens are those of "
                f"{tokens.task}; give tokens and runs of one task"
            )
    first, second = teacher.model.config, student.model.config
    for key, unit in SIZES.items():
        if getattr(first, key) != getattr(second, key):
            raise UserError(
                f"{student.folder}: the student has {getattr(second, key)} {unit}, its teacher "
                f"{getattr(first, key)}; only models of equal width can be compared"
            )
    return group_tops(first.num_hidden_layers, second.num_hidden_layers)


def compare(teacher: TrainedRun, student: TrainedRun, tokens: SplitTokens) -> LayerDistances:
    """Distances of every student layer from its teacher layer on every example of a split.

    Both models see the same batches, in evaluation mode.

    Raises:
        UserError: see `matched_layers`.
    """
    layers = matched_layers(teacher, student, tokens)
    kl, cosine = (np.empty((len(tokens.split), len(layers)), np.float32) for _ in range(2))
    batches = sorted_batches(tokens.split, COMPARISON_BATCH_SIZE, tokens.pad_token_id)
    total = math.ceil(len(tokens.split) / COMPARISON_BATCH_SIZE)
    with _evaluating(teacher.model, student.model):
        for batch in tqdm(batches, total=total, unit="batch", mininterval=PROGRESS_SECONDS):
            found = _distances(teacher.model, student.model, layers, batch)
            kl[batch.rows], cosine[batch.rows] = found.float().cpu().numpy()
    for number, layer in enumerate(layers):
        logger.info(
            f"layer {number + 1} against the teacher's layer {layer}: mean attention KL "
            f"{kl[:, number].mean():.4g} nats, mean cosine distance {cosine[:, number].mean():.4g}"
        )
    return LayerDistances(tokens.split.indices, tuple(layers), kl, cosine)


def _distances(
    teacher: Classifier, student: Classifier, layers: Sequence[int], batch: Batch
) -> Tensor:
    """Attention divergence and cosine distance, `[2, batch, student layers]`."""
    batch = batch.to(student.device)
    own = range(1, len(layers) + 1)
    first, second = _captured(teacher, batch, layers), _captured(student, batch, own)
    kl, cosine = [], []
    for above, below in zip(layers, own, strict=True):
        scores = first.of_layer("scores", above), second.of_layer("scores", below)
        kl.append(attention_kl_of_heads(*scores, batch.attention_mask).mean(dim=-1))
        vectors = first.of_layer("cls", above), second.of_layer("cls", below)
        # Near zero single precision has few digits.
        cosine.append(cosine_distances(*(values.double() for values in vectors)))
    return torch.stack([torch.stack(kl, dim=-1).double(), torch.stack(cosine, dim=-1)])


def _captured(model: Classifier, batch: Batch, layers: Iterable[int]) -> Capture:
    return capture(model, batch, CaptureRequest.of(("scores", "cls"), layers, logits=True))


def maps_of_example(
    teacher: TrainedRun,
    standard: TrainedRun,
    internal: TrainedRun,
    tokens: SplitTokens,
    example: int,
) -> AttentionMaps:
    """Attention of a teacher and two students on one example (Figures 5 and 11).

    Args:
        example: row of the split, from 0.

    Raises:
        UserError: no such example, students of different depth, or see `matched_layers`.
    """
    if not 0 <= example < len(tokens.split):
        raise UserError(
            f"figures: example {example} does not exist; the {tokens.name} split of {tokens.task} "
            f"has rows 0 to {len(tokens.split) - 1}"
        )
    layers = matched_layers(teacher, standard, tokens)
    if matched_layers(teacher, internal, tokens) != layers:
        raise UserError(
            f"{internal.folder}: as many layers are needed as in {standard.folder}; give two "
            "students of one depth"
        )
    batch = assemble(tokens.split, np.array([example]), tokens.pad_token_id)
    own = range(1, len(layers) + 1)
    taught = _scores(teacher.model, batch, layers)
    learnt = [_scores(student.model, batch, own) for student in (standard, internal)]
    kl = [attention_kl_of_heads(taught, scores, batch.attention_mask) for scores in learnt]
    tokenizer, ids = teacher.tokenizer(), batch.input_ids[0].numpy()
    return AttentionMaps(
        example,
        np.array(tokenizer.convert_ids_to_tokens(ids.tolist())),
        np.isin(ids, [tokenizer.cls_token_id, tokenizer.sep_token_id]),
        np.array(layers),
        *(probabilities(scores).numpy() for scores in (taught, *learnt)),
        *(values.numpy() for values in kl),
    )


def _scores(model: Classifier, batch: Batch, layers: Iterable[int]) -> Tensor:
    """Attention scores of some layers on the only example of a batch, on the CPU.

    Shape `[layers, heads, tokens, tokens]`.
    """
    with _evaluating(model):
        found = _captured(model, batch.to(model.device), layers)
        return stacked(found, "scores", layers)[0].float().cpu()


@contextmanager
def _evaluating(*models: Classifier) -> Iterator[None]:
    """Evaluation mode without gradients; each model's mode is put back afterwards."""
    modes = [model.training for model in models]
    for model in models:
        model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for model, mode in zip(models, modes, strict=True):
            model.train(mode)
