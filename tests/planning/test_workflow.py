"""How Snakemake is called for a study, and the errors if it fails."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from internal_kd.errors import UserError
from internal_kd.planning import workflow
from internal_kd.planning.workflow import WorkflowOptions, read_jobs
from internal_kd.study.description import DESCRIPTION
from tests.planning.test_jobs import OUTPUTS, SUMMARY
from tests.study.configs import read_config


class Snakemake:
    """Stands in for Snakemake, and records the command."""

    def __init__(self, stdout: str = "", stderr: str = "", description: Any = None) -> None:
        self.stdout, self.stderr, self.description = stdout, stderr, description
        self.command: list[str] = []

    def __call__(self, command: list[str], env: dict[str, str], **_: Any) -> Any:
        self.command = command
        if self.description is not None:
            Path(env[DESCRIPTION]).write_text(json.dumps(self.description))
        return subprocess.CompletedProcess(command, bool(self.stderr), self.stdout, self.stderr)


def describe(monkeypatch: pytest.MonkeyPatch, answer: Snakemake, **options: Any) -> Any:
    monkeypatch.setattr(workflow.subprocess, "run", answer)
    return read_jobs(WorkflowOptions(**options))


def test_user_options_are_passed_on_and_nothing_is_locked(tmp_path, monkeypatch) -> None:
    file = tmp_path / "study.yaml"
    file.touch()
    described = {"config": read_config(), "outputs": OUTPUTS, "code": {"exp2.0": "abc"}}
    answer = Snakemake("\n".join(SUMMARY), description=described)
    found = describe(
        monkeypatch,
        answer,
        snakefile=file,
        configfiles=[file, file],
        config=["seeds=[0, 1]", "study=x"],
        rerun_triggers=["mtime"],
        targets=["results/table1.csv"],
    )
    assert answer.command == [
        *(sys.executable, "-P", "-m", "snakemake", "--summary", "--nolock"),
        *("--snakefile", str(file), "--configfile", str(file), str(file)),
        *("--config", "seeds=[0, 1]", "study=x", "--rerun-triggers", "mtime"),
        *("--", "results/table1.csv"),
    ]
    assert (found.study.name, found.code, len(found.jobs)) == ("embedded", {"exp2.0": "abc"}, 4)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"configfiles": [Path("no.yaml")]}, r"--configfile: no.yaml is not a file; correct"),
        ({"snakefile": Path("Snake")}, r"--snakefile: Snake is not a file; correct its path"),
        ({"config": ["seeds"]}, r"--config: 'seeds' has no value; write key=value"),
    ],
)
def test_mistakes_are_found_before_snakemake_starts(tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    answer = Snakemake()
    with pytest.raises(UserError, match=sentence):
        describe(monkeypatch, answer, **options)
    assert answer.command == []


def test_a_mistake_in_the_config_is_reported_as_the_workflow_does(monkeypatch) -> None:
    answer = Snakemake(stderr="more words", description={"mistake": "config: foo: unknown key"})
    with pytest.raises(UserError, match=r"^config: foo: unknown key$"):
        describe(monkeypatch, answer)


def test_snakemake_errors_are_reported_with_their_last_line(monkeypatch) -> None:
    answer = Snakemake(stderr="Building DAG of jobs...\nNo rule to produce tabel1.csv.\n")
    with pytest.raises(UserError) as caught:
        describe(monkeypatch, answer, targets=["tabel1.csv"])
    assert str(caught.value) == (
        "tabel1.csv cannot be planned, Snakemake reports: No rule to produce tabel1.csv; "
        "run snakemake -n to see more"
    )


def test_another_workflow_is_rejected(monkeypatch) -> None:
    with pytest.raises(UserError, match="--snakefile: this is not the workflow of internal-kd"):
        describe(monkeypatch, Snakemake("output_file\n"))


def test_snakemake_is_also_found_on_the_path(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(workflow, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"snakemake: not found in this environment; install"):
        describe(monkeypatch, Snakemake())
    program = tmp_path / "snakemake"
    program.touch(0o755)
    answer = Snakemake(stderr="no")
    with pytest.raises(UserError, match="Snakemake reports: no; run"):
        describe(monkeypatch, answer)
    assert answer.command[0] == os.fspath(program)
