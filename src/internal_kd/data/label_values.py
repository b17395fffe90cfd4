"""Labels as a user's files have them - names, numbers, truth values - as numbers of classes."""

import json
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from internal_kd.data.checks import UNLABELLED
from internal_kd.errors import UserError
from internal_kd.specs.tasks import TaskData

LabelTexts = list[str | None]
Form = Callable[[str], str]
TRAIN = "train"


def label_texts(table: pa.Table, column: str, where: str) -> LabelTexts:
    """The labels as texts: names, true and false, whole numbers; None where a label is missing.

    Raises:
        UserError: a label is something else, such as 1.5 or a list.
    """
    names = class_names(table.schema.metadata or {}, column)
    found = table.column(column).to_pylist()
    return [_text(value, names, row, where) for row, value in enumerate(found)]


def class_names(metadata: Mapping[bytes, bytes], column: str) -> Sequence[str] | None:
    """Class names that the `datasets` library stored with a column, if any."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        names: Sequence[str] = features[column]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names


def _text(value: object, names: Sequence[str] | None, row: int, where: str) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value.strip() or None
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        if names is None:
            return str(int(value))
        return names[int(value)] if 0 <= value < len(names) else None
    raise UserError(
        f"{where}: the label of row {row} is {value}; a class is a name or a whole number"
    )


def sorted_labels(labels: LabelTexts) -> tuple[str, ...]:
    """The labels that occur, numbers by size and names in alphabetical order."""
    found = {label for label in labels if label is not None}
    if all(label.lstrip("-").isdecimal() for label in found):
        return tuple(sorted(found, key=lambda label: (int(label), label)))
    return tuple(sorted(found))


def label_numbers(
    labels: Mapping[str, LabelTexts],
    task: TaskData,
    where: Mapping[str, str],
    changes: list[str],
) -> dict[str, list[int]]:
    """Numbers of the classes, -1 where a label is missing, by split.

    A label is a name of a class, if need be in other letter case or written as another number of
    the same value; or all are numbers of classes, from 0 or from 1 on, which the training split
    decides.

    Args:
        labels: as texts, by split.
        task: with the names of the classes.
        where: the file of each split, named in messages.
        changes: to which is added how labels were read where they are not the names.

    Raises:
        UserError: a label is none of the task's.
    """
    names = task.classes
    known = _numbers_of_names(names)
    start = _first_number(labels[TRAIN], names, known)
    if start is not None:
        known = {str(number + start): number for number in range(len(names))}
        shown = ", ".join(f"{number + start} = {name}" for number, name in enumerate(names))
        changes.append(f"labels are read as numbers of classes: {shown}")
    else:
        changes += _other_forms(labels, known, names)
    return {split: _numbers(found, known, names, where[split]) for split, found in labels.items()}


def _other_forms(
    labels: Mapping[str, LabelTexts], known: Mapping[str, int], names: Sequence[str]
) -> list[str]:
    """A sentence where labels are in other letter case, or are numbers in another form."""
    found = {text for texts in labels.values() for text in texts if text is not None}
    other = {
        text: names[number]
        for text in sorted(found - set(names))
        if (number := _number(text, known)) is not None
    }
    shown = ", ".join(f"'{text}' as {name}" for text, name in other.items())
    return [f"labels in another form are read as their names: {shown}"] if other else []


def _numbers_of_names(names: Sequence[str]) -> dict[str, int]:
    """Numbers by name, and by its other forms where they are of one name alone."""
    known: dict[str, int] = {}
    for form in (_whole, str.casefold):
        forms = [form(name) for name in names]
        known |= {text: n for n, text in enumerate(forms) if forms.count(text) == 1}
    return known | {name: number for number, name in enumerate(names)}


def _whole(text: str) -> str:
    """A whole number without point or zeros before it; other texts as they are."""
    try:
        return str(int(float(text))) if float(text).is_integer() else text
    except ValueError:
        return text


def _numbers(
    labels: LabelTexts, known: Mapping[str, int], names: Sequence[str], where: str
) -> list[int]:
    by_text = {text: _number(text, known) for text in dict.fromkeys(labels)}
    for row, text in enumerate(labels):
        if by_text[text] is None:
            raise UserError(
                f"{where}: label '{text}' of row {row} is none of {_listed(names)}; correct it, or "
                "list it in labels"
            )
    return [number for text in labels if (number := by_text[text]) is not None]


def _number(text: str | None, known: Mapping[str, int]) -> int | None:
    if text is None:
        return UNLABELLED
    return next((known[t] for t in (text, _whole(text), text.casefold()) if t in known), None)


def _first_number(labels: LabelTexts, names: Sequence[str], known: Mapping[str, int]) -> int | None:
    """The number of the first class, where labels are numbers instead of names; None otherwise."""
    found = {text for text in labels if text is not None}
    if all(_number(text, known) is not None for text in found):
        return None
    if not all(_whole(text).isdecimal() for text in found):
        return None
    numbers = {int(_whole(text)) for text in found}
    if 0 in numbers and max(numbers) < len(names):
        return 0
    return 1 if 0 not in numbers and max(numbers) == len(names) else None


def _listed(names: Sequence[str], most: int = 10) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
