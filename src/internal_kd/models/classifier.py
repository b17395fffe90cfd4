"""The types of the models that are trained and compared, and of their configs."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from internal_kd.models.bert import BertClassifier, BertConfig

# Names instead of the classes themselves: Transformers takes seconds to import.
Classifier: TypeAlias = "BertClassifier | PreTrainedModel"
ClassifierConfig: TypeAlias = "BertConfig | PreTrainedConfig"
