"""Violations of the JSON Schema by a config, as sentences for its author."""

import math
import unicodedata
from collections.abc import Collection, Iterator, Mapping

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from internal_kd.errors import controls
from internal_kd.specs.schema import Schema
from internal_kd.study.problems import Path as KeyPath
from internal_kd.study.problems import Problem, nearest

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


LONGEST_SHOWN = 80  # characters of a text

_NOUNS = {
    "object": "a mapping of keys to values",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def schema_problems(config: Mapping[str, object], schema: Schema) -> list[Problem]:
    """All disagreements between config and schema, in the order of the config's keys."""
    errors = Draft202012Validator(schema, format_checker=FORMATS).iter_errors(config)
    reported = [problem for error in errors for problem in _problems_of(error)]
    return [*reported, *_not_finite(config, (), {problem.path for problem in reported})]


def _not_finite(value: object, path: KeyPath, reported: Collection[KeyPath]) -> Iterator[Problem]:
    """YAML has .nan and .inf; a schema lets them pass, and a training would end in them."""
    if isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from _not_finite(item, (*path, key), reported)
    elif isinstance(value, float) and not math.isfinite(value) and path not in reported:
        yield Problem(path, f"is {value}; it must be a finite number")


def read_values(value: object, schema: Schema) -> object:
    """Read texts as YAML where the schema does not expect a text, and 3.0 as 3 where it is a count.

    Snakemake hands over nested values of ``--config 'student={layers: 2}'`` as texts. What YAML
    itself reads as a text, such as ``2e-5``, stays one and is refused later.
    """
    if isinstance(value, str):
        value = _read_text(value, schema)
    if isinstance(value, Mapping):
        rest = schema.get("additionalProperties") or {}
        known = schema.get("properties", {})
        return {key: read_values(item, known.get(key, rest)) for key, item in value.items()}
    if isinstance(value, list):
        return [read_values(item, schema.get("items", {})) for item in value]
    if isinstance(value, float) and value.is_integer() and "integer" in _types(schema):
        return int(value)
    return value


def _read_text(text: str, schema: Schema) -> object:
    types = _types(schema)
    if text == "null" and ("null" in types or None in schema.get("enum", ())):
        return None
    if not types or "string" in types:
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _problems_of(error: ValidationError) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in error.instance:
            if key not in known:
                yield Problem((*path, key), f"unknown key; {nearest(key, known)}")
    elif error.validator == "required":
        yield from _missing(error, path)
    elif error.parent is None and "propertyNames" in error.absolute_schema_path:
        sentence = f"must be {error.schema['expected']}; choose another name"
        yield Problem((*path, error.instance), sentence)
    else:
        yield Problem(path, _sentence(error))


def _missing(error: ValidationError, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """The problem of one missing key: the validator reports each by itself."""
    key = next(key for key in error.validator_value if error.message.startswith(repr(key)))
    yield Problem((*path, key), "this key is missing; config.yaml shows what belongs there")


def _sentence(error: ValidationError) -> str:
    value, limit, shown = error.instance, error.validator_value, _shown(error.instance)
    if error.validator == "enum":
        return f"{shown} is not allowed; {_choice(value, limit)}"
    if error.validator == "uniqueItems":
        return f"{_repeated(value)} is listed more than once; list each value once"
    if error.validator in ("minItems", "minProperties"):
        return f"is empty; put at least one entry there{_or_null(error)}"
    if error.validator == "type" and isinstance(value, str):
        return _not_text(value, error.schema)
    bounds = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "greater than",
        "exclusiveMaximum": "less than",
    }
    if str(error.validator) in bounds:
        return f"is {shown}; it must be {bounds[str(error.validator)]} {limit}"
    return f"is {shown}; it must be {_expected(error.schema)}"


def _choice(value: object, allowed: list[object]) -> str:
    if value is None or isinstance(value, bool | int | float):
        return "write " + " or ".join(_shown(item) for item in allowed)
    names = [item for item in allowed if isinstance(item, str)]
    hint = nearest(value, names)
    return hint if hint.startswith("known") else f"{hint} (known: {', '.join(names)})"


def _or_null(error: ValidationError) -> str:
    return " or write null" if "null" in _types(error.schema) else ""


def _not_text(value: str, schema: Schema) -> str:
    """A text where something else is expected; YAML 1.1 reads 2e-5 as a text."""
    expected = _expected(schema)
    if {"number", "integer"} & set(_types(schema)) and _is_number(value):
        return f"is the text '{value}', not {expected}; write {_with_point(value)}"
    return f"is the text '{value}'; it must be {expected}"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _with_point(text: str) -> str:
    """The form of a number that YAML 1.1 reads as one: a point, and a signed exponent."""
    mantissa, letter, exponent = text.lower().partition("e")
    if not letter:
        return repr(float(text))
    sign = "" if exponent[:1] in "+-" else "+"
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{sign}{exponent}"


def _expected(schema: Schema) -> str:
    return schema.get("expected") or " or ".join(_NOUNS[name] for name in _types(schema))


def _repeated(values: list[object]) -> str:
    return ", ".join(dict.fromkeys(_shown(item) for item in values if values.count(item) > 1))


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a mapping"
    return f"'{_shortened(value)}'" if isinstance(value, str) else str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} ..."
