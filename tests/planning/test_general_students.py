"""The cost and the progress of general students."""

import json
import time
from pathlib import Path

import pytest

from internal_kd.data.corpus import META
from internal_kd.distillation.progress import (
    TrainingProgress,
    identity_of,
    progress_file,
    write_progress,
)
from internal_kd.planning.costs import Costs
from internal_kd.planning.plan import make_plan
from internal_kd.planning.progress import make_progress, progress_json, progress_text
from internal_kd.planning.workflow import Job, run_files
from internal_kd.specs.agnostic import AgnosticRun
from internal_kd.specs.jobs import encode
from tests.study.configs import read_study

RUN = AgnosticRun("att", 3, 0)
JOB = Job("agnostic", ("results/agnostic/att/layers3/seed0/model",), finished=False)
TEXT = Job("corpus", ("results/corpus",), finished=False)
CODE = {"agnostic/att": "abc"}


def costs_of(**changes) -> Costs:
    model = {"internal": {"attention_mse": 1.0}, **changes.pop("model", {})}
    return Costs(read_study(agnostic={"att": model}, **changes))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_job_is_known_by_its_path() -> None:
    assert JOB.trains
    assert JOB.run is None
    assert JOB.training == RUN
    files = run_files(Path("results"), JOB)
    assert str(files.log) == "results/logs/agnostic/agnostic-att-layers3-seed0.log"
    assert files.checkpoints.name == "agnostic-att-layers3-seed0"


def test_steps_are_those_of_the_config_and_work_grows_with_them() -> None:
    short, long = (costs_of(model={"training": {"steps": n}}).of(JOB) for n in (1000, 2000))
    assert (short.work.steps, long.work.steps) == (1000, 2000)
    assert long.work.flops == pytest.approx(2 * short.work.flops)
    assert long.seconds > short.seconds > 0
    assert short.checkpoint == 4 * short.disk > 0


def test_only_the_layers_that_losses_need_are_counted() -> None:
    whole, low = (
        costs_of(model={"layer_map": chosen}, student={"layers": 3}).of(JOB).work.flops
        for chosen in ([3, 5, 8], [1, 2, 3])
    )
    assert whole > 1.2 * low


def test_text_that_is_there_counts_as_it_is() -> None:
    before = costs_of(corpus={"pack": True}).of(JOB).work.tokens
    assert before == 2000 * 32 * 64
    folder = Path("results/corpus")
    folder.mkdir(parents=True)
    numbers = {"sequences": 100, "tokens": 1000, "squares": 12000, "vocab_size": 9}
    ids = {"pad_token_id": 0, "mask_token_id": 1, "special_ids": [0, 1]}
    (folder / META).write_text(json.dumps(numbers | ids))
    assert costs_of(corpus={"pack": True}).of(JOB).work.tokens == 2000 * 32 * 10
    assert costs_of().of(TEXT).disk == 5 * 1000 + 4 * 100


def test_the_plan_names_them() -> None:
    rows = {row.rule: row for row in make_plan([JOB, TEXT], costs_of()).rows}
    assert list(rows) == ["corpus", "agnostic"]
    assert (rows["agnostic"].experiment, rows["agnostic"].steps) == ("att", 2000)
    assert (rows["agnostic"].gpu, rows["corpus"].gpu) == (True, False)


def test_progress_counts_steps() -> None:
    costs, now = costs_of(), time.time()
    identity = identity_of(encode(costs.training_job(RUN)), "abc")
    found = TrainingProgress(
        identity,
        "running",
        started=now,
        updated=now,
        step=600,
        steps=2000,
        epoch=2,
        epochs=4,
        loss=0.5,
        score=0.25,
        score_name="held_out loss",
        epoch_seconds=30.5,
    )
    write_progress(progress_file(run_files(costs.results, JOB).checkpoints), found)
    progress = make_progress([JOB], costs, CODE)
    text = progress_text(progress)
    assert "unlabelled text  att" in text
    assert (
        "general student att, 3 layers, seed 0: step 600 of 2000; last evaluation: loss 0.5000, "
        "held_out loss 0.2500, 30.5 s"
    ) in text
    (facts,) = json.loads(progress_json(progress))["runs"]
    assert (facts["model"], facts["state"]) == ("att", "running")
