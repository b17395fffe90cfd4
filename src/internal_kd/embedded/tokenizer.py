"""A WordPiece tokenizer made from the corpus."""

from collections import Counter
from collections.abc import Iterable

from transformers import BertTokenizer, PreTrainedTokenizerFast

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def train_tokenizer(
    texts: Iterable[str], vocabulary_size: int, max_length: int
) -> PreTrainedTokenizerFast:
    """A BERT tokenizer (lower case, WordPiece) with at most `vocabulary_size` pieces.

    The pieces are the letters, with which any word can be spelt, and the most frequent words. With
    some two hundred regular words there is nothing to gain from pieces in between, and the trainer
    of `tokenizers`, which would search for them, gives another vocabulary in each process.
    """
    counts = Counter(word for text in texts for word in text.split())
    letters = sorted({letter for word in counts for letter in word})
    spelling = [*letters, *(f"##{letter}" for letter in letters)]
    words = sorted(counts, key=lambda word: (-counts[word], word))
    pieces = list(dict.fromkeys([*SPECIAL_TOKENS, *spelling, *words]))[:vocabulary_size]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizer(vocab=vocabulary, model_max_length=max_length)
