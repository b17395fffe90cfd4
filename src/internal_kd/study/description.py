"""What the commands outside of the workflow (`internal-kd plan`) need to know of it."""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

# Names the file that a command reads the description from.
DESCRIPTION = "INTERNAL_KD_DESCRIPTION"


def is_requested() -> bool:
    """Whether the workflow was started by such a command."""
    return DESCRIPTION in os.environ


def describe(**facts: object) -> None:
    """Write facts into the file that a command has named; nothing if there is none."""
    if is_requested():
        Path(os.environ[DESCRIPTION]).write_text(json.dumps(facts), encoding="utf-8")


def refuse(mistake: Exception) -> NoReturn:
    """End with one sentence on a user's mistake.

    Raises:
        SystemExit: and not a WorkflowError, to which Snakemake would add the lines of its file.
    """
    describe(mistake=str(mistake))
    sys.exit(str(mistake))
