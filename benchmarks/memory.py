"""Measure the memory of trainings whose training split has QQP's size: `make memory`.

The texts are random words with the lengths of QQP's questions. The models are narrow, so that one
processor can do it and what is measured is the data and the teacher's signals. The text is made
into tokens by the workflow; every training has a process of its own.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from benchmarks.lengths import histogram
from internal_kd.distillation.history import KILO
from internal_kd.distillation.objective import signal_request
from internal_kd.distillation.run_builder import RunBuilder
from internal_kd.distillation.signal_source import SignalOptions
from internal_kd.distillation.signals import signal_bytes
from internal_kd.models.layer_maps import match_layers
from internal_kd.models.loading import new_classifier
from internal_kd.specs.jobs import decode
from internal_kd.specs.students import StudentJob
from internal_kd.specs.training import ObjectiveSettings

ROOT = Path(__file__).parents[1]
ROWS = 363_846
WORDS, LAYERS, HEADS, HIDDEN, MAX_LENGTH = 2000, 4, 2, 64, 64
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
STEPS = 200
LABELS = ("not_duplicate", "duplicate")
STUDY = {
    "study": "memory",
    "results": "results/memory",
    "base_model": {"source": "folder", "path": "model", "layers": LAYERS},
    "data": {"source": "folder", "path": "text", "max_length": MAX_LENGTH, "limit": None},
    "tasks": ["qqp"],
    "seeds": [0],
    "student": {"layers": LAYERS // 2},
    "sweeps": {"data_size": {"tasks": ["qqp"]}},
}
TOKENS = f"{STUDY['results']}/data/qqp/tokens.npz"
INIT = f"{STUDY['results']}/init/upper/layers{LAYERS // 2}"
# Losses of a student, and settings of the signals.
CASES: dict[str, tuple[dict[str, float], dict[str, Any]]] = {
    "soft labels": ({}, {"budget_mb": 2048, "attention": "fp32"}),
    "attention, beyond the budget": (
        {"attention_kl": 1.0},
        {"budget_mb": 2048, "attention": "fp32"},
    ),
    "attention, within the budget": (
        {"attention_kl": 1.0},
        {"budget_mb": 4096, "attention": "uint16"},
    ),
}
FIELDS = ("process", "budget_mb", "signals_mb", "source", "before_mb", "peak_mb")


def main() -> None:
    """Make texts and tokens, run all cases, and write `memory.csv`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for texts and models")
    parser.add_argument("--rows", type=int, default=ROWS, help="of the training split")
    parser.add_argument("--case", choices=CASES, help="only this one, in this process")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/memory.csv")
    args = parser.parse_args()
    if args.case:
        print(json.dumps(measure(args.folder, args.case)))
        return
    write_study(args.folder, args.rows)
    _write_table(args.out, [_tokens(args.folder), *(_apart(args.folder, case) for case in CASES)])


def measure(folder: Path, case: str) -> dict[str, Any]:
    """Peak memory of a process that has its data, and after `STEPS` steps, in millions of bytes."""
    internal, signals = CASES[case]
    torch.set_num_threads(1)
    settings = _settings(internal, signals)
    cpu = torch.device("cpu")
    options = SignalOptions(folder=folder / "signals", budget_mb=signals["budget_mb"])
    paths = (folder / INIT, folder / TOKENS, folder / "teacher")
    builder = RunBuilder(decode(settings, StudentJob), *paths, cpu, options)
    before = _own_peak_mb()
    for _ in islice(builder.training(checkpoints=None).steps(), STEPS):
        pass
    lengths = builder.data.splits["train"].lengths
    request = signal_request(
        ObjectiveSettings(internal, {}), match_layers("uniform", LAYERS, LAYERS // 2)
    )
    axes = {"heads": HEADS, "hidden": HIDDEN}
    needed = signal_bytes(lengths, request, axes, signals["attention"])
    return {
        "process": case,
        "budget_mb": signals["budget_mb"],
        "signals_mb": round(needed / 1e6),
        "source": type(builder.signals).__name__,
        "before_mb": before,
        "peak_mb": _own_peak_mb(),
    }


def _settings(internal: dict[str, float], signals: dict[str, Any]) -> dict[str, Any]:
    """Settings of a student's job, as far as they differ from the defaults of the config."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    experiment = {"label": "", "head_init": "random", "internal": internal}
    experiment |= {"output": {"soft": 1.0}, "output_from": "start", "schedule": "simultaneous"}
    experiment |= {"internal_updates": "all", "output_updates": "all", "layer_reduction": "mean"}
    training = {**config["student"]["training"], "epochs": 1, "batch_size": 32}
    distillation = {**config["distillation"], "signals": {"source": "auto", **signals}}
    del distillation["restart_schedule"]
    return {
        "run": {"task": "qqp", "experiment": "", "layers": LAYERS // 2, "percent": 100, "seed": 0},
        "experiment": experiment,
        "training": training,
        "distillation": distillation,
        "selection": {"split": "validation"},
        "teacher_seed": None,
    }


def _tokens(folder: Path) -> dict[str, Any]:
    """Have the workflow make tokens and models; the most memory that one of its jobs takes."""
    how = ["--cores", "1", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml"]
    command = [sys.executable, "-m", "snakemake", "--quiet", *how, "--", TOKENS, INIT]
    subprocess.run(command, cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)
    head = new_classifier(folder / "model", LABELS, 0, torch.device("cpu"))
    head.save_pretrained(folder / "teacher")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KILO
    return {"process": "text to tokens", "peak_mb": round(most / 1e6)}


def _apart(folder: Path, case: str) -> dict[str, Any]:
    """Measure a case in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--folder", str(folder), "--case", case]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _own_peak_mb() -> int:
    """Of this program alone; `getrusage` would include the memory of its parent."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return round(int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6)


def _write_table(out: Path, rows: list[dict[str, Any]]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, FIELDS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    print(out.read_text(encoding="utf-8"))


def write_study(folder: Path, rows: int) -> None:
    """Base model, texts and config, in `folder`; a ninth as many rows for validation, as in QQP."""
    write_texts(folder / "text/qqp/train.parquet", rows, seed=0)
    write_texts(folder / "text/qqp/validation.parquet", rows // 9, seed=1)
    write_model(folder / "model")
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY), encoding="utf-8")


def write_texts(file: Path, rows: int, seed: int) -> None:
    """Pairs of random words whose lengths are those of QQP, three special tokens included."""
    rng = np.random.default_rng(seed)
    lengths, counts = histogram("qqp")
    words = np.maximum(rng.choice(lengths, rows, p=counts / counts.sum()) - 3, 2)
    first = words // 2
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = {"question1": _texts(first, rng), "question2": _texts(words - first, rng)}
    pq.write_table(pa.table({**columns, "label": rng.integers(0, 2, rows)}), file)


def _texts(words: npt.NDArray[np.int64], rng: np.random.Generator) -> list[str]:
    """Texts of so many words each."""
    return [" ".join(f"w{word}" for word in rng.integers(0, WORDS, n)) for n in words]


def write_model(folder: Path) -> None:
    """A narrow BERT with random weights and a tokenizer with the words."""
    vocabulary = [*SPECIAL, *(f"w{number}" for number in range(WORDS))]
    tokenizer = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(vocabulary)}, "[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    sizes = {"hidden_size": HIDDEN, "intermediate_size": 4 * HIDDEN}
    depth = {"num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes, **depth)).save_pretrained(folder)


if __name__ == "__main__":
    main()
