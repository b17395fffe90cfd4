from internal_kd.reporting.wording import (
    FLAG_TEXTS,
    METRIC_TITLES,
    capitalized,
    flag_marks,
    flag_notes,
    flag_sentences,
)
from internal_kd.tasks import METRIC_NAMES
from tests.reporting.answers import answers
from tests.reporting.fake_runs import write_fake_run


def test_every_metric_has_a_title():
    assert set(METRIC_TITLES) == set(METRIC_NAMES)


def test_only_the_first_letter_is_raised():
    assert capitalized("exp3.X") == "Exp3.X"
    assert capitalized("") == ""


def test_each_flag_has_one_letter():
    marks = flag_marks(["one_class", "at_majority", "one_class"])
    assert marks == {"at_majority": "a", "one_class": "b"}
    assert flag_notes(marks) == [
        f"a: {FLAG_TEXTS['at_majority']}.",
        f"b: {FLAG_TEXTS['one_class']}.",
    ]


def test_unknown_flag_speaks_for_itself():
    assert flag_notes({"lost_its_way": "a"}) == ["a: lost its way."]


def test_a_sentence_for_each_flagged_experiment(tmp_path):
    runs = [
        write_fake_run(tmp_path, "cola", "exp2.0", validation=answers(5), flags=["one_class"]),
        write_fake_run(tmp_path, "rte", "exp2.0", validation=answers(9)),
    ]
    expected = "Exp2.0 on CoLA: at least one run always answers the same class."
    assert flag_sentences(runs) == [expected]
