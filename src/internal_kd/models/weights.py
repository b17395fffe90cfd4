"""Models whose weights are whole: damaged and missing ones are refused, never filled up."""

import pickle
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError

from internal_kd.errors import UserError, reason
from internal_kd.models.stored import not_to_be_drawn, without_place

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Mismatched = Collection[tuple[str, Iterable[int], Iterable[int]]]

DAMAGED = (SafetensorError, RuntimeError, BadZipFile, EOFError)


@contextmanager
def translate_weight_errors(folder: str | Path) -> Iterator[None]:
    """Inside the context, what libraries raise on damaged weights becomes a sentence.

    Raises:
        UserError: naming the folder.
    """
    try:
        yield
    except pickle.UnpicklingError as error:  # torch's message advises to run its content
        raise UserError(
            f"{folder}: its weights are a pickle that is damaged or holds more than tensors; save "
            "the model again with save_pretrained, which writes safetensors"
        ) from error
    except DAMAGED as error:
        raise UserError(
            f"{folder}: its weights are damaged ({reason(error)}); copy or download them again"
        ) from error


class Loader(Protocol):
    """A class of Transformers that reads models."""

    def from_pretrained(
        self, pretrained_model_name_or_path: str, **options: object
    ) -> "tuple[PreTrainedModel, LoadingInfo]":
        """The model, and what was found, where `output_loading_info` is true."""
        ...


class LoadingInfo(TypedDict):
    """What Transformers found of the weights in a file: names, and shapes stored and expected."""

    missing_keys: Collection[str]
    unexpected_keys: Collection[str]
    mismatched_keys: Mismatched


def read_model(
    auto: Loader, folder: str | Path, *, new_head: bool, **options: object
) -> "PreTrainedModel":
    """The model in `folder`, or of this name on the hub, in fp32.

    Args:
        auto: the class of Transformers that reads it.
        folder: where `save_pretrained` wrote it, or its name.
        new_head: whether what is above the layers may be drawn from torch's generator.
        options: more arguments of `from_pretrained`.

    Raises:
        OSError, ValueError: as Transformers does if there is no model that it supports.
        UserError: weights are damaged, missing, of another shape than the config's, or not
            used by the model.
    """
    with translate_weight_errors(folder):
        model, found = auto.from_pretrained(
            str(folder),
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            trust_remote_code=False,
            **options,
        )
    _check_shapes(folder, found["mismatched_keys"])
    missing, prefix = set(found["missing_keys"]), f"{model.base_model_prefix}."
    inside = "" if model.base_model is model else prefix
    present = model.state_dict()
    lacking = not_to_be_drawn(missing, present, inside) if new_head else missing
    _check_names(folder, lacking, found["unexpected_keys"])
    _check_complete(folder, lacking)
    check_all_used(folder, without_place(found["unexpected_keys"], prefix))
    return model


def _check_shapes(folder: str | Path, mismatched: Mismatched) -> None:
    for name, stored, expected in mismatched:
        raise UserError(
            f"{folder}: its weights do not fit its config.json, {name} is {list(stored)} and not "
            f"{list(expected)}; copy or download both again"
        )


def _check_names(folder: str | Path, missing: Collection[str], unexpected: Collection[str]) -> None:
    """Names may begin with that of a wrapper, as those of parallel training do."""
    for name in sorted(missing):
        prefix = next((each.removesuffix(name) for each in unexpected if each.endswith(name)), "")
        if prefix.endswith("."):
            raise UserError(
                f"{folder}: the names of its weights begin with {prefix}, which is not part of the "
                "model of its config.json; save the plain model with save_pretrained"
            )


def _check_complete(folder: str | Path, missing: Collection[str]) -> None:
    """Transformers would fill up with random numbers, and say so in a warning only."""
    if missing:
        raise UserError(
            f"{folder}: {len(missing)} parameters of its config.json have no weights, such as "
            f"{min(missing)}; copy or download both again"
        )


def check_all_used(folder: str | Path, left: Collection[str]) -> None:
    """Refuse to drop what belongs to the encoder, as Transformers would with a warning only.

    Raises:
        UserError: naming one of the weights `left` without a place.
    """
    if left:
        raise UserError(
            f"{folder}: the model of its config.json does not use {len(left)} of its weights, "
            f"such as {min(left)}; copy or download both again, or save the plain encoder"
        )
