"""Modules that map features of a student layer to the width of the teacher's."""

from torch import nn


def linear(student_width: int, teacher_width: int) -> nn.Module:
    """A linear map with bias, drawn as torch does."""
    return nn.Linear(student_width, teacher_width)


def linear_between_widths(student_width: int, teacher_width: int) -> nn.Module | None:
    """A linear map with bias where the widths differ; None where they are equal."""
    return None if student_width == teacher_width else linear(student_width, teacher_width)
