"""Snakemake as a user starts it, in a process of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

PARTS = ("Snakefile", "config.yaml", "studies", "workflow", "profiles", "envs", "src")


def snakemake(
    folder: Path, *arguments: str, timeout: int = 600
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a folder; stdout and stderr come together."""
    python = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{python}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def internal_kd(
    folder: Path, *arguments: str, timeout: int = 600
) -> subprocess.CompletedProcess[str]:
    """Run a command of `internal-kd` in a folder, with this project's code."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "internal_kd", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def copy_project(folder: Path) -> Path:
    """A copy of all that Snakemake needs of the project, to be edited."""
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def planned(folder: Path, *arguments: str) -> dict[str, int]:
    """Jobs that a dry run would start, by rule."""
    result = snakemake(folder, "-n", *arguments)
    assert result.returncode == 0, result.stdout
    return job_counts(result.stdout)


def job_counts(output: str) -> dict[str, int]:
    """The table of jobs in Snakemake's output."""
    if "Nothing to be done" in output:
        return {}
    stats = output.split("Job stats:", 1)[1].split("total", 1)[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", stats, re.MULTILINE)}
