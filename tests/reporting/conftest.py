import json
from zlib import crc32

import numpy as np
import pytest

from internal_kd.evaluation.predictions import write_predictions
from internal_kd.specs.records import FORMAT
from internal_kd.specs.reports import PaperRow
from internal_kd.specs.tables import Table1Settings
from internal_kd.study.glue import GLUE
from tests.reporting.fake_runs import frame_of, noisy_logits

METRICS = ("accuracy", "f1", "f1_weighted", "mcc")
PARTS = ("total", "embeddings", "layers", "pooler", "classifier")
RATES = {"exp1.0": 0.9, "exp2.0": 0.7, "exp3.4": 0.8}  # of right predictions
EXAMPLES = 200


def row(name, label, head, baseline):
    """A row of Table 1."""
    return PaperRow(name, label, head, baseline, paper_row=name)


SETTINGS = Table1Settings(
    task_specs=GLUE,
    study="small",
    experiments=(
        row("exp1.0", "BERT_base", None, None),
        row("exp2.0", "BERT_6 soft", "random", "exp2.0"),
        row("exp3.4", "BERT_6 [SID] kl + cos -> soft", "random", "exp2.0"),
    ),
    tasks=["cola", "mrpc"],
    with_paper=False,
    note="Generated text & a small model: not the paper's numbers.",
    confidence=0.95,
    resamples=300,
    seed=0,
)


def metrics_of(experiment, task, seed, value, test=None, last=None, **more):
    """A metrics.json in which accuracy, F1s and MCC lie a hundredth apart; `last` are those of the
    last epoch.
    """
    scores = scores_from(value)
    lowest = dict.fromkeys(METRICS, 0.5) | {"mcc": 0.0}
    settings = {} if experiment == "exp1.0" else {"experiment": {}}
    return {
        "format": FORMAT,
        "run": {
            "task": task,
            "experiment": experiment,
            "layers": 6,
            "percent": 100,
            "seed": seed,
        },
        "validation": scores,
        "last_epoch": scores if last is None else scores_from(last),
        "test": test and dict.fromkeys(METRICS, test),
        "majority": {"validation": lowest} | ({"test": lowest} if test else {}),
        "parameters": dict.fromkeys(PARTS, 10),
        "train_examples": 1000,
        "schedule": [],
        "flags": [],
        "code": "abc",
        "settings": settings,
    } | more


def scores_from(value):
    """Accuracy, F1s and MCC a hundredth apart."""
    return {name: round(value + i / 100, 4) for i, name in enumerate(METRICS)}


@pytest.fixture
def settings():
    return SETTINGS


def predictions_of(run):
    """Predictions on development examples whose labels alternate."""
    labels = np.arange(EXAMPLES) % 2
    draw = crc32(f"{run['task']} {run['experiment']} {run['seed']}".encode())
    return frame_of(labels, noisy_logits(labels, RATES[run["experiment"]], draw))


@pytest.fixture
def runs():
    """One teacher and two students of three seeds on two tasks; mrpc has labelled test data."""
    return [
        metrics_of("exp1.0", "cola", 0, 0.60),
        metrics_of("exp1.0", "mrpc", 0, 0.80, test=0.79),
        metrics_of("exp2.0", "cola", 0, 0.40, last=0.37),
        metrics_of("exp2.0", "cola", 1, 0.42),
        metrics_of("exp2.0", "cola", 2, 0.44),
        metrics_of("exp2.0", "mrpc", 0, 0.50, test=0.49, flags=["one_class", "at_majority"]),
        metrics_of("exp2.0", "mrpc", 1, 0.70, test=0.69),
        metrics_of("exp2.0", "mrpc", 2, 0.60, test=0.59),
        metrics_of("exp3.4", "cola", 0, 0.45),
        metrics_of("exp3.4", "cola", 1, 0.45),
        metrics_of("exp3.4", "cola", 2, 0.45),
        metrics_of("exp3.4", "mrpc", 0, 0.74, test=0.73, last=0.68),
        metrics_of("exp3.4", "mrpc", 1, 0.76, test=0.75, last=0.73),
        metrics_of("exp3.4", "mrpc", 2, 0.75, test=0.74),
    ]


@pytest.fixture
def write(tmp_path):
    """Write runs of these metrics with random predictions, and give their folders."""

    def write_all(runs):
        folders = []
        for i, run in enumerate(runs):
            folders.append(tmp_path / "runs" / str(i))
            folders[-1].mkdir(parents=True)
            (folders[-1] / "metrics.json").write_text(json.dumps(run))
            frames = {"validation": predictions_of(run["run"])}
            write_predictions(folders[-1] / "predictions.parquet", frames)
        return folders

    return write_all
