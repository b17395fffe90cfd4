"""The program `internal-kd` and what its commands have in common."""

import subprocess
import sys
import tomllib
from argparse import Namespace
from importlib import import_module

import pytest

from internal_kd.__main__ import COMMANDS, main
from internal_kd.commands.command import run_command, study_parser, workflow_options
from internal_kd.errors import UserError
from internal_kd.planning.workflow import WorkflowOptions
from tests.conftest import ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists(name) -> None:
    module, _, function = COMMANDS[name].partition(":")
    assert callable(getattr(import_module(module), function))


def test_the_program_is_installed_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"internal-kd": "internal_kd.__main__:main"}


def test_a_command_is_imported_only_when_it_is_called() -> None:
    code = (
        "import sys, internal_kd.__main__ as program; program.main(['--help']);"
        "print([name for name in sys.modules if name.startswith('internal_kd.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "commands: plan, progress" in done.stdout
    assert done.stdout.splitlines()[-1] == "['internal_kd.__main__']"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["paln"], "error: unknown command 'paln'; known: plan, progress\n"),
        ([], "error: a command is missing; known: plan, progress\n"),
        (["plan", "--configfile", "no.yaml"], "error: --configfile: no.yaml is not a file"),
    ],
)
def test_mistakes_are_one_sentence(capsys, tmp_path, monkeypatch, argv, sentence) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_each_problem_of_a_config_is_a_line_without_control_characters(capsys) -> None:
    def refuse(_: Namespace) -> str:
        raise UserError("config: a: \x1b[2J\nconfig: b: no")

    assert run_command(study_parser("plan", ""), refuse, []) == 2
    assert capsys.readouterr().err == "error: config: a: \\x1b[2J\nerror: config: b: no\n"


def test_options_and_targets_are_distinguished() -> None:
    argv = ["--configfile", "a", "b", "--config", "x=1", "--json", "--", "results/table1.csv"]
    args = study_parser("plan", "").parse_args(argv)
    found = workflow_options(args)
    assert [str(file) for file in found.configfiles] == ["a", "b"]
    assert (found.config, found.targets) == (["x=1"], ["results/table1.csv"])
    assert args.json
    assert workflow_options(study_parser("plan", "").parse_args([])) == WorkflowOptions(
        configfiles=[], config=[], rerun_triggers=[], targets=[]
    )
