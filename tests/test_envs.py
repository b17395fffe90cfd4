"""The conda environments of `--sdm conda` against the lock and the code that runs in them."""

import ast
import re
import sys
from importlib.metadata import packages_distributions

import pytest
import yaml

from internal_kd.fingerprint import closure
from internal_kd.objectives.registry import OBJECTIVES, OUTPUT_OBJECTIVES, modules_of
from internal_kd.study.reports import FIGURE_KINDS, REPORTS

JOBS = {
    "train": [
        *(f"internal_kd.jobs.{name}" for name in ("base", "student", "data", "teacher")),
        *(f"internal_kd.jobs.{name}" for name in ("distill", "attention", "attention_maps")),
        *modules_of(OBJECTIVES, OUTPUT_OBJECTIVES),
    ],
    "analysis": [
        *(f"internal_kd.jobs.{name}" for name in ("product", "index", "report")),
        *(
            f"internal_kd.reporting.{kind.function.partition(':')[0]}"
            for kind in (*REPORTS.values(), *FIGURE_KINDS.values())
        ),
    ],
}
PIN = re.compile(r"([A-Za-z0-9_.-]+)==([^\s;]+)")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines):
    found = (PIN.fullmatch(line.strip()) for line in lines if not line.startswith("#"))
    return {canonical(match[1]): match[2] for match in found if match}


@pytest.fixture(scope="module")
def lock(root):
    return pins((root / "requirements.lock").read_text().splitlines())


@pytest.fixture(params=JOBS)
def environment(request, root):
    content = yaml.safe_load((root / "envs" / f"{request.param}.yaml").read_text())
    (packages,) = (d["pip"] for d in content["dependencies"] if isinstance(d, dict))
    return request.param, content, packages


def test_every_package_is_pinned_as_in_the_lock(environment, lock):
    _, _, packages = environment
    assert len(pins(packages)) == len(packages)
    assert pins(packages).items() <= lock.items()


def test_python_is_the_oldest_that_is_supported(environment, root):
    _, content, _ = environment
    assert "python=3.11" in content["dependencies"]
    assert 'requires-python = ">=3.11"' in (root / "pyproject.toml").read_text()


def test_environments_contain_all_imports_of_the_stages(environment, root):
    name, _, packages = environment
    distributions = packages_distributions()
    needed = {
        canonical(distributions[module][0]) for job in JOBS[name] for module in imported(root, job)
    }
    assert needed <= set(pins(packages))


def test_rules_name_environments_that_exist(root):
    rules = "".join(file.read_text() for file in (root / "workflow" / "rules").glob("*.smk"))
    named = set(re.findall(r"envs/(\w+)\.yaml", rules))
    assert named == set(JOBS)


def imported(root, job):
    """Packages from outside that a job's modules import when they run, also inside functions."""
    names = set()
    for module in closure(job):
        path = (root / "src").joinpath(*module.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for node in run_nodes(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module or "")
    tops = {name.split(".")[0] for name in names}
    return tops - set(sys.stdlib_module_names) - {"internal_kd"}


def run_nodes(tree):
    """All nodes but those that only type checkers read."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from run_nodes(node)
