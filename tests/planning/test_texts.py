import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from internal_kd.data.checks import validate_table
from internal_kd.data.encoding import TokensMeta, encode_split, save_tokens
from internal_kd.embedded.tasks import generate
from internal_kd.planning.texts import Texts, pretraining_text, task_texts
from internal_kd.specs.config import Data, Limit
from internal_kd.study.glue import GLUE
from tests.conftest import ROOT
from tests.distillation.splits import tiny_split
from tests.study.configs import read_study

HUB = Data(source="hub", path=None, max_length=64, language_seed=0, limit=None)
ABSENT = ROOT / "no" / "tokens.npz"


def test_existing_token_files_are_counted(tmp_path) -> None:
    splits = {"train": tiny_split(50, 1), "validation": tiny_split(20, 2)}
    save_tokens(tmp_path / "tokens.npz", splits, TokensMeta("rte", ("a", "b"), 0, 64, 100))
    found = task_texts(HUB, GLUE["rte"], tmp_path / "tokens.npz")
    lengths = splits["train"].lengths
    assert found.train == Texts(50, lengths.sum(), (lengths**2).sum())
    assert found.validation.rows == 20
    assert found.test == Texts()
    assert found.classes == 2


@pytest.mark.parametrize(
    ("task", "rows", "mean"), [("cola", 8551, 11.3), ("qqp", 363_846, 30.4), ("rte", 2490, 52.1)]
)
def test_glue_is_known_beforehand(task, rows, mean) -> None:
    """Means of 64 tokens at most, as counted on the data: see docs/planning.md."""
    train = task_texts(HUB, GLUE[task], ABSENT).train
    assert train.rows == rows
    assert train.tokens / train.rows == pytest.approx(mean, rel=0.01)


def test_every_task_is_known_with_both_sources() -> None:
    for task in GLUE:
        for source in ("hub", "embedded"):
            assert task_texts(replace(HUB, source=source), GLUE[task], ABSENT).test.rows >= 1000


def test_texts_are_cut_and_rows_are_limited() -> None:
    data = replace(HUB, max_length=8, limit={"rte": Limit(train=100)})
    found = task_texts(data, GLUE["rte"], ABSENT)
    assert found.train == Texts(100, 800, 6400)
    assert found.validation.rows == 277


def test_rows_of_a_folder_are_those_of_its_files(tmp_path) -> None:
    (tmp_path / "rte").mkdir()
    for split, rows in (("train", 7), ("validation", 3)):
        table = pa.table({"label": list(range(rows))})
        pq.write_table(table, tmp_path / "rte" / f"{split}.parquet")
    data = replace(HUB, source="folder", path=str(tmp_path))
    found = task_texts(data, GLUE["rte"], ABSENT)
    assert (found.train.rows, found.validation.rows, found.test.rows) == (7, 3, 0)
    (tmp_path / "rte" / "train.parquet").write_text("")
    assert task_texts(data, GLUE["rte"], ABSENT).train.rows == 2490


def test_the_embedded_tasks_are_as_known(tmp_path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(ROOT / "src/internal_kd/embedded/assets")
    task = GLUE["mrpc"]
    tables = generate(task.name, seed=0)
    known = task_texts(read_study().config.data, task, ABSENT)
    for split in ("train", "validation", "test"):
        table = validate_table(tables[split], task, split, split)
        lengths = encode_split(table, task, tokenizer, 64).lengths
        texts: Texts = getattr(known, split)
        assert texts.rows == len(lengths)
        assert texts.tokens / texts.rows == pytest.approx(lengths.mean(), rel=0.02)
        assert texts.squares / texts.rows == pytest.approx(np.mean(lengths**2), rel=0.03)


def test_pretraining_text_has_a_length() -> None:
    texts = pretraining_text(1000)
    assert texts.rows == pytest.approx(1000)
    assert texts.tokens / texts.rows == pytest.approx(21.8, rel=0.01)
