"""One pass through a classifier that yields what the losses need."""

from torch import Tensor

from internal_kd.models.bert import BertClassifier
from internal_kd.models.classifier import Classifier
from internal_kd.models.representations import Representations, Tokens


def represent(model: Classifier, tokens: Tokens, depth: int | None = None) -> Representations:
    """[CLS] vectors and attention scores of every layer, and logits.

    Args:
        model: of any family.
        tokens: a padded batch on the model's device.
        depth: one-based layer above which nothing is computed, neither layers nor logits; None for
            the whole model.
    """
    if isinstance(model, BertClassifier):
        return model(tokens, depth)
    from internal_kd.models.pretrained import represent_pretrained

    return represent_pretrained(model, tokens, depth)


def logits_of(model: Classifier, tokens: Tokens) -> Tensor:
    """Logits `[batch, classes]` alone."""
    if isinstance(model, BertClassifier):
        return model(tokens, internal=False).logits
    from internal_kd.models.pretrained import logits_of_pretrained

    return logits_of_pretrained(model, tokens)
