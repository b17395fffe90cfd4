"""How far a run is, from the end of its log."""

import re
from dataclasses import dataclass
from pathlib import Path

TAIL = 1_000_000  # bytes; between two bars, five seconds, epochs of a millisecond write 400,000

_BAR = re.compile(r"(\d+)/(\d+) \[[\d:]+<([\d:]+|\?),")
_EPOCH = re.compile(r"^.*epoch \d+ \(.*?\): (.+)$", re.MULTILINE)
_ERROR = re.compile(r"^error: (.+)$", re.MULTILINE)
_INTERRUPTED = re.compile(r"^stopped by SIG", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class RunLog:
    """What a log tells.

    Attributes:
        step: steps that are done.
        steps: steps of the whole training; 0 where it has not begun.
        seconds_left: by the speed of the last steps; None where it is not known yet.
        epoch: loss and score of the last epoch that is done.
        interrupted: whether it was asked to end.
        error: what stopped the run.
    """

    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    epoch: str = ""
    interrupted: bool = False
    error: str = ""

    @property
    def share(self) -> float:
        """Share of the steps that is done."""
        return self.step / self.steps if self.steps else 0.0


def read_run_log(file: Path) -> RunLog:
    """What the last lines of a log say; nothing where there is none."""
    text = _tail(file)
    step, steps, left = (_BAR.findall(text) or [("0", "0", "?")])[-1]
    return RunLog(
        step=int(step),
        steps=int(steps),
        seconds_left=_seconds(left),
        epoch=(_EPOCH.findall(text) or [""])[-1],
        interrupted=bool(_INTERRUPTED.search(text)),
        error=_error(text),
    )


def _tail(file: Path) -> str:
    try:
        with open(file, "rb") as log:
            log.seek(max(0, file.stat().st_size - TAIL))
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _seconds(clock: str) -> float | None:
    """Seconds of a time such as 02:13 or 1:02:13."""
    if clock == "?":
        return None
    seconds = 0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return float(seconds)


def _error(text: str) -> str:
    """The last sentence told as an error, or the last line of a traceback."""
    told = _ERROR.findall(text)
    if told:
        return str(told[-1])
    return text.rstrip().splitlines()[-1] if _TRACEBACK in text else ""
