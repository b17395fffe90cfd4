"""How the embedded study's base model is made."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from internal_kd.specs.values import Count, Length, NotNegative, Positive, Section, Seed, Share


class Network(Section, frozen=True):
    """Shape of the network.

    Attributes:
        hidden_size: width of the hidden states.
        heads: attention heads of a layer.
        feed_forward: width of the feed-forward networks.
        initializer_range: standard deviation of the first weights.
    """

    hidden_size: Count
    heads: Count
    feed_forward: Count
    initializer_range: Positive


class Mimetic(Section, frozen=True):
    """Standard deviations of the parts of W_Q and W_K at the start.

    Attributes:
        common: standard deviation of the common part.
        own: standard deviation of each own part.
    """

    common: Positive
    own: Positive


class Masking(Section, frozen=True):
    """Shares of words.

    Attributes:
        first: share of words to predict in first texts.
        second: share of words to predict in second texts.
        single: share of words to predict in single texts.
        mask: share of these words that are replaced by [MASK].
        random: share of these words that are replaced by another word.
    """

    first: Share
    second: Share
    single: Share
    mask: Share
    random: Share


class Stage(Section, frozen=True, kw_only=True):
    """A stage of pre-training.

    Attributes:
        layers: transformer layers of the model in this stage.
        masked: share of whole examples in which words may be hidden.
        growth: how the stage before is deepened, by a stacked copy or by faint layers in between.
        faintness: factor on the output projections of layers put in between.
        steps: steps of the optimizer.
        start_rate: learning rate after warm-up.
        end_rate: learning rate at the end.
    """

    layers: Count
    masked: Share
    growth: Literal["stack", "interleave"] | UnsetType = UNSET
    faintness: Share | UnsetType = UNSET
    steps: Count
    start_rate: Positive = field(name="from")
    end_rate: NotNegative = field(name="to")


class Pretraining(Section, frozen=True):
    """How the embedded study's base model is made.

    Attributes:
        seed: seed of the corpus, the tokenizer and the training.
        examples: pairs and single sentences of the generated corpus.
        single_share: share of texts that are single sentences.
        changed_share: share of pairs about another event and of corrupted sentences.
        vocabulary_size: size of the WordPiece vocabulary.
        max_length: number of positions of the model.
        model: shape of the network.
        mimetic: standard deviations of the common and of the own part of W_Q and W_K at the start.
        masking: shares of words to predict in first, second and single texts, and of those replaced
            by [MASK] or by another word.
        pair_weight: weight of the loss on pairs and intact sentences.
        mark_weight: weight of the loss on which words of the second text were changed.
        batch_size: texts per step.
        weight_decay: decay of weights.
        warmup: steps of warm-up in each stage.
        max_grad_norm: norm that gradients are clipped to.
        stages: one after the other, each at least as deep as the one before.
    """

    seed: Seed
    examples: Annotated[int, Meta(ge=1000)]
    single_share: Share
    changed_share: Share
    vocabulary_size: Annotated[int, Meta(ge=100)]
    max_length: Length
    model: Network
    mimetic: Mimetic
    masking: Masking
    pair_weight: NotNegative
    mark_weight: NotNegative
    batch_size: Count
    weight_decay: Share
    warmup: Count
    max_grad_norm: Positive
    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)]
