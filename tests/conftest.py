"""Fixtures of all tests, and one thread per test process."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

settings.register_profile("internal-kd", deadline=None, max_examples=25)
settings.load_profile("internal-kd")


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real weights (models/) and GLUE (glue/); tests that need it skip without it."""
    folder = Path(os.environ.get("INTERNAL_KD_SHARED", ROOT.parent / "shared"))
    if not (folder / "glue").is_dir() or not (folder / "models").is_dir():
        pytest.skip(f"no real data at {folder} (set INTERNAL_KD_SHARED)")
    return folder
