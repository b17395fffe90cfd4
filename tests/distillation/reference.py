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


def relation_kl(teacher: list[Tensor], student: list[Tensor], heads: int) -> float:
    """Relations of MiniLM and MiniLMv2 for sentences `[tokens, width]` without padding."""
    total = 0.0
    for of_teacher, of_student in zip(teacher, student, strict=True):
        length = len(of_teacher)
        for head in range(heads):
            rows = [_relation(values.double(), head, heads) for values in (of_teacher, of_student)]
            for p, q in zip(*rows, strict=True):
                terms = [float(p[k]) * math.log(float(p[k]) / float(q[k])) for k in range(length)]
                total += sum(terms) / (heads * length)
    return total / len(teacher)


def _relation(values: Tensor, head: int, heads: int) -> list[Tensor]:
    """Rows of `softmax(A A^T / sqrt(d))` of one head."""
    size = values.shape[1] // heads
    own = values[:, head * size : (head + 1) * size]
    return [softmax(torch.stack([row @ other for other in own]) / math.sqrt(size)) for row in own]


def attention_mse(teacher: list[Tensor], student: list[Tensor]) -> float:
    """Squared error of scores `[heads, tokens, tokens]` without padding."""
    total = 0.0
    for of_teacher, of_student in zip(teacher, student, strict=True):
        pairs = zip(of_teacher.double().flatten(), of_student.double().flatten(), strict=True)
        total += sum(float(s - t) ** 2 for t, s in pairs) / of_teacher.numel()
    return total / len(teacher)


def hidden_mse(teacher: list[Tensor], student: list[Tensor], weight: Tensor, bias: Tensor) -> float:
    """Squared error of `[tokens, width]` without padding, the student's through a linear map."""
    total, count = 0.0, 0
    for of_teacher, of_student in zip(teacher, student, strict=True):
        mapped = of_student.double() @ weight.double().T + bias.double()
        total += ((mapped - of_teacher.double()) ** 2).sum().item()
        count += of_teacher.numel()
    return total / count


def cls_contrast(teacher: Tensor, student: Tensor, temperature: float) -> float:
    """InfoNCE over a batch; vectors `[batch, width]`."""
    teacher, student = (
        v.double() / v.double().norm(dim=1, keepdim=True) for v in (teacher, student)
    )
    rows = [softmax(torch.stack([s @ t for t in teacher]) / temperature) for s in student]
    return -sum(math.log(float(row[i])) for i, row in enumerate(rows)) / len(rows)
