"""From measurements to summary, table and picture; and what the documentation shows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.__main__ import write
from benchmarks.summary import summarize
from benchmarks.table import render

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "benchmarks" / "results"


def measured(contestant, number, step, once, task="cola"):
    return {
        "shape": "tiny",
        "task": task,
        "examples": 160,
        "mean_length": 11.0,
        "contestant": contestant,
        "round": number,
        "step_ms": step,
        "once_ms": once,
        "needed_gflop": 0.2,
        "loss_error": 1e-8,
        "gradient_error": 1e-6,
        "matmul_gflops": 100.0 - number,
    }


@pytest.fixture
def measurements():
    absent = {"shape": "tiny", "task": "cola", "contestant": "ours_bf16", "note": "no bf16"}
    return pd.DataFrame(
        [
            absent,
            measured("trainer_padded", 1, 30.0, 0.0),
            measured("ours", 1, 3.0, 50.0),
            measured("ours", 2, 5.0, 50.0),
            measured("trainer_padded", 2, 36.0, 0.0),
            measured("trainer_padded", 3, 40.0, 0.0),
            measured("ours", 3, 4.0, 50.0),
        ]
    )


def test_summary_has_medians_and_ratios_within_rounds(measurements):
    summary = summarize(measurements, epochs=50)
    assert list(summary["contestant"]) == ["ours", "ours_bf16", "trainer_padded"]
    ours, absent, padded = (row for _, row in summary.iterrows())
    assert ours["total_ms"] == pytest.approx(4.0 + 50 / 50)
    assert (ours["low_ms"], ours["high_ms"], ours["ratio"]) == pytest.approx((4.0, 6.0, 1.0))
    assert padded["ratio"] == pytest.approx(np.median([30 / 4, 36 / 6, 40 / 5]))
    assert ours["share"] == pytest.approx(0.2 / 4e-3 / 99)
    assert absent["note"] == "no bf16"
    assert pd.isna(absent["total_ms"])


def test_table_shows_ratios_and_what_was_not_measured(measurements):
    lines = render(summarize(measurements, epochs=50)).splitlines()
    assert lines == [
        "| Tiny: 256 wide, 8 → 4 layers | CoLA |",
        "| --- | ---: |",
        "| internal-kd, fp32 | **5.00** |",
        "| internal-kd, bf16 matrix products | not measured: no bf16 |",
        "| Hugging Face Trainer, padded to 64 | 36.00 (7.5×) |",
        "| one pass of its teacher, ms | 50.00 |",
        "| its share of the matmul peak | 51% |",
    ]


def test_files_of_a_measurement(measurements, tmp_path):
    write(tmp_path, measurements, 50, {"threads": 1})
    names = {path.name for path in tmp_path.iterdir()}
    written = {"measurements.csv", "summary.csv", "summary.png", "summary.pdf"}
    assert names == written | {"table.md", "machine.json"}
    machine = json.loads((tmp_path / "machine.json").read_text())
    assert machine == {"threads": 1, "matmul_gflops": 99.0}


def test_documentation_shows_the_results_that_are_shipped():
    epochs = json.loads((SHIPPED / "machine.json").read_text())["epochs"]
    table = render(summarize(pd.read_csv(SHIPPED / "measurements.csv"), epochs))
    assert table == (SHIPPED / "table.md").read_text()
    assert table in (ROOT / "docs" / "performance.md").read_text()
