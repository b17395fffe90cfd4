"""Measure the memory of a study whose training split has QQP's size: `make memory`.

The texts are random words with the lengths of QQP's questions. The model is narrow, so that what is
measured is the data and the teacher's signals, and so that one processor can do it.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from benchmarks.lengths import histogram
from internal_kd.data.encoding import load_tokens
from internal_kd.distillation.signals import Wanted, precomputed_bytes
from internal_kd.models.layers import matched_teacher_layers

ROOT = Path(__file__).parents[1]
ROWS = {"train": 363_846, "validation": 40_430}
WORDS, LAYERS, HEADS, HIDDEN, MAX_LENGTH = 2000, 4, 2, 64, 64
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def _training(epochs: int) -> dict[str, Any]:
    return {"training": {"epochs": epochs, "batch_size": 128}, "per_task": None}


STUDY = {
    "study": "memory",
    "results": "results/memory",
    "data": {"source": "folder", "path": "text", "max_length": MAX_LENGTH, "limit": None},
    "tasks": ["qqp"],
    "seeds": [0],
    "teacher": _training(1),
    "student": {"layers": 2, **_training(3)},
    "table1": {"experiments": ["exp1.0", "exp2.0", "exp3.0"]},
    "comparison": {"internal": "exp3.0"},
    "sweeps": {"data_size": {"tasks": ["qqp"]}},
}
# What the signals of an experiment are told, and the most that they may take.
CASES = {
    "live teacher, as the budget of 2048 MB says": {"budget_mb": 2048, "attention": "fp32"},
    "signals kept, in a budget of 4096 MB": {"budget_mb": 4096, "attention": "uint16"},
}
FIELDS = ("case", "job", "peak_mb", "signals_mb", "examples_per_second")


def main() -> None:
    """Make the study, run it in all cases, and write `memory.csv`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for texts, model and runs")
    parser.add_argument("--rows", type=int, default=ROWS["train"], help="of the training split")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/memory.csv")
    args = parser.parse_args()
    write_study(args.folder, {**ROWS, "train": args.rows})
    rows = [row for case, signals in CASES.items() for row in run(args.folder, case, signals)]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w", newline="") as file:
        table = csv.DictWriter(file, FIELDS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    print(args.out.read_text())


def write_study(folder: Path, rows: dict[str, int]) -> None:
    """Base model, texts and config, in `folder`."""
    for number, (split, count) in enumerate(rows.items()):
        write_texts(folder / f"text/qqp/{split}.parquet", count, seed=number)
    write_model(folder / "model")
    base = {"source": "folder", "path": "model", "layers": LAYERS}
    (folder / "study.yaml").write_text(yaml.safe_dump({**STUDY, "base_model": base}))


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
    """A narrow BERT with random weights and a tokenizer that knows the words."""
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


def run(folder: Path, case: str, signals: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the study with these signals; a row for each job that works on the training split."""
    told = f"distillation={json.dumps({'signals': signals})}"
    how = ["--cores", "1", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml"]
    what = ["--config", told, "--", f"{STUDY['results']}/table1.csv"]
    subprocess.run(
        [sys.executable, "-m", "snakemake", *how, *what],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
    )
    files = sorted(folder.glob(f"{STUDY['results']}/runs/**/metrics.json"))
    runs = [_of_run(json.loads(file.read_text()), case) for file in files]
    runs[-1]["signals_mb"] = round(signals_bytes(folder, signals["attention"]) / 1e6)
    return [*_of_data(folder, case), *runs]


def _of_data(folder: Path, case: str) -> list[dict[str, Any]]:
    """The job that tokenises, as Snakemake has measured it."""
    with (folder / f"{STUDY['results']}/benchmarks/task_data/qqp.tsv").open() as file:
        (measured,) = csv.DictReader(file, delimiter="\t")
    return [{"case": case, "job": "task_data", "peak_mb": round(float(measured["max_rss"]))}]


def _of_run(metrics: dict[str, Any], case: str) -> dict[str, Any]:
    return {
        "case": case,
        "job": metrics["run"]["experiment"],
        "peak_mb": round(metrics["speed"]["peak_memory_mb"]),
        "examples_per_second": round(metrics["speed"]["examples_per_second"]),
    }


def signals_bytes(folder: Path, attention: str) -> int:
    """What the last experiment's signals take where they are kept."""
    splits, _ = load_tokens(folder / f"{STUDY['results']}/data/qqp/tokens.npz")
    wanted = Wanted(matched_teacher_layers(LAYERS, LAYERS // 2), attention=True)
    return precomputed_bytes(splits["train"].lengths, wanted, HEADS, HIDDEN, attention)


if __name__ == "__main__":
    main()
