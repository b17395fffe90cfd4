"""Several trainings in one process and in step: each makes one step with every shared batch.

Each has random numbers of its own, which stand in torch's generators while it is its turn, so that
all its numbers are those of the training alone.
"""

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from internal_kd.distillation.companions import Companion, Settings
from internal_kd.distillation.interruption import Interruption
from internal_kd.distillation.training import Training
from internal_kd.errors import Interrupted
from internal_kd.runtime import random_state, restore_random_state


class Student:
    """A training among others.

    Args:
        settings: of its run.
        training: not begun.
        seconds: that were spent on it so far.
        companion: its run's files and lock; None for the run that the process was started for.
    """

    def __init__(
        self,
        settings: Settings,
        training: Training,
        seconds: float = 0.0,
        companion: Companion | None = None,
    ) -> None:
        self.settings = settings
        self.training = training
        self.seconds = seconds
        self.companion = companion
        self._steps = training.steps()
        self._random = random_state()

    @property
    def position(self) -> tuple[int, int]:
        """Epoch and steps done in it."""
        return self.training.epoch, self.training.batch

    def advance(self) -> bool:
        """Make the next step; False if there is none."""
        with self._turn():
            for _ in self._steps:
                self.training.keep_state(asked=False)
                return True
        return False

    def save(self) -> None:
        """Write a checkpoint."""
        with self._turn():
            self.training.keep_state(asked=True)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Its own random numbers, and its time."""
        started = time.perf_counter()
        restore_random_state(self._random)
        yield
        self._random = random_state()
        self.seconds += time.perf_counter() - started


class LockStep:
    """Trains students to their end; those that are behind, after a restart, catch up first.

    Args:
        own: the student of the run that the process was started for.
        others: students with companions; what goes wrong with one ends nothing but itself.
        leave: puts the files of a companion's student whose steps are all done into a folder.
    """

    def __init__(
        self, own: Student, others: Iterable[Student], leave: Callable[[Student, Path], None]
    ) -> None:
        self.own = own
        self.going = [own, *others]
        self.leave = leave

    def run(self) -> None:
        """Train.

        Raises:
            Interrupted: the process was asked to end before its own run had; all have checkpoints.
            Exception: what goes wrong with its own run; the others have checkpoints.
        """
        with Interruption(active=True) as interruption:
            while self.going:
                for student in self._furthest_behind():
                    self._advance(student)
                    if interruption.signal:
                        self._stop(interruption.signal)
                        return

    def _furthest_behind(self) -> list[Student]:
        position = min(student.position for student in self.going)
        return [student for student in self.going if student.position == position]

    def _advance(self, student: Student) -> None:
        going_on = False
        if student.companion:
            with student.companion.failures_told():
                going_on = self._companion_goes_on(student, student.companion)
        else:
            going_on = self._own_goes_on()
        if not going_on:
            self.going.remove(student)

    def _companion_goes_on(self, student: Student, companion: Companion) -> bool:
        if student.advance():
            return True
        companion.keep(partial(self.leave, student))
        companion.let_go()
        return False

    def _own_goes_on(self) -> bool:
        try:
            return self.own.advance()
        except Exception:
            self.going.remove(self.own)
            self._save()
            raise

    def _stop(self, number: signal.Signals) -> None:
        self._save()
        if self.own in self.going:
            training = self.own.training
            raise Interrupted(
                f"stopped by {number.name} in epoch {training.epoch} after step {training.batch}, "
                f"{len(self.going)} students in step; the same command goes on from there"
            )

    def _save(self) -> None:
        for student in self.going:
            student.save()
