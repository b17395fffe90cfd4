"""The JSON Schema of a config, derived from its types.

Beside the standard's keywords it has `expected`, which completes the sentence "<key> must be ..."
where those say it badly. Nothing in it refers to another part: the sections stand where they are.
"""

import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from internal_kd.specs.config import StudyConfig
from internal_kd.specs.grids import KEYS_OF
from internal_kd.specs.values import NO_KEY

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}
LEAST = {"array": "minItems", "object": "minProperties"}


def config_schema(defaults: Mapping[str, object] | None = None) -> Schema:
    """The schema of a config.

    Args:
        defaults: values of the default config, which the schema then has.
    """
    schema = {"$schema": DIALECT, "title": "config of a study", **schema_of(StudyConfig)}
    _require(schema)
    _note_defaults(schema, defaults or {})
    return schema


def schema_of(kind: object) -> Schema:
    """The schema of a type; keys without a default are required."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(_some_keys(args[1:]) or schema_of(args[0]), args[1:])
    if origin in (Union, UnionType):
        return _union([part for part in args if part is not UnsetType])
    if origin is Literal:
        return {"enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": schema_of(args[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        names, values = map(schema_of, args)
        return {"type": "object", "propertyNames": names, "additionalProperties": values}
    if kind in SCALARS:
        return {"type": SCALARS[kind]}  # type: ignore[index]
    assert isinstance(kind, type)
    return _section(kind)


def _annotated(schema: Schema, facts: tuple[object, ...]) -> Schema:
    for meta in facts:
        assert isinstance(meta, Meta)
        bounds = {name: getattr(meta, key) for key, name in BOUNDS.items()}
        schema |= {name: bound for name, bound in bounds.items() if bound is not None}
        if meta.min_length is not None:
            schema[LEAST[schema["type"]]] = meta.min_length
        schema |= meta.extra_json_schema or {}
    return schema


def _some_keys(facts: tuple[object, ...]) -> Schema | None:
    """Of a mapping that has some keys of a class; None for anything else."""
    for extra in (meta.extra or {} for meta in facts if isinstance(meta, Meta)):
        if KEYS_OF in extra:
            section = _section(extra[KEYS_OF])
            properties = {
                key: {name: fact for name, fact in part.items() if name != "default"}
                for key, part in section["properties"].items()
                if key not in extra["without"]
            }
            return section | {"required": [], "properties": properties}
    return None


def _union(parts: list[object]) -> Schema:
    """Of one type and null, of names and a list, or of a text and a section.

    There is no `anyOf`, so that a problem is one.
    """
    found = [schema_of(part) for part in parts if part is not NoneType]
    schema = found[0] if len(found) == 1 else _either(*found)
    if NoneType not in parts:
        return schema
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    return schema | {"type": [schema["type"], "null"]}


def _either(first: Schema, second: Schema) -> Schema:
    if second["type"] == "array":
        return _names_or_list(first, second)
    return first | second | {"type": [first["type"], second["type"]]}


def _names_or_list(names: Schema, items: Schema) -> Schema:
    """Some names, or a list."""
    choice = {"if": {"type": "string"}, "then": names, "else": {"minItems": items["minItems"]}}
    return {"type": ["string", "array"], **choice, "items": items["items"]}


def _section(kind: type) -> Schema:
    """Of a class whose fields are keys."""
    found = descriptions(kind)
    properties = {}
    required = []
    for key, name, field_type, default in fields_of(kind):
        described = {"description": found[name]} if name in found else {}
        properties[key] = described | schema_of(field_type)
        if default is msgspec.NODEFAULT:
            required.append(key)
        elif default is not UNSET:
            properties[key]["default"] = msgspec.json.decode(msgspec.json.encode(default))
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


Field = tuple[str, str, object, object]


def fields_of(kind: type) -> Iterator[Field]:
    """Key, name, type and default of the fields that are keys of the config."""
    for key, name, field_type, default in _all_fields(kind):
        if NO_KEY not in get_args(field_type):
            yield key, name, field_type, default


def _all_fields(kind: type) -> Iterator[Field]:
    if issubclass(kind, msgspec.Struct):
        for own in msgspec.structs.fields(kind):
            made = (
                own.default if own.default_factory is msgspec.NODEFAULT else own.default_factory()
            )
            yield own.encode_name, own.name, own.type, made
        return
    assert dataclasses.is_dataclass(kind)
    types = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        yield field.name, field.name, types[field.name], _default(field)


def _default(field: dataclasses.Field[object]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return msgspec.NODEFAULT if field.default is dataclasses.MISSING else field.default


def descriptions(kind: type) -> dict[str, str]:
    """What the docstring of a class says of its attributes, and those of the classes it extends."""
    described = (*reversed(kind.__mro__), *getattr(kind, "DESCRIBED_IN", ()))
    return {
        name: " ".join(text.split()).removesuffix(".")
        for own in described
        for name, text in _attributes(own.__doc__ or "")
    }


def _attributes(docstring: str) -> Iterator[tuple[str, str]]:
    section = inspect.cleandoc(docstring).partition("Attributes:\n")[2].partition("\n\n")[0]
    for entry in filter(None, re.split(r"\n(?=    \S)", section)):
        name, _, text = entry.strip().partition(": ")
        yield name, text


def _require(section: Schema) -> None:
    """Require what config.yaml has: all keys whose names are fixed, also those with a default."""
    properties: dict[str, Schema] = section["properties"]
    section["required"] = [
        key for key, part in properties.items() if key in section["required"] or "default" in part
    ]
    for part in properties.values():
        if "properties" in part:
            _require(part)


def _note_defaults(section: Schema, defaults: Mapping[str, object]) -> None:
    """Note the default config's values."""
    for key, value in defaults.items():
        part = section["properties"][key]
        if "properties" in part and isinstance(value, Mapping):
            _note_defaults(part, value)
        else:
            part["default"] = value
