import pytest
import torch

from internal_kd.data.encoding import TokensMeta, save_tokens
from internal_kd.errors import UserError
from internal_kd.evaluation.trained import load_split, load_trained
from internal_kd.manifests import SignalStores
from internal_kd.specs.records import (
    LayerFinished,
    ParameterCounts,
    Speed,
    WrittenMetrics,
    write_metrics,
)
from internal_kd.specs.runs import Run
from tests.distillation.splits import tiny_split
from tests.jobs.tiny_study import tiny_tokenizer
from tests.models.tiny import tiny_model

CPU = torch.device("cpu")
RUN = Run("rte", "exp3.2", layers=2, percent=100, seed=0)


def metrics_of(run: Run) -> WrittenMetrics:
    return WrittenMetrics(
        run=run,
        selected_epoch=1,
        validation={"accuracy": 0.5},
        test=None,
        majority={"validation": {"accuracy": 0.4}},
        last_epoch={"accuracy": 0.5},
        train_examples=10,
        parameters=ParameterCounts(total=6, embeddings=1, layers=2, pooler=2, classifier=1),
        schedule=(LayerFinished(1, 1, "limit", None),),
        flags=("one_class",),
        code="abc",
        settings={"seed": 0},
        signals=SignalStores({"logits": "def"}),
        speed=Speed("cpu", 2.0, 0.5, 1.0, 100.0),
        seconds=1.5,
    )


@pytest.fixture
def folder(tmp_path):
    """The folder of a run."""
    tiny_model(layers=2).save_pretrained(tmp_path / "model")
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    write_metrics(tmp_path / "metrics.json", metrics_of(RUN))
    return tmp_path


def test_model_tokenizer_and_fields_of_a_run(folder) -> None:
    found = load_trained(folder, CPU)
    assert found.run == RUN
    assert found.model.config.num_hidden_layers == 2
    assert not found.model.training
    assert found.tokenizer().convert_ids_to_tokens([2, 5]) == ["[CLS]", "w0"]


@pytest.mark.parametrize("broken", ["metrics.json", "model/config.json", "model/model.safetensors"])
def test_folder_without_the_files_of_a_run_is_reported(folder, broken) -> None:
    (folder / broken).unlink()
    with pytest.raises(UserError, match=f"{folder}: not the folder of a run"):
        load_trained(folder, CPU)


@pytest.mark.parametrize("content", ["", "{}", "[]"])
def test_unexpected_metrics_are_reported(folder, content) -> None:
    (folder / "metrics.json").write_text(content)
    with pytest.raises(UserError, match="not the folder of a run"):
        load_trained(folder, CPU)


def test_split_by_its_name(tmp_path) -> None:
    splits = {"train": tiny_split(9), "validation": tiny_split(5)}
    save_tokens(tmp_path / "rte.npz", splits, TokensMeta("rte", ("yes", "no"), 1, 64, 100))
    found = load_split(tmp_path / "rte.npz", "validation")
    assert (found.task, found.name, len(found.split), found.pad_token_id) == (
        "rte",
        "validation",
        5,
        1,
    )
    with pytest.raises(UserError, match=r"no split 'test'; it has train, validation"):
        load_split(tmp_path / "rte.npz", "test")
