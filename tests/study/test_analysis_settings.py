import json

import pytest

from internal_kd.specs.jobs import decode, encode
from internal_kd.specs.tables import SizeSweep
from internal_kd.study import analysis_settings
from internal_kd.study.figures import figures
from internal_kd.study.reports import FIGURE_KINDS
from tests.study.configs import read_study

PAPER_ROWS = ("1.0", "1.1", "2.0", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6")
ALL = (
    analysis_settings.table1_settings,
    analysis_settings.table2_settings,
    analysis_settings.submission_settings,
    analysis_settings.table3_settings,
    analysis_settings.table4_settings,
    analysis_settings.significance_settings,
    analysis_settings.claims_settings,
)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("overlay", [(), ("paper",)])
def test_settings_are_json_and_identify_their_study(make, overlay):
    study = read_study(*overlay)
    settings = make(study)
    assert decode(json.loads(json.dumps(encode(settings))), type(settings)) == settings
    assert settings.study == study.name
    assert ("not the paper's" in settings.note) is (not overlay)


def test_training_settings_do_not_reach_tables():
    before = [make(read_study()) for make in ALL]
    after = [make(read_study(student={"training": {"learning_rate": 0.1}})) for make in ALL]
    assert before == after


@pytest.mark.parametrize(
    ("changes", "official"),
    [
        ({}, False),
        ({"data": {"source": "hub"}}, True),
        ({"data": {"source": "hub", "limit": {"rte": {"test": 9}}}}, False),
    ],
)
def test_only_whole_glue_data_are_official(changes, official):
    assert analysis_settings.submission_settings(read_study(**changes)).official is official


def test_significance_settings_include_baselines_and_teachers():
    settings = analysis_settings.significance_settings(read_study())
    baselines = {row.name: row.baseline for row in settings.candidates}
    assert baselines["exp3.2"] == settings.internal.baseline == "exp2.0"
    assert baselines["exp3.3"] == "exp2.0t"
    assert settings.teachers == 1
    several = read_study(seeds=[3, 4], teacher={"seeds": [3, 4]})
    assert analysis_settings.significance_settings(several).teachers == 2


def test_claim_settings_name_experiments_by_the_papers_rows():
    study = read_study(experiments={"exp3.1": {"paper_row": None}})
    settings = analysis_settings.claims_settings(study)
    rows = {row.name: row for row in settings.rows}
    assert rows["exp3.2"].paper_row == "exp3.2"
    assert rows["exp3.1"].paper_row is None
    assert (rows["exp3.3"].head, rows["exp3.3"].baseline) == ("teacher", "exp2.0t")
    assert (rows["exp1.0"].head, rows["exp1.0"].baseline) == (None, None)
    assert settings.sweep_layers.counts == (1, 2, 3)
    assert settings.sweep_sizes == SizeSweep(("qqp", "qnli"), (10, 25, 50, 100))
    assert settings.student_layers == 3


def test_figure_settings_contain_what_their_kind_needs():
    study = read_study()
    by_name = {
        figure.name: FIGURE_KINDS[figure.kind].settings(study, figure) for figure in figures(study)
    }
    assert by_name["fig2"].task == "qqp"
    assert by_name["fig3"].layers == 3
    assert [row.name for row in by_name["fig4"].experiments] == ["exp3.3", "exp3.4", "exp3.5"]
    assert [row.head for row in by_name["fig4"].experiments] == ["teacher", "teacher", "random"]
    assert by_name["fig2"].teacher.head is None
    assert (by_name["fig5"].layer, by_name["fig5"].head) == (None, 4)
    assert by_name["fig11"].head == 1
    assert by_name["attention_kl"].tasks == ("cola", "qqp", "mrpc", "rte")
    roles = [row.role for row in by_name["calibration"].experiments]
    assert roles == ["teacher", "standard", "internal"]


def test_table_says_when_numbers_are_not_the_papers():
    assert "not the paper's" in analysis_settings.table1_settings(read_study()).note
    paper = analysis_settings.table1_settings(read_study("paper"))
    assert (paper.note, paper.with_paper) == ("", True)
    assert {row.name: row.paper_row for row in paper.experiments} == {
        **{f"exp{number}": f"exp{number}" for number in PAPER_ROWS},
        "exp2.0t": None,
    }


def test_rows_name_their_head_and_their_baseline():
    rows = {row.name: row for row in analysis_settings.table1_settings(read_study()).experiments}
    assert (rows["exp1.0"].head, rows["exp1.0"].baseline) == (None, None)
    assert (rows["exp3.4"].head, rows["exp3.4"].baseline) == ("teacher", "exp2.0t")
    assert (rows["exp3.5"].head, rows["exp3.5"].baseline) == ("random", "exp2.0")
