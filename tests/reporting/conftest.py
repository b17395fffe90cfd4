import json

import pytest

from internal_kd.run_format import FORMAT

METRICS = ("accuracy", "f1", "f1_weighted", "mcc")
SETTINGS = {
    "study": "small",
    "experiments": [
        {"name": "exp1.0", "label": "BERT_base", "paper_row": "exp1.0"},
        {"name": "exp2.0", "label": "BERT_6 soft", "paper_row": "exp2.0"},
        {"name": "exp3.4", "label": "BERT_6 [SID] kl + cos -> soft", "paper_row": "exp3.4"},
    ],
    "tasks": ["cola", "mrpc"],
    "with_paper": False,
    "note": "Generated text & a small model: not the paper's numbers.",
}


def metrics_of(experiment, task, seed, value, test=None, **more):
    """A metrics.json in which accuracy, F1s and MCC lie a hundredth apart."""
    scores = {name: round(value + i / 100, 4) for i, name in enumerate(METRICS)}
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
        "last_epoch": scores,
        "test": test and dict.fromkeys(METRICS, test),
        "majority": {"validation": lowest} | ({"test": lowest} if test else {}),
        "flags": [],
        "code": "abc",
        "settings": settings,
    } | more


@pytest.fixture
def settings():
    return json.loads(json.dumps(SETTINGS))


@pytest.fixture
def runs():
    """One teacher and two students of two seeds on two tasks; mrpc has labelled test data."""
    return [
        metrics_of("exp1.0", "cola", 0, 0.60),
        metrics_of("exp1.0", "mrpc", 0, 0.80, test=0.79),
        metrics_of("exp2.0", "cola", 0, 0.40),
        metrics_of("exp2.0", "cola", 1, 0.42),
        metrics_of("exp2.0", "mrpc", 0, 0.50, test=0.49, flags=["one_class", "at_majority"]),
        metrics_of("exp2.0", "mrpc", 1, 0.70, test=0.69),
        metrics_of("exp3.4", "cola", 0, 0.45),
        metrics_of("exp3.4", "cola", 1, 0.45),
        metrics_of("exp3.4", "mrpc", 0, 0.74, test=0.73),
        metrics_of("exp3.4", "mrpc", 1, 0.76, test=0.75),
    ]


@pytest.fixture
def write(tmp_path):
    """Write metrics.json files and give their paths."""

    def write_all(runs):
        paths = []
        for i, run in enumerate(runs):
            paths.append(tmp_path / str(i) / "metrics.json")
            paths[-1].parent.mkdir()
            paths[-1].write_text(json.dumps(run))
        return paths

    return write_all
