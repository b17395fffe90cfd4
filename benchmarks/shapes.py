"""Sizes of the teachers and students that are compared, and random models of these sizes."""

from dataclasses import dataclass

import torch
from transformers import BertConfig, BertForSequenceClassification

from internal_kd.models.layer_maps import group_tops
from internal_kd.models.layers import encoder_layers

SHARPER = 8.0  # random weights alone give nearly uniform attention and nearly equal classes


@dataclass(frozen=True)
class Shape:
    """A teacher and a student of half its depth, both BERT without dropout.

    Attributes:
        name: on the command line and in result files.
        title: in tables.
        hidden: width; the feed-forward network is four times as wide.
        heads: attention heads per layer.
        teacher_layers: depth of the teacher.
        student_layers: depth of the student.
        vocabulary: entries.
    """

    name: str
    title: str
    hidden: int
    heads: int
    teacher_layers: int
    student_layers: int
    vocabulary: int = 30522

    @property
    def matched(self) -> tuple[int, ...]:
        """One-based teacher layers that the student's layers are matched with, bottom first."""
        return group_tops(self.teacher_layers, self.student_layers)


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("tiny", "Tiny: 256 wide, 8 → 4 layers", 256, 4, 8, 4, 8192),
        Shape("minilm", "MiniLM: 384 wide, 6 → 3 layers", 384, 12, 6, 3),
        Shape("bert-base", "BERT-base: 768 wide, 12 → 6 layers", 768, 12, 12, 6),
    )
}


def teacher_and_student(
    shape: Shape, attention: str
) -> tuple[BertForSequenceClassification, BertForSequenceClassification]:
    """Random models, the same ones in every call.

    Args:
        shape: their sizes.
        attention: the implementation, a name that Transformers has.
    """
    teacher = _model(shape, shape.teacher_layers, attention, seed=1)
    student = _model(shape, shape.student_layers, attention, seed=2)
    return teacher.eval().requires_grad_(False), student


def _model(shape: Shape, layers: int, attention: str, seed: int) -> BertForSequenceClassification:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_attention_heads=shape.heads,
        num_hidden_layers=layers,
        intermediate_size=4 * shape.hidden,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation=attention,
        num_labels=2,
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        for layer in encoder_layers(model):
            layer.attention.self.query.weight *= SHARPER
        model.classifier.weight *= SHARPER
    return model
