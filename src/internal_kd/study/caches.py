"""What a workflow keeps beside its outputs until it has ended."""

import shutil
from pathlib import Path

from internal_kd.study.paths import Paths


def remove_caches(paths: Paths) -> None:
    """Remove the kept names of runs' files, and the teachers' signals.

    Snakemake has noted all outputs as complete, so nothing reads them any more.
    """
    for pattern in ("*.finished", "*.finished.partial"):
        for folder in Path(paths.checkpoints).parent.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(paths.signals, ignore_errors=True)
