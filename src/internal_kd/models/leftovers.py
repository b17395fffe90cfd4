"""What remains in a config of a model's earlier use: its task, precision, and tools."""

from pathlib import Path

from transformers import AutoConfig, PreTrainedConfig
from transformers.utils.peft_utils import find_adapter_config_file

from internal_kd.errors import UserError
from internal_kd.models.families import SETTINGS, reason_for_refusal


def read_config(folder: str | Path, revision: str | None = None) -> PreTrainedConfig:
    """The config of an encoder, in a folder or on the hub, without settings of a task.

    Raises:
        OSError, ValueError: as Transformers does if there is no model that it supports.
        UserError: the family cannot be distilled, the weights are quantized, an adapter belongs to
            them, or single layers have settings of their own.
    """
    config: PreTrainedConfig = AutoConfig.from_pretrained(
        str(folder), revision=revision or "main", trust_remote_code=False
    )
    known = reason_for_refusal(config.model_type)
    if config.is_encoder_decoder:
        known = "it is an encoder with a decoder"
    if known is not None:
        raise UserError(
            f"base_model: {folder} is of the family {config.model_type}, which cannot be "
            f"distilled: {known}; use an encoder such as BERT, RoBERTa, ELECTRA or DistilBERT"
        )
    if getattr(config, "quantization_config", None):
        raise UserError(
            f"base_model: the weights of {folder} are quantized (quantization_config in its "
            "config.json); give the model in full or half precision"
        )
    written, _ = PreTrainedConfig.get_config_dict(str(folder), revision=revision or "main")
    if written.get("per_layer_config"):
        raise UserError(
            f"base_model: {folder} has settings of single layers (per_layer_config in "
            "its config.json), which a student of some of them could not keep; use another model"
        )
    if find_adapter_config_file(str(folder), revision=revision or "main"):
        raise UserError(
            f"base_model: an adapter belongs to {folder} (adapter_config.json); merge it into the "
            "weights and save the plain model, or remove the file"
        )
    _forget_task(config)
    return config


def _forget_task(config: PreTrainedConfig) -> None:
    """Labels, kind of loss, and what a pass would return beside the states."""
    config.num_labels = 2
    config.problem_type = None
    config.return_dict = True
    config.output_hidden_states = False
    config._output_attentions = False


def forget_unknown(config: PreTrainedConfig) -> None:
    """Drop what the family's own config does not have: settings of trainers, hubs and adapters."""
    own = vars(type(config)()).keys() | SETTINGS.get(config.model_type, ())
    for name in [name for name in vars(config) if name not in own and not name.startswith("_")]:
        delattr(config, name)
