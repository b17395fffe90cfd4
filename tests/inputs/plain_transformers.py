"""Logits of saved runs by Transformers alone, as a user computes them; a program of its own.

Reads lines of JSON, each with the arguments of `write_logits`, and answers each with a line.
"""

import json
import sys
from itertools import pairwise

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def write_logits(folder: str, tokens: str, split: str, out: str) -> None:
    """Write the logits `[examples, classes]` of a split of a file of tokens."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with np.load(tokens) as file:
        ids, types, ends = (
            file[f"{split}/{name}"] for name in ("input_ids", "token_type_ids", "offsets")
        )
    rows = [slice(start, end) for start, end in pairwise(ends)]
    examples = [{"input_ids": ids[row], "token_type_ids": types[row]} for row in rows]
    batch = tokenizer.pad(examples, return_tensors="pt", return_attention_mask=True)
    given = {name: batch[name].long() for name in tokenizer.model_input_names if name in batch}
    with torch.no_grad():
        np.save(out, model(**given).logits.numpy())


if __name__ == "__main__":
    for line in sys.stdin:
        write_logits(*json.loads(line))
        assert "internal_kd" not in sys.modules
        print("written", flush=True)
