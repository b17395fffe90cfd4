from internal_kd.reporting.paper import paper_table1
from internal_kd.study.glue import GLUE


def test_all_values_of_the_papers_table():
    frame = paper_table1()
    assert list(frame.columns) == ["experiment", "task", "metric", "value", "place"]
    assert len(frame) == 10 * 6
    assert not frame.duplicated(["experiment", "task", "metric"]).any()
    assert frame["value"].between(40, 92).all()
    for task, rows in frame.groupby("task"):
        assert set(rows["metric"]) == set(GLUE[task].metrics)
        assert rows["experiment"].nunique() == 10


def test_values_read_off_the_paper():
    values = paper_table1().set_index(["experiment", "task", "metric"])["value"]
    assert values["exp1.0", "cola", "mcc"] == 60.16
    assert values["exp2.0", "mrpc", "f1_weighted"] == 75.74
    assert values["exp3.2", "qqp", "f1_weighted"] == 91.38
    assert values["exp3.6", "mrpc", "accuracy"] == 70.10
    assert values["exp3.6", "rte", "accuracy"] == 67.51


def test_places_name_row_and_column():
    places = paper_table1().set_index(["experiment", "task", "metric"])["place"]
    assert places["exp3.3", "mrpc", "f1_weighted"] == "Table 1, Exp3.3, MRPC F1"
