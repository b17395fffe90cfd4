from hypothesis import given
from hypothesis import strategies as st

from internal_kd.distillation.schedules import epoch_limits
from internal_kd.study.draft import internal_epochs
from internal_kd.study.problems import nearest


@given(st.integers(1, 100), st.integers(1, 24), st.floats(0.01, 1.0))
def test_internal_epochs_are_those_of_the_schedule(epochs, layers, fraction):
    assert internal_epochs(epochs, layers, fraction) == sum(epoch_limits(epochs, layers, fraction))


def test_nearest_lists_all_when_none_is_near():
    assert nearest("xyz", ["b", "a"]) == "known: a, b"
    assert nearest("qnil", ["qnli", "rte"]) == "did you mean 'qnli'?"
