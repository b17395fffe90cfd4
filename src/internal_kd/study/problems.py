"""Problems of a config: found one by one, reported together."""

from collections.abc import Sequence
from dataclasses import dataclass

from internal_kd.errors import UserError, printable

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake: the keys that lead to it, and a sentence that gives the remedy."""

    path: Path
    sentence: str

    def __str__(self) -> str:
        where = f"{dotted(self.path)}: " if self.path else ""
        return printable(f"config: {where}{self.sentence}")


def dotted(path: Path) -> str:
    """Write a path as its keys joined by dots; positions in lists, from 0, stand in brackets."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one UserError with a line for each problem, if there are any."""
    if problems:
        raise UserError("\n".join(dict.fromkeys(map(str, problems))))
