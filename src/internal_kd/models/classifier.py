"""The type of the models that are trained and compared."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from internal_kd.models.bert import BertClassifier

# A name instead of the classes themselves: Transformers takes seconds to import.
Classifier: TypeAlias = "BertClassifier | PreTrainedModel"
