import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from internal_kd.evaluation.predictions import (
    SplitPredictions,
    read_predictions,
    write_predictions,
)


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return {
        name: SplitPredictions(
            indices=rng.permutation(n),
            labels=rng.integers(0, 2, n) if name == "validation" else np.full(n, -1),
            logits=rng.normal(size=(n, 2)).astype(np.float32),
        )
        for name, n in (("validation", 7), ("test", 4))
    }


def test_columns_and_types(tmp_path, frames):
    write_predictions(tmp_path / "p.parquet", frames)
    schema = pq.read_schema(tmp_path / "p.parquet")
    types = {name: str(schema.field(name).type) for name in schema.names}
    assert types == {
        "split": "string",
        "index": "int64",
        "label": "int64",
        "prediction": "int64",
        "logit_0": "float",
        "logit_1": "float",
        "probability_0": "float",
        "probability_1": "float",
    }


def test_rows_come_back_by_index(tmp_path, frames):
    write_predictions(tmp_path / "p.parquet", frames)
    found = read_predictions(tmp_path / "p.parquet")
    assert list(found) == ["validation", "test"]
    for name, frame in frames.items():
        order = np.argsort(frame.indices)
        assert found[name].indices.tolist() == list(range(len(order)))
        np.testing.assert_array_equal(found[name].labels, frame.labels[order])
        np.testing.assert_array_equal(found[name].logits, frame.logits[order])


def test_probability_is_the_softmax_and_prediction_the_largest(tmp_path):
    logits = np.array([[0.0, np.log(3.0)], [1000.0, -1000.0]], dtype=np.float32)
    frame = SplitPredictions(np.arange(2), np.array([1, 0]), logits)
    write_predictions(tmp_path / "p.parquet", {"test": frame})
    table = pq.read_table(tmp_path / "p.parquet")
    np.testing.assert_allclose(table.column("probability_0"), [0.25, 1.0], rtol=1e-6)
    np.testing.assert_allclose(table.column("probability_1"), [0.75, 0.0], rtol=1e-6)
    assert table.column("prediction").to_pylist() == [1, 0]


def test_no_heavy_package_is_imported(tmp_path):
    """Every run ends with this file; importing pandas would take as long as evaluating twice."""
    program = f"""
import sys
import numpy as np
from internal_kd.evaluation.predictions import SplitPredictions, write_predictions

frame = SplitPredictions(np.arange(3), np.zeros(3, np.int64), np.zeros((3, 2), np.float32))
write_predictions({str(tmp_path / "p.parquet")!r}, {{"test": frame}})
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
