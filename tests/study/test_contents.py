from internal_kd.study.contents import index_of
from tests.study.configs import read_study


def items_of(settings, section):
    return next(part.items for part in settings.sections if part.title == section)


def test_figures_keep_the_papers_order_when_configs_are_merged():
    settings = index_of(read_study(figures={"fig1": {"kind": "calibration"}}))
    names = [item.name for item in items_of(settings, "Figures")]
    assert names == [*(f"fig{i}" for i in range(1, 12)), "attention_kl", "calibration"]


def test_a_second_figure_of_a_number_names_its_task():
    extra = {"kind": "heads", "task": "rte", "example": 0, "head": 1}
    items = items_of(index_of(read_study(figures={"fig11_rte": extra})), "Figures")
    titles = {item.name: item.title for item in items}
    assert titles["fig11"] == "Figure 11: QQP, attention of all layers"
    assert titles["fig11_rte"] == "Figure 11: RTE, attention of all layers"
    assert titles["calibration"] == "Calibration"


def test_what_is_not_in_the_study_is_named():
    settings = index_of(read_study(sweeps={"data_size": {"fractions": []}}))
    assert [entry.name for entry in settings.missing] == ["fig9"]
    assert "fig9" not in [item.name for item in items_of(settings, "Figures")]


def test_files_beside_a_table_or_figure_are_linked():
    settings = index_of(read_study())
    (submission,) = items_of(settings, "Files")
    assert submission.more == ("glue_submission_exp2.0.zip", "glue_submission_exp1.0.zip")
    calibration = items_of(settings, "Figures")[-1]
    assert calibration.more == ("figures/calibration_summary.csv",)
