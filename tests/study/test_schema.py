import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from internal_kd.specs.experiments import Experiment
from internal_kd.specs.training import TrainingSettings
from internal_kd.study.schema import schema_problems
from tests.conftest import ROOT
from tests.study.configs import SCHEMA, read_config


def objects_in(schema: Any, path: str = "") -> Iterator[tuple[str, dict]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object" or "properties" in schema:
            yield path, schema
        for key, value in schema.items():
            yield from objects_in(value, f"{path}/{key}")


def test_schema_is_valid():
    Draft202012Validator.check_schema(SCHEMA)


def test_no_mapping_takes_any_key():
    for path, schema in objects_in(SCHEMA):
        assert "additionalProperties" in schema, path
        assert schema["additionalProperties"] is not True, path


@pytest.mark.parametrize("overlays", [(), ("paper",), ("minilm",)])
def test_shipped_configs_fit(overlays):
    assert schema_problems(read_config(*overlays), SCHEMA) == []


def test_training_settings_are_those_of_the_training_loop():
    known = {field.name for field in dataclasses.fields(TrainingSettings)} - {"restart_schedule"}
    for role in ("teacher", "student"):
        section = SCHEMA["properties"][role]["properties"]
        training, per_task = section["training"], section["per_task"]["additionalProperties"]
        assert set(training["properties"]) == set(training["required"]) == known
        assert set(per_task["properties"]) == known
    own = SCHEMA["properties"]["experiments"]["additionalProperties"]["properties"]["training"]
    assert set(own["properties"]) == known | {"restart_schedule"}


def leaves(value: Any, path: tuple = ()) -> Iterator[tuple]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path


PATHS = sorted(leaves(read_config()), key=str)
WRONG = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just([[]]))


@given(st.sampled_from(PATHS), WRONG)
def test_any_wrong_value_is_reported_under_its_key(path, value):
    config = read_config()
    section = config
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    for problem in schema_problems(config, SCHEMA):
        assert problem.path[: len(path)] == path
        assert problem.sentence


def test_every_key_of_the_default_config_is_commented():
    """A comment stands beside a key or above it; some mappings have one for all their entries."""
    lines = (ROOT / "config.yaml").read_text().splitlines()
    together = {"experiments", "figures", "resources"}
    paths = [path for path in PATHS if path[0] not in together]
    keys = {key for path in paths for key in path} | together
    for key in keys - set(read_config()["tasks"]):
        mentions = [i for i, line in enumerate(lines) if re.search(rf"\b{key}:", line)]
        assert any("#" in lines[i] or "#" in lines[i - 1] for i in mentions), key


def test_experiment_defaults_in_the_comment_are_those_of_the_code():
    text = (ROOT / "config.yaml").read_text()
    for field in dataclasses.fields(Experiment):
        if field.name in ("name", "label"):
            continue
        default = {} if field.default is dataclasses.MISSING else field.default
        shown = yaml.safe_dump(default, default_flow_style=True).splitlines()[0]
        assert f"#   {field.name}: {shown} " in text, field.name
