"""What is asked of Snakemake, and what is said where it cannot answer."""

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
    """Answers in place of Snakemake, and keeps what it was asked."""

    def __init__(self, stdout: str = "", stderr: str = "", description: Any = None) -> None:
        self.stdout, self.stderr, self.description = stdout, stderr, description
        self.asked: list[str] = []

    def __call__(self, command: list[str], env: dict[str, str], **_: Any) -> Any:
        self.asked = command
        if self.description is not None:
            Path(env[DESCRIPTION]).write_text(json.dumps(self.description))
        return subprocess.CompletedProcess(command, bool(self.stderr), self.stdout, self.stderr)


def ask(monkeypatch: pytest.MonkeyPatch, answer: Snakemake, **options: Any) -> Any:
    monkeypatch.setattr(workflow.subprocess, "run", answer)
    return read_jobs(WorkflowOptions(**options))


def test_the_users_options_are_handed_on_and_nothing_is_locked(tmp_path, monkeypatch) -> None:
    file = tmp_path / "study.yaml"
    file.touch()
    described = {"config": read_config(), "outputs": OUTPUTS, "code": {"exp2.0": "abc"}}
    answer = Snakemake("\n".join(SUMMARY), description=described)
    found = ask(
        monkeypatch,
        answer,
        snakefile=file,
        configfiles=[file, file],
        config=["seeds=[0, 1]", "study=x"],
        rerun_triggers=["mtime"],
        targets=["results/table1.csv"],
    )
    assert answer.asked == [
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
        ask(monkeypatch, answer, **options)
    assert answer.asked == []


def test_a_mistake_in_the_config_is_reported_as_the_workflow_does(monkeypatch) -> None:
    answer = Snakemake(stderr="more words", description={"mistake": "config: foo: unknown key"})
    with pytest.raises(UserError, match=r"^config: foo: unknown key$"):
        ask(monkeypatch, answer)


def test_what_snakemake_refuses_is_reported_with_its_last_line(monkeypatch) -> None:
    answer = Snakemake(stderr="Building DAG of jobs...\nNo rule to produce tabel1.csv.\n")
    with pytest.raises(UserError) as caught:
        ask(monkeypatch, answer, targets=["tabel1.csv"])
    assert str(caught.value) == (
        "tabel1.csv cannot be planned, Snakemake says: No rule to produce tabel1.csv; "
        "run snakemake -n to see more"
    )


def test_another_workflow_is_no_study(monkeypatch) -> None:
    with pytest.raises(UserError, match="--snakefile: this is not the workflow of internal-kd"):
        ask(monkeypatch, Snakemake("output_file\n"))


def test_snakemake_is_looked_for_on_the_path_too(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(workflow, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"snakemake: not found in this environment; install"):
        ask(monkeypatch, Snakemake())
    program = tmp_path / "snakemake"
    program.touch(0o755)
    answer = Snakemake(stderr="no")
    with pytest.raises(UserError, match="Snakemake says: no; run"):
        ask(monkeypatch, answer)
    assert answer.asked[0] == os.fspath(program)
