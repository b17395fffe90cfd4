"""Objectives from a user's file: registered once, checked, and taken back if the file is faulty."""

import pytest

from internal_kd.errors import UserError
from internal_kd.fingerprint import code_fingerprint
from internal_kd.objectives import registry
from internal_kd.objectives.extensions import load_extensions
from internal_kd.objectives.registry import extensions_of, modules_of
from tests.extension import forgotten, write_extension


@pytest.fixture(autouse=True)
def _forgotten():
    with forgotten():
        yield


def test_an_objective_is_registered_and_its_file_counts_as_code(tmp_path) -> None:
    file = str(write_extension(tmp_path))
    load_extensions([file])
    load_extensions([file])
    assert "projected_mse" in registry.OBJECTIVES
    assert extensions_of(["projected_mse"], ["soft"]) == (file,)
    assert extensions_of(["attention_kl"], ["soft"]) == ()
    assert file in modules_of(["projected_mse"], [])
    assert "internal_kd.objectives.hidden" in modules_of(["projected_mse"], [])
    before = code_fingerprint(file)
    write_extension(tmp_path, "# a remark\n" + (tmp_path / "my_objectives.py").read_text())
    assert len(code_fingerprint(file)) == len(before)


FAULTS = {
    "import nothing_of_this_name": "could not be loaded",
    "def (": "could not be loaded",
    "from internal_kd.objectives.registry import *\nOBJECTIVES['cls_cosine'] = "
    "Objective(len, ('cls',), 'cls')": "replaces 'cls_cosine'",
    "from internal_kd.objectives.registry import *\nOBJECTIVES['mine'] = "
    "Objective(len, ('cls',), 'nowhere')": "the target 'nowhere', which does not exist",
    "from internal_kd.objectives.registry import *\nOBJECTIVES['my.own'] = "
    "Objective(len, ('cls',), 'cls')": "registers 'my.own'; use a name of letters, digits and _",
    "from internal_kd.objectives.registry import *\nOUTPUT_OBJECTIVES['mine'] = len": (
        "registers 'mine' as a builtin_function_or_method; write OutputObjective(...)"
    ),
    "from internal_kd.objectives.registry import *\nOUTPUT_OBJECTIVES['mine'] = "
    "OutputObjective(lambda student_logits, teacher_logits: 0)": (
        "registers 'mine' with reads_teacher=False, but 'teacher_logits' is one of its function's "
        "arguments; write reads_teacher=True"
    ),
    "from internal_kd.objectives.registry import *\nOUTPUT_OBJECTIVES['mine'] = "
    "OutputObjective(lambda labels: 0, reads_temperature=True)": (
        "registers 'mine' with reads_temperature=True, but 'temperature' is none of its "
        "function's arguments; write reads_temperature=False"
    ),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_faulty_file_is_reported_and_registers_nothing(tmp_path, text) -> None:
    before = dict(registry.OBJECTIVES), dict(registry.OUTPUT_OBJECTIVES)
    file = write_extension(tmp_path, text)
    with pytest.raises(UserError) as caught:
        load_extensions([str(file)])
    assert FAULTS[text] in str(caught.value)
    assert str(caught.value).startswith(f"extensions: '{file}'")
    assert before == (registry.OBJECTIVES, registry.OUTPUT_OBJECTIVES)
    assert not registry.EXTENSIONS


def test_a_missing_file_is_reported(tmp_path) -> None:
    with pytest.raises(UserError, match="does not exist; write the path of a Python file"):
        load_extensions([str(tmp_path / "nowhere.py")])
