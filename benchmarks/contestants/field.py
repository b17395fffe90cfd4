"""Everything that is compared."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.contestants.contestant import Contestant
from benchmarks.contestants.ours import Ours
from benchmarks.contestants.textbrewer import TextBrewer
from benchmarks.contestants.trainer import HuggingFaceTrainer
from benchmarks.workload import Workload


@dataclass(frozen=True)
class Entry:
    """A contestant by name.

    Attributes:
        name: in result files.
        title: in tables.
        make: raises `NotMeasuredError` where it cannot run.
    """

    name: str
    title: str
    make: Callable[[Workload], Contestant]


FIELD = (
    Entry("ours", "internal-kd, fp32", Ours),
    Entry("ours_bf16", "internal-kd, bf16 matrix products", partial(Ours, precision="bf16")),
    Entry("ours_live", "internal-kd, fp32, teacher in every step", partial(Ours, source="live")),
    Entry(
        "trainer_grouped",
        "Hugging Face Trainer, grouped by length",
        partial(HuggingFaceTrainer, grouped=True),
    ),
    Entry(
        "trainer_padded",
        "Hugging Face Trainer, padded to 64",
        partial(HuggingFaceTrainer, grouped=False),
    ),
    Entry("textbrewer", "TextBrewer, padded to 64", TextBrewer),
)
OURS = "ours"  # what the others are compared with
TITLES = {entry.name: entry.title for entry in FIELD}
