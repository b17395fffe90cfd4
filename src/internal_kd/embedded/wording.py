"""Pairs of texts that are not the same text twice."""

from collections.abc import Callable


def two_wordings(first: Callable[[], str], second: Callable[[], str]) -> tuple[str, str]:
    """A text of each, drawn again until they differ."""
    text, other = first(), second()
    while text == other:
        text, other = first(), second()
    return text, other
