import numpy as np
import pytest
from transformers.trainer_pt_utils import get_length_grouped_indices

from benchmarks.lengths import MAX_LENGTH, TASKS, histogram, moments, sample, window

BATCH = 32
# Mean length and mean squared length, and rows, counted apart from this project's code.
KNOWN = {
    "cola": (11.33, 145, 8551),
    "qqp": (30.37, 1051, 23497),
    "mrpc": (51.74, 2794, 3668),
    "rte": (52.14, 2878, 2490),
    "qnli": (46.21, 2278, 2000),
}


@pytest.mark.parametrize("task", TASKS)
def test_histogram_has_the_known_moments(task):
    mean, square, rows = KNOWN[task]
    lengths, counts = histogram(task)
    assert moments(task) == pytest.approx((mean, square), rel=2e-3)
    assert counts.sum() == rows
    assert (np.diff(lengths) > 0).all()
    assert lengths[-1] <= MAX_LENGTH


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("batches", [3, 5])
def test_sample_is_like_the_task(task, batches):
    lengths = sample(task, BATCH, batches)
    assert lengths.shape == (batches, BATCH)
    mean, square = moments(task)
    assert lengths.mean() == pytest.approx(mean, rel=0.02)
    assert (lengths**2).mean() == pytest.approx(square, rel=0.04)
    assert (np.diff(lengths.max(axis=1)) >= 0).all()


def padded_share(batches):
    """Positions of padded batches, [batches, size], per token."""
    return (batches.max(axis=1) * batches.shape[1]).sum() / batches.sum()


@pytest.mark.parametrize("task", TASKS)
def test_window_pads_as_the_length_grouped_sampler_of_transformers(task):
    lengths, counts = histogram(task)
    rng = np.random.default_rng(0)
    drawn = rng.choice(lengths, 6400, p=counts / counts.sum())  # so many make windows of 50 batches
    grouped = drawn[get_length_grouped_indices(drawn.tolist(), BATCH)].reshape(-1, BATCH)
    assert padded_share(window(task, BATCH)) == pytest.approx(padded_share(grouped), abs=0.01)
    assert padded_share(sample(task, BATCH, 5)) == pytest.approx(padded_share(grouped), abs=0.02)
