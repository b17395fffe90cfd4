from typing import get_args, get_type_hints

from internal_kd.reporting.wording import (
    FLAG_TEXTS,
    HEADS,
    METRIC_TITLES,
    capitalized,
    flag_marks,
    flag_notes,
    flag_sentences,
    head_title,
    points,
    seeds_sentences,
    starts_sentences,
    teachers_sentences,
)
from internal_kd.specs.experiments import Experiment
from internal_kd.specs.reports import Row
from internal_kd.specs.tasks import METRICS_OF, SINGLE_LABEL
from tests.reporting.answers import answers
from tests.reporting.fake_runs import write_fake_run


def test_every_metric_has_a_title():
    assert set(METRIC_TITLES) == set(METRICS_OF[SINGLE_LABEL])


def test_only_the_first_letter_is_raised():
    assert capitalized("exp3.X") == "Exp3.X"
    assert capitalized("") == ""


def test_every_head_has_a_name():
    assert set(HEADS) == set(get_args(get_type_hints(Experiment)["head_init"]))
    assert head_title("teacher_start") == "teacher's start"
    assert head_title(None) == ""


def test_the_fewest_seeds_decide_what_is_a_hint():
    assert seeds_sentences([3, 5]) == []
    assert seeds_sentences([0, 3]) == []
    (two,) = seeds_sentences([2, 3])
    assert two.startswith("Two seeds: every difference is a hint")
    (one,) = seeds_sentences([3, 1, 2])
    assert one.startswith("One seed: every difference is a hint")
    assert seeds_sentences([]) == []


def test_several_teachers_generalise():
    assert "conditional on the one teacher" in teachers_sentences(1)[0]
    assert "new pairs of teacher and student" in teachers_sentences(3)[0]
    assert teachers_sentences(0) == []


def test_students_of_other_starts_give_hints():
    standard = Row("exp2.0", "", "random", "exp2.0")
    assert starts_sentences(Row("exp3.2", "", "random", "exp2.0"), standard) == []
    for baseline in ("exp2.0t", None):
        (found,) = starts_sentences(Row("exp3.4", "", "teacher", baseline), standard)
        assert found.startswith("Exp3.4 and Exp2.0 differ in more than their losses")


def test_points_have_a_sign_unless_they_round_to_zero():
    assert [points(v) for v in (0.0123, -0.0123, 0.0004, -0.0004)] == ["+1.2", "−1.2", "0.0", "0.0"]


def test_each_flag_has_one_letter():
    marks = flag_marks(["one_class", "at_majority", "one_class"])
    assert marks == {"at_majority": "a", "one_class": "b"}
    assert flag_notes(marks) == [
        f"a: {FLAG_TEXTS['at_majority']}.",
        f"b: {FLAG_TEXTS['one_class']}.",
    ]


def test_unknown_flag_is_shown_by_its_name():
    assert flag_notes({"lost_its_way": "a"}) == ["a: lost its way."]


def test_a_sentence_for_each_flagged_experiment(tmp_path):
    runs = [
        write_fake_run(tmp_path, "cola", "exp2.0", validation=answers(5), flags=["one_class"]),
        write_fake_run(tmp_path, "rte", "exp2.0", validation=answers(9)),
    ]
    expected = "Exp2.0 on CoLA: at least one run always predicts the same class."
    assert flag_sentences(runs) == [expected]
