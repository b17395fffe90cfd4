"""Stage `base`: a pre-trained model from a folder or the hub, as a folder of this study."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedModel

from internal_kd.errors import UserError
from internal_kd.hub import go_offline_if_unreachable
from internal_kd.models.layers import embedding_parameters, encoder_layers
from internal_kd.models.pretrained import load_encoder
from internal_kd.stages.cli import run_stage


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def main(args: Namespace) -> None:
    """Write the base model; settings: source, path, revision, layers."""
    _fetch(args.settings, args.out)
    check_layers(load_encoder(args.out), args.settings["layers"])


def _fetch(settings: dict, out: Path) -> None:
    path, revision = settings["path"], settings.get("revision")
    if settings["source"] == "hub":
        go_offline_if_unreachable("model", path, revision)
    try:
        model = load_encoder(path, revision)
        tokenizer = AutoTokenizer.from_pretrained(path, revision=revision or "main")
    except (OSError, ValueError) as error:
        raise UserError(_sentence(settings["source"], path)) from error
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def _sentence(source: str, path: str) -> str:
    if source == "hub":
        return (
            f"base_model.path: {path!r} could not be loaded from the hub; check the name and the "
            "network, or download it elsewhere and use base_model.source: folder"
        )
    return (
        f"base_model.path: {path!r} holds no encoder with tokenizer; "
        "give a folder written by save_pretrained"
    )


def check_layers(model: PreTrainedModel, layers: int) -> None:
    """Refuse a model whose depth is not the config's, or whose parts cannot be found.

    Raises:
        UserError: naming the number to write.
    """
    found = len(encoder_layers(model))
    embedding_parameters(model)
    if found != layers:
        raise UserError(
            f"base_model.layers: the config says {layers} but the model has {found}; write {found}"
        )


if __name__ == "__main__":
    run_stage("internal_kd.stages.base", add_arguments, main)
