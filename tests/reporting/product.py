"""The job of tables and figures, run in this process."""

import json
from pathlib import Path

from internal_kd.jobs import product
from internal_kd.jobs.cli import run_job
from internal_kd.specs.jobs import encode
from internal_kd.specs.reports import ReportSettings


def write_product(function: str, settings: ReportSettings, *arguments: str | Path) -> None:
    """Write a table or figure as its rule does."""
    argv = [
        "--function",
        function,
        "--settings",
        json.dumps(encode(settings)),
        *map(str, arguments),
    ]
    run_job(product.JOB, argv)
