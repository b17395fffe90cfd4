"""Metadata, lock and commands of the project."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import internal_kd


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def lock(root):
    lines = (root / "requirements.lock").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def requirements(project):
    """All but those of the benchmarks, whose peers are installed apart."""
    extras = {k: v for k, v in project["optional-dependencies"].items() if k != "bench"}
    return [
        Requirement(text) for group in (project["dependencies"], *extras.values()) for text in group
    ]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_lock_pins_versions_and_nothing_else(lock):
    assert lock
    for line in lock:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line), line
    assert "torch==2.13.0" in lock


def test_lock_is_within_the_ranges_of_the_project(project, lock):
    locked = {canonical(name): Version(v) for name, v in (line.split("==") for line in lock)}
    for requirement in requirements(project):
        assert locked[canonical(requirement.name)] in requirement.specifier, requirement


def test_every_dependency_but_those_without_stable_numbers_has_a_range(project):
    for requirement in requirements(project):
        stubs = requirement.name in ("pandas-stubs", "types-PyYAML")
        assert stubs or requirement.specifier, requirement


def test_data_files_and_type_marker_are_packaged(root):
    patterns = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    package = root / "src" / "internal_kd"
    for pattern in patterns["package-data"]["internal_kd"]:
        assert list(package.glob(pattern)), pattern


def test_init_files_are_empty():
    """But one, which has to act before a program's imports do."""
    (package,) = internal_kd.__path__
    files = Path(package).rglob("__init__.py")
    assert [file.parent.name for file in files if file.read_text().count("\n") > 1] == ["jobs"]


def test_licence_and_citation(root, project):
    assert "Apache License" in (root / "LICENSE").read_text()
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["license"] == project["license"] == "Apache-2.0"
    assert citation["version"] == project["version"]
    assert [reference["year"] for reference in citation["references"]] == [2020, 2023]


@pytest.mark.parametrize(
    "target", ["setup", "table1", "plan", "progress", "test", "lint", "format", "lock", "clean"]
)
def test_make_defines_its_targets(root, target):
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_make_refuses_an_old_python(root, tmp_path):
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert not (tmp_path / "venv").exists()
