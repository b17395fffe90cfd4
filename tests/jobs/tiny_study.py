"""A tiny base model, task and teacher on disk, and the jobs run on them in this process."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from internal_kd.data.encoding import TokensMeta, save_tokens
from internal_kd.jobs.cli import run_job
from internal_kd.specs.experiments import make_experiment
from internal_kd.specs.students import acting
from tests.conftest import ROOT
from tests.distillation.splits import tiny_split
from tests.models.tiny import VOCABULARY, tiny_model

TRAINING = {
    "epochs": 5,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "warmup_fraction": 0.1,
    "max_grad_norm": 1.0,
    "keep": "best",
    "bucketing": True,
}
DISTILLATION = {
    "temperature": 1.0,
    "internal_fraction": 0.8,
    "cosine_threshold": 0.0,
    "signals": {"source": "auto", "attention": "fp32"},
}
SELECTION = {"split": "validation"}
LABELS = ("entailment", "not_entailment")


def tiny_tokenizer(pad: int = 0) -> PreTrainedTokenizerFast:
    """Words w0, w1, … and BERT's special tokens, that of padding with the number 0 or 1."""
    first = ["[PAD]", "[UNK]"] if pad == 0 else ["[UNK]", "[PAD]"]
    special = [*first, "[CLS]", "[SEP]", "[MASK]"]
    words = special + [f"w{k}" for k in range(VOCABULARY - len(special))]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    names |= {"sep_token": "[SEP]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def write_base(folder: Path, layers: int = 4, **sizes: int) -> Path:
    """A random BERT encoder with a tokenizer."""
    tiny_model(layers=layers, **sizes).base_model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def write_tokens(path: Path, unlabelled_test: bool = False, pad: int = 0) -> Path:
    """Tokens of a task whose label can be read off one token."""
    splits = {
        "train": tiny_split(96, seed=1),
        "validation": tiny_split(64, seed=2),
        "test": tiny_split(40, seed=3),
    }
    if unlabelled_test:
        splits["test"].labels[:] = -1
    save_tokens(path, splits, TokensMeta("rte", tuple(LABELS), pad, 64, 100))
    return path


def call(job: ModuleType, settings: dict[str, Any], **paths: Path | str | list[str]) -> None:
    """Run a job as its rule does, without a process of its own."""
    argv = ["--settings", json.dumps(settings)]
    for name, path in paths.items():
        argv += [f"--{name}", *(path if isinstance(path, list) else [str(path)])]
    run_job(job.JOB, argv)


def run_of(experiment: str, layers: int = 2, seed: int = 0, percent: int = 100) -> dict[str, Any]:
    """The fields of a run."""
    fields = {"task": "rte", "experiment": experiment, "layers": layers}
    return {**fields, "percent": percent, "seed": seed}


def experiment_settings(name: str, **changes: Any) -> dict[str, Any]:
    """An experiment of the shipped config, as the distilling job gets it."""
    entry = yaml.safe_load((ROOT / "config.yaml").read_text())["experiments"][name]
    return msgspec.to_builtins(acting(make_experiment(name, {**entry, **changes})))
