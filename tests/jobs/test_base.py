"""Base models from folders and from the hub's cache, and the students cut from them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModel, AutoTokenizer

from internal_kd.jobs import base, student
from tests.conftest import ROOT
from tests.jobs.tiny_study import call, write_base

COMMIT = "0" * 40


def settings(source: str, path: Path | str, layers: int = 4) -> dict:
    """Settings of the job."""
    return {"source": source, "path": str(path), "revision": None, "layers": layers}


def fails(capsys, *words: str, **arguments) -> None:
    """The job ends with one sentence that has these words."""
    with pytest.raises(SystemExit) as stop:
        call(base, **arguments)
    assert stop.value.code == 2
    text = capsys.readouterr().err
    assert "Traceback" not in text
    for word in words:
        assert word in text


def test_folder_becomes_a_folder_of_the_study(tmp_path) -> None:
    source = write_base(tmp_path / "source")
    call(base, settings("folder", source), out=tmp_path / "base")
    assert AutoModel.from_pretrained(tmp_path / "base").config.num_hidden_layers == 4
    assert AutoTokenizer.from_pretrained(tmp_path / "base")("w1 w2")["input_ids"] == [2, 6, 7, 3]


def test_wrong_depth_is_reported_with_the_right_one(tmp_path, capsys) -> None:
    source = write_base(tmp_path / "source")
    chosen = settings("folder", source, layers=12)
    fails(capsys, "base_model.layers", "12", "write 4", settings=chosen, out=tmp_path / "base")


def test_folder_without_model_is_reported(tmp_path, capsys) -> None:
    chosen = settings("folder", tmp_path)
    fails(capsys, "base_model.path", "save_pretrained", settings=chosen, out=tmp_path / "base")


def job_with_cache(cache: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """The job in a process whose hub is a local cache and nothing else."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "HF_HOME": str(cache),
        "HF_ENDPOINT": "http://127.0.0.1:9",
    }
    chosen = json.dumps(settings("hub", "someone/tiny-bert"))
    command = [sys.executable, "-m", "internal_kd.jobs", "base", "--settings", chosen]
    command += ["--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_hub_model_is_found_by_its_name(tmp_path) -> None:
    """A cache laid out as the hub's client does stands in for the hub."""
    repository = tmp_path / "cache/hub/models--someone--tiny-bert"
    write_base(repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(COMMIT)
    result = job_with_cache(tmp_path / "cache", tmp_path / "base")
    assert result.returncode == 0, result.stderr
    assert AutoModel.from_pretrained(tmp_path / "base").config.num_hidden_layers == 4


def test_unreachable_hub_is_reported_in_one_sentence(tmp_path) -> None:
    result = job_with_cache(tmp_path / "empty", tmp_path / "base")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "error: base_model.path: 'someone/tiny-bert' could not be loaded" in result.stderr


def test_student_writes_model_tokenizer_and_mapping(tmp_path) -> None:
    source = write_base(tmp_path / "source")
    call(student, {"init": "upper", "layers": 2}, base=source, out=tmp_path / "init")
    assert json.loads((tmp_path / "init/mapping.json").read_text())["source_layers"] == [2, 4]
    assert AutoTokenizer.from_pretrained(tmp_path / "init")("w1")["input_ids"] == [2, 6, 3]
