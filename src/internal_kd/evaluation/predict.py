"""A model's predictions on the examples of a split."""

import numpy as np
import torch

from internal_kd.data.batches import sorted_batches
from internal_kd.data.encoding import EncodedSplit
from internal_kd.errors import UserError
from internal_kd.evaluation.metrics import score
from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.models.bert import Classifier
from internal_kd.models.capture import logits_of
from internal_kd.models.loading import label_names

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
