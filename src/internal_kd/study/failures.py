"""What failed jobs had to say, for the end of a run of the workflow."""

import re
from collections.abc import Iterable
from pathlib import Path

_LOG_LINE = re.compile(
    r"^\s*log: (.+?)(?: \(check log file\(s\) for error details\))$", re.MULTILINE
)
_MISTAKE = re.compile(r"^error: .+$", re.MULTILINE)


def sentences(workflow_logs: Iterable[Path]) -> list[str]:
    """The mistakes told in the logs of the jobs that failed, each once.

    Args:
        workflow_logs: Snakemake's own logs, which name the logs of failed jobs.
    """
    texts = (_read(log) for log in workflow_logs)
    names = (
        name for text in texts for found in _LOG_LINE.findall(text) for name in found.split(", ")
    )
    mistakes = (mistake for name in names for mistake in _MISTAKE.findall(_read(Path(name))))
    return list(dict.fromkeys(mistakes))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
