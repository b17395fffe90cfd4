"""A second Snakemake that reads what is there while the first one runs.

It builds the same DAG, without locking the working directory, which the first one holds, and
without profiles, whose settings of jobs do not matter to it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@contextmanager
def second_snakemake(
    config: Mapping[str, Any], snakefile: str | Path, python: str | Path
) -> Iterator[list[str]]:
    """The start of its command, to be completed with what it shall do and `--` before targets.

    Args:
        config: the config of the running workflow, with all that overlays and the command line
            changed in it.
        snakefile: its main file.
        python: the Python that runs the workflow; this process may be in another environment.
    """
    with TemporaryDirectory() as folder:
        merged = Path(folder) / "config.json"
        merged.write_text(json.dumps(config), encoding="utf-8")
        yield [
            *(str(python), "-m", "snakemake"),
            *("--snakefile", str(snakefile), "--configfile", str(merged)),
            *("--profile", "none", "--workflow-profile", "none", "--nolock"),
        ]
