from dataclasses import replace

import pytest

from internal_kd.reporting.claims.evidence import Evidence, NoData, tasks_of_table1
from tests.reporting.answers import answers, unlabelled
from tests.reporting.claims.study import SETTINGS, settings_row, write_study
from tests.reporting.fake_runs import write_fake_run


@pytest.fixture
def evidence(tmp_path):
    return Evidence(write_study(tmp_path), None, SETTINGS)


def test_size_of_table_1_is_the_default(evidence):
    found = evidence.students("cola", "exp3.2")
    assert [(r.layers, r.percent, r.seed) for r in found] == [(4, 100, s) for s in (0, 1, 2)]
    assert {run.layers for run in evidence.students("cola", "exp3.2", layers=2)} == {2}
    assert {run.percent for run in evidence.students("cola", "exp3.2", percent=25)} == {25}
    with pytest.raises(NoData, match=r"no runs of exp3\.2 with 3 layers"):
        evidence.students("cola", "exp3.2", layers=3)


def test_names_by_role(evidence):
    assert evidence.internal_names() == ["exp3.0", "exp3.2", "exp3.3"]
    assert evidence.student_names() == ["exp1.1", "exp2.0", "exp3.0", "exp3.2", "exp3.3"]
    assert tasks_of_table1(evidence) == ("cola",)
    with pytest.raises(NoData, match=r"paper's exp3\.6"):
        evidence.name_of("exp3.6")


def test_rows_without_an_experiment_do_not_take_part():
    rows = [
        settings_row("exp1.0"),
        settings_row("exp1.1"),
        settings_row("exp3.0"),
        settings_row("exp3.2", paper_row="exp3.2"),
    ]
    evidence = Evidence([], None, replace(SETTINGS, rows=rows))
    assert evidence.internal_names() == ["exp3.2"]
    assert evidence.student_names() == ["exp3.2", "exp2.0"]
    for row in ("exp1.0", "exp1.1"):
        with pytest.raises(NoData, match=f"no experiment of this study corresponds to .* {row}"):
            evidence.name_of(row)


def test_an_internal_kd_outside_the_papers_table_is_included():
    settings = replace(
        SETTINGS, internal="mine", rows=(settings_row("exp1.0", paper_row="exp1.0"),)
    )
    assert Evidence([], None, settings).internal_names() == ["mine"]


def test_the_teacher_saw_all_data(tmp_path):
    runs = [
        write_fake_run(tmp_path, "rte", "exp1.0", layers=8, percent=p, validation=answers(5))
        for p in (50, 100)
    ]
    assert [run.percent for run in Evidence(runs, None, SETTINGS).teachers("rte")] == [100]
    with pytest.raises(NoData, match="no run of the teacher"):
        Evidence(runs[:1], None, SETTINGS).teachers("rte")


def test_each_seed_may_have_a_teacher(tmp_path):
    evidence = Evidence(write_study(tmp_path, teacher_seeds=(2, 0)), None, SETTINGS)
    assert [run.seed for run in evidence.teachers("cola")] == [0, 2]


def test_heads_and_baselines(evidence):
    names = ("exp1.0", "exp2.0", "exp2.0t", "exp3.2", "exp3.3")
    assert [evidence.baseline(name) for name in names] == [
        None,
        "exp2.0",
        "exp2.0t",
        "exp2.0",
        "exp2.0t",
    ]
    assert evidence.across_heads("exp2.0", "exp3.2") == evidence.pair_unlike() == []
    assert evidence.across_heads("exp3.3", "exp2.0t") == []
    reservation = ["exp3.3 and exp2.0 start with different heads"]
    assert evidence.across_heads("exp3.3", "exp2.0") == reservation
    other = Evidence([], None, replace(SETTINGS, internal="exp3.3"))
    assert other.pair_unlike() == reservation


def test_predictions_are_read_once_and_unlabelled_ones_dropped(tmp_path):
    run = write_fake_run(
        tmp_path, "rte", "exp2.0", layers=4, validation=answers(5), test=unlabelled([0, 1])
    )
    (one,) = Evidence([run], None, SETTINGS).students("rte", "exp2.0")
    assert list(one.predictions()) == ["validation"]
    assert one.predictions() is one.predictions()


def test_random_numbers_are_of_their_own_for_each_key(evidence):
    first, again, other = (evidence.rng(key).random() for key in ("a", "a", "b"))
    assert first == again != other
