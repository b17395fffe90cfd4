"""Arguments of the stages that look at the running workflow with a second Snakemake."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path


def add_workflow_arguments(parser: ArgumentParser) -> None:
    """The workflow's main file, and the Python it runs in."""
    parser.add_argument("--snakefile", type=Path, required=True, help="main file of the workflow")
    parser.add_argument(
        "--python",
        default=os.environ.get("INTERNAL_KD_PYTHON", sys.executable),
        help="the Python that the workflow runs in",
    )
