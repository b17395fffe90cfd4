"""Trained runs, the tokens their models are shown, and their predictions."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from internal_kd.data.encoding import EncodedSplit, load_tokens
from internal_kd.errors import UserError, as_user_error
from internal_kd.models.bert import Classifier
from internal_kd.models.loading import load_classifier, on_device
from internal_kd.specs.records import read_metrics
from internal_kd.specs.runs import Run

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

import numpy as np

from internal_kd.data.batches import sorted_batches
from internal_kd.evaluation.metrics import score
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.models.capture import logits_of
from internal_kd.models.loading import label_names


@dataclass(frozen=True)
class TrainedRun:
    """A finished run and its model.

    Attributes:
        folder: where the run's files lie.
        run: which one it is.
        model: in evaluation mode.
    """

    folder: Path
    run: Run
    model: Classifier

    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The tokenizer saved beside the model."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(str(self.folder / "model"), trust_remote_code=False)


@dataclass(frozen=True)
class SplitTokens:
    """A tokenised split, with the names of its task and its own, and the padding token's number."""

    task: str
    name: str
    split: EncodedSplit
    pad_token_id: int


def load_trained(folder: Path, device: torch.device) -> TrainedRun:
    """The run in `folder` with its model on `device`.

    Raises:
        UserError: the folder holds no model or no metrics of a run.
    """
    with as_user_error(folder, "not the folder of a run", "make the run again"):
        run = read_metrics(folder / "metrics.json").run
        model = load_classifier(folder / "model")
    return TrainedRun(folder, run, on_device(model, device))


def load_split(path: Path, name: str) -> SplitTokens:
    """The split of this name in a file of tokens.

    Raises:
        UserError: the file is none of this package or has no such split.
    """
    splits, meta = load_tokens(path)
    if name not in splits:
        raise UserError(f"{path}: no split '{name}'; it has {', '.join(splits)}")
    return SplitTokens(meta.task, name, splits[name], meta.pad_token_id)


EVALUATION_BATCH_SIZE = 128


def predict(
    model: Classifier, split: EncodedSplit, pad_token_id: int, device: torch.device
) -> SplitPredictions:
    """Logits of every example, in the order of the split, computed in evaluation mode.

    The model's mode is put back afterwards.

    Raises:
        UserError: a logit is NaN or infinite; its class would be the first one without a word.
    """
    training = model.training
    model.eval()
    there = torch.empty((len(split), len(label_names(model.config))), device=device)
    with torch.no_grad():
        for batch in sorted_batches(split, EVALUATION_BATCH_SIZE, pad_token_id):
            batch = batch.to(device)
            there[batch.index] = logits_of(model, batch).float()
    logits = there.cpu().numpy()
    model.train(training)
    if not np.isfinite(logits).all():
        raise UserError(
            "training: the model's outputs became NaN or infinite; "
            "lower learning_rate or raise warmup_fraction"
        )
    return SplitPredictions(split.indices, split.labels, logits)


def labelled(split: EncodedSplit) -> bool:
    """Whether every example carries a label (GLUE's hidden test labels are -1)."""
    return len(split) > 0 and bool((split.labels >= 0).all())


def scores_of(predictions: SplitPredictions) -> dict[str, float]:
    """All metrics of predictions on labelled examples, see `metrics.score`."""
    return score(predictions.labels, predictions.predictions)
