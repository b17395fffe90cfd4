"""Schedules are measured over equal epochs, beside all layers at once in the same round."""

import csv
from pathlib import Path
from statistics import median

import pytest

from benchmarks import schedules
from benchmarks.contestants.ours import Ours
from internal_kd.distillation.training import Training
from tests.benchmarks.workloads import small_workload

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "benchmarks/results/schedules.csv"


@pytest.fixture
def stages(monkeypatch):
    """Descriptions of the stages that are trained, filled in as they are."""
    seen = []
    enter = Training._enter
    monkeypatch.setattr(Training, "_enter", lambda self, s: (seen.append(s), enter(self, s))[1])
    return seen


def test_every_schedule_beside_all_layers_of_its_round():
    rows = list(schedules.measure(small_workload(), rounds=2))
    assert len(rows) == 2 * len(schedules.SOURCES) * len(schedules.SCHEDULES)
    seconds = {(row["schedule"], row["signals"], row["round"]): row["cpu_seconds"] for row in rows}
    for row in rows:
        plain = seconds[schedules.PLAIN, row["signals"], row["round"]]
        assert row["times_as_fast"] == pytest.approx(plain / row["cpu_seconds"], rel=0.05)


@pytest.mark.parametrize(
    ("kind", "layers"), [("progressive", [(1,), (2,)]), ("stacked", [(1,), (1, 2)])]
)
def test_four_of_five_epochs_are_in_the_stages(stages, kind, layers):
    schedules.train(Ours(small_workload(), "live"), kind, "all")
    each = schedules.EPOCHS_PER_LAYER
    assert [stage.layers for stage in stages] == [*layers[:1] * each, *layers[1:] * each, (), ()]
    assert [stage.output for stage in stages] == [False] * 2 * each + [True] * 2


def test_all_layers_are_trained_as_long(stages):
    schedules.train(Ours(small_workload(), "live"), "simultaneous", "all")
    assert [stage.layers for stage in stages] == [(1, 2)] * 10


def test_documentation_shows_the_results_that_are_shipped():
    with SHIPPED.open() as file:
        rows = list(csv.DictReader(file))
    text = (ROOT / "docs/performance.md").read_text()
    for name in list(schedules.SCHEDULES)[1:]:
        ratios = {
            source: median(
                float(row["times_as_fast"])
                for row in rows
                if (row["schedule"], row["signals"]) == (name, source)
            )
            for source in schedules.SOURCES
        }
        assert f"| {name} | 1/{ratios['stored']:.2f} | 1/{ratios['live']:.2f} |" in text
