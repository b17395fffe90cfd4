import numpy as np
import pytest

from internal_kd.embedded import tasks
from internal_kd.evaluation.metrics import score
from tests.embedded import bag_of_words

CEILINGS = {"cola": 0.72, "qqp": 0.70, "mrpc": 0.62, "rte": 0.65, "qnli": 0.70}


@pytest.mark.parametrize("name", sorted(CEILINGS))
def test_words_alone_do_not_solve_a_task(name):
    splits = tasks.generate(name, 0)
    predicted = np.array(bag_of_words.predictions(splits["train"], splits["validation"]))
    labels = splits["validation"].column("label").to_numpy()
    assert score(labels, predicted)["accuracy"] < CEILINGS[name]
