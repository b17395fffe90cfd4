"""Whether a tokenizer gives a model what it was made for; tried out, not believed."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tokenizers import processors
from torch import nn
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from internal_kd.errors import UserError
from internal_kd.models.limits import limits_of

if TYPE_CHECKING:
    from tokenizers import Encoding

SEGMENTS = "token_type_ids"
SAME_SOURCE = "take both from the same source"

log = logging.getLogger(__name__)


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> None:
    """Encode a text and a pair, and refuse what the model cannot use.

    Raises:
        UserError: the tokenizer is not one of the tokenizers library, has tokens that the model has
            no embeddings for, cannot pad, or does not put special tokens around texts.
    """
    if not tokenizer.is_fast:
        raise UserError(
            f"base_model: its tokenizer {type(tokenizer).__name__} has no tokenizer.json; "
            "choose a base model that has one"
        )
    _check_vocabulary(tokenizer, model)
    for encoding in _samples(tokenizer):
        _check_special_tokens(tokenizer, encoding)
        _check_numbers(model, dict(zip(encoding.tokens, encoding.ids, strict=True)))


def _check_vocabulary(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> None:
    size = _embedded(model)
    if len(tokenizer) > size:
        raise UserError(
            f"base_model: its tokenizer has {len(tokenizer)} tokens but the model has "
            f"embeddings for only {size}; {SAME_SOURCE}"
        )
    if tokenizer.pad_token_id is None:
        raise UserError(
            "base_model: its tokenizer has no padding token; set pad_token in tokenizer_config.json"
        )
    _check_numbers(model, tokenizer.get_vocab())


def _embedded(model: PreTrainedModel) -> int:
    """How many tokens the model has embeddings for, regardless of its config."""
    return len(cast(nn.Embedding, model.get_input_embeddings()).weight)


def _check_numbers(model: PreTrainedModel, vocabulary: dict[str, int]) -> None:
    size = _embedded(model)
    token, number = max(vocabulary.items(), key=lambda item: item[1])
    if number >= size:
        raise UserError(
            f"base_model: its tokenizer gives {token!r} the id {number} but the model has "
            f"embeddings for only {size} tokens; {SAME_SOURCE}"
        )


def _samples(tokenizer: PreTrainedTokenizerBase) -> "Iterator[Encoding]":
    """A text and a pair as the tokenizer encodes them."""
    word = _known_word(tokenizer)
    yield tokenizer(word).encodings[0]
    yield tokenizer(word, word).encodings[0]


def _known_word(tokenizer: PreTrainedTokenizerBase) -> str:
    """A text that becomes known tokens."""
    special = set(tokenizer.all_special_ids)
    for number in sorted(set(tokenizer.get_vocab().values()) - special):
        text = str(tokenizer.decode([number]))
        found = tokenizer(text, add_special_tokens=False)["input_ids"]
        if found and special.isdisjoint(found):
            return text
    raise UserError(
        "base_model: its tokenizer cannot encode any word of its own vocabulary; "
        "take its files from one source"
    )


def _check_special_tokens(tokenizer: PreTrainedTokenizerBase, encoding: "Encoding") -> None:
    """The first token's vector is what is distilled, and texts of a pair must be distinguished."""
    texts = encoding.sequence_ids
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    ends = {tokenizer.cls_token_id, tokenizer.bos_token_id}, {last, tokenizer.eos_token_id}
    whole = texts[0] is None and texts[-1] is None and (1 not in texts or _is_split(texts))
    known = all(
        number in known or known == {None}
        for number, known in zip((encoding.ids[0], encoding.ids[-1]), ends, strict=True)
    )
    if not (whole and known):
        raise UserError(
            f"base_model: its tokenizer turns a text into {' '.join(encoding.tokens)}, without "
            f"{_name(tokenizer, first, '[CLS]')} before and {_name(tokenizer, last, '[SEP]')} after"
            " each text; add a post_processor with these to its tokenizer.json"
        )


def _is_split(texts: list[int | None]) -> bool:
    return texts[texts.index(1) - 1] is None


def _name(tokenizer: PreTrainedTokenizerBase, number: int | None, default: str) -> str:
    return default if number is None else str(tokenizer.convert_ids_to_tokens(number))


def fit_segments(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> None:
    """Let the tokenizer number the texts of a pair as the model has segments for.

    A generic tokenizer may omit the numbers, or give both texts the same. Families whose
    positions start behind the padding token, such as RoBERTa, are trained without segments.

    Raises:
        UserError: its numbers are larger than the model has segments for.
    """
    limits = limits_of(model)
    names = [name for name in tokenizer.model_input_names if name != SEGMENTS]
    if limits.segments > 1:
        names.insert(1, SEGMENTS)
        numbers = {number for encoding in _samples(tokenizer) for number in encoding.type_ids}
        if max(numbers) >= limits.segments:
            raise UserError(
                f"base_model: its tokenizer assigns segment {max(numbers)} but the model has "
                f"{limits.segments} segments; {SAME_SOURCE}"
            )
        if numbers == {0} and limits.first_position == 0:
            _number_segments(tokenizer)
    if set(names) != set(tokenizer.model_input_names):
        tokenizer.model_input_names = names
        tokenizer.init_kwargs["model_input_names"] = names


def _number_segments(tokenizer: PreTrainedTokenizerBase) -> None:
    """Put the same special tokens around texts, and number the second text 1."""
    log.warning(
        "base_model: its tokenizer gives both texts of a pair segment 0; the second one gets 1"
    )
    single, pair = _samples(tokenizer)
    special = {
        token: number
        for token, number, text in zip(pair.tokens, pair.ids, pair.sequence_ids, strict=True)
        if text is None
    }
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=_template(single), pair=_template(pair), special_tokens=list(special.items())
    )


def _template(encoding: "Encoding") -> list[str]:
    """The pieces of an encoding in the form of the tokenizers library."""
    pieces: list[str] = []
    segment = 0
    for token, text in zip(encoding.tokens, encoding.sequence_ids, strict=True):
        segment = max(segment, text or 0)
        piece = f"{token if text is None else '$' + 'AB'[text]}:{segment}"
        if text is None or piece not in pieces:
            pieces.append(piece)
    return pieces


def check_saved_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Refuse a tokenizer that encodes differently after it was saved.

    Raises:
        UserError: it does.
    """
    again = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
    for one, other in zip(_samples(tokenizer), _samples(again), strict=True):
        if (one.ids, one.type_ids) != (other.ids, other.type_ids):
            raise UserError(
                f"base_model: its tokenizer {type(tokenizer).__name__} tokenizes a text as "
                f"{' '.join(one.tokens)}, but as {' '.join(other.tokens)} after it was saved; "
                "keep only its tokenizer.json beside the model"
            )


def check_same_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Refuse a tokenizer that gives other numbers than the one in a folder.

    Raises:
        UserError: vocabularies, special tokens or padding differ.
    """
    other = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
    if tokenizer.get_vocab() != other.get_vocab():
        raise UserError(
            "base_model: its tokenizer has another vocabulary than the teacher's base model; use "
            "a model with the same tokenizer"
        )
    encoded = [[encoding.ids for encoding in _samples(each)] for each in (tokenizer, other)]
    if encoded[0] != encoded[1] or tokenizer.pad_token_id != other.pad_token_id:
        raise UserError(
            "base_model: its tokenizer has other special tokens than the teacher's base model; use "
            "a model with the same tokenizer"
        )


def share_padding(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> None:
    """Name the tokenizer's padding token in the model's config.

    The embedding of that token is not trained. Where positions depend on the number, it stays.
    """
    padding = model.config.pad_token_id
    if limits_of(model).first_position == 0:
        model.config.pad_token_id = tokenizer.pad_token_id
    elif padding != tokenizer.pad_token_id:
        log.warning(
            "base_model: its tokenizer pads with token %s but its config.json has %s; do both "
            "belong to the same model?",
            tokenizer.pad_token_id,
            padding,
        )
