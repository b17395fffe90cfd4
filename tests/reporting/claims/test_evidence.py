import pytest

from internal_kd.reporting.claims.evidence import Evidence, NoData, tasks_of_table1
from tests.reporting.answers import answers, unlabelled
from tests.reporting.claims.study import SETTINGS, write_study
from tests.reporting.fake_runs import write_fake_run


@pytest.fixture
def evidence(tmp_path):
    return Evidence(write_study(tmp_path), None, SETTINGS)


def test_students_of_table_1_unless_told_otherwise(evidence):
    assert [(r.layers, r.percent, r.seed) for r in evidence.students("cola", "exp3.2")] == [
        (4, 100, 0),
        (4, 100, 1),
    ]
    assert {run.layers for run in evidence.students("cola", "exp3.2", layers=2)} == {2}
    assert {run.percent for run in evidence.students("cola", "exp3.2", percent=25)} == {25}
    with pytest.raises(NoData, match=r"no runs of exp3\.2 with 3 layers"):
        evidence.students("cola", "exp3.2", layers=3)


def test_names_by_role(evidence):
    assert evidence.internal_names() == ["exp3.0", "exp3.2", "exp3.3"]
    assert evidence.student_names() == ["exp1.1", "exp2.0", "exp3.0", "exp3.2", "exp3.3"]
    assert tasks_of_table1(evidence) == ["cola"]
    with pytest.raises(NoData, match=r"paper's exp3\.6"):
        evidence.name_of("exp3.6")


def test_rows_without_an_experiment_do_not_take_part():
    roles = {"exp1.0": None, "exp1.1": None, "exp3.0": None, "exp3.2": "exp3.2"}
    evidence = Evidence([], None, SETTINGS | {"roles": roles})
    assert evidence.internal_names() == ["exp3.2"]
    assert evidence.student_names() == ["exp3.2", "exp2.0"]
    for row in ("exp1.0", "exp1.1"):
        with pytest.raises(NoData, match=f"no experiment of this study stands for .* {row}"):
            evidence.name_of(row)


def test_an_internal_kd_that_is_no_row_of_the_paper_takes_part():
    settings = SETTINGS | {"internal": "mine", "roles": {"exp1.0": "exp1.0"}}
    assert Evidence([], None, settings).internal_names() == ["mine"]


def test_the_teacher_saw_all_data(tmp_path):
    runs = [
        write_fake_run(tmp_path, "rte", "exp1.0", layers=8, percent=p, validation=answers(5))
        for p in (50, 100)
    ]
    assert [run.percent for run in Evidence(runs, None, SETTINGS).teacher("rte")] == [100]
    with pytest.raises(NoData, match="no run of the teacher"):
        Evidence(runs[:1], None, SETTINGS).teacher("rte")


def test_predictions_are_read_once_and_hidden_ones_forgotten(tmp_path):
    run = write_fake_run(
        tmp_path, "rte", "exp2.0", layers=4, validation=answers(5), test=unlabelled([0, 1])
    )
    (one,) = Evidence([run], None, SETTINGS).students("rte", "exp2.0")
    assert list(one.predictions()) == ["validation"]
    assert one.predictions() is one.predictions()


def test_random_numbers_are_of_their_own_for_each_key(evidence):
    first, again, other = (evidence.rng(key).random() for key in ("a", "a", "b"))
    assert first == again != other
