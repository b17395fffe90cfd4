"""The environment of the workflow's jobs: modules, memory, and the packages they import."""

import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from internal_kd.errors import UserError

# Keep freed memory: an eighth of a training step on a CPU goes into asking for it anew.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "67108864",
}


def prepare_environment(source: Path, cores: int | None) -> None:
    """Set environment variables for all jobs, and the path of modules for this process.

    Args:
        source: folder of the package.
        cores: of this machine that jobs may use; None on a cluster.
    """
    sys.path[:] = _trusted(sys.path)
    inherited = _trusted(os.environ.get("PYTHONPATH", "").split(os.pathsep))
    os.environ.update(
        INTERNAL_KD_PYTHON=sys.executable,
        INTERNAL_KD_SOURCE=str(source),
        PYTHONPATH=os.pathsep.join(dict.fromkeys([str(source), *inherited])),
        PYTHONSAFEPATH="1",
        PYTHONUTF8="1",  # whatever the locale
        MPLBACKEND="Agg",  # a notebook names one that a job does not have
    )
    # Trainings show their epochs on a terminal only where they run one after the other.
    progress = {} if cores == 1 else {"INTERNAL_KD_PROGRESS": "0"}
    for name, value in (MALLOC | progress).items():
        os.environ.setdefault(name, value)


def _trusted(path: Iterable[str]) -> list[str]:
    """Folders of modules without the working directory, which may hold anything."""
    return [folder for folder in path if Path(folder).resolve() != Path.cwd()]


def use_this_python() -> None:
    """Have jobs run in this process's Python, also where its environment is not activated."""
    own, found = os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([own, found])


# Without these no config can be read, also where jobs have conda environments.
FOR_PLANNING = ("jsonschema", "msgspec", "yaml")
PACKAGES = (
    "datasets",
    "huggingface_hub",
    "jsonschema",
    "markdown_it",
    "matplotlib",
    "msgspec",
    "numpy",
    "pandas",
    "pyarrow",
    "safetensors",
    "scipy",
    "seaborn",
    "tokenizers",
    "torch",
    "tqdm",
    "transformers",
    "yaml",
)


def require_packages(names: Iterable[str]) -> None:
    """Check that this Python has all packages of these names, without importing any.

    Raises:
        UserError: naming those that are missing.
    """
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise UserError(
            f"environment: this Python has no {', '.join(missing)}; install all packages with "
            "'pip install -r requirements.lock'; packages of jobs also come with --sdm conda"
        )
