"""Files of a job, and the options that come from them."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from internal_kd.jobs.files import Option, Reads, Writes, add_options, files_of, paths_of


@dataclass(frozen=True, kw_only=True)
class Common:
    """A field that several jobs have."""

    expected: Annotated[Path | None, Option("what it should be made from")] = None


@dataclass(frozen=True, kw_only=True)
class Files(Common):
    """One field of each type."""

    base: Annotated[Path, Reads("folder of the model")]
    runs: Annotated[tuple[Path, ...] | None, Reads("folders of runs")] = None
    signals_mb: Annotated[float, Option("millions of bytes")] = 0.5
    names: Annotated[tuple[str, ...], Option("some words")] = ()
    out: Annotated[Path, Writes("what is made")]


def parsed(*words: str) -> Files:
    parser = ArgumentParser()
    add_options(parser, Files)
    return files_of(Files, parser.parse_args(words))


def test_options_have_the_types_of_the_fields() -> None:
    words = ["--base", "b", "--runs", "r1", "r2", "--signals-mb", "2", "--names", "x", "--out", "o"]
    assert parsed(*words, "--expected", "e") == Files(
        expected=Path("e"),
        base=Path("b"),
        runs=(Path("r1"), Path("r2")),
        signals_mb=2.0,
        names=("x",),
        out=Path("o"),
    )


def test_fields_with_a_default_need_not_be_given() -> None:
    assert parsed("--base", "b", "--out", "o") == Files(base=Path("b"), out=Path("o"))


@pytest.mark.parametrize(
    ("words", "named"),
    [(["--base", "b"], "--out"), (["--base", "b", "--out", "o", "--runs"], "--runs")],
)
def test_a_missing_word_is_a_mistake(words, named, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        parsed(*words)
    assert stop.value.code == 2
    assert named in capsys.readouterr().err.splitlines()[-1]


def test_marks_tell_what_is_read_and_written() -> None:
    files = Files(base=Path("b"), runs=(Path("r1"), Path("r2")), out=Path("o"))
    assert paths_of(files, Reads) == [Path("b"), Path("r1"), Path("r2")]
    assert paths_of(files, Writes) == [Path("o")]
    assert paths_of(Files(base=Path("b"), out=Path("o")), Reads) == [Path("b")]
