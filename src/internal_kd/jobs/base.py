"""Job `base`: a pre-trained model from a folder or the hub, as a folder of this study."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from internal_kd.errors import UserError, as_user_error, reason
from internal_kd.hub import go_offline_if_unreachable
from internal_kd.jobs.cli import Job, recorded
from internal_kd.jobs.files import Reads, Writes
from internal_kd.models.layers import encoder_layers
from internal_kd.models.leftovers import forget_unknown, read_config
from internal_kd.models.limits import limits_in, limits_of
from internal_kd.models.pretrained import load_encoder
from internal_kd.models.saved import difference
from internal_kd.models.suitability import check_encoder
from internal_kd.models.tokenizers import (
    check_same_tokenizer,
    check_saved_tokenizer,
    check_tokenizer,
    fit_segments,
    share_padding,
)

USUAL = "use an encoder such as BERT, RoBERTa, ELECTRA or DistilBERT in its usual form"

# How Transformers says so, whatever it raises.
NEEDS_LIBRARY = re.compile(r"\binstall\b|required to read")


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of the job."""

    like: Annotated[Path | None, Reads("folder of the base model whose tokenizer it must have")] = (
        None
    )
    out: Annotated[Path, Writes("folder of the base model")]


@dataclass(frozen=True)
class Settings:
    """A model on the hub or in a folder.

    Attributes:
        source: `hub` or `folder`.
        path: name on the hub, or the folder.
        layers: that the config says the model has.
        revision: of a model on the hub.
        max_length: tokens of the longest text, for a model with the tokenizer of another one.
    """

    source: str
    path: str
    layers: int
    revision: str | None = None
    max_length: int = 0


def main(files: Files, settings: Settings) -> None:
    """Write the base model."""
    try:
        _make(files, settings)
    except UserError as error:
        if files.like is None or not str(error).startswith("base_model"):
            raise
        raise UserError(f"student.{error}") from error


def _make(files: Files, settings: Settings) -> None:
    model, tokenizer = _fetch(settings)
    check_layers(model, settings.layers)
    with as_user_error(f"base_model.path: {settings.path!r}", "cannot be used", USUAL):
        check_encoder(model)
        check_tokenizer(tokenizer, model)
        fit_segments(tokenizer, model)
        share_padding(tokenizer, model)
        if files.like is not None:
            check_same_tokenizer(tokenizer, files.like)
            _check_limits(model, files.like, settings.max_length)
    _save(model, tokenizer, files.out)


def _check_limits(model: PreTrainedModel, like: Path, length: int) -> None:
    """Refuse a model without embeddings for what the other one's tokenizer gives."""
    found, other = limits_of(model), limits_in(like)
    if found.positions is not None and found.positions < length:
        raise UserError(
            f"base_model: the model has {found.positions} positions, but data.max_length is "
            f"{length}; write at most {found.positions} there"
        )
    if 0 < found.segments < other.segments:
        raise UserError(
            f"base_model: the model has {found.segments} segments, but the teacher's base model "
            f"{other.segments}; use a model of the same family"
        )


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, out: Path) -> None:
    """Write both and read them again."""
    forget_unknown(model.config)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    changed = difference(model, out)
    if changed is not None:
        raise UserError(
            f"base_model: {type(model).__name__}, as configured in its config.json, {changed}; "
            f"{USUAL}"
        )
    check_saved_tokenizer(tokenizer, out)


def _fetch(settings: Settings) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    path, revision = settings.path, settings.revision
    if settings.source == "hub":
        go_offline_if_unreachable("model", path, revision)
    try:
        model = load_encoder(path, revision, read_config(path, revision))
        return model, _fetch_tokenizer(path, revision)
    except (UserError, MemoryError, ModuleNotFoundError):
        raise
    except Exception as error:  # whatever an HTTP client, a tokenizer or a pickle can raise
        raise UserError(_sentence(settings.source, path, error)) from error


def _fetch_tokenizer(path: str, revision: str | None) -> PreTrainedTokenizerBase:
    """The tokenizer beside the model, where no library beyond the project's is needed for it."""
    try:
        return AutoTokenizer.from_pretrained(
            path, revision=revision or "main", trust_remote_code=False
        )
    except (ImportError, ValueError) as error:
        if not NEEDS_LIBRARY.search(str(error)):
            raise
        raise UserError(
            f"base_model.path: the tokenizer of {path!r} has no tokenizer.json and needs a library "
            f"that is not part of this project ({reason(error)}); load it with AutoTokenizer where "
            "that is installed, save it with save_pretrained, and put its tokenizer.json beside "
            "the model, or choose a base model that has one"
        ) from error


def _sentence(source: str, path: str, error: Exception) -> str:
    if "trust_remote_code" in str(error):
        return (
            f"base_model.path: {path!r} needs custom code (auto_map in its files), which is "
            "never run; use a model that Transformers supports natively"
        )
    if source == "hub":
        return (
            f"base_model.path: {path!r} could not be loaded from the hub ({reason(error)}); check "
            "the name and the network, or download it elsewhere and use base_model.source: folder"
        )
    return (
        f"base_model.path: {path!r} holds no encoder with tokenizer ({reason(error)}); "
        "give a folder written by save_pretrained"
    )


def check_layers(model: PreTrainedModel, layers: int) -> None:
    """Refuse a model whose depth is not the config's.

    Raises:
        UserError: naming the number to write.
    """
    found = len(encoder_layers(model))
    if found != layers:
        raise UserError(f"base_model.layers: is {layers}, but the model has {found}; write {found}")


JOB = Job(Files, Settings, recorded(main))
