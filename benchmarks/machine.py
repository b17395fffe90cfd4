"""The processor: what it is, what it can do, and how fast it multiplies matrices."""

import os
import platform
import time
from pathlib import Path

import torch
from torch.nn import functional

CPUINFO = Path("/proc/cpuinfo")
BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
PRODUCTS = ((1024, 1024, 1024), (1024, 768, 1536), (1024, 384, 1536))  # rows, inputs, outputs
REPETITIONS = 5


def processor() -> str:
    """Name of the processor, and the widest vector instructions it has."""
    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    widest = next((name for name in ("avx512f", "avx2") if name in _flags()), "neither AVX2")
    return f"{names[0] if names else platform.machine()}, {widest}, {os.cpu_count()} cores"


def has_bf16_instructions() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself."""
    return bool(BF16_FLAGS & _flags())


def matmul_rate() -> float:
    """Best rate of a few dense layers in fp32, in floating-point operations per CPU second."""
    return max(_rate(*sizes) for sizes in PRODUCTS for _ in range(REPETITIONS))


def _rate(rows: int, inputs: int, outputs: int) -> float:
    x, weight = torch.ones(rows, inputs), torch.ones(outputs, inputs)
    functional.linear(x, weight)
    started = time.process_time()
    functional.linear(x, weight)
    return 2 * rows * inputs * outputs / (time.process_time() - started)


def _flags() -> set[str]:
    """Instruction sets: `flags` on x86, `Features` on ARM; none where /proc does not list them."""
    lines = (line for line in _cpuinfo() if line.lower().startswith(("flags", "features")))
    return {flag for line in lines for flag in line.split(":")[1].split()}


def _cpuinfo() -> list[str]:
    return CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.exists() else []
