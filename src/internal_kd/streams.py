"""Where every random number of a training comes from: one stream for each purpose.

The seed of a stream is a hash of purpose, role, task and the run's seed, and of nothing else. So a
teacher and its students share no stream, whatever their seeds; all students of one seed share
theirs, which keeps comparisons paired; and another task, seed or experiment changes no stream.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

Role = Literal["teacher", "student", "agnostic"]
Purpose = Literal[
    "head",
    "order",
    "dropout",
    "layers",
    "subset",
    "holdout",
    "new layers",
    "projection",
    "layer map",
    "masking",
]

BITS = 63  # what generators of torch and numpy both take


def stream_seed(purpose: Purpose, role: str, task: str, seed: int) -> int:
    """The seed of a stream, from 0 to 2^63 - 1: the first bits of a SHA-256 hash."""
    key = "\n".join((purpose, role, task, str(seed)))
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - BITS)


@dataclass(frozen=True)
class Streams:
    """The streams of one run.

    Attributes:
        role: teacher or student; `agnostic` for a student on unlabelled text.
        task: name of the task; empty where there is none.
        seed: of the run.
    """

    role: Role
    task: str
    seed: int

    @property
    def head(self) -> int:
        """Of a new classification layer."""
        return stream_seed("head", self.role, self.task, self.seed)

    @property
    def order(self) -> int:
        """Of the order of the training examples."""
        return stream_seed("order", self.role, self.task, self.seed)

    @property
    def dropout(self) -> int:
        """Of dropout masks."""
        return stream_seed("dropout", self.role, self.task, self.seed)

    @property
    def layers(self) -> int:
        """Of an encoder that starts from nothing."""
        return stream_seed("layers", self.role, self.task, self.seed)

    @property
    def layer_map(self) -> int:
        """Of the teacher layers that a random map gives a student's layers."""
        return stream_seed("layer map", self.role, self.task, self.seed)

    @property
    def projection(self) -> int:
        """Of the modules that objectives learn beside a student."""
        return stream_seed("projection", self.role, self.task, self.seed)

    @property
    def masking(self) -> int:
        """Of masked tokens of unlabelled text."""
        return stream_seed("masking", self.role, self.task, self.seed)

    @property
    def subset(self) -> int:
        """Of a share of the training examples, on purpose the same for teacher and students."""
        return stream_seed("subset", "both", self.task, self.seed)


def holdout_seed(task: str) -> int:
    """Of the training examples held out for selection, the same for all runs of a task."""
    return stream_seed("holdout", "both", task, 0)


def held_out_masking_seed() -> int:
    """Seed of masked tokens in held-out sequences, the same for all general models."""
    return stream_seed("masking", "held out", "", 0)


def new_layers_seed() -> int:
    """Seed of the weights missing above a base model's layers, for all tasks and seeds."""
    return stream_seed("new layers", "base", "", 0)
