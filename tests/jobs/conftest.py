"""A tiny base, student, task and teacher, made once."""

from pathlib import Path

import pytest

from internal_kd.jobs import student, teacher
from tests.jobs.tiny_study import (
    SELECTION,
    TRAINING,
    call,
    run_of,
    write_base,
    write_tokens,
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """Folder with base/, init/ (two layers), rte.npz and teacher/."""
    folder = tmp_path_factory.mktemp("tiny")
    base = write_base(folder / "base")
    tokens = write_tokens(folder / "rte.npz")
    call(student, {"init": "upper", "layers": 2}, base=base, out=folder / "init")
    training = {**TRAINING, "epochs": 8, "learning_rate": 3e-3}
    settings = {"run": run_of("exp1.0", layers=4), "training": training, "selection": SELECTION}
    call(teacher, settings, base=base, data=tokens, out=folder / "teacher")
    return folder
