"""Snakemake's own report, made while Snakemake runs: another one reads what is there.

It builds the same DAG, without locking the working directory, which the first one holds, and
without profiles, whose settings of jobs do not matter to it.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from internal_kd.errors import UserError

STDERR = 2


def write_report(
    config: Mapping[str, object],
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
        UserError: Snakemake failed; its messages are on stderr.
    """
    with TemporaryDirectory() as folder:
        merged = Path(folder) / "config.json"
        merged.write_text(json.dumps(config), encoding="utf-8")
        command = [
            *(str(python), "-m", "snakemake"),
            *("--snakefile", str(snakefile), "--configfile", str(merged)),
            *("--profile", "none", "--workflow-profile", "none", "--nolock"),
            *("--report", str(out), "--", *map(str, targets)),
        ]
        ended = subprocess.run(command, stdout=STDERR, check=False)
    if ended.returncode:
        raise UserError(f"{out}: snakemake --report failed; see its messages above")
