"""What failed jobs had to say, for the end of a run of the workflow."""

import re
from collections.abc import Iterable
from pathlib import Path

_LOG_LINE = re.compile(
    r"^\s*log: (.+?)(?: \(check log file\(s\) for error details\))$", re.MULTILINE
)
# A progress bar that was cut off may stand before it on its line.
_MISTAKE = re.compile(r"(?:^|[\r\]])(error: .+)$", re.MULTILINE)


def sentences(workflow_logs: Iterable[Path]) -> list[str]:
    """The mistakes reported in the logs of the jobs that failed, each once, and where they stand.

    Args:
        workflow_logs: Snakemake's own logs, which name the logs of failed jobs.
    """
    texts = (_read(log) for log in workflow_logs)
    named = (
        name for text in texts for found in _LOG_LINE.findall(text) for name in found.split(", ")
    )
    places: dict[str, list[str]] = {}
    for name in dict.fromkeys(named):
        for mistake in _MISTAKE.findall(_read(Path(name))):
            places.setdefault(mistake, []).append(name)
    return [f"{mistake} ({_listed(logs)})" for mistake, logs in places.items()]


def _listed(logs: list[str]) -> str:
    more = len(logs) - 1
    return logs[0] if not more else f"{logs[0]} and {more} more log{'s' * (more > 1)}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
