"""Which layers a student starts from."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification

from internal_kd.errors import UserError
from internal_kd.models.initialization import initialize_student, source_layers
from internal_kd.models.layer_maps import group_tops
from internal_kd.models.layers import (
    copy_head,
    embedding_parameters,
    encoder_layers,
    head_parameters,
)
from internal_kd.models.pretrained import inputs_of
from tests.models.tiny import tiny_batch, tiny_model

FAMILIES = ["bert", "roberta", "electra", "distilbert"]


@pytest.mark.parametrize(
    ("teacher", "student", "expected"),
    [
        (12, 6, (2, 4, 6, 8, 10, 12)),
        (12, 1, (12,)),
        (6, 3, (2, 4, 6)),
        (8, 8, tuple(range(1, 9))),
        (8, 3, (3, 5, 8)),
        (12, 5, (2, 5, 7, 10, 12)),
        (6, 4, (2, 3, 5, 6)),
    ],
)
def test_upper_layer_of_each_group(teacher, student, expected) -> None:
    assert group_tops(teacher, student) == expected
    assert source_layers("upper", teacher, student) == expected


@given(st.data(), st.integers(1, 48))
def test_groups_are_as_even_as_possible(data, teacher) -> None:
    student = data.draw(st.integers(1, teacher))
    matched = group_tops(teacher, student)
    sizes = {upper - below for below, upper in pairwise((0, *matched))}
    assert matched[-1] == teacher
    assert sizes <= {teacher // student, -(-teacher // student)}


def test_other_choices_of_layers() -> None:
    assert source_layers("lower", 12, 3) == (1, 2, 3)
    assert source_layers((4, 8, 12), 12, 3) == (4, 8, 12)
    assert source_layers("random", 12, 3) == ()


@pytest.mark.parametrize(
    ("init", "layers", "words"),
    [
        ("uper", 6, "uper"),
        ([1, 2], 3, "must name 3 layers"),
        ([1, 13], 2, "between 1 and 12"),
        ("upper", 13, "13 layers cannot each match one of the teacher's 12 layers; write 1 to 12"),
        ("upper", 0, "0 layers"),
    ],
)
def test_choices_that_do_not_fit_are_refused(init, layers, words) -> None:
    with pytest.raises(UserError, match=words):
        source_layers(init, 12, layers)


@pytest.mark.parametrize("family", FAMILIES)
def test_student_has_the_layers_and_the_embeddings_of_the_base(family, tmp_path) -> None:
    base = tiny_model(family).base_model
    expected = [encoder_layers(base)[k].state_dict() for k in (1, 3)]
    embeddings = [parameter.clone() for parameter in embedding_parameters(base)]
    initialize_student(base, "upper", 2, seed=0).save_pretrained(tmp_path)
    student = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert student.config.num_hidden_layers == 2
    for layer, state in zip(encoder_layers(student), expected, strict=True):
        for name, parameter in layer.state_dict().items():
            torch.testing.assert_close(parameter, state[name], rtol=0, atol=0)
    for ours, own in zip(embedding_parameters(student), embeddings, strict=True):
        torch.testing.assert_close(ours, own, rtol=0, atol=0)
    student(**inputs_of(student, tiny_batch()))


def test_random_student_shares_nothing_and_repeats_with_its_seed() -> None:
    weights = []
    for seed in (1, 1, 2):
        student = initialize_student(tiny_model().base_model, "random", 2, seed)
        assert len(encoder_layers(student)) == 2
        weights.append(encoder_layers(student)[0].attention.self.query.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("family", FAMILIES)
def test_head_of_the_teacher_is_copied_and_nothing_else(family) -> None:
    teacher, student = tiny_model(family, seed=0), tiny_model(family, layers=2, seed=1)
    before = {name: p.clone() for name, p in student.named_parameters()}
    copy_head(teacher, student)
    head = set(head_parameters(student))
    source = dict(teacher.named_parameters())
    for name, parameter in student.named_parameters():
        expected = source[name] if name in head else before[name]
        assert torch.equal(parameter, expected), name
