from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.attention_distances import (
    COLUMNS,
    LayerDistances,
    read_distances,
    write_distances,
)
from internal_kd.specs.runs import Run

RUN = Run("rte", "exp3.2", layers=2, percent=50, seed=4)
DISTANCES = LayerDistances(
    np.array([2, 0, 1]),
    (3, 6),
    np.array([[0.5, 0.6], [0.1, 0.2], [0.3, 0.4]], np.float32),
    np.array([[5, 6], [1, 2], [3, 4]], np.float32) / 1000,
)


def test_one_row_per_example_and_layer(tmp_path) -> None:
    write_distances(tmp_path / "a.parquet", RUN, DISTANCES)
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert tuple(frame.columns) == COLUMNS
    for key, value in asdict(RUN).items():
        assert (frame[key] == value).all()
    assert frame["index"].tolist() == [0, 0, 1, 1, 2, 2]
    assert frame["layer"].tolist() == [1, 2] * 3
    assert frame["teacher_layer"].tolist() == [3, 6] * 3
    assert frame["attention_kl"].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert frame["cosine_distance"].tolist() == pytest.approx(np.arange(1, 7) / 1000)


def test_files_are_read_one_after_the_other(tmp_path) -> None:
    for seed in (4, 5):
        write_distances(tmp_path / f"{seed}.parquet", replace(RUN, seed=seed), DISTANCES)
    frame = read_distances([tmp_path / "5.parquet", tmp_path / "4.parquet"])
    assert frame["seed"].tolist() == [5] * 6 + [4] * 6
    assert tuple(frame.columns) == COLUMNS


def test_unrelated_files_are_reported(tmp_path) -> None:
    (tmp_path / "text.parquet").write_text("no table")
    pd.DataFrame({"task": ["rte"]}).to_parquet(tmp_path / "other.parquet")
    for name in ("text", "other", "absent"):
        with pytest.raises(UserError, match=rf"{name}\.parquet: not a file of distances"):
            read_distances([tmp_path / f"{name}.parquet"])
