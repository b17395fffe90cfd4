"""Measure what PID and SID cost beside all layers at once: `make bench-schedules`.

Students of equal epochs, four of five of them in the stages, trained in turns, in one process on
one thread. The output loss begins after the stages, as in Experiments 3.3 and 3.4: before, nothing
above the layers in turn is run.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch

from benchmarks.contestants.contestant import CpuClock
from benchmarks.contestants.ours import LOSSES, ClockedSchedule, Ours
from benchmarks.examples import PAD
from benchmarks.lengths import TASKS
from benchmarks.shapes import SHAPES
from benchmarks.workload import Workload, make_workload
from internal_kd.distillation.objective import DistillationObjective
from internal_kd.distillation.schedules import Kind, epoch_limits, make_phases
from internal_kd.distillation.training import Training, batches_of
from internal_kd.models.bert import Classifier
from internal_kd.specs.training import ObjectiveSettings
from internal_kd.streams import Streams

Updates = Literal["all", "active"]
Source = Literal["stored", "live"]

EPOCHS_PER_LAYER = 4
INTERNAL_FRACTION = 0.8
PLAIN = "all layers at once"
# Kind of schedule, and which parameters its stages update.
SCHEDULES: dict[str, tuple[Kind, Updates]] = {
    PLAIN: ("simultaneous", "all"),
    "SID": ("stacked", "all"),
    "PID": ("progressive", "all"),
    "PID, only the layer in turn learns": ("progressive", "active"),
}
SOURCES: tuple[Source, ...] = ("stored", "live")
FIELDS = ("schedule", "signals", "round", "cpu_seconds", "times_as_fast")


def main() -> None:
    """Measure all schedules, and write `schedules.csv`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedules", description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default="minilm")
    parser.add_argument("--task", choices=TASKS, default="cola")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/schedules.csv")
    args = parser.parse_args()
    torch.set_num_threads(1)
    workload = make_workload(SHAPES[args.shape], args.task, batch_size=32, batches=5)
    with args.out.open("w", newline="") as file:
        table = csv.DictWriter(file, FIELDS, lineterminator="\n")
        table.writeheader()
        for row in measure(workload, args.rounds):
            table.writerow(row)
            print(*row.values(), sep="\t", flush=True)


def measure(workload: Workload, rounds: int) -> Iterator[dict[str, Any]]:
    """A row for each schedule, source of signals and round; ratios are those within a round."""
    contestants = {source: Ours(workload, source) for source in SOURCES}
    for contestant in contestants.values():
        train(contestant, "simultaneous", "all", epochs=1)
    for number in range(1, rounds + 1):
        for source, contestant in contestants.items():
            plain = None
            for name, (kind, updates) in SCHEDULES.items():
                seconds = train(contestant, kind, updates)
                plain = plain or seconds
                row = (name, source, number, round(seconds, 3), round(plain / seconds, 3))
                yield dict(zip(FIELDS, row, strict=True))


def train(contestant: Ours, kind: Kind, updates: Updates, epochs: int | None = None) -> float:
    """CPU seconds of a training's epochs; `epochs` but for as many as the schedule is meant for."""
    layers = contestant.workload.shape.student_layers
    epochs = epochs or round(layers * EPOCHS_PER_LAYER / INTERNAL_FRACTION)
    limits = epoch_limits(epochs, layers, INTERNAL_FRACTION)
    schedule = ClockedSchedule(make_phases(kind, dict(enumerate(limits, start=1)), "end", updates))
    clock = schedule.clock = CpuClock()

    def end_of_epoch(_: Classifier) -> dict[str, dict[str, float]]:
        clock.stop()
        return {"validation": {"accuracy": 0.0}}

    settings, streams = contestant.settings(epochs), Streams("student", "qqp", 0)
    training = Training(
        contestant.student,
        batches_of(contestant.workload.split, settings, streams, PAD, contestant.student.device),
        DistillationObjective(
            ObjectiveSettings(
                LOSSES.internal,
                LOSSES.output,
                layer_reduction="sum" if kind == "stacked" else "mean",
            ),
            contestant.signals,
        ),
        schedule,
        settings,
        evaluate=end_of_epoch,
        selected_by=("validation", "accuracy"),
        streams=streams,
    )
    training.run()
    return clock.seconds


if __name__ == "__main__":
    main()
