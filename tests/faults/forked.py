"""Commands in processes of their own that start at once: forked from one that has imported all.

What runs is what `python -m module arguments` runs, with a folder, an environment and an output of
its own; only the seconds that importing torch and Transformers takes are saved.
"""

import multiprocessing
import os
import runpy
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.conftest import ROOT

PRELOADED = (
    "internal_kd.distillation.run",
    "internal_kd.evaluation.trained",
    "internal_kd.reporting.table1",
    "snakemake.cli",
    "transformers.models.bert.modeling_bert",
)


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit status, and what it wrote to the terminal."""

    status: int | None
    text: str


def start(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    output: Path,
    environment: Mapping[str, str] | None = None,
    prepare: Callable[[], object] | None = None,
) -> BaseProcess:
    """Start `python -m module arguments` in `folder`, as the leader of a process group.

    `prepare` is called in the process before; children of the process inherit what it does.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    job = (module, list(arguments), str(folder), str(output), dict(environment or {}), prepare)
    process = context.Process(target=_enter, args=job)
    process.start()
    return process


def run(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    prepare: Callable[[], object] | None = None,
    timeout: float = 600,
) -> Done:
    """Run such a command to its end."""
    output = folder / f".output-{time.monotonic_ns()}"
    process = start(module, arguments, folder, output, environment, prepare)
    process.join(timeout)
    assert process.exitcode is not None, f"{module} did not end"
    text = output.read_text()
    output.unlink()
    return Done(process.exitcode, text)


def _enter(
    module: str,
    arguments: list[str],
    folder: str,
    output: str,
    environment: dict[str, str],
    prepare: Callable[[], object] | None,
) -> None:
    os.setsid()
    terminal = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(terminal, number)
    python = str(Path(sys.executable).parent)
    path = {"PATH": f"{python}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    os.environ.update({**path, **environment})
    os.chdir(folder)
    if prepare is not None:
        prepare()
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit:
        # Multiprocessing gives another status if it cannot write to a full log.
        if not os.path.sameopenfile(terminal, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        raise
