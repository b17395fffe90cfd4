"""Fine-tuning without distillation: hard labels alone, as the teacher is trained."""

from torch import Tensor

from internal_kd.data.batches import Batch
from internal_kd.distillation.schedules import Phase
from internal_kd.models.bert import Classifier
from internal_kd.models.capture import logits_of
from internal_kd.objectives.output import hard_cross_entropy


def finetuning_objective(
    model: Classifier, batch: Batch, phase: Phase
) -> tuple[Tensor, dict[str, Tensor]]:
    """Hard cross-entropy of a batch; `phase` plays no part."""
    loss = hard_cross_entropy(logits_of(model, batch), batch.labels)
    return loss, {"hard": loss}
