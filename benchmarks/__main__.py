"""Measure this project's training beside its alternatives: `make bench`."""

import argparse
import json
import os
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers.utils import logging as transformers_logging

from benchmarks.figure import draw
from benchmarks.lengths import TASKS
from benchmarks.machine import processor
from benchmarks.measure import measure
from benchmarks.shapes import SHAPES
from benchmarks.summary import summarize
from benchmarks.table import render
from benchmarks.workload import make_workload

PACKAGES = ("torch", "transformers", "accelerate", "textbrewer")
BATCH_SIZE = 32


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["tiny", "minilm"])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=["cola", "qqp", "mrpc"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=5, help=f"of {BATCH_SIZE} examples")
    parser.add_argument("--epochs", type=int, default=50, help="that share the teacher's one pass")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results"))
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, and write measurements, summary, table, picture and a note on the machine."""
    args = parse()
    torch.set_num_threads(1)
    transformers_logging.set_verbosity_error()
    started = _now()
    measurements = pd.DataFrame(
        [
            row
            for shape in args.shapes
            for task in args.tasks
            for row in measure(
                make_workload(SHAPES[shape], task, BATCH_SIZE, args.batches), args.rounds
            )
        ]
    )
    write(args.out, measurements, args.epochs, {**_machine(args), "started": started})


def write(out: Path, measurements: pd.DataFrame, epochs: int, machine: dict[str, Any]) -> None:
    """All result files, into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    summary = summarize(measurements, epochs)
    measurements.to_csv(out / "measurements.csv", index=False, float_format="%.6g")
    draw(summary, out / "summary.csv")
    (out / "table.md").write_text(render(summary), encoding="utf-8")
    machine["matmul_gflops"] = round(measurements["matmul_gflops"].max(), 1)
    (out / "machine.json").write_text(json.dumps(machine, indent=1) + "\n", encoding="utf-8")


def _machine(args: argparse.Namespace) -> dict[str, Any]:
    options = {name: getattr(args, name) for name in ("rounds", "batches", "epochs")}
    return {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "malloc": {name: value for name, value in os.environ.items() if "MALLOC" in name},
        **{name: _version(name) for name in PACKAGES},
        **options,
        "ended": _now(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _now() -> str:
    """Time and the load of the last minutes."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{time.strftime('%Y-%m-%d %H:%M')}, load {load}"


if __name__ == "__main__":
    main()
