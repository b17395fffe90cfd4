"""Distances between teacher and student: Equations 2 and 3 for single examples and layers."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import BertConfig, BertForSequenceClassification, PreTrainedModel

from internal_kd.data.batches import assemble
from internal_kd.errors import UserError
from internal_kd.evaluation import attention
from internal_kd.evaluation.attention import (
    compare,
    maps_of_example,
    matched_layers,
)
from internal_kd.evaluation.trained import SplitTokens, TrainedRun
from internal_kd.models.pretrained import inputs_of
from internal_kd.objectives.attention import attention_kl, attention_kl_of_heads
from internal_kd.objectives.hidden import cls_cosine, cosine_distances
from internal_kd.specs.runs import Run
from tests.distillation import reference
from tests.distillation.splits import tiny_split
from tests.jobs.tiny_study import tiny_tokenizer
from tests.models.captures import represent
from tests.models.tiny import SIZES, tiny_model

FAMILIES = ["bert", "roberta", "electra", "distilbert"]
LENGTHS = (5, 9, 1, 7)
HEADS = 3
EXAMPLES = 13


def scores(seed: int, lengths=LENGTHS, tokens: int = 9, noise: float = 0.0) -> Tensor:
    """Scores of sentences, `[batch, heads, tokens, tokens]`, with `noise` at padding."""
    generator = torch.Generator().manual_seed(seed)
    padded = torch.randn(len(lengths), HEADS, tokens, tokens) * noise
    for own, n in zip(padded, lengths, strict=True):
        own[:, :n, :n] = torch.randn(HEADS, n, n, generator=generator) * 2
    return padded


def mask_of(lengths=LENGTHS, tokens: int = 9) -> Tensor:
    return torch.tensor([[int(k < n) for k in range(tokens)] for n in lengths])


def masked_softmax(values: Tensor, mask: Tensor) -> Tensor:
    return values.masked_fill(~mask.bool()[:, None, None, :], -math.inf).softmax(-1)


def test_divergence_of_each_sentence_and_head_is_equation_2() -> None:
    teacher, student = scores(1, noise=50.0), scores(2, noise=50.0)
    found = attention_kl_of_heads(teacher, student, mask_of())
    assert found.shape == (4, HEADS)
    for i, n in enumerate(LENGTHS):
        for head in range(HEADS):
            own = ([s[i, head : head + 1, :n, :n]] for s in (teacher, student))
            assert found[i, head].item() == pytest.approx(reference.attention_kl(*own), 1e-5, 1e-6)


def test_divergence_computed_by_hand() -> None:
    # Two tokens; teacher rows (1/2, 1/2), student rows (3/4, 1/4) and (1/2, 1/2):
    # ((log 2/3 + log 2) / 2 + 0) / 2 = 0.07192052.
    student = torch.tensor([[[[math.log(3.0), 0.0], [0.0, 0.0]]]])
    found = attention_kl_of_heads(torch.zeros(1, 1, 2, 2), student, torch.ones(1, 2))
    assert found.item() == pytest.approx(0.07192052, 1e-6)


@pytest.mark.parametrize("lengths", [LENGTHS, (9, 9, 9)])
def test_mean_over_a_batch_is_the_training_loss(lengths) -> None:
    teacher, student = (scores(s, lengths, tokens=11, noise=5.0) for s in (1, 2))
    mask = mask_of(lengths, 11)
    padding = ~mask.bool()
    probabilities = masked_softmax(teacher, mask).masked_fill(padding[:, None, :, None], 0.0)
    keys = student.masked_fill(padding[:, None, None, :], torch.finfo(torch.float32).min)
    loss = attention_kl(probabilities, keys, mask.sum(dim=1))
    torch.testing.assert_close(attention_kl_of_heads(teacher, student, mask).mean(), loss)


def test_divergence_of_identical_attention_is_exactly_zero() -> None:
    assert not attention_kl_of_heads(scores(3), scores(3), mask_of()).any()


def test_divergence_is_finite_where_either_gives_no_probability() -> None:
    one_sided = torch.tensor([[[[300.0, 0.0], [0.0, 300.0]]]])
    found = [
        attention_kl_of_heads(*pair, torch.ones(1, 2)).item()
        for pair in ((one_sided, -one_sided), (-one_sided, one_sided))
    ]
    assert found == pytest.approx([300.0, 300.0])


@given(extra=st.integers(0, 20), noise=st.floats(0, 1e4))
def test_padding_does_not_affect_the_divergence(extra: int, noise: float) -> None:
    tokens = 9 + extra
    padded = [scores(seed, tokens=tokens, noise=noise) for seed in (1, 2)]
    torch.testing.assert_close(
        attention_kl_of_heads(*padded, mask_of(tokens=tokens)),
        attention_kl_of_heads(scores(1), scores(2), mask_of()),
    )


def test_cosine_distance_is_equation_3() -> None:
    teacher, student = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    found = cosine_distances(teacher.double(), student.double())
    for i in range(5):
        expected = reference.cls_cosine(teacher[i : i + 1], student[i : i + 1])
        assert found[i].item() == pytest.approx(expected, 1e-12)
    assert found.mean().item() == pytest.approx(cls_cosine(teacher, student).item(), 1e-5)


def test_cosine_distance_by_hand() -> None:
    teacher = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 2.0]])
    student = torch.tensor([[3.0, 0.0], [0.0, 1.0], [-2.0, 0.0], [1.0, 0.0]])
    expected = [0.0, 1.0, 2.0, 1 - math.sqrt(0.5)]
    assert cosine_distances(teacher, student).tolist() == pytest.approx(expected)


def trained(model: PreTrainedModel, folder: str | Path = "runs/some", task="rte") -> TrainedRun:
    return TrainedRun(Path(folder), Run(task, "exp2.0", layers=2, percent=100, seed=0), model)


def tokens_of(examples: int = EXAMPLES) -> SplitTokens:
    """Sentences of 4 to 10 tokens."""
    return SplitTokens("rte", "validation", tiny_split(examples, seed=5), 1)


def pair(family: str = "bert", seeds=(0, 1)) -> tuple[TrainedRun, TrainedRun]:
    """A teacher of four layers and a student of two."""
    teacher, student = tiny_model(family, 4, seeds[0]), tiny_model(family, 2, seeds[1])
    return trained(teacher), trained(student)


def eager(model: PreTrainedModel, tokens: SplitTokens, row: int) -> tuple:
    """Transformers' own attentions and hidden states of one sentence, without padding, in fp64."""
    model.set_attn_implementation("eager")
    batch = assemble(tokens.split, np.array([row]), tokens.pad_token_id)
    with torch.no_grad():
        outputs = model.eval().double()(
            **inputs_of(model, batch), output_attentions=True, output_hidden_states=True
        )
    return outputs.attentions, outputs.hidden_states[1:]


@pytest.mark.parametrize("family", FAMILIES)
def test_distances_of_every_example_and_layer(family: str) -> None:
    teacher, student = pair(family)
    tokens = tokens_of()
    found = compare(teacher, student, tokens)
    assert found.teacher_layers == (2, 4)
    assert found.attention_kl.shape == found.cosine_distance.shape == (EXAMPLES, 2)
    for row in range(EXAMPLES):
        taught, taught_states = eager(teacher.model, tokens, row)
        learnt, learnt_states = eager(student.model, tokens, row)
        for layer, taught_layer in ((0, 1), (1, 3)):
            p, q = taught[taught_layer][0], learnt[layer][0]
            kl = (p * (p / q).log()).sum(-1).mean().item()
            assert found.attention_kl[row, layer] == pytest.approx(kl, 1e-3, 1e-6)
            cls = taught_states[taught_layer][:, 0], learnt_states[layer][:, 0]
            distance = reference.cls_cosine(*cls)
            assert found.cosine_distance[row, layer] == pytest.approx(distance, 1e-3, 1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_is_at_no_distance_from_itself(family: str) -> None:
    model = trained(tiny_model(family, 3))
    found = compare(model, model, tokens_of())
    assert found.teacher_layers == (1, 2, 3)
    assert not found.attention_kl.any()
    np.testing.assert_allclose(found.cosine_distance, 0.0, atol=1e-12)


@pytest.mark.parametrize("size", [1, 4, 100])
def test_batching_does_not_affect_distances(monkeypatch, size: int) -> None:
    expected = compare(*pair(), tokens_of())
    monkeypatch.setattr(attention, "COMPARISON_BATCH_SIZE", size)
    found = compare(*pair(), tokens_of())
    np.testing.assert_allclose(found.attention_kl, expected.attention_kl, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.cosine_distance, expected.cosine_distance, rtol=1e-4)


def test_order_of_the_examples_does_not_matter() -> None:
    tokens = tokens_of()
    order = np.random.default_rng(0).permutation(EXAMPLES)
    shuffled = SplitTokens("rte", "validation", tokens.split.select(order), 1)
    expected, found = compare(*pair(), tokens), compare(*pair(), shuffled)
    assert found.indices.tolist() == order.tolist()
    np.testing.assert_allclose(found.attention_kl, expected.attention_kl[order], rtol=1e-4)


def test_dropout_is_disabled_and_the_mode_is_restored() -> None:
    teacher, student = pair()
    expected = compare(teacher, student, tokens_of())
    teacher.model.train()
    student.model.train()
    found = compare(teacher, student, tokens_of())
    np.testing.assert_array_equal(found.attention_kl, expected.attention_kl)
    assert teacher.model.training
    assert student.model.training


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        ({"num_attention_heads": 4}, "4 attention heads, its teacher 2"),
        ({"hidden_size": 32}, "32 hidden units, its teacher 16"),
        ({"vocab_size": 70}, "70 entries in its vocabulary, its teacher 60"),
    ],
)
def test_models_of_different_width_are_refused(sizes, found) -> None:
    config = BertConfig(**{**SIZES, "num_hidden_layers": 2, **sizes})
    student = trained(BertForSequenceClassification(config), "runs/wide")
    with pytest.raises(UserError, match=f"runs/wide: the student has {found}"):
        compare(trained(tiny_model()), student, tokens_of())


def test_groups_of_layers_may_differ_in_size() -> None:
    teacher, student = trained(tiny_model()), trained(tiny_model(layers=3))
    assert matched_layers(teacher, student, tokens_of()) == (1, 3, 4)


def test_student_deeper_than_its_teacher_is_refused() -> None:
    with pytest.raises(UserError, match="5 layers cannot each match one of the teacher's 4 layers"):
        matched_layers(trained(tiny_model()), trained(tiny_model(layers=5)), tokens_of())


@pytest.mark.parametrize("place", [0, 1])
def test_tokens_of_another_task_are_refused(place) -> None:
    runs = list(pair())
    runs[place] = trained(runs[place].model, "runs/other", task="qnli")
    with pytest.raises(UserError, match=r"runs/other: trained on qnli, .* those of rte"):
        compare(*runs, tokens_of())


@pytest.fixture
def with_tokenizer(tmp_path) -> Path:
    """A folder whose tokenizer is the tiny one."""
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    return tmp_path


@pytest.mark.parametrize("family", FAMILIES)
def test_maps_are_the_attention_of_matching_layers(with_tokenizer, family) -> None:
    models = [tiny_model(family, layers, seed) for seed, layers in enumerate((4, 2, 2))]
    runs = [trained(model, with_tokenizer) for model in models]
    tokens = tokens_of()
    maps = maps_of_example(*runs, tokens, 7)
    length = tokens.split.lengths[7]
    assert maps.example == 7
    assert maps.teacher_layers.tolist() == [2, 4]
    expected = [eager(model, tokens, 7)[0] for model in models]
    expected[0] = expected[0][1::2]
    for found, attentions in zip(
        (maps.teacher, maps.standard, maps.internal), expected, strict=True
    ):
        assert found.dtype == np.float32
        assert found.shape == (2, 2, length, length)
        np.testing.assert_allclose(found, torch.cat(attentions).numpy(), atol=1e-5)


def test_divergences_of_the_maps_are_those_of_the_example(with_tokenizer) -> None:
    models = [tiny_model("bert", layers, seed) for seed, layers in enumerate((4, 2, 2))]
    teacher, *students = (trained(model, with_tokenizer) for model in models)
    maps = maps_of_example(teacher, *students, tokens_of(), 7)
    for name, student in zip(("standard", "internal"), students, strict=True):
        expected = compare(teacher, student, tokens_of()).attention_kl[7]
        np.testing.assert_allclose(maps.layer_kl(name), expected, rtol=1e-4)
        assert maps.head_kl(name).shape == (2, 2)


def test_tokens_of_the_maps_are_strings(with_tokenizer) -> None:
    teacher, student = (trained(run.model, with_tokenizer) for run in pair())
    split = tiny_split(3, seed=5)
    split.input_ids[split.offsets[1] - 1] = 3
    maps = maps_of_example(teacher, student, student, SplitTokens("rte", "dev", split, 1), 0)
    words = [f"w{number - 5}" for number in split.input_ids[1 : split.lengths[0] - 1]]
    assert maps.tokens.tolist() == ["[CLS]", *words, "[SEP]"]
    assert maps.special.tolist() == [True, *[False] * len(words), True]


@pytest.mark.parametrize("example", [-1, EXAMPLES])
def test_example_out_of_range_is_refused(example) -> None:
    teacher, student = pair()
    message = f"example {example} does not exist; the validation split of rte has rows 0 to 12"
    with pytest.raises(UserError, match=message):
        maps_of_example(teacher, student, student, tokens_of(), example)


def test_students_of_different_depth_are_refused() -> None:
    teacher, student = pair()
    with pytest.raises(UserError, match="as many layers are needed as in runs/some"):
        maps_of_example(teacher, student, trained(tiny_model(layers=4)), tokens_of(), 0)


def test_scores_of_padding_have_no_mass_in_real_models() -> None:
    """What `attention_kl_of_heads` masks, models mask too: the two agree on what padding is."""
    split = tiny_split(4, seed=5)
    batch = assemble(split, np.arange(4), 1)
    found = represent(tiny_model().eval(), batch).scores[0].softmax(-1)
    assert not found.masked_select(~batch.attention_mask.bool()[:, None, None, :]).any()
