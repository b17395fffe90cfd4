"""The reference of config keys and the schema's file are made from the types and config.yaml."""

import yaml

from internal_kd.specs.schema import config_schema
from internal_kd.study.reference import reference, schema_file
from tests.conftest import ROOT

DEFAULTS = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
SCHEMA = config_schema(DEFAULTS)
FILE = (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/config.md").read_text(encoding="utf-8")
# What users name themselves, and what has a section of its own.
NAMED = (
    "agnostic",
    "experiments",
    "grids",
    "figures",
    "resources",
    "devices",
    "per_task",
    "stages",
)


def leaves(path, value):
    """Paths and values of the default config."""
    for key, item in value.items():
        here = (*path, key)
        if here[0] in NAMED or here[-1] in NAMED:
            continue
        if isinstance(item, dict):
            yield from leaves(here, item)
        else:
            yield here, item


def test_the_page_is_up_to_date():
    assert reference(SCHEMA) == PAGE, "call 'make reference'"


def test_the_schemas_file_is_up_to_date():
    assert schema_file(SCHEMA) == FILE, "call 'make reference'"
    assert yaml.safe_load(FILE) == SCHEMA


def test_every_key_of_the_config_has_a_row_with_its_default():
    found = list(leaves((), DEFAULTS))
    assert len(found) > 60
    for path, value in found:
        written = value if isinstance(value, str) else ""
        assert f"| `{'.'.join(path)}` | `{written}" in PAGE, path


def test_a_changed_default_changes_page_and_schema():
    other = config_schema(DEFAULTS | {"study": "another"})
    assert reference(other) != PAGE
    assert schema_file(other) != FILE
