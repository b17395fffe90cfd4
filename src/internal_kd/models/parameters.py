"""How many parameters a classifier has, and where."""

from internal_kd.models.classifier import Classifier
from internal_kd.models.layers import embedding_parameters, encoder_layers


def count_parameters(model: Classifier) -> dict[str, int]:
    """Numbers of parameters: total, embeddings, layers, and head (pooler and classifier)."""
    total = sum(parameter.numel() for parameter in model.parameters())
    embeddings = sum(parameter.numel() for parameter in embedding_parameters(model))
    layers = sum(parameter.numel() for parameter in encoder_layers(model).parameters())
    head = total - embeddings - layers
    return {"total": total, "embeddings": embeddings, "layers": layers, "head": head}
