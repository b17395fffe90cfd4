"""How many parameters a classifier has, and where."""

from internal_kd.models.bert import Classifier
from internal_kd.models.layers import embedding_parameters, encoder_layers, head_parameters


def count_parameters(model: Classifier) -> dict[str, int]:
    """Numbers of parameters: total, embeddings, layers, pooler and classifier.

    The classifier is the classification layer alone. The pooler is what is between it and the
    transformer layers, such as BERT's pooler or DistilBERT's `pre_classifier`.
    """
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    head = head_parameters(model)
    last_layer = _module(head[-1])
    counts = {
        "embeddings": sum(parameter.numel() for parameter in embedding_parameters(model)),
        "layers": sum(parameter.numel() for parameter in encoder_layers(model).parameters()),
        "pooler": sum(sizes[name] for name in head if _module(name) != last_layer),
        "classifier": sum(sizes[name] for name in head if _module(name) == last_layer),
    }
    return {"total": sum(sizes.values()), **counts}


def _module(parameter: str) -> str:
    """Name of the module that a parameter belongs to."""
    return parameter.rpartition(".")[0]
