"""Floating-point operations of an encoder's matrix products, 2 for a product and a sum.

Activations, normalisations, softmax, embeddings and the optimizer are not counted: they move memory
rather than compute. L is the length of an example in tokens, h the width of the layers, f the one
of their feed-forward part; sums over examples are in `Texts`.
"""

from internal_kd.planning.encoder import Encoder
from internal_kd.planning.texts import Texts

# Backward passes take two products for each of the forward pass: one for the weights, one for the
# input.
BACKWARD = 2


def layer_flops(encoder: Encoder, texts: Texts) -> float:
    """A whole layer: 8 h² L projections, 4 h L² attention, 4 h f L feed-forward."""
    h, f = encoder.hidden, encoder.feed_forward
    return (8 * h * h + 4 * h * f) * texts.tokens + 4 * h * texts.squares


def top_layer_flops(encoder: Encoder, texts: Texts, scores: bool) -> float:
    """The layer on top, whose output only [CLS] needs.

    Args:
        encoder: its shape.
        texts: what it reads.
        scores: whether a loss or a signal needs the attention scores of all tokens.
    """
    if not encoder.cls_top:
        return layer_flops(encoder, texts)
    h, f = encoder.hidden, encoder.feed_forward
    keys_and_values = 4 * h * h * texts.tokens
    queries = 2 * h * h * (texts.tokens if scores else texts.rows)
    products = 2 * h * (texts.squares if scores else texts.tokens)
    context = 2 * h * texts.tokens
    rest = (2 * h * h + 4 * h * f) * texts.rows
    return keys_and_values + queries + products + context + rest


def head_flops(encoder: Encoder, texts: Texts, classes: int) -> float:
    """Pooler and classifier."""
    return (2 * encoder.hidden**2 + 2 * encoder.hidden * classes) * texts.rows


def layers_flops(
    encoder: Encoder, texts: Texts, first: int, last: int, *, scores: bool = False
) -> float:
    """Forward pass of layers `first` to `last`, one-based; the last one is on top."""
    if first > last:
        return 0.0
    below = (last - first) * layer_flops(encoder, texts)
    return below + top_layer_flops(encoder, texts, scores)


def classifier_flops(
    encoder: Encoder, texts: Texts, layers: int, classes: int, *, scores: bool = False
) -> float:
    """Forward pass of a classifier with `layers` of the encoder's layers."""
    body = layers_flops(encoder, texts, 1, layers, scores=scores)
    return body + head_flops(encoder, texts, classes)
