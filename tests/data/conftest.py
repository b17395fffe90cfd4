import numpy as np
import pyarrow as pa
import pytest

from internal_kd.data.encoding import EncodedSplit, offsets_of
from internal_kd.specs.tasks import Task
from internal_kd.study.glue import GLUE


@pytest.fixture
def rte() -> Task:
    return GLUE["rte"]


@pytest.fixture
def rte_table() -> pa.Table:
    return pa.table(
        {
            "sentence1": ["the cat sat on the mat", "dogs bark", "it rains"],
            "sentence2": ["a cat sat", "cats bark", "the sun shines"],
            "label": pa.array([0, 1, 1], pa.int64()),
            "idx": pa.array([7, 8, 9], pa.int32()),
        }
    )


@pytest.fixture
def make_split():
    """Random examples of the given lengths; token ids from 1, so that 0 is free for padding."""

    def make(lengths, seed=0, classes=2) -> EncodedSplit:
        rng = np.random.default_rng(seed)
        offsets = offsets_of(np.asarray(lengths))
        return EncodedSplit(
            input_ids=rng.integers(1, 100, offsets[-1]).astype(np.int32),
            token_type_ids=rng.integers(0, 2, offsets[-1]).astype(np.uint8),
            offsets=offsets,
            labels=rng.integers(0, classes, len(lengths)),
            indices=np.arange(len(lengths)),
        )

    return make
