"""Which texts a config may hold: one that does harm in a path or on a terminal is refused."""

import os
from pathlib import Path

import pytest

from internal_kd.errors import UserError, printable
from internal_kd.study.schema import schema_problems
from tests.study.configs import SCHEMA, merged, read_config, read_study

# Positions of a text in a config: a function that gives the changes with the text there.
NAMES = {
    "study": lambda text: {"study": text, "results": "results/x"},
    "experiments": lambda text: {"experiments": {text: {"label": "x", "output": {"hard": 1.0}}}},
    "figures": lambda text: {"figures": {text: {"kind": "attention_kl"}}},
}
TEXTS = {
    "experiments.exp2.0.label": lambda text: {"experiments": {"exp2.0": {"label": text}}},
    "plan.device": lambda text: {"plan": {"device": text, "devices": {text: DEVICE}}},
}
PATHS = {
    "results": lambda text: {"study": "x", "results": text},
    "data.path": lambda text: {"data": {"source": "hub", "path": text}, "table1": PAPER},
    "base_model.path": lambda text: {"base_model": {"source": "hub", "path": text}},
    "base_model.revision": lambda text: {
        "base_model": {"source": "hub", "path": "x", "revision": text}
    },
}
DEVICE = {"start_seconds": 1, "step_ms": 1, "fp32_flops": 1, "bf16_flops": 1}
PAPER = {"paper_values": False}

GOOD_NAMES = ["a", "0", "exp-1", "größe", "модель", "実験1", "हिन्दी", "a.b_c-d+e=f@g", "Ünïcode"]
BAD_NAMES = [
    *(
        "",
        " ",
        "a b",
        "-a",
        ".a",
        "..",
        "_a",
        "+a",
        "a/b",
        "a\\b",
        "a\n",
        "a\t",
        "a\0",
        "a\x1b[31m",
    ),
    *("a;b", "a&b", "a|b", "$(a)", "`a`", "a'b", 'a"b', "a*", "a?", "[a]", "{a}", "a{", "~a", "a~"),
    *(
        "a:b",
        "a,b",
        "a!",
        "a#b",
        "a%b",
        "a<b",
        "\u202ea",
        "a\u2028b",
        "\ud800",
        "x" * 101,
        "é" * 51,
    ),
]
GOOD_TEXTS = [
    *(
        "Student [PID] kl + cos -> soft",
        "$\\lambda_{kl}$",
        "{wildcards}",
        "{0}",
        "=1+1",
        "a; rm -rf b",
    ),
    *("50 % & more", "größe", "`x`", "<b>", "a'b\"c", "\\", "-", "~", "#"),
]
BAD_TEXTS = [
    "",
    " ",
    "\n",
    "a\n",
    "a\nb",
    "a\rb",
    "a\0",
    "\x1b[2J",
    "\x7f",
    "\u2029",
    "\u2067a",
    "\ud83d",
]
BAD_TEXTS += ["x" * 201]
GOOD_PATHS = [
    *("x/y", "/tmp/x y", "x/größe", "x/a'b", 'x/a"b', "x/(1)", "x/$HOME", "x/$(touch a)", "x/`a`"),
    *("x/a;b", "x/a&b", "x/a|b", "x/*", "x/[a]", "x/-a", "x/~a", "x/a=b", "x/a,b", "x/#a"),
]
BAD_PATHS = [
    *(
        "",
        " ",
        "-x",
        "--x",
        "~",
        "~/x",
        "~root/x",
        "x\n",
        "x/\n",
        "x/a\tb",
        "x\0y",
        "x/\x1b]0;a\x07",
    ),
    *("x/\u2028", "\ud800", "x/" + "y" * 256, "é" * 128, "x/" * 600 + "y"),
]
TAKEN_AND_REFUSED = [
    *((NAMES[key], key, GOOD_NAMES, BAD_NAMES) for key in NAMES),
    *((TEXTS[key], key, GOOD_TEXTS, BAD_TEXTS) for key in TEXTS),
    *((PATHS[key], key, GOOD_PATHS, BAD_PATHS) for key in PATHS),
]
KEYS = [key for _, key, _, _ in TAKEN_AND_REFUSED]


def problem(**changes) -> str:
    with pytest.raises(UserError) as caught:
        read_study(**changes)
    return str(caught.value)


@pytest.mark.parametrize(("changed", "key", "good", "bad"), TAKEN_AND_REFUSED, ids=KEYS)
def test_harmful_text_is_rejected_under_its_key(changed, key, good, bad):
    config, schema = read_config(), SCHEMA
    for text in good:
        assert schema_problems(merged(config, changed(text)), schema) == []
    for text in bad:
        problems = [str(found) for found in schema_problems(merged(config, changed(text)), schema)]
        assert problems, ascii(text)
        for line in problems:
            assert line.startswith(f"config: {key.split('.')[0]}")
            assert "must be" in line
            assert printable(line) == line
            assert len(line) < 600


def test_a_numeric_name_is_rejected():
    config = read_config(experiments={1: {"label": "x", "output": {"hard": 1.0}}})
    assert "must be a name of letters" in problem(**config)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("./x", "write x"),
        ("x//y", "write x/y"),
        ("x/./y", "write x/y"),
        (".", "write results/s"),
        ("/", "must be"),
        ("x/", "must be"),
        ("x/{y}", "must be"),
        ("x/<results>", "must be"),
        ("../x", "leads out"),
        ("x/../../y", "leads out"),
        ("/tmp/../x", "leads out"),
        ("src/x", "'src' holds sources"),
        (".git", "'.git' holds sources"),
        (".snakemake/x", "'.snakemake' holds sources"),
        ("profiles", "'profiles' holds sources"),
        ("benchmarks/results", "'benchmarks' holds sources"),
        ("link", "'src' holds sources"),
        ("round/x", "is a broken link"),
        ("results/base", "'results/base' is used by the default study"),
        ("results/runs/x", "'results/runs' is used"),
        ("results/table9.csv", "'results/table9.csv' is used"),
        ("other/base", "is used by the default study"),
        ("{folder}", "holds the working directory"),
        ("{folder}/results/logs", "is used by the default study"),
        ("/tmp", "holds the working directory"),
    ],
)
def test_results_are_kept_apart(tmp_path, monkeypatch, results, expected):
    for name in ("src", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("src")
    (tmp_path / "other").symlink_to("results")
    (tmp_path / "round").symlink_to("round")
    monkeypatch.chdir(tmp_path)
    if results == "/tmp":
        results = str(tmp_path.parent)
    changes = {"study": "s", "results": results.replace("{folder}", str(tmp_path))}
    if not expected:
        read_study(**changes)
        return
    message = problem(**changes)
    assert expected in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("study", ["base", "runs", "init", "logs", "x.csv", "figures"])
def test_suggested_folders_are_unused(tmp_path, monkeypatch, study):
    monkeypatch.chdir(tmp_path)
    advice = problem(study=study, results="results").rpartition("write ")[2].split()[0]
    read_study(study=study, results=advice)
    assert "is used" in problem(study=study, results=f"results/{study}")


def mark(folder: Path, study: str) -> None:
    folder.mkdir(parents=True)
    (folder / ".internal-kd.lock").write_text(f'{{"study": "{study}"}}')


@pytest.mark.parametrize(
    "results", ["results/a", "results/a/b", "results/a/b/c", "x", "x/y", "x/y/z"]
)
def test_studies_are_not_nested(tmp_path, monkeypatch, results):
    monkeypatch.chdir(tmp_path)
    mark(tmp_path / "results", "embedded")
    mark(tmp_path / "results/a", "a")
    mark(tmp_path / "x/y", "other")
    message = problem(study="s", results=results)
    assert "study 'a'" in message or "study 'other'" in message
    assert "write results/s" in message
    read_study(study="s", results="results/s")
    read_study()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"study": 3}', "\0"])
def test_an_invalid_lock_file_is_ignored(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "x/.internal-kd.lock").write_text(content)
    read_study(study="s", results="x")


@pytest.mark.parametrize("key", ["base_model", "data"])
@pytest.mark.parametrize("path", ["out/base", "out/runs/x/model", "./out/data", "away/data"])
def test_nothing_is_read_from_where_the_study_writes(tmp_path, monkeypatch, key, path):
    monkeypatch.chdir(tmp_path)
    os.symlink("out", "away")
    changes = {"study": "s", "results": "out", key: {"source": "folder", "path": path}}
    assert f"config: {key}.path: '{path}' is in the results folder of this study" in problem(
        **changes
    )


def test_a_figure_does_not_take_the_name_of_anothers_file():
    figures = {"a": {"kind": "calibration"}, "a_summary": {"kind": "attention_kl"}}
    assert "config: figures.a_summary: figure 'a' writes a file of this" in problem(figures=figures)
