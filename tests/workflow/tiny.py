"""A study of one task, a random model and a few rows, for real runs of the workflow in seconds."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.jobs.tiny_study import write_base
from tests.workflow.snakemake import copy_project

TARGET = "results/tiny/table1.csv"
STUDY = {
    "study": "tiny",
    "results": "results/tiny",
    "base_model": {"source": "folder", "path": "model", "layers": 4},
    "data": {"source": "folder", "path": "text", "max_length": 16, "limit": {"rte": {"train": 32}}},
    "tasks": ["rte"],
    "seeds": [0],
    "teacher": {"training": {"epochs": 1}, "per_task": None},
    "student": {"layers": 2, "training": {"epochs": 3}, "per_task": None},
    "table1": {"experiments": ["exp1.0", "exp1.1", "exp2.0", "exp3.4"]},
    "comparison": {"internal": "exp3.4"},
    "sweeps": {"layers": {"counts": [1]}, "data_size": {"fractions": [0.5], "tasks": ["rte"]}},
    "figures": {
        "fig2": {"task": "rte"},
        "fig3": {"task": "rte"},
        "fig4": {"task": "rte", "experiments": ["exp3.4"]},
        "fig5": {"task": "rte", "layer": None, "head": 1},
        "fig7": None,
        "fig11": {"task": "rte"},
    },
    "statistics": {"resamples": 200},
}
ALL_JOBS = {
    "base_model": 1,
    "student_init": 1,
    "task_data": 1,
    "teacher": 1,
    "distill": 3,
    "table1": 1,
}


def write_texts(folder: Path) -> None:
    """Sentence pairs of random words; the label is whether both start alike."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for split, rows in (("train", 48), ("validation", 24)):
        words = rng.integers(0, 20, (rows, 2, 4))
        first, second = (
            [" ".join(f"w{w}" for w in row) for row in words[:, side]] for side in (0, 1)
        )
        labels = (words[:, 0, 0] < words[:, 1, 0]).astype(np.int64)
        columns = {"sentence1": first, "sentence2": second, "label": labels}
        pq.write_table(pa.table(columns), folder / f"{split}.parquet")


def make_project(folder: Path) -> Path:
    """A copy of the project with the tiny study in `tiny.yaml`."""
    copy_project(folder)
    write_base(folder / "model", layers=4)
    write_texts(folder / "text" / "rte")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(STUDY))
    return folder
