import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.attention_distances import read_distances
from internal_kd.evaluation.inference import benjamini_hochberg, benjamini_yekutieli
from internal_kd.reporting.claims.write import CLAIMS, ClaimRow, build, write_claims
from internal_kd.reporting.records import columns_of
from internal_kd.reporting.runs import read_run_folders
from internal_kd.specs.jobs import encode
from internal_kd.specs.tables import LayerSweep, SizeSweep
from internal_kd.study.glue import GLUE
from tests.reporting.claims.study import (
    ROWS,
    SETTINGS,
    distances_file,
    predictions,
    settings_row,
    verdicts,
    write_study,
)
from tests.reporting.fake_runs import frame_of, write_fake_run


@pytest.fixture
def distances(tmp_path):
    files = [
        distances_file(tmp_path / f"{name}-{seed}.parquet", name, kl, seed)
        for name, kl in (("exp2.0", 2.0), ("exp3.2", 0.1))
        for seed in (0, 1, 2)
    ]
    return read_distances(files)


def test_claims_of_a_study_like_the_paper(tmp_path, distances):
    seeds = range(5)
    runs = write_study(tmp_path, seeds=seeds, teacher_seeds=seeds, tested=True)
    frame = build(runs, distances, SETTINGS)
    assert list(frame.columns) == columns_of(ClaimRow)
    found = verdicts(frame)
    for name in (
        "internal-beats-standard",
        "every-internal-beats-standard",
        "all-significant",
        "standard-beats-none",
        "internal-beats-none",
        "every-internal-beats-none",
        "internal-beats-standard-on-test",
        "teacher-beats-students",
        "scores-fall-with-layers",
        "higher-with-fewer-layers",
        "gap-grows-with-less-data",
        "higher-at-every-size",
        "pid-peaks-before-output",
        "pid-rises-with-upper-layers",
        "agrees-with-teacher",
        "right-with-teacher",
        "closer-attention",
    ):
        assert found[name] == "holds", name
    assert found["small-gap-with-all-data"] == "does not hold"
    assert found["sid-peaks-before-output"] == "no data"  # no experiment corresponds to exp3.4


def test_claims_fail_when_the_methods_change_places(tmp_path):
    rows = [settings_row("exp1.0", None, None, "exp1.0")]
    rows.append(settings_row("exp1.1", paper_row="exp1.1"))
    rows.append(settings_row("exp2.0", baseline="exp3.2", paper_row="exp3.2"))
    rows.append(settings_row("exp3.2", baseline="exp3.2", paper_row="exp2.0"))
    settings = replace(SETTINGS, standard="exp3.2", internal="exp2.0", rows=rows)
    found = verdicts(build(write_study(tmp_path, seeds=range(5)), None, settings))
    for name in (
        "internal-beats-standard",
        "every-internal-beats-standard",
        "all-significant",
        "higher-with-fewer-layers",
        "gap-grows-with-less-data",
        "higher-at-every-size",
        "agrees-with-teacher",
        "right-with-teacher",
    ):
        assert found[name] == "does not hold", name
    assert found["internal-beats-none"] == "holds"


def test_every_claim_has_a_row_even_without_data(tmp_path):
    settings = replace(SETTINGS, tasks=("mrpc",), rows=())
    settings = replace(settings, sweep_layers=LayerSweep((), ()), sweep_sizes=SizeSweep((), ()))
    runs = [write_fake_run(tmp_path, "mrpc", "exp9", validation=predictions(0.8, 0))]
    frame = build(runs, None, settings)
    assert list(frame["claim"]) == [claim.name for claim in CLAIMS]
    assert set(frame["verdict"]) == {"no data"}
    assert frame["value"].isna().all()
    assert frame["remark"].str.startswith("no data: ").all()


@pytest.mark.parametrize(
    ("drop", "claim", "reason"),
    [
        (lambda r: r.experiment == "exp1.0", "agrees-with-teacher", "no run of the teacher exp1.0"),
        (lambda r: r.experiment == "exp1.1", "internal-beats-none", "no runs of exp1.1"),
        (lambda r: r.layers == 1, "no-boost-at-one-layer", "no students of one layer"),
        (lambda r: r.layers == 2, "slower-decay", "no students of between 1 and 4 layers"),
        (lambda r: r.percent < 100, "gap-grows-with-less-data", "one share of the data only"),
        (lambda r: r.experiment == "exp3.3", "pid-starts-at-chance", "no runs of exp3.3"),
    ],
)
def test_what_is_missing_is_named(tmp_path, drop, claim, reason):
    runs = [run for run in write_study(tmp_path) if not drop(run)]
    frame = build(runs, None, SETTINGS).set_index("claim")
    assert frame.loc[claim, "verdict"] == "no data"
    assert reason in frame.loc[claim, "remark"]


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_give_hints_with_their_direction(tmp_path, seeds):
    frame = build(write_study(tmp_path, seeds=range(seeds), tested=True), None, SETTINGS)
    known = frame[frame["verdict"] != "no data"].set_index("claim")
    assert len(known) > 20
    assert set(known["verdict"]) == {"hint"}
    assert known["p"].isna().all()
    assert known["remark"].str.contains(f"{seeds} seeds?, verdicts need 3").all()
    assert known.loc["internal-beats-standard", "remark"].startswith("for the claim, a hint only")
    against = known.loc["small-gap-with-all-data", "remark"]
    assert against.startswith("against the claim, a hint only")
    peak = known.loc["pid-peaks-before-output"]
    assert peak["value"] == pytest.approx(0.05 + 0.005 * (seeds - 1) / 2)
    assert np.isnan(peak["low"]) == (seeds == 1)


def test_one_teacher_gives_hints_of_its_students_lag_alone(tmp_path, distances):
    frame = build(write_study(tmp_path, tested=True), distances, SETTINGS).set_index("claim")
    for claim in ("teacher-beats-students", "near-teacher-at-half"):
        assert frame.loc[claim, "verdict"] == "hint"
        assert "one teacher per task" in frame.loc[claim, "remark"]
    assert frame.loc["agrees-with-teacher", "verdict"] == "holds"


def test_exploratory_p_values_are_adjusted_over_all_with_a_verdict(tmp_path):
    frame = build(write_study(tmp_path), None, SETTINGS)
    judged = frame["verdict"].isin(["holds", "does not hold", "inconclusive"])
    rest = frame[judged & (frame["family"] == "exploratory")]
    assert len(rest) > 10
    assert list(rest["p_bh"]) == pytest.approx(list(benjamini_hochberg(rest["p_tail"])))
    assert list(rest["p_by"]) == pytest.approx(list(benjamini_yekutieli(rest["p_tail"])))
    others = frame.drop(rest.index)
    assert others[["p_bh", "p_by"]].isna().all(axis=None)
    assert list(frame.index[frame["p_holm"].notna()]) == [0]
    assert frame.loc[0, ["claim", "family"]].tolist() == ["internal-beats-standard", "primary"]


def test_holding_is_a_p_below_the_level(tmp_path, distances):
    runs = write_study(tmp_path, teacher_seeds=(0, 1, 2), tested=True)
    frame = build(runs, distances, SETTINGS)
    rest = frame[(frame["family"] == "exploratory") & frame["p"].notna()]
    levels = np.where(rest["claim"] == "all-significant", 0.001, 0.05)
    assert ((rest["verdict"] == "holds") == (rest["p"] < levels)).all()
    assert {"holds", "does not hold", "inconclusive"} <= set(rest["verdict"])


def test_rows_of_the_paper_without_an_experiment_have_no_data(tmp_path):
    rows = [one for one in ROWS if one.name not in ("exp1.0", "exp1.1")]
    frame = build(write_study(tmp_path), None, replace(SETTINGS, rows=rows)).set_index("claim")
    for claim, row in (
        ("teacher-beats-students", "exp1.0"),
        ("internal-beats-none", "exp1.1"),
        ("sid-peaks-before-output", "exp3.4"),
    ):
        assert frame.loc[claim, "verdict"] == "no data"
        assert f"corresponds to the paper's {row}" in frame.loc[claim, "remark"]
    assert frame.loc["internal-beats-standard", "verdict"] == "holds"


def test_a_divergence_of_zero_has_no_data(tmp_path):
    files = [
        distances_file(tmp_path / f"{name}.parquet", name, kl)
        for name, kl in (("exp2.0", 1.0), ("exp3.2", 0.0))
    ]
    frame = build(write_study(tmp_path, seeds=(0,)), read_distances(files), SETTINGS)
    found = frame.set_index("claim").loc["closer-attention"]
    assert found["verdict"] == "no data"
    assert "a divergence of 0 has no ratio" in found["remark"]


def test_numbers_are_repeated_exactly(tmp_path):
    runs = write_study(tmp_path)
    pd.testing.assert_frame_equal(build(runs, None, SETTINGS), build(runs, None, SETTINGS))


def test_students_of_one_class_do_not_crash(tmp_path):
    same = frame_of(predictions(0.8, 0).labels, predictions(0.8, 0).logits * 0)
    for seed in range(3):
        for name in ("exp2.0", "exp3.2", "exp1.1"):
            write_fake_run(tmp_path, "cola", name, seed=seed, layers=4, validation=same)
    write_fake_run(tmp_path, "cola", "exp1.0", layers=8, validation=predictions(1.0, 0))
    runs = read_run_folders(sorted(tmp_path.glob("runs/*/*/*/*/*")), GLUE)
    frame = build(runs, None, SETTINGS).set_index("claim")
    assert frame.loc["internal-beats-standard", "value"] == 0
    assert frame.loc["internal-beats-standard", "verdict"] == "inconclusive"
    assert "a teacher is never wrong" in frame.loc["wrong-with-teacher", "remark"]
    assert frame.loc["standard-is-over-confident", "verdict"] == "inconclusive"


def test_files(tmp_path):
    folders = [run.folder for run in write_study(tmp_path)]
    write_claims(folders, [], SETTINGS, tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv")
    text = (tmp_path / "out.md").read_text()
    rest = frame[frame["family"] == "exploratory"]
    counts = rest["verdict"].value_counts()
    surviving = ((rest["verdict"] == "holds") & (rest["p_bh"] < 0.05)).sum()
    order = ["does not hold", "inconclusive", "hint", "no data"]
    numbers = [counts["holds"], surviving, *(counts.get(name, 0) for name in order)]
    assert f"| All | {' | '.join(map(str, numbers))} |" in text
    places = ["**internal-beats-standard", "Verdicts, one per", "### Scores", "**all-significant"]
    assert sorted(places, key=text.index) == places
    assert "Not the paper's numbers." in text
    assert "no distances from the teacher" in text


def test_broken_files_of_distances_are_named(tmp_path):
    folders = [run.folder for run in write_study(tmp_path, seeds=(0,))]
    (tmp_path / "broken.parquet").write_text("")
    with pytest.raises(UserError, match=r"broken\.parquet"):
        write_claims(folders, [tmp_path / "broken.parquet"], SETTINGS, tmp_path / "out.csv")


def test_the_command(tmp_path):
    folders = [run.folder for run in write_study(tmp_path, seeds=(0,))]
    options = ["--settings", json.dumps(encode(SETTINGS)), "--runs", *folders, "--distances"]
    options += [distances_file(tmp_path / "d.parquet", "exp2.0", 1.0), "--out", tmp_path / "o.csv"]
    options += ["--function", "claims.write:write_claims"]
    subprocess.run(
        [sys.executable, "-m", "internal_kd.jobs", "product", *options],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert list(pd.read_csv(tmp_path / "o.csv").columns) == columns_of(ClaimRow)
