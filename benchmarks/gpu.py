"""Measure training steps on a GPU: `make bench-gpu`.

For every stage: milliseconds per step and examples per second, as single launches and as CUDA
graphs, in fp32 and bf16; the share of the matrix-product rate measured in bf16; and the share of
the step that is not arithmetic: what is left after the time that as many examples take in large
batches, where the GPU is never waiting for a launch.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.gpu_steps import Bench, Part, matmul_rate, parts
from benchmarks.lengths import TASKS
from benchmarks.shapes import SHAPES

NO_GPU = "error: benchmarks.gpu: no CUDA device is visible; --device cpu only tries the command out"
MODES = {"eager": False, "compiled": True}
PLACE = ["task", "experiment", "stage", "precision", "mode"]
SHOWN = {
    "step_ms": "{:.2f}",
    "examples_per_second": "{:.0f}",
    "matmul_share": "{:.1%}",
    "launch_share": "{:.0%}",
}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--shape", default="bert-base", choices=SHAPES)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=["cola", "qqp"])
    parser.add_argument(
        "--precisions", nargs="+", choices=["fp32", "bf16"], default=["fp32", "bf16"]
    )
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--large", type=int, default=512, help="batch size of pure arithmetic")
    parser.add_argument("--batches", type=int, default=8, help="of each size, from short to long")
    parser.add_argument("--passes", type=int, default=10, help="timed, through all batches")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "gpu.csv")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table and write a CSV; the exit status."""
    args = parse(arguments)
    if args.device == "cuda" and not torch.cuda.is_available():
        print(NO_GPU, file=sys.stderr)
        return 2
    device = torch.device(args.device, 0) if args.device == "cuda" else torch.device("cpu")
    table = pd.DataFrame([row for task in args.tasks for row in measure(args, task, device)])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out, index=False, float_format="%.6g")
    print(render(table))
    return 0


def measure(args: argparse.Namespace, task: str, device: torch.device) -> Iterator[dict[str, Any]]:
    """One row per stage, precision and mode."""
    shape = SHAPES[args.shape]
    small = Bench(shape, task, device, args.batch_size, args.batches)
    large = Bench(shape, task, device, args.large, max(1, args.batches // 4))
    rates = {name: matmul_rate(device, name) for name in ("fp32", "bf16")}
    for part in parts(shape.student_layers):
        for precision in args.precisions:
            arithmetic = large.seconds(part, precision, False, 2) / args.large * args.batch_size
            for mode in args.modes:
                seconds = small.seconds(part, precision, MODES[mode], args.passes)
                yield {
                    **dict(
                        zip(PLACE, (task, part.experiment, part.name, precision, mode), strict=True)
                    ),
                    **_figures(small, part, seconds, arithmetic, rates["bf16"]),
                    "shape": shape.name,
                    "batch_size": args.batch_size,
                    **{f"{name}_matmul_tflops": rate / 1e12 for name, rate in rates.items()},
                    "device": _name(device),
                    "torch": torch.__version__,
                }


def _figures(
    bench: Bench, part: Part, seconds: float, arithmetic: float, rate: float
) -> dict[str, float]:
    return {
        "step_ms": 1000 * seconds,
        "examples_per_second": bench.batch_size / seconds,
        "arithmetic_ms": 1000 * arithmetic,
        "needed_gflop": bench.needed(part) / 1e9,
        "matmul_share": bench.needed(part) / seconds / rate,
        "launch_share": 1 - arithmetic / seconds,
    }


def render(table: pd.DataFrame) -> str:
    """The table as lines of text."""
    shown = table[PLACE].copy()
    for name, form in SHOWN.items():
        shown[name] = table[name].map(form.format)
    return shown.to_string(index=False)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


if __name__ == "__main__":
    sys.exit(main())
