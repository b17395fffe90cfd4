"""The reference of config keys is that of the schema, and has a sentence and a default for each."""

import yaml

from internal_kd.study.reference import reference
from tests.conftest import ROOT

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
DEFAULTS = yaml.safe_load((ROOT / "config.yaml").read_text())
PAGE = (ROOT / "docs/config.md").read_text(encoding="utf-8")
# What users name themselves, and what has a section of its own.
NAMED = ("experiments", "figures", "resources", "devices", "per_task")


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
    assert reference(SCHEMA, DEFAULTS) == PAGE, "call 'make reference'"


def test_every_key_of_the_config_has_a_row_with_its_default():
    found = list(leaves((), DEFAULTS))
    assert len(found) > 60
    for path, value in found:
        written = value if isinstance(value, str) else ""
        assert f"| `{'.'.join(path)}` | `{written}" in PAGE, path


def test_a_changed_default_changes_the_page():
    assert reference(SCHEMA, DEFAULTS | {"study": "another"}) != PAGE
