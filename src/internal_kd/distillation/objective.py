"""The loss of a training step: which objectives act and how they are weighted."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from internal_kd.data.batches import Batch
from internal_kd.distillation.schedules import Phase
from internal_kd.distillation.signals import LiveSignals, SignalRequest, Signals, SignalSource
from internal_kd.models.bert import Classifier
from internal_kd.models.capture import capture
from internal_kd.models.features import Capture, CaptureRequest
from internal_kd.objectives.functions import LayerLoss, OutputLoss
from internal_kd.objectives.registry import reading_teacher, targets_of
from internal_kd.specs.training import ObjectiveSettings

Terms = dict[str, Tensor]


class DistillationObjective:
    """Internal objectives over the layers that a phase names, and output objectives."""

    def __init__(
        self,
        settings: ObjectiveSettings,
        signals: SignalSource | None,
        projections: nn.ModuleDict | None = None,
    ) -> None:
        self.settings = settings
        self.signals = signals
        self.projections = dict(projections.items()) if projections else {}
        self.internal = {
            name: LayerLoss(name, settings.relation_heads, combined=settings.combined_layers > 0)
            for name in settings.internal
        }
        self.output = {name: OutputLoss(name) for name in settings.output}

    def __call__(
        self, model: Classifier, batch: Batch, phase: Phase, signals: Signals | None = None
    ) -> tuple[Tensor, Terms]:
        """Loss of a batch as a scalar, and the terms that act.

        Neither model is run above the highest layer that a loss reads.

        Args:
            model: the student.
            batch: on its device.
            phase: which losses act.
            signals: what `precomputed` returned; None to request the signals now.
        """
        signals = self._request(batch, phase) if signals is None else signals
        outputs = capture(model, batch, self._features(phase))
        terms: Terms = {}
        weighted: list[Tensor] = []
        if phase.layers and signals is not None:
            terms |= self._internal_terms(outputs, signals, batch, phase.layers)
            weighted += [weight * terms[name] for name, weight in self.settings.internal.items()]
        for name, weight in self._output(phase).items():
            terms[name] = self._output_term(name, outputs, signals, batch)
            weighted.append(weight * terms[name])
        return torch.stack(weighted).sum(), terms

    def precomputed(self, batch: Batch, phase: Phase) -> Signals | None:
        """The teacher's signals, unless they are nothing but a pass of its own for this batch.

        That pass, or None if no signals are needed, can be compiled together with the student's.
        """
        live = isinstance(self.signals, LiveSignals)
        return None if live else self._request(batch, phase)

    def _features(self, phase: Phase) -> CaptureRequest:
        """What the losses of a phase read of the student."""
        names = [feature for loss in self.internal.values() for feature in loss.features]
        return CaptureRequest.of(names, phase.layers, logits=phase.output)

    def _request(self, batch: Batch, phase: Phase) -> Signals | None:
        if self.signals is None:
            return None
        logits = bool(reading_teacher(self._output(phase)))
        return self.signals(batch, self._read_layers(phase), logits=logits)

    def _read_layers(self, phase: Phase) -> tuple[int, ...]:
        """The layers whose signals are requested, see `signals.SignalRequest.matched`."""
        every = tuple(range(1, self.settings.combined_layers + 1))
        return every if every and phase.layers else phase.layers

    def _output(self, phase: Phase) -> Mapping[str, float]:
        return self.settings.output if phase.output else {}

    def _internal_terms(
        self, outputs: Capture, signals: Signals, batch: Batch, layers: tuple[int, ...]
    ) -> Terms:
        terms: Terms = {}
        mask = batch.attention_mask if batch.padded else None
        for name, loss in self.internal.items():
            values = []
            for position, layer in enumerate(layers):
                student = outputs.layer(loss.features, layer)
                teacher = self._teacher_fields(loss, signals, position)
                column = f"{name}_layer{layer}"
                value = loss(student, teacher, mask, self.projections.get(column))
                terms[column] = value
                values.append(value)
            total = torch.stack(values).sum()
            summed = self.settings.layer_reduction == "sum"
            terms[name] = total if summed else total / len(layers)
        return terms

    def _teacher_fields(self, loss: LayerLoss, signals: Signals, position: int) -> Terms:
        """What a loss reads of the teacher: fields of one layer, or of all of them."""
        if self.settings.combined_layers:
            return {field: signals.fields[field] for field in loss.fields}
        return {field: signals.fields[field][:, position] for field in loss.fields}

    def _output_term(
        self, name: str, outputs: Capture, signals: Signals | None, batch: Batch
    ) -> Tensor:
        given = {
            "student_logits": outputs.logits,
            "teacher_logits": None if signals is None else signals.logits,
            "labels": batch.labels,
            "temperature": self.settings.temperature,
        }
        return self.output[name](given)


def new_projections(
    settings: ObjectiveSettings, layers: int, widths: tuple[int, int], seed: int
) -> nn.ModuleDict:
    """The modules that objectives learn beside the student, by column of the history.

    Args:
        settings: of the losses.
        layers: of the student.
        widths: of a hidden state of the student and of the teacher.
        seed: of their first parameters.
    """
    made = nn.ModuleDict()
    combined = settings.combined_layers
    sizes = (*widths, combined) if combined else widths
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name in settings.internal:
            loss = LayerLoss(name, combined=combined > 0)
            for layer in range(1, layers + 1):
                module = loss.new_projection(*sizes)
                if module is not None:
                    made[f"{name}_layer{layer}"] = module
    return made


def signal_request(settings: ObjectiveSettings, matched: Mapping[int, int]) -> SignalRequest:
    """What the losses read of the teacher.

    Args:
        settings: of the losses.
        matched: see `SignalRequest`.
    """
    return SignalRequest(
        logits=bool(reading_teacher(settings.output)),
        matched=matched if settings.internal else {},
        targets=targets_of(settings.internal),
    )
