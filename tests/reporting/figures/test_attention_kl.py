from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from internal_kd.errors import UserError
from internal_kd.evaluation.attention_distances import (
    LayerDistances,
    read_distances,
    write_distances,
)
from internal_kd.reporting.figures import attention_kl
from internal_kd.reporting.figures.attention_kl import COLUMNS, build, write_attention_kl
from internal_kd.reporting.figures.style import COLORS
from internal_kd.specs.figures import AttentionKlSettings
from internal_kd.specs.runs import Run
from internal_kd.study.glue import GLUE
from tests.reporting.figures.attention_patterns import SETTINGS, drawn, words

TASKS = AttentionKlSettings(
    task_specs=GLUE,
    study=SETTINGS.study,
    note=SETTINGS.note,
    standard=SETTINGS.standard,
    internal=SETTINGS.internal,
    tasks=("cola", "rte"),
)
EXAMPLES = 21


@pytest.fixture
def write(tmp_path):
    """Write the distances of one student and give the file's path."""

    def write_student(task, experiment, seed=0, factor=1.0, **fields):
        rng = np.random.default_rng(seed)
        kl, cosine = factor * rng.uniform(0.5, 1.0, (2, EXAMPLES, 2))
        path = tmp_path / f"{task}-{experiment}-{seed}-{len(fields)}.parquet"
        run = replace(Run(task, experiment, layers=2, percent=100, seed=seed), **fields)
        distances = LayerDistances(np.arange(EXAMPLES), (3, 6), kl, cosine)
        write_distances(path, run, distances)
        return path

    return write_student


@pytest.fixture
def files(write):
    """Both students on two tasks, with two seeds on the first."""
    return [
        write(task, experiment, seed, factor)
        for task, seeds in (("cola", 2), ("rte", 1))
        for experiment, factor in (("exp2.0", 1.0), ("exp3.2", 0.25))
        for seed in range(seeds)
    ]


def row(frame, **keys):
    (found,) = frame[(frame[list(keys)] == pd.Series(keys)).all(axis=1)].to_dict("records")
    return found


def values(files, **keys):
    frame = read_distances(files)
    return frame[(frame[list(keys)] == pd.Series(keys)).all(axis=1)]


def test_distribution_of_each_seed_and_of_all(files) -> None:
    frame = build(read_distances(files), TASKS)
    assert list(frame.columns) == COLUMNS
    assert len(frame) == (3 + 2) * 2 * 2 * 2  # seeds and all, students, layers, measures
    place = {"task": "cola", "experiment": "exp3.2", "layer": 2}
    for seed in (0, 1):
        found = row(frame, **place, seed=str(seed), measure="cosine_distance")
        expected = values(files, **place, seed=seed)["cosine_distance"].to_numpy(float)
        assert found["n"] == EXAMPLES
        assert found["teacher_layer"] == 6
        assert found["mean"] == pytest.approx(expected.mean())
        quantiles = [found[name] for name in ("q05", "q25", "median", "q75", "q95")]
        expected_quantiles = np.quantile(expected, [0.05, 0.25, 0.5, 0.75, 0.95])
        assert quantiles == pytest.approx(expected_quantiles.tolist())
    pooled = row(frame, **place, seed="all", measure="cosine_distance")
    everything = values(files, **place)["cosine_distance"]
    assert pooled["n"] == 2 * EXAMPLES
    assert pooled["median"] == pytest.approx(everything.median())


def test_other_experiments_and_tasks_are_excluded(files, write) -> None:
    more = [write("cola", "exp3.4"), write("qqp", "exp2.0")]
    expected = build(read_distances(files), TASKS)
    pd.testing.assert_frame_equal(build(read_distances([*more, *files]), TASKS), expected)


@pytest.mark.parametrize("changed", [{"layers": 1}, {"percent": 50}])
def test_students_of_different_sizes_are_not_mixed(files, write, changed) -> None:
    more = write("rte", "exp3.2", 5, **changed)
    with pytest.raises(UserError, match=r"exp3\.2 on rte: distances of runs of different layers"):
        build(read_distances([*files, more]), TASKS)


def test_boxes_are_the_pooled_quantiles(monkeypatch, files) -> None:
    found = drawn(monkeypatch, attention_kl, write_attention_kl, files, TASKS, "a.csv")
    assert len(found.axes) == 4
    panel = found.axes[0]
    boxes = {tuple(patch.get_facecolor()[:3]): [] for patch in panel.patches}
    for patch in panel.patches:
        ys = patch.get_path().vertices[:, 1]
        boxes[tuple(patch.get_facecolor()[:3])].append((ys.min(), ys.max()))
    pooled = found.frame[(found.frame["seed"] == "all") & (found.frame["task"] == "cola")]
    for role in ("standard", "internal"):
        rows = pooled[pooled["experiment"] == SETTINGS.roles[role].name]
        rows = rows[rows["measure"] == "attention_kl"].sort_values("layer")
        expected = rows[["q25", "q75"]].to_numpy()
        np.testing.assert_allclose(boxes[to_rgba(COLORS[role])[:3]], expected)
    assert words(panel.get_xticklabels()) == ["1 (3)", "2 (6)"]


def test_panels_are_named(monkeypatch, files) -> None:
    found = drawn(monkeypatch, attention_kl, write_attention_kl, files, TASKS, "a.csv")
    assert [axes.get_title() for axes in found.axes[:2]] == [
        "Attention KL (nats)",
        "[CLS] cosine distance",
    ]
    assert [axes.get_ylabel() for axes in found.axes[::2]] == ["CoLA", "RTE"]
    legend = words(found.figure.legends[0].get_texts())
    assert legend == ["Standard KD (Exp2.0)", "Internal KD (Exp3.2)"]


@pytest.mark.parametrize(("factor", "scale"), [(0.25, "linear"), (0.001, "log")])
def test_axis_is_logarithmic_where_boxes_span_decades(monkeypatch, write, factor, scale) -> None:
    files = [write("rte", "exp2.0"), write("rte", "exp3.2", factor=factor)]
    settings = replace(TASKS, tasks=("rte",))
    found = drawn(monkeypatch, attention_kl, write_attention_kl, files, settings, "a.csv")
    assert [axes.get_yscale() for axes in found.axes] == [scale] * 2


def test_distances_of_zero_are_drawn(monkeypatch, write) -> None:
    files = [write("rte", "exp2.0"), write("rte", "exp3.2", factor=0.0)]
    settings = replace(TASKS, tasks=("rte",))
    found = drawn(monkeypatch, attention_kl, write_attention_kl, files, settings, "a.csv")
    assert {axes.get_yscale() for axes in found.axes} == {"linear"}
    assert {axes.get_ylim()[0] for axes in found.axes} == {0.0}


def test_remarks_give_the_number_of_seeds(monkeypatch, files, write) -> None:
    found = drawn(monkeypatch, attention_kl, write_attention_kl, files, TASKS, "a.csv")
    assert "all 2 seeds together" in found.remarks
    assert "One or two seeds: differences are hints." in found.remarks
    assert found.remarks.endswith(SETTINGS.note)
    one = [write("rte", "exp2.0"), write("rte", "exp3.2")]
    settings = replace(TASKS, tasks=("rte",))
    found = drawn(monkeypatch, attention_kl, write_attention_kl, one, settings, "a.csv")
    assert "one seed." in found.remarks
    assert "One seed: differences are hints." in found.remarks
    assert "No distances" not in found.remarks


def test_missing_students_are_named(tmp_path, monkeypatch, write) -> None:
    found = drawn(
        monkeypatch, attention_kl, write_attention_kl, [write("rte", "exp2.0")], TASKS, "a.csv"
    )
    missing = "No distances of Exp2.0 on CoLA, Exp3.2 on CoLA, Exp3.2 on RTE."
    assert missing in found.remarks
    assert words(found.axes[0].texts) == ["no distances"]


def test_files_are_written_without_any_runs(tmp_path, write) -> None:
    write_attention_kl([write("qqp", "exp2.0")], TASKS, tmp_path / "figures/a.csv")
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".csv", ".pdf", ".png"}
    assert list(pd.read_csv(tmp_path / "figures/a.csv").columns) == COLUMNS
