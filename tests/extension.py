"""The example of docs/extending.md, verbatim."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from internal_kd.objectives import registry
from tests.conftest import ROOT

FILE = "my_objectives.py"


def block(language: str) -> str:
    """The page's blocks of code in this language, one after the other."""
    page = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL))


def config() -> dict[str, Any]:
    """What the page adds to a config."""
    found: dict[str, Any] = yaml.safe_load(block("yaml"))
    return found


def write_extension(folder: Path, text: str | None = None) -> Path:
    """The page's file, or another text, in a folder."""
    file = folder / FILE
    file.write_text(block("python") if text is None else text, encoding="utf-8")
    return file


@contextmanager
def forgotten() -> Iterator[None]:
    """What is registered inside is forgotten at the end."""
    tables = (
        registry.OBJECTIVES,
        registry.TARGETS,
        registry.OUTPUT_OBJECTIVES,
        registry.EXTENSIONS,
    )
    before = [dict(table) for table in tables]
    try:
        yield
    finally:
        for table, entries in zip(tables, before, strict=True):
            table.clear()
            table.update(entries)
