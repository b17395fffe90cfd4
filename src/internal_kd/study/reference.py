"""The reference of all config keys, from the schema and the default config.

python -m internal_kd.study.reference workflow/schemas/config.schema.yaml config.yaml
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from internal_kd.specs.experiments import Experiment

Schema = Mapping[str, Any]
Row = tuple[str, str, str]

HEAD = """# Every key of a config

Made from the schema and `config.yaml` by `make reference`; a test fails when it is stale.
A study's file holds what differs from the defaults: `snakemake --configfile studies/quick.yaml`.
A key that is misspelt or has a value that does not fit is reported before anything runs.
"""
# Parts of the schema that stand in several places, with the titles of their own sections.
SHARED = {
    "experiment": "An experiment",
    "figure": "A figure",
    "resources": "Resources of a rule",
}
NOTHING = object()


def reference(schema: Schema, defaults: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    sections = [HEAD]
    for key, part in schema["properties"].items():
        found = _resolved(part, schema)
        sections.append(f"\n## {key}\n\n{_sentence(found)}\n")
        sections.append(f"\n{_table(_rows((key,), part, defaults[key], schema))}")
    for name, title in SHARED.items():
        known = asdict(Experiment("", "")) if name == "experiment" else {}
        rows = _properties((), schema["$defs"][name], known, schema)
        sections.append(f"\n## {title}\n\n{_table(rows)}")
    return "".join(sections)


def _rows(path: tuple[str, ...], part: Any, default: Any, schema: Schema) -> Iterator[Row]:
    """A row for a key, or for each key below it."""
    shared = _shared(part)
    found = _resolved(part, schema)
    if shared is not None and len(path) > 1:
        yield ".".join(path), "", f"see [{SHARED[shared]}](#{_anchor(SHARED[shared])})"
        return
    if "properties" in found:
        yield from _properties(path, found, default, schema)
        return
    rest = _shared(found.get("additionalProperties"))
    text = _sentence(found)
    if rest is not None:
        text += f" Each: see [{SHARED[rest]}](#{_anchor(SHARED[rest])})."
        default = NOTHING
    yield ".".join(path), _written(default), f"{text}{_values(found)}"


def _properties(path: tuple[str, ...], part: Schema, default: Any, schema: Schema) -> Iterator[Row]:
    for key, below in part["properties"].items():
        known = default.get(key, NOTHING) if isinstance(default, Mapping) else NOTHING
        yield from _rows((*path, key), below, known, schema)


def _resolved(part: Any, schema: Schema) -> dict[str, Any]:
    """A part of the schema with what it refers to."""
    found: dict[str, Any] = {}
    if "$ref" in part:
        target: Any = schema
        for name in part["$ref"].split("/")[1:]:
            target = target[name]
        found |= _resolved(target, schema)
    return found | {key: value for key, value in part.items() if key != "$ref"}


def _shared(part: Any) -> str | None:
    if not isinstance(part, Mapping) or "$ref" not in part:
        return None
    name = str(part["$ref"]).rpartition("/")[2]
    return name if name in SHARED else None


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _sentence(part: Schema) -> str:
    text = " ".join(str(part["description"]).split())
    return f"{text[0].upper()}{text[1:]}."


def _values(part: Schema) -> str:
    """What is allowed, where the description does not say it."""
    if "enum" in part:
        return f" One of {', '.join(f'`{_json(value)}`' for value in part['enum'])}."
    bounds = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most"}
    bounds["exclusiveMaximum"] = "below"
    found = [f"{word} {part[key]}" for key, word in bounds.items() if key in part]
    return f" {', '.join(found).capitalize()}." if found else ""


def _written(value: Any) -> str:
    return "" if value is NOTHING else f"`{_json(value)}`"


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _table(rows: Iterable[Row]) -> str:
    lines = ["| key | default | what it is |", "| --- | --- | --- |"]
    lines += [f"| `{key}` | {default} | {text.replace('|', '/')} |" for key, default, text in rows]
    return "\n".join(lines) + "\n"


def main(files: Sequence[str]) -> None:
    """Print the page; the files are the schema and the default config."""
    schema, defaults = (yaml.safe_load(Path(file).read_text(encoding="utf-8")) for file in files)
    print(reference(schema, defaults), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
