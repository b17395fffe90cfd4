"""What the sources must not do: have a shell read a value, or run what is read from a file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])
SHELL = re.compile(r"^( +)shell:\n((?:\1    .*\n)+)", re.MULTILINE)
PARAMS = re.compile(r"^( +)params:\n((?:\1    .*\n)+)", re.MULTILINE)
PLAIN = re.compile(
    r'CODE\.(job|modules)\(|"[a-z_]+",|example\.function,'
    r'|PATHS\.(run|checkpoints|agnostic|agnostic_checkpoints),|\["--base", PATHS\.base\],'
)
FUNCTION = re.compile(r"lambda |for_each\(|[a-z_]+,$")
PLACEHOLDER = re.compile(r"(?<!{)\{([^{}]+)\}")
# A loader, and the argument that it must be given.
REQUIRED_ARGUMENTS = {
    "from_pretrained": ("trust_remote_code", False),
    "load": ("weights_only", True),
}
FORMATS = {"name", "path", "text"}


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_value_in_a_shell_command_is_quoted(file):
    text = file.read_text(encoding="utf-8")
    commands = [command for _, command in SHELL.findall(text)]
    assert len(commands) == len(re.findall(r"\n +shell:", text))
    for command in commands:
        assert not re.search(r"\bf['\"]", command), command
        for value in PLACEHOLDER.findall(command):
            assert value.endswith(":q"), (file.name, value)


def test_what_all_commands_begin_with_is_quoted():
    text = (ROOT / "workflow/rules/common.smk").read_text(encoding="utf-8")
    found = "".join(re.findall(r"^(?:START = \((?:.|\n)*?\n\)|OPTIONS = .*)$", text, re.MULTILINE))
    values = PLACEHOLDER.findall(found)
    assert len(values) == 4
    assert all(value.endswith(":q") for value in values)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_no_text_of_the_config_is_a_pattern(file):
    """Snakemake fills in plain parameters: words in braces would be taken for its own.

    The folder of results, which may have no braces, and what is no text of the config may be plain.
    """
    for indent, block in PARAMS.findall(file.read_text(encoding="utf-8")):
        for name, value in re.findall(rf"^{indent}    (\w+)=(.*)", block, re.MULTILINE):
            assert PLAIN.match(value) or FUNCTION.match(value), (file.name, name, value)


def calls(file: Path) -> Iterator[tuple[str, ast.Call]]:
    """Calls of methods and functions by the name they have in the source."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_readers_are_configured_to_execute_nothing():
    found = 0
    for file in SOURCES:
        for name, call in calls(file):
            last = name.rpartition(".")[2]
            if last in REQUIRED_ARGUMENTS and (last != "load" or name == "torch.load"):
                key, value = REQUIRED_ARGUMENTS[last]
                keywords = {word.arg: ast.unparse(word.value) for word in call.keywords}
                assert keywords.get(key) == str(value), (file, call.lineno)
                found += 1
    assert found >= 6


def test_no_other_code_reads_pickles_or_executes_text():
    banned = {"pickle.load", "pickle.loads", "pd.read_pickle", "joblib.load", "eval", "exec"}
    banned |= {"os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "input"}
    for file in SOURCES:
        for name, call in calls(file):
            keywords = {word.arg: ast.unparse(word.value) for word in call.keywords}
            assert name not in banned, (file, call.lineno)
            assert keywords.get("shell") in (None, "False"), (file, call.lineno)
            assert keywords.get("allow_pickle") in (None, "False"), (file, call.lineno)


def test_every_text_is_read_and_written_as_utf_8():
    """Ruff sees `open`, and methods of paths only where it can infer that they are paths."""
    for file in SOURCES:
        for name, call in calls(file):
            if name.rpartition(".")[2] in ("read_text", "write_text"):
                keywords = {word.arg: ast.unparse(word.value) for word in call.keywords}
                assert keywords.get("encoding") == "'utf-8'", (file, call.lineno)


def texts_in(schema: object, path: str = "") -> Iterator[tuple[str, dict]]:
    """Parts of the schema that describe a text."""
    if isinstance(schema, dict):
        types = schema.get("type", ())
        if "string" in ([types] if isinstance(types, str) else types):
            yield path, schema
        for key, value in schema.items():
            yield from texts_in(value, f"{path}/{key}")


def test_every_text_of_a_config_has_a_format():
    """And patterns end where the text ends: Python's `$` admits a line end after it."""
    schema = yaml.safe_load(
        (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    )
    found = dict(texts_in(schema))
    assert len(found) >= 8
    for path, text in found.items():
        limited = text.get("format") in FORMATS or "then" in text or path.endswith("/if")
        limited = limited or text.get("maxLength") == 1  # such as what separates columns
        assert limited, path
    patterns = re.findall(r"pattern: (.+)$", yaml.safe_dump(schema, width=1000), re.MULTILINE)
    assert patterns
    assert not [pattern for pattern in patterns if "$" in pattern]


def test_every_mapping_with_free_keys_limits_their_names():
    schema = yaml.safe_load(
        (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    )

    def check(part: object, path: str) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("additionalProperties"), dict):
                assert "propertyNames" in part, path
            for key, value in part.items():
                check(value, f"{path}/{key}")

    check(schema, "")
