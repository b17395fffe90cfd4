"""The job of tables and figures, run in this process."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from internal_kd.jobs import product
from internal_kd.jobs.cli import run_job


def write_product(function: str, settings: Mapping[str, Any], *arguments: str | Path) -> None:
    """Write a table or figure as its rule does."""
    argv = ["--function", function, "--settings", json.dumps(settings), *map(str, arguments)]
    run_job(product.JOB, argv)
