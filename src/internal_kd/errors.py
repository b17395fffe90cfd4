"""The one exception for mistakes that a user can mend."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_REASON = 200
# Separators of lines and paragraphs, and what turns the direction of the text around it.
UNSEEN = frozenset("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class UserError(Exception):
    """A mistake in config, data or environment, reported in one sentence that names the remedy."""


class Interrupted(Exception):
    """The process received a signal to end, and ended with a checkpoint written."""


@contextmanager
def as_user_error(file: object, what: str, remedy: str) -> Iterator[None]:
    """Turn whatever a library raises while a file is read or used into one sentence about it.

    Args:
        file: its path, or what it is a part of.
        what: is wrong with it, such as `not a readable parquet file`.
        remedy: what the user can do.

    Raises:
        UserError: anything was raised inside, but for what is not about the file: a shortage of
            memory, a package that is missing, and the request to end.
    """
    try:
        yield
    except (UserError, Interrupted, MemoryError, ModuleNotFoundError):
        raise
    except Exception as error:
        raise UserError(f"{file}: {what} ({reason(error)}); {remedy}") from error


def reason(error: BaseException) -> str:
    """A library's error message, as one line of limited length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]} ..."


def controls(sign: str) -> bool:
    """Whether a character is not to be read: it steers a terminal, ends a line or is half a one."""
    return unicodedata.category(sign) in ("Cc", "Cs") or sign in UNSEEN


def printable(text: str) -> str:
    """A text for the terminal, where such characters are written as their codes, such as \\x1b."""
    return "".join(_code(sign) if controls(sign) else sign for sign in text)


def _code(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
