"""docs/objectives.md names every objective, and its examples are configs."""

import re

import yaml

from internal_kd.objectives.registry import HEADS, HIDDEN, OBJECTIVES, OUTPUT_OBJECTIVES
from internal_kd.study.config import load
from tests.conftest import ROOT
from tests.study.configs import merged, read_config

PAGE = (ROOT / "docs/objectives.md").read_text(encoding="utf-8")


def test_every_objective_is_listed_once():
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(names) == sorted([*OBJECTIVES, *OUTPUT_OBJECTIVES])


def test_what_must_be_equal_is_that_of_the_registry():
    words = {HEADS: "heads", HIDDEN: "width"}
    lines = re.findall(r"^\| `.*", PAGE.split("## Of the output")[0], re.MULTILINE)
    rows = [(cells[1], cells[3].strip()) for cells in (line.split("|") for line in lines)]
    listed = {name: equal for names, equal in rows for name in re.findall(r"`(\w+)`", names)}
    assert listed == {
        name: ", ".join(words[size] for size in objective.equal)
        for name, objective in OBJECTIVES.items()
    }


def test_the_examples_are_a_study():
    (block,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    study = load(merged(read_config(), yaml.safe_load(block)))
    assert study.experiments["minilm"].layer_map == "last"
    assert study.experiments["hidden"].has_stages
