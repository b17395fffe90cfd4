"""The signals on which a training ends, after writing a checkpoint."""

import signal
import threading
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Interruption:
    """Inside this context a request to end is noted instead of followed.

    SLURM sends SIGTERM some seconds before it kills a job, and SIGUSR1 where it is configured to.

    Args:
        active: otherwise signals have their usual effect.
    """

    def __init__(self, active: bool) -> None:
        # Only the main thread can set handlers.
        able = active and threading.current_thread() is threading.main_thread()
        self._signals = SIGNALS if able else ()
        self.signal: signal.Signals | None = None

    def __enter__(self) -> "Interruption":
        self._before = {number: signal.signal(number, self._note) for number in self._signals}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.signal = signal.Signals(number)
