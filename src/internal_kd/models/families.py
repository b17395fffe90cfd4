"""What families of Transformers need to be known for, by the `model_type` of their config.json.

Needs no library, so that a study can be checked before anything is loaded.
"""

from internal_kd.models.features import FEATURES, Feature

# They compute attention outside of Transformers' attention interface, with one softmax over the
# scores of each layer.
AT_SOFTMAX = frozenset({"deberta", "deberta-v2", "megatron-bert", "mpnet", "rembert", "roformer"})

# Settings that their code reads without a default in the family's own config.
DEBERTA = frozenset({"cls_dropout", "embedding_size", "talking_head"})
SETTINGS = {
    "deberta": DEBERTA,
    "deberta-v2": DEBERTA
    | {"attention_head_size", "norm_rel_ebd", "position_buckets", "share_att_key"}
    | {"conv_act", "conv_groups", "conv_kernel_size"},
}

APPROXIMATE = "its attention is sparse or approximate, so it has no probabilities for all tokens"
SHORTENING = "its layers work on sequences shorter than the text"
REFUSED = {
    "albert": "its layers share their parameters, so a student cannot have some of them",
    "big_bird": APPROXIMATE,
    "canine": SHORTENING,
    "convbert": "part of its attention is a convolution",
    "esm": "its head for contacts depends on the number of layers",
    "fnet": "it has no attention",
    "funnel": SHORTENING,
    "ibert": "its attention is computed with integers",
    "lilt": "it reads the places of words on a page",
    "longformer": APPROXIMATE,
    "mobilebert": "its embeddings mix in the next token, also where that is padding",
    "mra": APPROXIMATE,
    "nystromformer": APPROXIMATE,
    "perceiver": SHORTENING,
    "reformer": APPROXIMATE,
    "yoso": APPROXIMATE,
}


def reason_for_refusal(family: object) -> str | None:
    """Why an encoder of a family cannot be distilled, as a clause; None if nothing is known."""
    return REFUSED.get(str(family))


def features_of(family: object) -> tuple[Feature, ...]:
    """The features that layers of a family's encoders give.

    Where attention is read at its softmax, scores are all that is known of it.
    """
    return ("hidden", "cls", "scores") if family in AT_SOFTMAX else FEATURES
