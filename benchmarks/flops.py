"""Floating-point operations that a training step cannot do without.

Matrix products only, without padding, the top layer's output for [CLS] alone. For an example of L
tokens a layer of width h takes 24 h² L + 4 h L²; of the top layer 6 h² L for queries, keys and
values, 2 h L² for the scores and 18 h² + 2 h L for [CLS] are left. The backward pass takes twice
the forward pass. Optimizer, softmax, normalisation, embeddings and memory traffic are not counted.
"""

import numpy as np

from benchmarks.lengths import Lengths
from benchmarks.shapes import Shape


def forward(hidden: int, layers: int, lengths: Lengths) -> float:
    """Mean over examples of `lengths` for one forward pass."""
    h, tokens = hidden, lengths.astype(np.float64)
    below = (layers - 1) * (24 * h**2 * tokens + 4 * h * tokens**2)
    top = 6 * h**2 * tokens + 2 * h * tokens**2 + 18 * h**2 + 2 * h * tokens
    return float((below + top).mean())


def training_step(shape: Shape, lengths: Lengths, *, teacher: bool) -> float:
    """Mean per example: the student's forward and backward pass, and the teacher's if it runs."""
    student = 3 * forward(shape.hidden, shape.student_layers, lengths)
    return student + (forward(shape.hidden, shape.teacher_layers, lengths) if teacher else 0.0)
