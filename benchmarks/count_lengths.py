"""Count how long the training examples of GLUE's tasks are, as `benchmarks/lengths.csv` has it.

    python -m benchmarks.count_lengths GLUE_FOLDER TOKENIZER_FOLDER

`GLUE_FOLDER` holds `{task}/train.parquet`; `TOKENIZER_FOLDER` a BERT-uncased tokenizer.
"""

import argparse
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from benchmarks.lengths import FILE, MAX_LENGTH, TASKS
from internal_kd.data.encoding import encode_split
from internal_kd.data.sources import Source, load_split_tables
from internal_kd.study.glue import GLUE

SOURCE = """\
# Wordpieces per training example of GLUE, [CLS] and [SEP] counted, pairs cut at {max_length}.
# Vocabulary: BERT uncased, {vocabulary} entries. Made by `python -m benchmarks.count_lengths`.
# Rows counted: {rows}.
# QQP and QNLI are parts of their training files (363,846 and 104,743 rows); the others are whole.
task,length,count
"""


def count(glue: Path, tokenizer_folder: Path) -> str:
    """The text of `lengths.csv`."""
    tokenizer = AutoTokenizer.from_pretrained(str(tokenizer_folder), trust_remote_code=False)
    rows, lines = [], []
    for name in TASKS:
        task = GLUE[name]
        table = load_split_tables(Source("folder", str(glue)), task)["train"]
        lengths = encode_split(table, task, tokenizer, MAX_LENGTH).lengths
        rows.append(f"{task.title} {len(lengths):,}")
        values, counts = np.unique(lengths, return_counts=True)
        lines += [f"{name},{value},{n}\n" for value, n in zip(values, counts, strict=True)]
    head = SOURCE.format(max_length=MAX_LENGTH, vocabulary=len(tokenizer), rows=", ".join(rows))
    return head + "".join(lines)


def main() -> None:
    """Write `lengths.csv` beside this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("glue", type=Path)
    parser.add_argument("tokenizer", type=Path)
    args = parser.parse_args()
    FILE.write_text(count(args.glue, args.tokenizer), encoding="utf-8")


if __name__ == "__main__":
    main()
