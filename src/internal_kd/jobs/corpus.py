"""Job `corpus`: unlabelled text, tokenised once for all general models."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from transformers import AutoTokenizer

from internal_kd.data.corpus import write_corpus
from internal_kd.data.passages import TextSettings, read_passages
from internal_kd.errors import as_user_error
from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Reads, Writes
from internal_kd.models.limits import check_length, limits_in


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    base: Annotated[Path, Reads("folder of the base model")]
    out: Annotated[Path, Writes("folder of the tokens")]


@dataclass(frozen=True, kw_only=True)
class Settings(TextSettings):
    """Where the text comes from, and how it is cut into sequences.

    Attributes:
        max_length: tokens of a sequence.
        pack: whether passages are joined.
    """

    max_length: int
    pack: bool


def main(files: Files, settings: Settings) -> None:
    """Write the tokens."""
    with as_user_error(files.base, "not the folder of a base model", "make it again"):
        limits = limits_in(files.base)
        tokenizer = AutoTokenizer.from_pretrained(str(files.base), trust_remote_code=False)
    check_length("corpus.max_length", limits, settings.max_length)
    write_corpus(
        files.out,
        read_passages(settings),
        tokenizer,
        settings.max_length,
        pack=settings.pack,
        segments=limits.segments,
    )


JOB = Job(Files, Settings, recorded(main))
