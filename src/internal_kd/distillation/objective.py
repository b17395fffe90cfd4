"""The loss of a training step: which terms act and how they are weighted."""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from internal_kd.data.batches import Batch
from internal_kd.distillation.losses.attention import attention_kl
from internal_kd.distillation.losses.hidden import cls_cosine
from internal_kd.distillation.losses.output import hard_cross_entropy, soft_cross_entropy
from internal_kd.distillation.schedules import Stage
from internal_kd.distillation.settings import ObjectiveSettings
from internal_kd.distillation.signals import Signals, SignalSource, Wanted
from internal_kd.models.encoder import Representations, logits_of, represent

Terms = dict[str, Tensor]


class DistillationObjective:
    """Equations 1 to 3 over the layers that the schedule's stage names."""

    def __init__(self, settings: ObjectiveSettings, signals: SignalSource | None) -> None:
        self.settings = settings
        self.signals = signals

    def __call__(self, model: PreTrainedModel, batch: Batch, stage: Stage) -> tuple[Tensor, Terms]:
        """Loss of a batch as a scalar, and the terms that act."""
        signals = self.signals(batch) if self.signals else None
        if stage.layers:
            outputs = represent(model, batch)
        else:
            outputs = Representations(logits_of(model, batch))
        loss = outputs.logits.new_zeros(())
        terms: Terms = {}
        if stage.layers and signals is not None:
            terms |= self._internal_terms(outputs, signals, batch, stage.layers)
            loss = loss + sum(
                weight * terms[name] for name, weight in self.settings.internal.items()
            )
        if stage.output:
            output_terms = self._output_terms(outputs.logits, signals, batch.labels)
            terms |= output_terms
            loss = loss + sum(
                self.settings.output[name] * term for name, term in output_terms.items()
            )
        return loss, terms

    def _internal_terms(
        self, outputs: Representations, signals: Signals, batch: Batch, layers: tuple[int, ...]
    ) -> Terms:
        terms: Terms = {}
        for name in self.settings.internal:
            values = []
            for layer in layers:
                value = _internal_loss(name, outputs, signals, batch.attention_mask, layer - 1)
                terms[f"{name}_layer{layer}"] = value
                values.append(value)
            total = torch.stack(values).sum()
            terms[name] = total if self.settings.summed else total / len(layers)
        return terms

    def _output_terms(self, logits: Tensor, signals: Signals | None, labels: Tensor) -> Terms:
        terms: Terms = {}
        if "soft" in self.settings.output:
            assert signals is not None
            terms["soft"] = soft_cross_entropy(logits, signals.logits, self.settings.temperature)
        if "hard" in self.settings.output:
            terms["hard"] = hard_cross_entropy(logits, labels)
        return terms


def _internal_loss(
    name: str, outputs: Representations, signals: Signals, mask: Tensor, position: int
) -> Tensor:
    if name == "attention_kl":
        assert signals.attention is not None
        return attention_kl(signals.attention[:, position], outputs.scores[position], mask)
    assert signals.cls is not None
    return cls_cosine(signals.cls[:, position], outputs.cls[position])


def wanted_signals(settings: ObjectiveSettings, matched_layers: tuple[int, ...]) -> Wanted:
    """What the losses need from the teacher."""
    return Wanted(
        layers=matched_layers if settings.internal else (),
        cls="cls_cosine" in settings.internal,
        attention="attention_kl" in settings.internal,
    )
