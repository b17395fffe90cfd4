"""The base model that ships with the project, pre-trained once and kept in half precision."""

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

ASSETS = Path(__file__).parent / "assets"
WEIGHTS = "model.safetensors"
PROVENANCE = "provenance.json"
COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json")
FINGERPRINT_DATA = (
    "assets/model.safetensors",
    "assets/config.json",
    "assets/tokenizer.json",
    "assets/tokenizer_config.json",
)


def export(out: Path) -> None:
    """Write the shipped base in fp32 to the folder `out`, as `save_pretrained` would."""
    out.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copyfile(ASSETS / name, out / name)
    _convert(ASSETS / WEIGHTS, out / WEIGHTS, torch.float32)


def pack(pretrained: Path, assets: Path = ASSETS) -> None:
    """Make the shipped files from a folder that `pretraining.pretrain` wrote."""
    assets.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copyfile(pretrained / name, assets / name)
    shutil.copyfile(pretrained / "pretraining.json", assets / PROVENANCE)
    _convert(pretrained / WEIGHTS, assets / WEIGHTS, torch.float16)


def _convert(source: Path, target: Path, dtype: torch.dtype) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in load_file(source).items()}
    save_file(tensors, target, metadata={"format": "pt"})
