"""The stage of tables and figures, run in this process."""

import json
from pathlib import Path

from internal_kd.specs.jobs import encode
from internal_kd.specs.reports import ReportSettings
from internal_kd.stages import product
from internal_kd.stages.cli import run_stage


def write_product(function: str, settings: ReportSettings, *arguments: str | Path) -> None:
    """Write a table or figure as its rule does."""
    argv = [function, "--settings", json.dumps(encode(settings)), *map(str, arguments)]
    run_stage(product.__name__, product.add_arguments, product.main, argv)
