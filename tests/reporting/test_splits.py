import numpy as np
import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.splits import labelled_predictions
from tests.reporting.answers import answers, unlabelled
from tests.reporting.fake_runs import write_fake_run


@pytest.fixture
def write(tmp_path):
    def one(name, test, validation=None):
        known = answers(7) if validation is None else validation
        return write_fake_run(tmp_path, "rte", name, validation=known, test=test)

    return one


def test_labelled_splits(write):
    runs = [write("a", answers(6)), write("b", answers(5))]
    right = [(f.predictions == f.labels).sum() for f in labelled_predictions(runs, "test") or []]
    assert right == [6, 5]
    found = labelled_predictions(runs, "validation") or []
    np.testing.assert_array_equal(found[0].predictions, answers(7).predictions)


@pytest.mark.parametrize("test", [None, unlabelled([0, 1])], ids=["absent", "hidden"])
def test_unknown_labels_give_nothing(write, test):
    assert labelled_predictions([write("a", answers(6)), write("b", test)], "test") is None
    assert labelled_predictions([write("c", test)], "test") is None


def test_other_examples_are_refused(write):
    with pytest.raises(UserError, match="test examples are not those of"):
        labelled_predictions([write("a", answers(6)), write("b", answers(6, of=8))], "test")
    runs = [write("c", None), write("d", None, answers(6, of=8))]
    with pytest.raises(UserError, match="development examples are not those of"):
        labelled_predictions(runs, "validation")
