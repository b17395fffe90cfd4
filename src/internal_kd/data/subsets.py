"""Parts of a training set for the study of data size (Figures 3 and 9)."""

import numpy as np
import numpy.typing as npt


def nested_stratified(
    labels: npt.NDArray[np.int64], percent: float, seed: int
) -> npt.NDArray[np.int64]:
    """A stratified `percent` % of the training set: ascending rows, int64 [n * percent / 100].

    With the same seed the rows of a smaller percentage are contained in those of a larger one. Each
    class keeps its share to within one row, and has at least one row.

    Args:
        labels: int64 [n].
        percent: above 0, at most 100.
        seed: of the shuffle inside each class.
    """
    classes, counts = np.unique(labels, return_counts=True)
    rng = np.random.default_rng(seed)
    share = np.empty(len(labels))
    for label, count in zip(classes, counts, strict=True):
        share[labels == label] = rng.permutation(count) / count
    size = max(len(classes), round(len(labels) * percent / 100))
    return np.sort(np.argsort(share, kind="stable")[:size])
