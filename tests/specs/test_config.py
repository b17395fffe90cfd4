"""YAML is read into the types of a config, and they are what a config is described by."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec
import pytest
import yaml
from msgspec import UNSET, Meta, UnsetType

from internal_kd.fingerprint import closure
from internal_kd.specs.config import (
    StudyConfig,
    decode_config,
    encode_config,
    training_on,
)
from internal_kd.specs.experiments import Experiment
from internal_kd.specs.jobs import SelectionSettings
from internal_kd.specs.schema import Schema, config_schema, descriptions, schema_of
from internal_kd.specs.students import DistillationSettings, SignalSettings
from internal_kd.specs.training import OwnTraining, TaskTraining, TrainingSettings, changed
from internal_kd.specs.values import Count, Name, Section
from internal_kd.study.schema import schema_problems
from tests.conftest import ROOT
from tests.study.configs import merged, read_config, read_study

DEFAULTS = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
OVERLAYS = sorted(file.stem for file in (ROOT / "studies").glob("*.yaml"))
SHIPPED = [(), *((name,) for name in OVERLAYS)]


def keys(part: Schema, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Every key of a schema, also of entries, which stand below `*`."""
    for key, below in part.get("properties", {}).items():
        yield (*path, key), below
        yield from keys(below, (*path, key))
    for entries in (part.get("additionalProperties"), part.get("items")):
        if isinstance(entries, dict):
            yield from keys(entries, (*path, "*"))


def required(schema: Schema, path: tuple[str, ...]) -> bool:
    *above, key = path
    for step in above:
        entries = schema.get("items") or schema.get("additionalProperties")
        schema = entries if step == "*" else schema["properties"][step]
    return key in schema["required"]


def test_every_key_has_a_description() -> None:
    found = dict(keys(config_schema(DEFAULTS)))
    assert len(found) > 150
    assert [path for path, part in found.items() if not part.get("description")] == []


def test_every_key_has_a_default_unless_an_entry_must_or_may_say_it() -> None:
    schema = config_schema(DEFAULTS)
    for path, part in keys(schema):
        if "properties" in part or "default" in part:
            continue
        # An entry has what it must have, and what differs from what stands elsewhere.
        section = path[:-1] == ("student", "base_model")  # null, or all of its keys
        assert "*" in path or path[0] == "resources" or section, path
        changes = {"per_task", "training", "limit"} & set(path)
        optional = path[0] in ("figures", "grids") or path[-1] in ("growth", "faintness")
        assert required(schema, path) or changes or optional, path


def test_defaults_are_those_of_the_default_config() -> None:
    for path, part in keys(config_schema(DEFAULTS)):
        value = DEFAULTS
        for key in path:
            value = value.get(key, UNSET) if isinstance(value, dict) else UNSET
        if "*" not in path and "properties" not in part and value is not UNSET:
            assert part["default"] == value, path


@pytest.mark.parametrize("overlays", SHIPPED, ids=str)
def test_shipped_configs_are_read_and_written_back(overlays) -> None:
    config = decode_config(read_config(*overlays))
    assert type(config) is StudyConfig
    written = encode_config(config)
    assert schema_problems(written, config_schema()) == []
    assert decode_config(written) == config
    assert decode_config(merged(DEFAULTS, written)) == config, "as an overlay"


def test_what_an_overlay_empties_stays_empty() -> None:
    emptied = {"exp2.0": {"output": {"hard": 1.0, "soft": 1.0}}, "exp3.0": {"internal": None}}
    study = read_study(
        experiments=emptied, figures={"fig2": None}, student={"per_task": None}, reports=["table1"]
    )
    again = decode_config(merged(DEFAULTS, encode_config(study.config)))
    assert again == study.config
    assert (again.figures["fig2"], again.student.per_task) == (None, None)
    assert again.experiments["exp3.0"].internal == {}


def test_what_does_not_fit_names_the_place() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"student\.layers"):
        decode_config(read_config(student={"layers": 0}))
    with pytest.raises(msgspec.ValidationError, match="learning_rates"):
        decode_config(read_config(student={"per_task": {"rte": {"learning_rates": 1.0}}}))


def test_the_loop_reads_the_types_that_yaml_gives() -> None:
    config = read_study().config
    assert type(config.teacher.training) is type(config.student.training) is TrainingSettings
    assert type(config.selection) is SelectionSettings
    assert {type(experiment) for experiment in config.experiments.values()} == {Experiment}
    assert type(config.distillation.of_jobs) is DistillationSettings
    assert type(config.distillation.of_jobs.signals) is SignalSettings
    assert config.distillation.of_jobs.internal_fraction == 0.8


def test_an_experiment_knows_its_name() -> None:
    assert {name: row.name for name, row in read_study().experiments.items()} == {
        name: name for name in DEFAULTS["experiments"]
    }


def test_settings_of_a_task_and_of_an_experiment_differ_in_what_they_name() -> None:
    student = read_study(student={"per_task": {"rte": {"keep_metric": None, "compile": True}}})
    training = student.config.student.training
    assert training_on(student.config.student, "rte") == replace(training, compile=True)
    assert training_on(student.config.student, "qqp") == training
    own = OwnTraining(epochs=3, restart_schedule=True)
    assert changed(training, own) == replace(training, epochs=3, restart_schedule=True)
    assert changed(training, TaskTraining()) == training


def test_every_training_setting_can_differ_on_a_task() -> None:
    names = {*TrainingSettings.__dataclass_fields__}
    assert set(OwnTraining.__struct_fields__) == names
    assert set(TaskTraining.__struct_fields__) == names - {"restart_schedule"}
    types = TrainingSettings.__annotations__
    for own in msgspec.structs.fields(TaskTraining):
        assert schema_of(own.type) == schema_of(types[own.name]), own.name


@dataclass(frozen=True)
class Whole:
    """Something.

    Attributes:
        count: how many, at
            least: one.
        kinds: of what.
    """

    count: Count = 3
    kinds: tuple[Name, ...] = ()


class Part(Section, frozen=True):
    """A part of something.

    Attributes:
        one: first.
        other: second.
        third: a name or a list.
        whole: what it belongs to.
    """

    one: Literal["b", "a"] | None
    other: Annotated[float, Meta(gt=0, le=2)] | UnsetType | None = UNSET
    third: Literal["x"] | Annotated[tuple[Count, ...], Meta(min_length=1)] = "x"
    whole: Whole = Whole()


def test_a_schema_says_what_a_type_says() -> None:
    schema = schema_of(Part)
    assert schema["required"] == ["one"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["one"] == {"description": "first", "enum": ["b", "a", None]}
    assert schema["properties"]["other"] == {
        "description": "second",
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": 2,
    }
    assert schema["properties"]["third"] == {
        "description": "a name or a list",
        "type": ["string", "array"],
        "if": {"type": "string"},
        "then": {"enum": ["x"]},
        "else": {"minItems": 1},
        "items": {"type": "integer", "minimum": 1},
        "default": "x",
    }
    whole = schema["properties"]["whole"]
    assert whole["description"] == "what it belongs to"
    assert whole["properties"]["count"]["default"] == 3
    assert whole["properties"]["kinds"]["items"]["format"] == "name"


def test_descriptions_come_from_docstrings() -> None:
    assert descriptions(Whole) == {"count": "how many, at least: one", "kinds": "of what"}


def test_the_types_of_jobs_know_nothing_of_the_whole_config() -> None:
    """Or an edit of any key would train everything anew."""
    found = closure("internal_kd.specs.students")
    assert "internal_kd.specs.config" not in found
    assert "internal_kd.specs.schema" not in found
    assert "internal_kd.specs.config" in closure("internal_kd.study.config")
