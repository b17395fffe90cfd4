"""Folders as runs write them, with predictions made by hand or drawn at random, and no model."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from internal_kd.evaluation.metrics import majority_baseline, score
from internal_kd.evaluation.predictions import SplitPredictions, write_predictions
from internal_kd.reporting.runs import RunFolder, read_run_folders
from internal_kd.specs.records import FORMAT
from internal_kd.specs.runs import Run
from internal_kd.study.glue import GLUE


def logits_for(predictions: Sequence[int], margin: float = 2.0) -> np.ndarray:
    """Two-class logits, float32 [n, 2], whose larger one is the prediction, `margin` apart."""
    logits = np.zeros((len(predictions), 2), dtype=np.float32)
    logits[np.arange(len(predictions)), list(predictions)] = margin
    return logits


def noisy_logits(labels: np.ndarray, accuracy: float, seed: int) -> np.ndarray:
    """Two-class logits, float32 [n, 2], right with about this probability, of varying margin."""
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(labels)) > accuracy
    guesses = np.where(wrong, 1 - labels, labels)
    return logits_for(guesses) * rng.uniform(0.1, 2.0, (len(labels), 1)).astype(np.float32)


def frame_of(labels: np.ndarray, logits: np.ndarray) -> SplitPredictions:
    """Predictions on the rows 0, 1, 2, ... of a split."""
    return SplitPredictions(np.arange(len(labels)), np.asarray(labels), logits)


def write_fake_run(
    results: Path,
    task: str,
    experiment: str,
    *,
    seed: int = 0,
    layers: int = 2,
    percent: int = 100,
    validation: SplitPredictions,
    test: SplitPredictions | None = None,
    history: pd.DataFrame | None = None,
    **metrics: object,
) -> RunFolder:
    """Write the files of a run; further keywords overwrite entries of its metrics.json."""
    folder = Path(Run(task, experiment, layers, percent, seed).path(str(results)))
    folder.mkdir(parents=True)
    frames = {"validation": validation} | ({"test": test} if test is not None else {})
    write_predictions(folder / "predictions.parquet", frames)
    known = {name: frame for name, frame in frames.items() if (frame.labels >= 0).all()}
    scores = {name: score(frame.labels, frame.predictions) for name, frame in known.items()}
    content = {
        "format": FORMAT,
        "run": {"task": task, "experiment": experiment, "layers": layers}
        | {"percent": percent, "seed": seed},
        "selected_epoch": 1,
        "validation": None,
        "test": None,
        **scores,
        "last_epoch": scores.get("validation"),
        "majority": {n: majority_baseline(f.labels, f.labels) for n, f in known.items()},
        "parameters": {"total": 1000 + 100 * layers, "embeddings": 900, "layers": 100 * layers}
        | {"pooler": 90, "classifier": 10},
        "train_examples": 10 * percent,
        "schedule": [],
        "flags": [],
        "code": "abc",
        "settings": {} if experiment == "exp1.0" else {"experiment": {}},
        "seconds": 1.0,
    } | metrics
    (folder / "metrics.json").write_text(json.dumps(content))
    if history is None:
        history = pd.DataFrame({"epoch": [1], "validation_accuracy": [0.5]})
    history.to_csv(folder / "history.csv", index=False)
    return read_run_folders([folder], GLUE)[0]
