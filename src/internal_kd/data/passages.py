"""Unlabelled text, one passage after the other and never all at once in memory.

A passage is one text, or two that belong together as the two texts of a pair.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from internal_kd.data.parts import text_files
from internal_kd.errors import UserError, as_user_error, reason
from internal_kd.hub import go_offline_if_unreachable

Passage = tuple[str, ...]

ROWS_PER_READ = 1000
# Of generated text, as for the base model that is shipped.
SINGLE_SHARE, CHANGED_SHARE = 0.25, 0.4


@dataclass(frozen=True)
class TextSettings:
    """Where unlabelled text comes from, see `specs.agnostic.Corpus`."""

    source: str
    path: str | None = None
    subset: str | None = None
    split: str = "train"
    column: str = "text"
    examples: int = 0
    seed: int = 0


def read_passages(settings: TextSettings) -> Iterator[Passage]:
    """The passages of a source; those without a visible character are left out.

    Raises:
        UserError: the source cannot be read.
    """
    if settings.source == "embedded":
        yield from _generated(settings)
        return
    texts = _of_files(str(settings.path)) if settings.source == "files" else _of_dataset(settings)
    yield from ((text,) for text in map(str.strip, texts) if text)


def _generated(settings: TextSettings) -> Iterator[Passage]:
    from internal_kd.embedded.corpus import generate_corpus

    shares = SINGLE_SHARE, CHANGED_SHARE
    for example in generate_corpus(settings.examples, *shares, settings.seed):
        yield (example.first,) if example.second is None else (example.first, example.second)


def _of_files(path: str) -> Iterator[str]:
    for file in text_files(path):
        remedy = "give UTF-8 text, compressed by gzip if its name ends in .gz"
        with as_user_error(f"corpus.path: {file}", "not readable text", remedy), _opened(file) as f:
            yield from f


def _opened(file: Path) -> IO[str]:
    """A text file whose lines end in LF, CRLF or CR; a byte order mark is no part of the text."""
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding="utf-8-sig")
    return open(file, encoding="utf-8-sig")


def _of_dataset(settings: TextSettings) -> Iterator[str]:
    import datasets

    path, split = str(settings.path), settings.split
    if not Path(path).exists():
        go_offline_if_unreachable("dataset", path, None)
    try:
        if Path(path).exists():
            found = datasets.load_from_disk(path)
            rows = found[split] if isinstance(found, dict) else found
        else:
            rows = datasets.load_dataset(path, settings.subset, split=split, streaming=True)
        for group in rows.iter(batch_size=ROWS_PER_READ):
            yield from (str(text) for text in group[settings.column] if text is not None)
    except Exception as error:  # whatever the library or its HTTP client raises
        raise UserError(
            f"corpus.path: {path}, split {split!r}, column {settings.column!r} cannot be read "
            f"({reason(error)}); check corpus.subset, corpus.split and corpus.column"
        ) from error
