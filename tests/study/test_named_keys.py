"""Keys that messages name are keys of the config."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.study.configs import SCHEMA

SOURCES = sorted((ROOT / "src").rglob("*.py"))
KEY = re.compile(r"(?<![\w./'])([a-z_0-9]+(?:\.[a-z_0-9]+)+)(?![\w/(])")
ENDINGS = {"csv", "html", "json", "md", "npz", "parquet", "py", "safetensors", "tex", "zip"}


def is_key(name: str) -> bool:
    """Whether a dotted name leads to a value of the config."""
    part: dict[str, Any] = SCHEMA
    for word in name.split("."):
        known, others = part.get("properties", {}), part.get("additionalProperties")
        if word in known:
            part = known[word]
        elif isinstance(others, dict):
            part = others
        else:
            return False
    return True


def texts(file: Path) -> Iterator[str]:
    """The texts in a source, without docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documents:
            yield node.value


def named(file: Path) -> set[str]:
    """Dotted names in a source's texts that begin as keys of the config do."""
    found = {name for text in texts(file) for name in KEY.findall(text)}
    return {
        name
        for name in found
        if name.partition(".")[0] in SCHEMA["properties"] and name.rpartition(".")[2] not in ENDINGS
    }


def test_every_key_named_by_a_message_exists():
    found = {name: file.name for file in SOURCES for name in named(file)}
    assert len(found) >= 15
    assert {name: file for name, file in found.items() if not is_key(name)} == {}


@pytest.mark.parametrize("name", ["official", "data.limits", "student.training.epoch"])
def test_unknown_keys_are_detected(name):
    assert not is_key(name)
