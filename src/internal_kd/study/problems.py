"""Problems of a config: found one by one, reported together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

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


def nearest(name: object, known: Iterable[str]) -> str:
    """Say which known name was probably meant: ``did you mean 'x'?``, else the list of names."""
    names = sorted(known)
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(names)}" if names else "nothing is allowed here"
