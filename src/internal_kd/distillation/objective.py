"""The loss of a training step: which terms act and how they are weighted."""

import torch
from torch import Tensor

from internal_kd.data.batches import Batch
from internal_kd.distillation.losses.attention import attention_kl
from internal_kd.distillation.losses.hidden import cls_cosine
from internal_kd.distillation.losses.output import hard_cross_entropy, soft_cross_entropy
from internal_kd.distillation.schedules import Stage
from internal_kd.distillation.settings import ObjectiveSettings
from internal_kd.distillation.signals import (
    LiveSignals,
    SignalRequest,
    Signals,
    SignalSource,
)
from internal_kd.models.classifier import Classifier
from internal_kd.models.encoder import logits_of, represent
from internal_kd.models.representations import Representations

Terms = dict[str, Tensor]


class DistillationObjective:
    """Equations 1 to 3 over the layers that the schedule's stage names."""

    def __init__(self, settings: ObjectiveSettings, signals: SignalSource | None) -> None:
        self.settings = settings
        self.signals = signals

    def __call__(
        self, model: Classifier, batch: Batch, stage: Stage, known: Signals | None = None
    ) -> tuple[Tensor, Terms]:
        """Loss of a batch as a scalar, and the terms that act.

        Where no output loss acts, neither model is run above the deepest layer that a loss reads.

        Args:
            model: the student.
            batch: on its device.
            stage: says which losses act.
            known: what `known` gave; None to request the signals now.
        """
        signals = self._request(batch, stage) if known is None else known
        if stage.layers:
            outputs = represent(model, batch, None if stage.output else max(stage.layers))
        else:
            outputs = Representations(logits_of(model, batch))
        terms: Terms = {}
        weighted: list[Tensor] = []
        if stage.layers and signals is not None:
            terms |= self._internal_terms(outputs, signals, batch, stage.layers)
            weighted += [weight * terms[name] for name, weight in self.settings.internal.items()]
        for name, weight in self._output(stage).items():
            terms[name] = _output_loss(name, outputs, signals, batch, self.settings.temperature)
            weighted.append(weight * terms[name])
        return torch.stack(weighted).sum(), terms

    def known(self, batch: Batch, stage: Stage) -> Signals | None:
        """The teacher's signals, unless they are nothing but a pass of its own for this batch.

        That pass, or None if no signals are needed, can be compiled together with the student's.
        """
        live = isinstance(self.signals, LiveSignals)
        return None if live else self._request(batch, stage)

    def _request(self, batch: Batch, stage: Stage) -> Signals | None:
        if self.signals is None:
            return None
        return self.signals(batch, stage.layers, logits="soft" in self._output(stage))

    def _output(self, stage: Stage) -> dict[str, float]:
        return self.settings.output if stage.output else {}

    def _internal_terms(
        self, outputs: Representations, signals: Signals, batch: Batch, layers: tuple[int, ...]
    ) -> Terms:
        terms: Terms = {}
        lengths = batch.attention_mask.sum(dim=-1) if batch.padded else None
        for name in self.settings.internal:
            values = []
            for position, layer in enumerate(layers):
                value = _internal_loss(name, outputs, layer - 1, signals, position, lengths)
                terms[f"{name}_layer{layer}"] = value
                values.append(value)
            total = torch.stack(values).sum()
            summed = self.settings.layer_reduction == "sum"
            terms[name] = total if summed else total / len(layers)
        return terms


def _internal_loss(
    name: str,
    outputs: Representations,
    layer: int,
    signals: Signals,
    position: int,
    lengths: Tensor | None,
) -> Tensor:
    """A loss of the zero-based student layer against the teacher's at `position` of the signals."""
    if name == "attention_kl":
        assert signals.attention is not None
        assert signals.entropy is not None
        probabilities, entropy = signals.attention[:, position], signals.entropy[:, position]
        return attention_kl(probabilities, outputs.scores[layer], lengths, entropy)
    assert signals.cls is not None
    return cls_cosine(signals.cls[:, position], outputs.cls[layer])


def _output_loss(
    name: str, outputs: Representations, signals: Signals | None, batch: Batch, temperature: float
) -> Tensor:
    assert outputs.logits is not None
    if name == "hard":
        return hard_cross_entropy(outputs.logits, batch.labels)
    assert signals is not None
    assert signals.logits is not None
    return soft_cross_entropy(outputs.logits, signals.logits, temperature)


def signal_request(settings: ObjectiveSettings, matched_layers: tuple[int, ...]) -> SignalRequest:
    """What the losses read of the teacher.

    Args:
        settings: of the losses.
        matched_layers: one-based teacher layers of the student's layers, bottom first.
    """
    return SignalRequest(
        logits="soft" in settings.output,
        layers=matched_layers if settings.internal else (),
        cls="cls_cosine" in settings.internal,
        attention="attention_kl" in settings.internal,
    )
