"""Texts of a config that become names of files, arguments of commands and words of tables."""

import unicodedata

from jsonschema import FormatChecker

from internal_kd.errors import controls

FORMATS = FormatChecker(formats=())
LONGEST_NAME = 100  # bytes; a run's files add some 60 to it, and a file's name may have 255
LONGEST_PART = 255  # bytes of a folder's name
LONGEST_PATH = 1000  # bytes
LONGEST_TEXT = 200  # characters
SIGNS = frozenset("._-+=@")
# Unicode's categories of letters, and of marks that belong to the letter before them.
LETTERS, MARKS = ("Lu", "Ll", "Lt", "Lm", "Lo"), ("Mn", "Mc")


@FORMATS.checks("name")
def is_name(value: object) -> bool:
    """Letters of any language, digits and some signs, safe in paths and on a command line."""
    if not isinstance(value, str):
        return True
    sound = is_printable(value) and len(value.encode()) <= LONGEST_NAME
    return sound and _begins(value[0]) and all(_goes_on(sign) for sign in value)


def _begins(sign: str) -> bool:
    return unicodedata.category(sign) in ("Nd", *LETTERS)


def _goes_on(sign: str) -> bool:
    return sign in SIGNS or unicodedata.category(sign) in ("Nd", *LETTERS, *MARKS)


@FORMATS.checks("path")
def is_path(value: object) -> bool:
    """A path, or a name on the hub, that no command takes for an option and no shell for a home."""
    if not isinstance(value, str):
        return True
    sound = is_printable(value) and value[:1] not in ("-", "~")
    return sound and len(value.encode()) <= LONGEST_PATH and _parts_fit(value)


def _parts_fit(path: str) -> bool:
    return all(len(part.encode()) <= LONGEST_PART for part in path.split("/"))


@FORMATS.checks("text")
def is_text(value: object) -> bool:
    """Words that are shown, in one line."""
    return not isinstance(value, str) or (is_printable(value) and len(value) <= LONGEST_TEXT)


def is_printable(text: str) -> bool:
    """Whether a text has something to see, and nothing that controls a terminal or a line."""
    return bool(text.strip()) and not any(map(controls, text))
