"""Snakemake's own report, made while Snakemake runs: a second one reads what is there."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from internal_kd.errors import UserError
from internal_kd.second_snakemake import second_snakemake

STDERR = 2


def write_report(
    config: Mapping[str, Any],
    snakefile: str | Path,
    targets: Sequence[str | Path],
    out: str | Path,
    python: str | Path = sys.executable,
) -> None:
    """Write a report of all that the targets are made from.

    Args:
        config: the config of the running workflow, with all that overlays and the command line
            changed in it.
        snakefile: its main file.
        targets: files that exist already, relative to the working directory.
        out: path of the report, .zip or .html.
        python: the Python that runs the workflow; this process may be in another environment.

    Raises:
        UserError: Snakemake failed; it has told why on stderr.
    """
    with second_snakemake(config, snakefile, python) as command:
        told = ["--report", str(out), "--", *map(str, targets)]
        ended = subprocess.run([*command, *told], stdout=STDERR, check=False)
    if ended.returncode:
        raise UserError(f"{out}: snakemake --report failed; its words above tell why")
