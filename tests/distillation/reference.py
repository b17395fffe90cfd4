"""Equations 1 to 3 written as loops over unpadded sentences in float64, straight from the paper."""

import math

import torch
from torch import Tensor


def softmax(values: Tensor) -> Tensor:
    """Softmax of a vector, from its definition."""
    powers = [math.exp(float(value)) for value in values]
    return torch.tensor([power / sum(powers) for power in powers], dtype=torch.float64)


def soft_cross_entropy(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> float:
    """First term of Equation 1; logits `[batch, classes]`."""
    total = 0.0
    for student_row, teacher_row in zip(student.double(), teacher.double(), strict=True):
        p = softmax(teacher_row / temperature)
        y = softmax(student_row / temperature)
        total -= sum(float(p[c]) * math.log(float(y[c])) for c in range(len(p)))
    return temperature**2 * total / len(student)


def hard_cross_entropy(student: Tensor, labels: Tensor) -> float:
    """Second term of Equation 1 with lambda = 1."""
    rows = zip(student.double(), labels, strict=True)
    return -sum(math.log(float(softmax(row)[int(label)])) for row, label in rows) / len(student)


def attention_kl(teacher: list[Tensor], student: list[Tensor]) -> float:
    """Equation 2 for a list of sentences, scores `[heads, tokens, tokens]` without padding."""
    total = 0.0
    for teacher_scores, student_scores in zip(teacher, student, strict=True):
        heads, length, _ = teacher_scores.shape
        for head in range(heads):
            for row in range(length):
                p = softmax(teacher_scores[head, row].double())
                q = softmax(student_scores[head, row].double())
                terms = [float(p[k]) * math.log(float(p[k]) / float(q[k])) for k in range(length)]
                total += sum(terms) / (length * heads)
    return total / len(teacher)


def cls_cosine(teacher: Tensor, student: Tensor) -> float:
    """Equation 3, mean over the batch; vectors `[batch, hidden size]`."""
    total = 0.0
    for t, s in zip(teacher.double(), student.double(), strict=True):
        dot = sum(float(a) * float(b) for a, b in zip(t, s, strict=True))
        norms = math.sqrt(sum(float(a) ** 2 for a in t)) * math.sqrt(sum(float(b) ** 2 for b in s))
        total += 1 - dot / norms
    return total / len(teacher)
