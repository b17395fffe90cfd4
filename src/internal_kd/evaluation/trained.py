"""Trained runs and the tokens their models are shown, loaded to be compared."""

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
