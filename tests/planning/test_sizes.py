import numpy as np
import pytest

from internal_kd.data.encoding import TokensMeta, save_tokens
from internal_kd.distillation.signals import SignalRequest, signal_bytes
from internal_kd.evaluation.predictions import SplitPredictions, write_predictions
from internal_kd.objectives.registry import targets_of
from internal_kd.planning import encoder
from internal_kd.planning.encoder import encoder_of
from internal_kd.planning.texts import TaskTexts, Texts
from internal_kd.specs.jobs import decode
from internal_kd.specs.students import StudentJob
from tests.distillation.splits import tiny_split
from tests.jobs.tiny_study import DISTILLATION, TRAINING, experiment_settings, run_of
from tests.models.tiny import tiny_model

ENCODER = encoder_of(tiny_model(layers=4).config.to_dict())
LENGTHS = np.array([5, 9, 12, 30])
TEXTS = Texts(4, LENGTHS.sum(), (LENGTHS**2).sum())


def job(experiment: str, source: str = "auto", percent: int = 100) -> StudentJob:
    signals = {"source": source}
    settings = {
        "run": run_of(experiment, percent=percent),
        "experiment": experiment_settings(experiment),
        "training": TRAINING,
        "distillation": DISTILLATION | {"signals": signals},
    }
    return decode(settings, StudentJob)


@pytest.mark.parametrize("experiment", ["exp2.0", "exp3.0", "exp3.1", "exp3.2"])
def test_signal_sizes_are_those_a_run_computes(experiment) -> None:
    internal = experiment_settings(experiment)["internal"]
    request = SignalRequest(matched={1: 2, 2: 4}, targets=targets_of(internal))
    axes = {"heads": ENCODER.heads, "hidden": ENCODER.hidden}
    expected = signal_bytes(LENGTHS, request, axes)
    assert encoder.signal_bytes(job(experiment), ENCODER, TEXTS) == expected


def test_signals_are_stored_as_budget_and_config_permit() -> None:
    task = TaskTexts(2, train=TEXTS, validation=Texts())
    needed_mb = encoder.signal_bytes(job("exp3.2"), ENCODER, TEXTS) / 1e6
    for source, budget_mb, stored in [
        ("auto", needed_mb, True),
        ("auto", 0.99 * needed_mb, False),
        ("stored", 0.99 * needed_mb, True),
        ("live", needed_mb, False),
    ]:
        found = encoder.stored_signals(job("exp3.2", source), ENCODER, task, budget_mb)
        assert found == (("attention_kl", "cls_cosine", "soft") if stored else ())
    assert encoder.stored_signals(job("exp2.0"), ENCODER, task, 0) == ("soft",)
    assert encoder.stored_signals(job("exp1.1"), ENCODER, task, 1) == ()


def test_bytes_are_those_of_the_runs_share_of_the_data() -> None:
    task = TaskTexts(2, train=TEXTS, validation=Texts())
    whole = encoder.stored_bytes(job("exp3.2"), ENCODER, task, 100)
    assert encoder.stored_bytes(job("exp3.2", percent=50), ENCODER, task, 100) == whole / 2
    assert encoder.stored_bytes(job("exp3.2", "live"), ENCODER, task, 100) == 0
    assert encoder.stored_bytes(job("exp1.1"), ENCODER, task, 100) == 0


def test_a_run_writes_a_model_and_predictions(tmp_path) -> None:
    rows, model = 3000, tiny_model(layers=2)
    model.save_pretrained(tmp_path)
    logits = np.random.default_rng(0).normal(size=(rows, 2)).astype(np.float32)
    frame = SplitPredictions(np.arange(rows), np.arange(rows) % 2, logits)
    write_predictions(tmp_path / "predictions.parquet", {"validation": frame})
    written = sum(
        (tmp_path / name).stat().st_size for name in ("model.safetensors", "predictions.parquet")
    )
    task = TaskTexts(2, train=TEXTS, validation=Texts(rows))
    assert encoder.run_bytes(ENCODER, 2, task) == pytest.approx(written, rel=0.05)


def test_a_checkpoint_holds_four_times_the_parameters() -> None:
    task = TaskTexts(2, train=TEXTS, validation=Texts())
    assert encoder.checkpoint_bytes(ENCODER, 2, task) == 16 * ENCODER.parameters(2, 2)


def test_tokens_on_disk(tmp_path) -> None:
    split = tiny_split(2000)
    meta = TokensMeta("rte", ("a", "b"), 0, 64, 100)
    save_tokens(tmp_path / "tokens.npz", {"train": split}, meta)
    lengths = split.lengths
    task = TaskTexts(2, train=Texts(2000, lengths.sum(), (lengths**2).sum()), validation=Texts())
    texts = encoder.TEXT_TOKEN * lengths.sum()
    written = (tmp_path / "tokens.npz").stat().st_size
    assert encoder.data_bytes(task) - texts == pytest.approx(written, rel=0.05)
