"""The reference of all config keys and the schema's file, from the config's types and defaults.

python -m internal_kd.study.reference config.yaml workflow/schemas/config.schema.yaml docs/config.md
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from internal_kd.specs.schema import Schema, config_schema

Row = tuple[str, str, str]

HEAD = """# Every key of a config

Made from the config's types and `config.yaml` by `make reference`; a test fails when it is stale.
A study's file holds what differs from the defaults: `snakemake --configfile studies/quick.yaml`.
A key that is misspelt or has a value that does not fit is reported before anything runs.
"""
SCHEMA_HEAD = """\
# JSON Schema of a study's config, made from the types in src/internal_kd/specs and from config.yaml
# by `make reference`. Besides the standard's keywords, `expected` completes the sentence "<key>
# must be ..." where the standard's keywords say it badly. Every text has a format, which
# src/internal_kd/study/schema.py checks, or is one of a list: texts become names of files,
# arguments of commands and words of tables.
"""
WIDTH = 100
# Keys whose entries have a section of their own.
ENTRIES = {
    ("pretraining", "stages"): "A stage of pre-training",
    ("task_definitions",): "A task of your own",
    ("agnostic",): "A general student",
    ("experiments",): "An experiment",
    ("grids",): "A grid",
    ("figures",): "A figure",
    ("plan", "devices"): "A device",
}
RULE = "Resources of a rule"
IN_CONFIG = "see `config.yaml`"


def schema_file(schema: Schema) -> str:
    """The schema as a YAML file."""
    text = yaml.dump(
        schema,
        Dumper=_Plain,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=WIDTH,
    )
    return f"{SCHEMA_HEAD}{text}"


class _Plain(yaml.SafeDumper):
    """Writes what stands in several places out in each."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def reference(schema: Schema) -> str:
    """The page of all keys as Markdown.

    Args:
        schema: of a config, with the defaults.
    """
    sections = [HEAD]
    for key, part in schema["properties"].items():
        sections.append(f"\n## {key}\n\n{_sentence(part)}\n\n{_table(_rows((key,), part))}")
    for path, title in ENTRIES.items():
        sections.append(f"\n## {title}\n\n{_table(_properties((), _entry(_part(schema, path))))}")
    rule = _without_defaults(_part(schema, ("resources", "report")))
    sections.append(f"\n## {RULE}\n\n{_table(_properties((), rule))}")
    return "".join(sections)


def _part(schema: Schema, path: tuple[str, ...]) -> Schema:
    for key in path:
        schema = schema["properties"][key]
    return schema


def _entry(part: Schema) -> Schema:
    """What a list or a mapping with free keys has in it; nothing for other parts."""
    return part.get("items") or part.get("additionalProperties") or {}


def _without_defaults(part: Schema) -> Schema:
    properties = {
        key: {name: fact for name, fact in below.items() if name != "default"}
        for key, below in part["properties"].items()
    }
    return part | {"properties": properties}


def _rows(path: tuple[str, ...], part: Schema) -> Iterator[Row]:
    """A row for a key, or for each key below it."""
    key = ".".join(path)
    if path[0] == "resources" and len(path) > 1:
        yield key, f"`{_json(_defaults(part))}`", f"{_sentence(part)} See {_link(RULE)}."
    elif path == ("common",):
        yield key, "", f"{_sentence(part)} See {_link('An experiment')}."
    elif path in ENTRIES and "properties" in _entry(part):
        default = "`null`" if part.get("default", IN_CONFIG) is None else IN_CONFIG
        yield key, default, f"{_sentence(part)} Each: see {_link(ENTRIES[path])}."
    elif "properties" in part and "string" not in part["type"]:
        if "default" in part:
            yield key, f"`{_json(part['default'])}`", _sentence(part)
        yield from _properties(path, part)
    else:
        default = f"`{_json(part['default'])}`" if "default" in part else ""
        yield key, default, f"{_sentence(part)}{_values(part)}"


def _properties(path: tuple[str, ...], part: Schema) -> Iterator[Row]:
    for key, below in part["properties"].items():
        yield from _rows((*path, key), below)


def _defaults(part: Schema) -> dict[str, object]:
    found = part["properties"].items()
    return {key: below["default"] for key, below in found if "default" in below}


def _link(title: str) -> str:
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _sentence(part: Schema) -> str:
    text = str(part["description"])
    return f"{text[0].upper()}{text[1:]}."


def _values(part: Schema) -> str:
    """What is allowed, where the description does not say it."""
    if "enum" in part:
        return f" One of {', '.join(f'`{_json(value)}`' for value in part['enum'])}."
    bounds = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most"}
    bounds["exclusiveMaximum"] = "below"
    found = [f"{word} {part[key]}" for key, word in bounds.items() if key in part]
    return f" {', '.join(found).capitalize()}." if found else ""


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _table(rows: Iterable[Row]) -> str:
    lines = ["| key | default | what it is |", "| --- | --- | --- |"]
    lines += [f"| `{key}` | {default} | {text.replace('|', '/')} |" for key, default, text in rows]
    return "\n".join(lines) + "\n"


def main(defaults: str, schema: str, page: str) -> None:
    """Write the schema's file and the page.

    Args:
        defaults: path of the default config.
        schema: path of the schema's file.
        page: path of the page.
    """
    made = config_schema(yaml.safe_load(Path(defaults).read_text(encoding="utf-8")))
    Path(schema).write_text(schema_file(made), encoding="utf-8")
    Path(page).write_text(reference(made), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
