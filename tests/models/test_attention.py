"""Scores through the attention interface equal Transformers' own attention."""

import pytest
import torch

from internal_kd.models.attention import record_attention
from internal_kd.models.features import CaptureRequest, probabilities
from internal_kd.models.pretrained import inputs_of
from internal_kd.objectives.attention import attention_kl
from tests.distillation import reference
from tests.models.captures import represent
from tests.models.tiny import tiny_batch, tiny_model

FAMILIES = ["bert", "roberta", "electra", "distilbert"]


@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_equal_the_eager_implementation(family: str) -> None:
    model, batch = tiny_model(family).eval(), tiny_batch()
    ours = represent(model, batch)
    model.set_attn_implementation("eager")
    eager = model(**inputs_of(model, batch), output_attentions=True, output_hidden_states=True)
    torch.testing.assert_close(ours.logits, eager.logits)
    assert len(ours.scores) == len(ours.cls) == 4
    for scores, attention in zip(ours.scores, eager.attentions, strict=True):
        torch.testing.assert_close(probabilities(scores), attention)
    for cls, states in zip(ours.cls, eager.hidden_states[1:], strict=True):
        torch.testing.assert_close(cls, states[:, 0])


@pytest.mark.parametrize("family", FAMILIES)
def test_kl_equals_the_reference(family: str) -> None:
    batch = tiny_batch()
    teacher, student = (represent(tiny_model(family, seed=s).eval(), batch) for s in (0, 1))
    lengths = batch.attention_mask.sum(1).tolist()
    for layer in range(4):
        pairs = (
            [scores[i, :, :n, :n].detach() for i, n in enumerate(lengths)]
            for scores in (teacher.scores[layer], student.scores[layer])
        )
        rows = batch.attention_mask[:, None, :, None]
        taught = probabilities(teacher.scores[layer]) * rows
        value = attention_kl(taught, student.scores[layer], batch.attention_mask.sum(1))
        assert value.item() == pytest.approx(reference.attention_kl(*pairs), 1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_taken_before_attention_dropout(family: str) -> None:
    """In layer 1, attention dropout is the only dropout between scores and probabilities."""
    model, batch = tiny_model(family), tiny_batch()
    for module in model.base_model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for module in model.base_model.modules():
        if hasattr(module, "attention_head_size") and hasattr(module, "dropout"):
            module.dropout.p = 0.5
    expected = represent(model.eval(), batch).scores[0]
    torch.testing.assert_close(represent(model.train(), batch).scores[0], expected)


def test_rows_of_padding_free_text_sum_to_one() -> None:
    scores = represent(tiny_model().train(), tiny_batch()).scores
    for layer in scores:
        torch.testing.assert_close(probabilities(layer).sum(-1), torch.ones(layer.shape[:-1]))


def test_nothing_is_recorded_outside_the_context() -> None:
    model, batch = tiny_model().eval(), tiny_batch()
    with record_attention(model, CaptureRequest.of(["scores"], range(1, 5))) as recorder:
        model(**inputs_of(model, batch))
    model(**inputs_of(model, batch))
    assert recorder.layer == len(recorder.features) == 4
