import json
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

from internal_kd import fingerprint
from internal_kd.fingerprint import closure, code_fingerprint, current_fingerprint
from internal_kd.known_sources import NOTES, KnownSources
from internal_kd.objectives.registry import modules_of

JOBS = ("base", "data", "distill", "embedded", "pretrain", "student", "product", "teacher")
PACKAGE = {
    "__init__.py": "",
    "errors.py": "class UserError(Exception): pass\n",
    "one.py": """
        import json
        from internal_kd import two
        from .sub.three import f
        def late():
            import internal_kd.sub.four
    """,
    "two.py": "X = 1\n",
    "alone.py": "Y = 1\n",
    "sub/__init__.py": "",
    "sub/three.py": """
        # a comment
        from ..errors import UserError

        def f(x):
            '''Docstring.'''
            return x + 1
    """,
    "sub/four.py": """
        FINGERPRINT_DATA = ("values.csv",)
        from . import five
    """,
    "sub/five.py": "class C:\n    'only a docstring'\n",
    "sub/values.csv": "1,2\n",
}


def write(root: Path, **changes: str) -> None:
    for name, text in {**PACKAGE, **changes}.items():
        path = root / "internal_kd" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def forget() -> None:
    for function in vars(fingerprint).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package in place of the real one; call it with changed files for a fingerprint."""
    monkeypatch.setattr(fingerprint, "_SOURCE_ROOT", tmp_path)

    def of(module: str, **changes: str) -> str:
        forget()
        write(tmp_path, **changes)
        return code_fingerprint(f"internal_kd.{module}")

    yield of
    monkeypatch.undo()
    forget()


def test_closure_follows_all_forms_of_import(package):
    package("one")
    assert closure("internal_kd.one") == {
        "internal_kd",
        "internal_kd.errors",
        "internal_kd.one",
        "internal_kd.two",
        "internal_kd.sub",
        "internal_kd.sub.three",
        "internal_kd.sub.four",
        "internal_kd.sub.five",
    }
    assert closure("internal_kd.alone") == {"internal_kd", "internal_kd.alone"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("two.py", "# why\nX  =  1\n"),
        ("__init__.py", '"""The package."""\n'),
        ("sub/three.py", "from ..errors import UserError\n\ndef f(x):\n    return (x + 1)\n"),
        ("sub/five.py", "class C:\n    'another docstring'\n"),
        ("sub/five.py", "class C:\n    pass\n"),
        ("alone.py", "Y = 2\n"),
    ],
)
def test_comments_docstrings_layout_and_other_modules_do_not_count(package, name, text):
    assert package("one") == package("one", **{name: text})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("two.py", "X = 2\n"),
        ("__init__.py", "Z = 1\n"),
        ("sub/__init__.py", "Z = 1\n"),
        ("sub/three.py", "from ..errors import UserError\n\ndef f(x):\n    return x + 2\n"),
        ("sub/five.py", "class C:\n    x = 'not a docstring'\n"),
        ("sub/values.csv", "1,3\n"),
    ],
)
def test_code_and_declared_data_count(package, name, text):
    assert package("one") != package("one", **{name: text})


def test_parts_that_a_job_does_not_use_can_be_excluded(package):
    package("one")
    names = closure("internal_kd.one", without="sub")
    assert names == {"internal_kd", "internal_kd.one", "internal_kd.two"}
    planned = code_fingerprint("internal_kd.one", without="sub")
    assert planned.endswith("-sub")
    package("one", **{"sub/five.py": "X = 3\n"})
    assert current_fingerprint("internal_kd.one", planned=planned) == planned
    package("one", **{"two.py": "X = 3\n"})
    assert current_fingerprint("internal_kd.one", planned=planned) != planned
    plain = code_fingerprint("internal_kd.one")
    assert current_fingerprint("internal_kd.one", planned=plain) == plain


def test_missing_module_is_an_error(package):
    package("one")
    with pytest.raises(ModuleNotFoundError, match=r"internal_kd\.nothing"):
        closure("internal_kd.nothing")


def test_fingerprint_is_short_hexadecimal():
    value = code_fingerprint("internal_kd.jobs.product")
    assert len(value) == 16
    assert int(value, 16) >= 0


def packages_of(job: str) -> set[str]:
    """First-level parts of the package that a job consists of."""
    names = closure(f"internal_kd.jobs.{job}")
    return {name.split(".")[1] for name in names if "." in name} - {"jobs"}


def test_no_job_depends_on_building_the_dag_or_on_other_jobs():
    for job in JOBS:
        names = closure(f"internal_kd.jobs.{job}")
        own = {"internal_kd.jobs", f"internal_kd.jobs.{job}"}
        own |= {
            f"internal_kd.jobs.{name}"
            for name in ("cli", "failed_runs", "files", "product", "resource_errors")
        }
        shared = {"internal_kd.jobs.base"} if job == "embedded" else set()
        assert {name for name in names if name.startswith("internal_kd.jobs")} <= own | shared, job
        assert "study" not in packages_of(job), job


def test_training_contains_no_tables_and_tables_no_training():
    for job in ("base", "student", "data", "teacher", "distill", "pretrain"):
        assert "reporting" not in packages_of(job), job
    assert not packages_of("product") & {"distillation", "models", "data", "embedded"}


def test_teacher_contains_no_distillation_losses():
    names = closure("internal_kd.jobs.teacher")
    assert "internal_kd.distillation.training" in names
    assert "internal_kd.objectives.attention" not in names
    assert "internal_kd.objectives.hidden" not in names
    assert "internal_kd.objectives.registry" not in names


def test_objectives_count_for_the_experiments_that_use_them():
    """Not all of them for every student, but those that an experiment names."""
    names = closure("internal_kd.jobs.distill")
    assert not {f"internal_kd.objectives.{name}" for name in ("attention", "hidden")} & names
    assert modules_of(["cls_cosine"], []) == ("internal_kd.objectives.hidden",)
    assert "internal_kd.objectives.attention" in modules_of(["attention_kl"], ["soft"])


def test_data_and_initial_students_contain_no_training():
    for job in ("data", "student", "base"):
        assert "distillation" not in packages_of(job), job


def test_embedded_base_contains_no_pretraining():
    """What ships does not change with the code that once made it."""
    names = closure("internal_kd.jobs.embedded")
    assert "internal_kd.embedded.base" in names
    assert "internal_kd.embedded.pretraining" not in names


def test_declared_data_files_exist():
    modules = {name for job in JOBS for name in closure(f"internal_kd.jobs.{job}")}
    for name in modules:
        path = fingerprint._source_file(name)
        for data in fingerprint._facts(name).data:
            assert (path.parent / data).is_file(), (name, data)


def test_students_do_not_depend_on_generated_text():
    for job in ("base", "student", "teacher", "distill"):
        assert "embedded" not in packages_of(job), job


@pytest.fixture
def noted(package, tmp_path, monkeypatch):
    """A working directory with Snakemake's folder; `clear` empties the cache in memory."""
    (tmp_path / ".snakemake").mkdir()
    monkeypatch.chdir(tmp_path)

    def clear() -> None:
        monkeypatch.setattr(fingerprint, "_known", KnownSources("this reader"))

    clear()
    return SimpleNamespace(clear=clear, file=tmp_path / NOTES)


def unreadable(*_: object) -> None:
    pytest.fail("a cached file was read again")


def test_what_was_read_before_is_not_read_again(package, noted, monkeypatch):
    first = package("one")
    noted.clear()
    monkeypatch.setattr(fingerprint, "_tree", unreadable)
    assert package("one") == first


def test_an_edited_file_is_read_again(package, noted):
    first = package("one")
    noted.clear()
    assert package("one", **{"two.py": "X = 2\n"}) != first
    noted.clear()
    assert package("one") == first


def test_declared_data_is_checked_every_time(package, noted):
    first = package("one")
    noted.clear()
    assert package("one", **{"sub/values.csv": "1,3\n"}) != first


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"reader": "this reader", "facts": {"a": 1}}', '{"reader": "this reader"}'],
)
def test_corrupt_cache_entries_are_ignored(package, noted, text):
    first = package("one")
    noted.file.write_text(text)
    noted.clear()
    assert package("one") == first
    assert json.loads(noted.file.read_text())["facts"]


def test_cache_entries_of_other_code_are_ignored(package, noted):
    first = package("one")
    stored = json.loads(noted.file.read_text())
    wrong = {key: {**facts, "digest": "0"} for key, facts in stored["facts"].items()}
    noted.file.write_text(json.dumps({"reader": "another", "facts": wrong}))
    noted.clear()
    assert package("one") == first


def test_without_snakemakes_folder_nothing_is_cached(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package("one")
    assert not (tmp_path / ".snakemake").exists()


def test_an_unwritable_folder_is_skipped(package, noted):
    noted.file.parent.parent.joinpath("internal_kd").write_text("a file in the way")
    assert package("one")
