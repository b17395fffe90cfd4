"""What a command outside of the workflow gets of it."""

import json

import pytest

from internal_kd.errors import UserError
from internal_kd.study.description import DESCRIPTION, describe, is_requested, refuse


def test_facts_are_written_where_a_command_expects_them(tmp_path, monkeypatch):
    monkeypatch.setenv(DESCRIPTION, str(tmp_path / "facts.json"))
    assert is_requested()
    describe(outputs={"table1": 3})
    assert json.loads((tmp_path / "facts.json").read_text()) == {"outputs": {"table1": 3}}


def test_nothing_is_written_without_a_command(tmp_path, monkeypatch):
    monkeypatch.delenv(DESCRIPTION, raising=False)
    monkeypatch.chdir(tmp_path)
    assert not is_requested()
    describe(outputs={})
    assert not list(tmp_path.iterdir())


def test_a_mistake_ends_the_workflow_and_is_described(tmp_path, monkeypatch):
    monkeypatch.setenv(DESCRIPTION, str(tmp_path / "facts.json"))
    with pytest.raises(SystemExit) as stop:
        refuse(UserError("tasks: is empty"))
    assert stop.value.code == "tasks: is empty"
    assert json.loads((tmp_path / "facts.json").read_text()) == {"mistake": "tasks: is empty"}
