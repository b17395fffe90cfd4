import pytest

from internal_kd.fingerprint import closure
from internal_kd.reporting import paper_tables
from internal_kd.reporting.paper_tables import paper_table2, paper_table3


def test_all_values_of_table_2():
    frame = paper_table2()
    assert list(frame.columns) == ["experiment", "task", "metric", "value", "place"]
    assert len(frame) == 3 * 6
    assert not frame.duplicated(["experiment", "task", "metric"]).any()
    values = frame.set_index(["experiment", "task", "metric"])["value"]
    assert values["exp1.0", "cola", "mcc"] == 51.4
    assert values["exp2.0", "qqp", "f1"] == 69.1
    assert values["exp2.0", "qqp", "accuracy"] == 88.0
    assert values["exp3.X", "mrpc", "accuracy"] == 77.1
    assert values["exp3.X", "rte", "accuracy"] == 62.2


def test_first_number_of_a_pair_is_the_f1():
    """On QQP few pairs are duplicates, so F1 of the duplicates lies below the accuracy."""
    values = paper_table2().set_index(["experiment", "task", "metric"])["value"]
    for experiment in ("exp1.0", "exp2.0", "exp3.X"):
        assert values[experiment, "qqp", "f1"] < values[experiment, "qqp", "accuracy"]
        assert values[experiment, "mrpc", "f1"] > values[experiment, "mrpc", "accuracy"]


def test_places_of_table_2():
    places = paper_table2().set_index(["experiment", "task", "metric"])["place"]
    assert places["exp3.X", "qqp", "accuracy"] == 'Table 2, Exp3.X, QQP "Acc./F1", second number'


@pytest.mark.parametrize("experiment", ["exp2.0", "exp3.2"])
def test_numbers_of_table_3_sum_to_the_development_set(experiment):
    frame = paper_table3()
    counts = frame[frame["experiment"] == experiment].set_index("count")["value"]
    assert len(counts) == 6
    for teacher in ("right", "wrong"):
        students = counts[f"right_when_{teacher}"] + counts[f"wrong_when_{teacher}"]
        assert students == counts[f"teacher_{teacher}"]
    assert counts["teacher_right"] + counts["teacher_wrong"] == 40_430


def test_values_and_places_of_table_3():
    frame = paper_table3().set_index(["experiment", "count"])
    assert frame.loc[("exp3.2", "right_when_right"), "value"] == 36_191
    assert frame.loc[("exp2.0", "wrong_when_wrong"), "value"] == 2_231
    place = "Table 3, Internal KD (Exp3.2), Teacher Right, ✗"
    assert frame.loc[("exp3.2", "wrong_when_right"), "place"] == place


def test_values_count_as_code():
    assert set(paper_tables.FINGERPRINT_DATA) == {"paper_table2.csv", "paper_table3.csv"}
    for job in ("table2", "table3"):
        assert "internal_kd.reporting.paper_tables" in closure(f"internal_kd.reporting.{job}")
